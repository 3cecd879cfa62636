// The credential that readers type on the page of a method: the scheme in which the API expects it, and where the page
// stores it.

import { basicCredentials } from "./rulebook.js";

/** What example calls send instead of a credential. The pages contain it too. */
const PLACEHOLDER = "YOUR_KEY";
/** What example calls send instead of a name and a password. */
const LOGIN_PLACEHOLDER = "NAME:PASSWORD";

/** An authentication scheme: the header field in which requests send a credential. */
export class Scheme {
  /** @param {string} [example] the header field with the placeholder, such as `X-Api-Key: YOUR_KEY` */
  constructor(example = `Authorization: Bearer ${PLACEHOLDER}`) {
    const [, name, value] = /^([^:]+): (.*)$/s.exec(example);
    this.name = name;
    /** The text before the credential in the value of the field. */
    this.start = value.slice(0, -PLACEHOLDER.length);
    /** The name of the cookie that is the credential; undefined in other schemes. */
    this.cookie = name === "Cookie" ? this.start.slice(0, -1) : undefined;
    /** The name of the HTTP authentication scheme, such as `Bearer`; undefined in other schemes. */
    this.http = name === "Authorization" && this.start !== "" ? this.start.trim() : undefined;
  }

  /** Returns the label of the input for the credential. */
  get label() {
    if (this.cookie !== undefined) return `Cookie ${this.cookie}`;
    if (this.http === undefined) return this.name;
    const known = { bearer: "Bearer token", basic: "Name and password, as name:password" };
    return known[this.http.toLowerCase()] ?? `Credential of the scheme ${this.http}`;
  }

  /** Returns what example calls send for a typed credential, or a placeholder if it is "": a name and a password as
      `login`, which each language encodes, or the name and the value of a header field as `field`. */
  sample(typed) {
    const shown = typed || (this.isBasic ? LOGIN_PLACEHOLDER : PLACEHOLDER);
    if (!this.isLogin(shown)) return { field: [this.name, this.start + shown] };
    const [, name, password] = /^([^:]*):(.*)$/s.exec(shown);
    return { login: { name, password } };
  }

  /** Returns a typed credential with a mask instead of its secret part. */
  masked(typed, mask) {
    return this.isLogin(typed) ? `${typed.split(":")[0]}:${mask}` : mask;
  }

  /** Returns the header fields that a page sets in a request. Browsers add cookies themselves. */
  fieldsOfPage(typed = this.stored()) {
    if (typed === "" || this.cookie !== undefined) return [];
    return [[this.name, this.isLogin(typed) ? basicCredentials(typed) : this.start + typed]];
  }

  /** Returns whether a typed credential is a name and a password (RFC 7617), which are not encoded yet. */
  isLogin(typed) {
    return this.isBasic && typed.includes(":");
  }

  get isBasic() {
    return this.http?.toLowerCase() === "basic";
  }

  /** Returns the `credentials` option of `fetch`. Otherwise, if the server responds with the status 401, browsers show a
      dialog for the name and the password, instead of the response. */
  get fetchOption() {
    return this.isBasic ? "omit" : undefined;
  }

  /** Returns the stored credential, or "". A cookie is stored as such, so that it is the one that the browser sends. */
  stored() {
    if (this.cookie === undefined) return sessionStorage.getItem("token") ?? "";
    const start = `${this.cookie}=`;
    return document.cookie.split("; ").find((pair) => pair.startsWith(start))?.slice(start.length) ?? "";
  }

  /** Stores a typed credential: while the tab is open, or as a cookie for the paths below `root`. Removes it if it is "". */
  store(typed, root) {
    if (this.cookie === undefined) return sessionStorage.setItem("token", typed);
    // The value ends at a semicolon, and what follows would be attributes.
    const [value] = typed.split(";");
    const secure = root.protocol === "https:" ? "; Secure" : "";
    const age = value === "" ? "; Max-Age=0" : "";
    document.cookie = `${this.cookie}=${value}; Path=${root.pathname}; SameSite=Strict${secure}${age}`;
  }
}
