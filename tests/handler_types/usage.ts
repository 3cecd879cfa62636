// Handlers with the generated types. Each line after a comment with `@ts-expect-error` has an error, and no other line.

import { Failure, handler } from "./rulebook.mjs";
import type { Handler, Line, Methods } from "./handlers.js";

const add: Handler<"order.add"> = async ({ customer, lines, discount, limits, placed, from, scan }, call) => {
  if (customer === "") {
    const error: Methods["order.add"]["errors"] = "no_customer";
    throw new Failure(error, { customer });
  }
  const day: number = placed;
  const first: string | undefined = limits?.[0];
  const source: "shop" | "phone" | null | undefined = from;
  const more = (await call.api("order.list", {})) as Line[];
  const queue = `${scan?.path ?? ""} ${first} ${source} ${call.requestId}`;
  return { id: day, total: discount, lines: [...lines, ...more], status: 201, queue };
};
handler("order.add", add);

const list: Handler<"order.list"> = ({ since }) => [{ product: since ?? "", price: "1.50", added: null }];
handler("order.list", list);

const pdf: Handler<"order.pdf"> = ({ id }) => ({ text: `${id}`, name: "order.txt" });
handler("order.pdf", pdf);

const remove: Handler<"order.remove"> = () => {};
handler("order.remove", remove);

// @ts-expect-error an unknown method
export const unknown: Handler<"order.ad"> = () => {};
// @ts-expect-error an unknown argument
export const argument: Handler<"order.pdf"> = ({ no }) => ({ text: `${no}` });
// @ts-expect-error an output is missing
export const missing: Handler<"order.add"> = () => ({ id: 1, total: "1" });
// @ts-expect-error an output of another type
export const type: Handler<"order.list"> = () => [{ product: 5, price: "1" }];
// @ts-expect-error an error that is not declared
export const error: Methods["order.add"]["errors"] = "no_costumer";
