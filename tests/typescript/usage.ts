// Must compile with the types of the demo.

import { ArgumentError, NetworkError, ApiError, rulebook } from "./rulebook.js";
import type { Api, Id, Methods } from "./api.js";

export async function usage(token: string): Promise<void> {
  const api = await rulebook<Api>("http://127.0.0.1:8080", { token: async () => token, timeout: 1000 });

  await rulebook<Api>("http://127.0.0.1:8080", { basic: { name: "ada", password: "secret" } });

  const { articles, total } = await api.article.list();
  const titles: string[] = articles.map((article) => article.title);
  const next: number = total + 1;
  const all: Promise<Methods["article.list"]["result"]>[] = [1, 2n].map((page) =>
    api.article.list({ page, size: null }),
  );
  await Promise.all(all);

  const { article } = await api.article.read({ article_id: 1 });
  const alt: string | undefined = article.picture?.alt;
  const tags: readonly string[] = ["a", "b"];
  await api.article.create({ title: titles[0] ?? "", text: "x", tags, language: undefined });

  const picture = new File([new Uint8Array(3)], "dot.png", { type: "image/png" });
  const onProgress = ({ sent, total }: { sent: number; total: number }) => console.log(sent / total);
  await api.article.illustrate({ article_id: 1n, alt: alt ?? "", picture }, { onProgress });
  await api.iapi.files.upload({ content: [picture, new Blob([])], filename: ["public/a", "public/b"] });

  const file = await api.article.picture({ article_id: 1 }, { headers: { Range: "bytes=0-9" } });
  const bytes: ArrayBuffer = await file.response.arrayBuffer();
  const { link } = await api.article.picture({ article_id: 1 }, { link: true });
  const linked: string = link;

  const found = await api.$call("publication.search.post", { words: "rule" });
  const id: Id = "publication.search.post";
  const many: number = found.total;
  await api.$call("article.list");
  await api.$call("article.list", { page: 1 }, { signal: AbortSignal.timeout(10) });
  const names: string[] = api.$methods.flatMap((method) => method.parameters.map((parameter) => parameter.name));

  try {
    await api.article.remove({ article_id: next });
  } catch (error) {
    if (error instanceof ApiError) {
      const apiError: ApiError<Methods["article.remove"]["errors"]> = error;
      if (apiError.declared === "no_such_article") console.log(apiError.status, apiError.errors[0]?.parameter);
    } else if (error instanceof ArgumentError) console.log(error.parameter, error.expected, error.got);
    else if (error instanceof NetworkError) console.log(error.cause);
    else throw error;
  }
  console.log(bytes, linked, id, many, names);

  const anything = await rulebook("/");
  await anything.any.method({ any: "argument" });
}
