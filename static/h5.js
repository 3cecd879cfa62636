// Shows the articles of an API by JSONP: a list in pages, and one article. The fragment of the URL selects the page or
// the article (#page=2, #article=5), and the query selects the API (?api=http://host:port).
"use strict";

(() => {
  /** The number of articles on a page. */
  const PAGE_SIZE = 5;
  /** The maximum time until a response, in milliseconds. */
  const TIMEOUT = 15_000;

  const view = document.getElementById("view");
  const news = document.getElementById("news");

  /**
   * Returns the origin of the API; null if `?api=` is not allowed. The page runs the responses of the API as scripts, so
   * only origins on the host of the page are allowed, and those that the page lists.
   */
  function apiOrigin() {
    const page = new URL(location.href);
    const requested = page.searchParams.get("api");
    if (!requested) return page.origin;
    const api = URL.canParse(requested) ? new URL(requested) : null;
    if (!api || !["http:", "https:"].includes(api.protocol) || api.href !== `${api.origin}/`) return null;
    const allowed = document.querySelector("meta[name=apis]").content.split(/\s+/);
    return api.hostname === page.hostname || allowed.includes(api.origin) ? api.origin : null;
  }

  /** The callbacks of pending requests, by name. */
  const waiting = (globalThis.h5 = Object.create(null));
  let requests = 0;

  /** Requests a path by JSONP and returns the body. Fails with a message if there is no response, or an error. */
  function request(api, path, query = {}) {
    return new Promise((done, fail) => {
      const name = `n${++requests}`;
      const url = new URL(path, api);
      for (const [key, value] of Object.entries({ ...query, callback: `h5.${name}` })) url.searchParams.set(key, value);
      const script = document.createElement("script");
      const end = (settle, value) => {
        clearTimeout(timer);
        delete waiting[name];
        script.remove();
        settle(value);
      };
      const failWith = (message) => end(fail, new Error(message));
      const timer = setTimeout(() => failWith("The server does not respond."), TIMEOUT);
      waiting[name] = (body) => {
        // An error is a problem document, which has the status of the response (RFC 9457).
        if (!body) failWith("The response of the server cannot be read.");
        else if (body.status >= 400) failWith(body.detail ?? body.title);
        else end(done, body);
      };
      script.onerror = () => failWith("The server cannot be reached, or does not support JSONP.");
      // The script runs before its load event.
      script.onload = () => failWith("The response of the server is not JSONP.");
      script.src = url.href;
      script.referrerPolicy = "no-referrer";
      document.head.append(script);
    });
  }

  /** Creates an element with attributes and content. Strings become text nodes. */
  function element(name, attributes, ...content) {
    const created = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, value);
    created.append(...content);
    return created;
  }

  const day = (text) => {
    const formatted = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(text));
    return element("time", { datetime: text }, formatted);
  };
  const byline = ({ author, created }) => element("p", { class: "quiet" }, `${author} · `, day(created));

  async function list(api, page) {
    const { articles, total } = await request(api, "/article", { page, size: PAGE_SIZE });
    const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
    const row = (article) => {
      const { article_id, language, title } = article;
      const link = element("a", { href: `#article=${article_id}`, lang: language, dir: "auto" }, title);
      return element("li", {}, element("h2", {}, link), byline(article));
    };
    const pageLink = (number, label) =>
      number < 1 || number > pages
        ? element("span", { class: "off", "aria-hidden": "true" }, label)
        : element("a", { href: `#page=${number}`, rel: number < page ? "prev" : "next" }, label);
    return {
      title: page > 1 ? `Articles, page ${page}` : "Articles",
      news: `Page ${page} of ${pages}`,
      content: [
        articles.length ? element("ol", {}, ...articles.map(row)) : element("p", {}, "There are no articles on this page."),
        element(
          "nav",
          { "aria-label": "Pages" },
          pageLink(page - 1, "Newer"),
          element("span", { class: "quiet" }, `${page} of ${pages}`),
          pageLink(page + 1, "Older"),
        ),
      ],
    };
  }

  async function read(api, id) {
    const { article } = await request(api, `/article/${encodeURIComponent(id)}`);
    const { title, text, language } = article;
    const paragraphs = text.split("\n").map((line) => element("p", {}, line));
    const body = element("article", { lang: language, dir: "auto" }, element("h2", { tabindex: "-1" }, title));
    body.append(byline(article), ...paragraphs);
    return { title, news: "", content: [body, back()] };
  }

  const back = () => element("nav", { "aria-label": "Pages" }, element("a", { href: "#page=1" }, "All articles"));

  function failed(error) {
    const retry = element("button", { type: "button" }, "Try again");
    retry.addEventListener("click", show);
    const alert = element("div", { class: "error", role: "alert" }, element("h2", {}, "That did not work"));
    alert.append(element("p", {}, error.message), retry);
    return { title: "Articles", news: "", content: [alert, back()] };
  }

  let latest = 0;

  async function show() {
    const turn = ++latest;
    const api = apiOrigin();
    document.getElementById("from").textContent = api ? `from ${new URL(api).host}` : "";
    const fragment = new URLSearchParams(location.hash.slice(1));
    const page = Number(fragment.get("page") ?? 1);
    view.setAttribute("aria-busy", "true");
    news.textContent = "Loading…";
    let result;
    try {
      if (!api) throw new Error("This page may not load the API in ?api=.");
      result = await (fragment.has("article") ? read(api, fragment.get("article")) : list(api, page));
    } catch (error) {
      result = failed(error);
    }
    // Another page or article has been requested since.
    if (turn !== latest) return;
    document.title = result.title;
    news.textContent = result.news;
    view.replaceChildren(...result.content);
    view.setAttribute("aria-busy", "false");
    if (turn > 1) {
      scrollTo(0, 0);
      view.querySelector("h2[tabindex]")?.focus();
    }
  }

  addEventListener("hashchange", show);
  show();
})();
