// Highlights code: comments, strings, numbers and words of the language. The text of the code does not change.

import { h } from "./element.js";

const KEYWORDS = {
  js: "async await catch const else export for from function if import let new of return throw true false try null undefined",
  python: "as def else for from if import in None True False print return with",
  php: "as echo foreach function if new null return true false",
  go: "bytes defer err func if import nil package return var",
  sh: "curl",
  json: "true false null",
};

/** The syntax of each language: what a comment is, and which quotes strings have. */
const SYNTAX = {
  js: { comment: /\/\/[^\n]*/, quotes: "\"'\x60" },
  go: { comment: /\/\/[^\n]*/, quotes: '"\x60' },
  php: { comment: /\/\/[^\n]*/, quotes: "\"'" },
  python: { comment: /#[^\n]*/, quotes: "\"'" },
  sh: { comment: /(?<=^|\s)#[^\n]*/, quotes: "\"'" },
  json: { quotes: '"' },
};

/** Yields the pieces of a text, each with its CSS class; the class of other text is empty. */
export function* pieces(text, language) {
  const syntax = SYNTAX[language];
  if (!syntax) {
    yield ["", text];
    return;
  }
  const keywords = new Set(KEYWORDS[language].split(" "));
  const strings = [...syntax.quotes].map((quote) => `${quote}(?:[^${quote}\\\\]|\\\\.)*${quote}`).join("|");
  const comment = syntax.comment?.source ?? "(?!)";
  const token = new RegExp(`(${comment})|(${strings})(\\s*:(?!:))?|(-?\\b\\d[\\w.]*)|([$A-Za-z_][\\w$]*)`, "gs");
  let last = 0;
  for (const match of text.matchAll(token)) {
    const [whole, remark, string, colon, number, word] = match;
    if (match.index > last) yield ["", text.slice(last, match.index)];
    last = match.index + whole.length;
    if (remark !== undefined) yield ["remark", remark];
    else if (string !== undefined) {
      yield [colon === undefined ? "string" : "key", string];
      if (colon !== undefined) yield ["", colon];
    } else if (number !== undefined) yield ["word", number];
    else yield [keywords.has(word) ? "word" : "", word];
  }
  if (last < text.length) yield ["", text.slice(last)];
}

/** Highlights the text of a code element. Very long texts stay as they are. */
export function highlight(code, language) {
  const text = code.textContent;
  if (text.length > 50_000) return;
  const parts = [...pieces(text, language)];
  code.replaceChildren(...parts.map(([className, part]) => (className === "" ? part : h("span", { className }, part))));
}
