// Formats JSON as a text.

/** Formats a JSON text with a line for each value, without parsing it, which would round large numbers. Yields the
    pieces of the text with their CSS classes. */
export function* pretty(text) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|([{[])|([}\]])|(,)|([^\s{}[\],:"]+)/gs;
  let depth = 0;
  let last = "";
  const line = () => ["", `\n${"  ".repeat(depth)}`];
  for (const [, string, colon, open, close, comma, word] of text.matchAll(token)) {
    if (close !== undefined) depth -= 1;
    // Empty lists and objects stay on one line.
    if (close !== undefined ? last !== "open" : last !== "") yield line();
    if (open !== undefined) depth += 1;
    last = open !== undefined ? "open" : comma !== undefined ? "comma" : "";
    if (string !== undefined) yield [colon === undefined ? "string" : "key", string];
    else yield [word === undefined ? "" : "word", word ?? open ?? close ?? comma];
    if (colon !== undefined) yield ["", ": "];
  }
}

/** Formats a JSON text as one text, see `pretty`. */
export const prettyText = (text) => [...pretty(text)].map(([, piece]) => piece).join("");
