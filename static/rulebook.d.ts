/**
 * The types of the client, rulebook.js, that all APIs have in common. Those of one API, `Api`, are written by
 * `rulebook types`.
 */

/** What has a file's bytes. By its name, as File has one, the server knows its extension. */
export type FileArgument = Blob | ArrayBuffer | ArrayBufferView;

/** How much of a request's body has gone, in bytes. */
export interface Progress {
  sent: number;
  total: number;
}

/** Of one call, or of all. */
export interface Options {
  /** The bearer key, or what gives it at each call; nobody's where it is empty. */
  token?: string | (() => string | Promise<string>);
  /** Ends the call; it fails with the signal's reason. */
  signal?: AbortSignal;
  /** After how many milliseconds the call ends with a `TimeoutError`; of a download, until it begins. */
  timeout?: number;
  /** Further header fields, such as `Range` of a download. */
  headers?: HeadersInit;
  /** Whether cookies go to other origins, as `fetch` has it. */
  credentials?: RequestCredentials;
  /** Is told how an upload goes on. */
  onProgress?: (progress: Progress) => void;
  /** Asks by a script, for pages of origins that may not call: only methods that the API lets be called so. */
  jsonp?: boolean;
  /** Of a download: a link to the file, for who has no key, instead of the file. */
  link?: boolean;
  /** Whether arguments are checked before they are sent; they are. */
  check?: boolean;
  /** Reads answers, in place of `JSON.parse`, which rounds whole numbers of more than 53 bits. */
  parse?: (text: string) => unknown;
  /** Sends requests, in place of the global one. */
  fetch?: typeof fetch;
}

/** Of an API. */
export interface ClientOptions extends Options {
  /** What OPTIONS would tell, where it cannot be asked. */
  definition?: Definition;
}

/** What OPTIONS tells of a whole API. */
export interface Definition {
  base?: string;
  modules: { [name: string]: unknown };
  [key: string]: unknown;
}

/** A file that a method has answered; its body has still to be read. */
export interface Download {
  response: Response;
  /** What it is called, if it says so. */
  filename: string | null;
}

/** What a method takes and gives. */
export interface Signature {
  arguments: object;
  answer: unknown;
  /** The names of its own errors, as `declared` of a `RefusedError` has them. */
  errors: string;
}

/** What a call resolves to. */
export type Answer<S extends Signature, O> = S["answer"] extends Download
  ? O extends { link: true }
    ? { link: string }
    : Download
  : S["answer"];

/** What is given to a call. */
export type Given<S extends Signature, O> = {} extends S["arguments"]
  ? [args?: S["arguments"], options?: O]
  : [args: S["arguments"], options?: O];

/** The function of a method. */
export type Call<S extends Signature> = <O extends Options = Options>(...given: Given<S, O>) => Promise<Answer<S, O>>;

/** What the functions of each API have beside them. */
export interface Calls<M extends { [Id in keyof M]: Signature }> {
  /** Calls a method by its id. */
  $call<Id extends keyof M, O extends Options = Options>(id: Id, ...given: Given<M[Id], O>): Promise<Answer<M[Id], O>>;
  /** All methods. */
  readonly $methods: readonly Method[];
}

/** A method of an API. */
export interface Method {
  id: string;
  http: string;
  path: string;
  info: string;
  module: { name: string; info?: string; envelope: string };
  scope?: string[][];
  parameters: Parameter[];
  out: { [name: string]: unknown };
  errors: { [name: string]: { status: number; info?: string } };
  options: { status?: number; download?: boolean; deprecated?: boolean };
  /** Whether it can be called by JSONP. */
  jsonp: boolean;
}

/** A parameter of a method. */
export interface Parameter {
  /** What its argument is called. */
  name: string;
  /** The same as the definition writes it, which is taken too: `GET@tag`. */
  key: string;
  info: string;
  type: string;
  place: "path" | "query" | "body" | "header" | "cookie";
  optional: boolean;
  /** Its JSON Schema. */
  schema: object;
}

/** Whatever ends a call; that an aborted or late one ended is told by the signal's own reason. */
export class RulebookError extends Error {}

/** An argument is missing, unknown or not what its parameter takes. Nothing has been sent. */
export class ArgumentError extends RulebookError {
  /** Its name, and where inside of its value: `tags[0]`. */
  readonly parameter: string;
  readonly expected: string;
  readonly got: string;
}

/** The API has refused the call. */
export class RefusedError<Declared extends string = string> extends RulebookError {
  /** The HTTP status, or what the body says in its place. */
  readonly status: number;
  /** The envelope's own word or number for it. */
  readonly code: string | number | null;
  /** The name of one of the method's own errors, where the envelope tells it. */
  readonly declared: Declared | null;
  /** The parameters at fault. */
  readonly errors: { parameter: string; in: string; expected: string; got: string | null; message?: string }[];
  /** All that was answered. */
  readonly body: unknown;
}

/** No answer came, or none that can be read; `cause` knows more. */
export class NetworkError extends RulebookError {}

/** A text of JSON that is sent as it is: numbers of more digits than JavaScript's hold. It is not checked. */
export class Json {
  constructor(text: string);
  readonly text: string;
}

/** The functions of an API. `url`: of its base, or of its server. */
export function rulebook<Api = any>(url: string | URL, options?: ClientOptions): Promise<Api>;

/** The functions of an API that is known already. `root`: where its server begins, ending in `/`. */
export function client<Api = any>(definition: Definition, root: string | URL, options?: Options): Api;

/** What OPTIONS tells of all that is at a URL. */
export function definition(url: string | URL, options?: Options): Promise<Definition>;

/** What OPTIONS tells at a URL, be it of all that is there or of one service. */
export function described(url: string | URL, options?: Options): Promise<any>;
