/** The types of handlers of Orders 1.0.0, generated from its definition. */
import type { Call, Upload } from "./rulebook.mjs";

/** The handler of a method: `const get: Handler<"note.get"> = async ({ id }, call) => …`. */
export type Handler<Id extends keyof Methods> = (
  args: Methods[Id]["arguments"],
  call: Call,
) => Methods[Id]["outputs"] | Promise<Methods[Id]["outputs"]>;

/** A file that a handler returns. */
export type Download = ({ file: string } | { text: string } | { base64: string }) & {
  name?: string;
  type?: string;
  inline?: boolean;
};

/** The arguments, outputs and errors of each method, by its id. */
export interface Methods {
  /** Lists orders */
  "order.list": {
    arguments: {
      /** Only since */
      since?: string | null;
    };
    outputs: Array<Line>;
    errors: never;
  };
  /** Adds an order */
  "order.add": {
    arguments: {
      /** The customer */
      customer: string;
      /** The products */
      lines: Array<Line>;
      /** The discount */
      discount: string;
      /** Limits of the price */
      limits?: Array<string> | null;
      /** When it is due */
      due?: string | null;
      /** When it was placed, in seconds */
      placed: number;
      /** Where it comes from */
      from?: "shop" | "phone" | null;
      /** A scan of the order */
      scan?: Upload | null;
    };
    outputs: {
      /** Its number */
      id: number;
      /** The sum */
      total: string;
      /** The products */
      lines: Array<Line>;
      /** When it is due */
      due?: string | null;
      /** Its queue */
      queue?: string | null;
      /** The HTTP status of the response */
      status?: number | null;
    };
    errors: "no_customer" | "closed";
  };
  /** An order to print */
  "order.pdf": {
    arguments: {
      /** The order */
      id: number;
    };
    outputs: Download;
    errors: never;
  };
  /** Removes an order */
  "order.remove": {
    arguments: {
      /** The order */
      id: number;
    };
    outputs: void;
    errors: never;
  };
}

/** A product in an order */
export type Line = {
  /** The product */
  product: string;
  /** The price of one */
  price: string;
  /** When it was added */
  added?: number | null;
  /** A note */
  note?: string | null;
};
