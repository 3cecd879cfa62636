// Articles by JSONP: a list in pages, and one article. What is shown stands in the fragment of the address
// (#page=2, #article=5), and whose articles they are in its query (?api=http://host:port).
"use strict";

(() => {
  /** Articles on a page. */
  const SIZE = 5;
  /** How long an answer may take, in milliseconds. */
  const PATIENCE = 15_000;

  const view = document.getElementById("view");
  const news = document.getElementById("news");

  /**
   * The origin of the API. What an API answers is run here, so a link must not choose any: those of this very host
   * are taken, and those that the page itself names. None where `?api=` is no such origin.
   */
  function chosen() {
    const own = new URL(location.href);
    const wanted = own.searchParams.get("api");
    if (!wanted) return own.origin;
    const api = URL.canParse(wanted) ? new URL(wanted) : null;
    if (!api || !["http:", "https:"].includes(api.protocol) || api.href !== `${api.origin}/`) return null;
    const known = document.querySelector("meta[name=apis]").content.split(/\s+/);
    return api.hostname === own.hostname || known.includes(api.origin) ? api.origin : null;
  }

  /** The functions that answers are handed to, by the names that they are asked for by. */
  const waiting = (globalThis.h5 = Object.create(null));
  let asked = 0;

  /** Asks for JSON by JSONP. Fails with words where no answer comes, or one that is a refusal. */
  function ask(api, path, query = {}) {
    return new Promise((done, fail) => {
      const name = `n${++asked}`;
      const url = new URL(path, api);
      for (const [key, value] of Object.entries({ ...query, callback: `h5.${name}` })) url.searchParams.set(key, value);
      const script = document.createElement("script");
      const end = (settle, value) => {
        clearTimeout(timer);
        delete waiting[name];
        script.remove();
        settle(value);
      };
      const lost = (why) => end(fail, new Error(why));
      const timer = setTimeout(() => lost("The server does not answer."), PATIENCE);
      waiting[name] = (answer) => {
        if (answer.error === 0) end(done, answer);
        else lost(answer.ErrorDescription ?? "The server's answer cannot be read.");
      };
      script.onerror = () => lost("The server cannot be reached, or does not answer JSONP.");
      // It has run before this is told.
      script.onload = () => lost("The server's answer is no JSONP.");
      script.src = url.href;
      script.referrerPolicy = "no-referrer";
      document.head.append(script);
    });
  }

  /** An element with attributes and content; text stays text. */
  function element(name, attributes, ...content) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...content);
    return made;
  }

  const day = (text) => {
    const shown = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(text));
    return element("time", { datetime: text }, shown);
  };
  const byline = (own) => element("p", { class: "quiet" }, `${own.author} · `, day(own.created));

  async function list(api, page) {
    const { articles, total } = await ask(api, "/article", { page, size: SIZE });
    const pages = Math.max(1, Math.ceil(total / SIZE));
    const row = (own) => {
      const title = element("a", { href: `#article=${own.article_id}`, lang: own.language, dir: "auto" }, own.title);
      return element("li", {}, element("h2", {}, title), byline(own));
    };
    const way = (to, words) =>
      to < 1 || to > pages
        ? element("span", { class: "off", "aria-hidden": "true" }, words)
        : element("a", { href: `#page=${to}`, rel: to < page ? "prev" : "next" }, words);
    return {
      title: page > 1 ? `Articles, page ${page}` : "Articles",
      news: `Page ${page} of ${pages}`,
      content: [
        articles.length ? element("ol", {}, ...articles.map(row)) : element("p", {}, "There is nothing on this page."),
        element(
          "nav",
          { "aria-label": "Pages" },
          way(page - 1, "Newer"),
          element("span", { class: "quiet" }, `${page} of ${pages}`),
          way(page + 1, "Older"),
        ),
      ],
    };
  }

  async function read(api, id) {
    const { article } = await ask(api, `/article/${encodeURIComponent(id)}`);
    const { title, text, language } = article;
    const paragraphs = text.split("\n").map((line) => element("p", {}, line));
    const body = element("article", { lang: language, dir: "auto" }, element("h2", { tabindex: "-1" }, title));
    body.append(byline(article), ...paragraphs);
    return { title, news: "", content: [body, back()] };
  }

  const back = () => element("nav", { "aria-label": "Pages" }, element("a", { href: "#page=1" }, "All articles"));

  function failed(error) {
    const again = element("button", { type: "button" }, "Try again");
    again.addEventListener("click", show);
    const words = element("div", { class: "trouble", role: "alert" }, element("h2", {}, "That did not work"));
    words.append(element("p", {}, error.message), again);
    return { title: "Articles", news: "", content: [words, back()] };
  }

  let shown = 0;

  async function show() {
    const turn = ++shown;
    const api = chosen();
    document.getElementById("from").textContent = api ? `from ${new URL(api).host}` : "";
    const wanted = new URLSearchParams(location.hash.slice(1));
    const page = Number(wanted.get("page") ?? 1);
    view.setAttribute("aria-busy", "true");
    news.textContent = "Loading…";
    let what;
    try {
      if (!api) throw new Error("The address behind ?api= is not one that this page asks.");
      what = await (wanted.has("article") ? read(api, wanted.get("article")) : list(api, page));
    } catch (error) {
      what = failed(error);
    }
    // What was asked for since then is what is wanted.
    if (turn !== shown) return;
    document.title = what.title;
    news.textContent = what.news;
    view.replaceChildren(...what.content);
    view.setAttribute("aria-busy", "false");
    if (turn > 1) {
      scrollTo(0, 0);
      view.querySelector("h2[tabindex]")?.focus();
    }
  }

  addEventListener("hashchange", show);
  show();
})();
