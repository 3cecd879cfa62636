// Must not compile with the types of the demo: each line after such a comment has an error, and no other line.

import { rulebook } from "./rulebook.js";
import type { Api, Id, Methods } from "./api.js";

export async function wrong(): Promise<void> {
  // @ts-expect-error an unknown option
  const api = await rulebook<Api>("/", { tokens: "x" });
  // @ts-expect-error a required argument is missing
  await api.article.read();
  // @ts-expect-error the argument is missing
  await api.article.read({});
  // @ts-expect-error a value of another type
  await api.article.read({ article_id: "1" });
  // @ts-expect-error null for a required argument
  await api.article.read({ article_id: null });
  // @ts-expect-error an unknown argument
  await api.article.read({ article_id: 1, id: 1 });
  // @ts-expect-error no file
  await api.article.illustrate({ article_id: 1, alt: "", picture: "text" });
  // @ts-expect-error an item of another type
  await api.article.create({ title: "", text: "", tags: [1] });
  // @ts-expect-error a list for one value
  await api.article.list({ page: [1] });
  // @ts-expect-error an unknown method
  await api.article.none({});
  // @ts-expect-error an unknown module
  await api.none.get();
  // @ts-expect-error an unknown output
  (await api.article.list()).title;
  // @ts-expect-error an output of another type
  const total: string = (await api.article.list()).total;
  // @ts-expect-error an optional output
  (await api.article.read({ article_id: 1 })).article.picture.alt;
  // @ts-expect-error a file has no outputs
  (await api.article.picture({ article_id: 1 })).link;
  // @ts-expect-error an unknown id
  await api.$call("article.none");
  // @ts-expect-error the arguments of another method
  await api.$call("article.read", { page: 1 });
  // @ts-expect-error an unknown id
  const id: Id = "article";
  // @ts-expect-error an unknown error
  const error: Methods["article.read"]["errors"] = "not_yours";
  console.log(total, id, error);
}
