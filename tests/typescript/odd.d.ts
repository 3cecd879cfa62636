/** API 1.0.0 */
import type { Call, Calls, Download, FileArgument } from "./rulebook.js";

/** The functions of the API: `await rulebook<Api>(url)`. */
export interface Api extends Calls<Methods> {
  __proto__: {
    /** A name of its own */
    get: Call<Methods["__proto__.get"]>;
  };
  a: {
    "": {
      /** Nothing */
      b: Call<Methods["a..b"]>;
    };
  };
  alike: {
    "{x}": {
      /**
       * Ends *\/ here
       * \@deprecated it is not
       * /* or begins \u202e\u2028 there
       * @deprecated
       */
      post: Call<Methods["alike.{x}.post"]>;
    };
  };
  article: {
    "a%2Eb": {
      /** A dot */
      get: Call<Methods["article.a%2Eb.get"]>;
    };
    /** A function */
    get: Call<Methods["article.get"]> & {
      /** Below a function */
      get: Call<Methods["article.get.get"]>;
      /** Another */
      length: Call<Methods["article.get.length"]>;
    };
    name: {
      /** As functions have one */
      get: Call<Methods["article.name.get"]>;
    };
  };
  file: {
    /** A file */
    get: Call<Methods["file.get"]>;
    /** Files */
    post: Call<Methods["file.post"]>;
  };
  then: {
    /** Below */
    post: Call<Methods["then.post"]>;
  };
}

/** The arguments, result and errors of each method, by its id. */
export interface Methods {
  /**
   * Ends *\/ here
   * \@deprecated it is not
   * /* or begins \u202e\u2028 there
   * @deprecated
   */
  "alike.{x}.post": {
    arguments: {
      /** *\/ */
      "{x}": string;
      /**
       * In the body
       * @default 1
       */
      x?: number | bigint | null;
      /** In the query */
      x2?: string | null;
      /** Its key is another's name */
      y?: string | null;
      /** No identifier */
      "X-A"?: string | null;
      /** Its key looks like another's */
      "GET@GET@z"?: string | null;
      /** That other */
      "GET@z2"?: string | null;
      /** Named as another is written */
      "HEADER@X-B"?: string | null;
      /** That other */
      b?: string | null;
      /** A name of its own */
      __proto__?: string | null;
      /** Another */
      constructor?: {
        /** *\/ */
        "a-b"?: ReadonlyArray<"a" | "b" | null> | null;
      } | null;
      /** Quotes */
      "quoted\"\\"?: "\"" | "\\" | "*/" | null;
    };
    result: {
      /** *\/ */
      new?: Array<{
        /** *\/ */
        class: unknown;
      }> | null;
      /** Quotes */
      "quoted\"": boolean;
    };
    errors: "no_such" | "not_so";
  };
  /** A function */
  "article.get": {
    arguments: {};
    result: Array<number> | null;
    errors: never;
  };
  /** Below a function */
  "article.get.get": {
    arguments: {
      /** x */
      "URL#0": number | bigint;
      /** x */
      second?: number | bigint | null;
    };
    result: {};
    errors: never;
  };
  /** As functions have one */
  "article.name.get": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** A dot */
  "article.a%2Eb.get": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** A promise */
  then: {
    arguments: {};
    result: {};
    errors: never;
  };
  /** Below */
  "then.post": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** The client's own */
  $call: {
    arguments: {};
    result: {};
    errors: never;
  };
  /** Below it */
  "$methods.post": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** A name of its own */
  "__proto__.get": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** Another */
  "article.get.length": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** Nothing */
  "a..b": {
    arguments: {};
    result: {};
    errors: never;
  };
  /** A file */
  "file.get": {
    arguments: {};
    result: Download;
    errors: never;
  };
  /** Files */
  "file.post": {
    arguments: {
      /** x */
      files?: ReadonlyArray<FileArgument> | null;
    };
    result: {};
    errors: never;
  };
}

/** The ids of the methods. */
export type Id = keyof Methods;
