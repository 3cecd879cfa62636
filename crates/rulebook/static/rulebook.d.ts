/**
 * The types of the client, rulebook.js, that are the same for every API. `rulebook types` writes the types of one API,
 * with the interface `Api`.
 */

/** The content of a file. The server reads the extension from the name of a `File`. */
export type FileArgument = Blob | ArrayBuffer | ArrayBufferView;

/** The progress of an upload, in bytes. */
export interface Progress {
  sent: number;
  total: number;
}

/** The options of one call, or of all calls. */
export interface Options {
  /**
   * The bearer token, or a function that returns it for each call. A call with an empty token and without `basic` is
   * anonymous.
   */
  token?: string | (() => string | Promise<string>);
  /** The name and the password, for an API that accepts them (RFC 7617). They are only sent if there is no token. */
  basic?: { name: string; password: string };
  /** Aborts the call, which then fails with the reason of the signal. */
  signal?: AbortSignal;
  /** The number of milliseconds after which a call fails with a `TimeoutError`; for a download, until it begins. */
  timeout?: number;
  /** Additional header fields, such as `Range` for a download. */
  headers?: HeadersInit;
  /**
   * The value of `Idempotency-Key`: if a call fails before its response arrives, the same call with the same key does not
   * run the method again. By default, methods that require a key get a random one.
   */
  idempotencyKey?: string;
  /**
   * The maximum number of times that a request is sent again if there is no response, or if the status is 429 or 503. The
   * client waits as long as `Retry-After` says, but at most a minute. Methods that accept an idempotency key get one. Other
   * requests with POST and PATCH are sent again only after the status 429. The default is 0.
   */
  retry?: number;
  /** The `credentials` option of `fetch`: whether cookies are sent to other origins. */
  credentials?: RequestCredentials;
  /** Called repeatedly during an upload. */
  onProgress?: (progress: Progress) => void;
  /** If true, sends the request as a JSONP script, for pages of origins without CORS permission. */
  jsonp?: boolean;
  /** If true, requests a link to a file, which works without a token, instead of the file. */
  link?: boolean;
  /** If false, the client does not check the arguments. The default is true. */
  check?: boolean;
  /** Parses responses instead of `JSON.parse`, which rounds numbers. `parseExactly` keeps all digits. */
  parse?: (text: string) => unknown;
  /** Sends requests instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** The options of `rulebook`. */
export interface ClientOptions extends Options {
  /** The response to OPTIONS, if the client cannot request it. */
  definition?: Definition;
}

/** The response to OPTIONS on the base path of an API. */
export interface Definition {
  base?: string;
  modules: { [name: string]: unknown };
  [key: string]: unknown;
}

/** The result of a method that responds with a file. The body of the response has not been read. */
export interface Download {
  response: Response;
  /** The name of the file, if the response has one. */
  filename: string | null;
}

/** The types of a method. */
export interface Signature {
  arguments: object;
  result: unknown;
  /** The names of the errors that the method declares, as in `declared` of an `ApiError`. */
  errors: string;
}

/** The type that a call resolves to. */
export type Result<S extends Signature, O> = S["result"] extends Download
  ? O extends { link: true }
    ? { link: string }
    : Download
  : S["result"];

/** The parameters of the function of a method. */
export type CallParameters<S extends Signature, O> = {} extends S["arguments"]
  ? [args?: S["arguments"], options?: O]
  : [args: S["arguments"], options?: O];

/** The function of a method. */
export type Call<S extends Signature> = <O extends Options = Options>(
  ...parameters: CallParameters<S, O>
) => Promise<Result<S, O>>;

/** The members that every API has besides its functions. */
export interface Calls<M extends { [Id in keyof M]: Signature }> {
  /** Calls a method by its id. */
  $call<Id extends keyof M, O extends Options = Options>(
    id: Id,
    ...parameters: CallParameters<M[Id], O>
  ): Promise<Result<M[Id], O>>;
  /** All methods of the API. */
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
  /** What must hold between the parameters, as in the definition. */
  constraints: { [kind: string]: unknown; message?: string }[];
  options: {
    status?: number;
    download?: boolean;
    /** True, or the date since when. */
    deprecated?: boolean | string;
    sunset?: string;
    /** The id of the method to call instead. */
    successor?: string;
    idempotent?: "optional" | "required";
  };
  /** True if the method can be called by JSONP. */
  jsonp: boolean;
}

/** A parameter of a method. */
export interface Parameter {
  /** The name of the argument. */
  name: string;
  /** The key of the parameter in the definition, such as `GET@tag`. Calls accept it instead of the name. */
  key: string;
  info: string;
  type: string;
  place: "path" | "query" | "body" | "header" | "cookie";
  optional: boolean;
  /** The JSON Schema of the values. */
  schema: object;
}

/** The base class of the errors of this client. A call that is aborted fails with the reason of its signal instead. */
export class RulebookError extends Error {}

/** The error of a parameter. */
export interface ParameterError {
  parameter: string;
  in?: string;
  expected: string;
  got: string | null;
  /** The text that the definition sets. */
  message?: string;
}

/** An argument is missing, unknown or not valid, or arguments break a constraint. No request has been sent. */
export class ArgumentError extends RulebookError {
  /** The name of the argument, and the place inside of its value: `tags[0]`. */
  readonly parameter: string;
  readonly expected: string;
  readonly got: string;
  /** This error, or the errors of all broken constraints, in the form of `errors` in an `ApiError`. */
  readonly errors: ParameterError[];
}

/** The API has responded with an error. */
export class ApiError<Declared extends string = string> extends RulebookError {
  /** The HTTP status, or the status in the body if the HTTP status is that of a success. */
  readonly status: number;
  /** The code of the error in the body: a name or a number, depending on the envelope. */
  readonly code: string | number | null;
  /** The name of the declared error, if the envelope has it. */
  readonly declared: Declared | null;
  /** The errors of parameters. */
  readonly errors: ParameterError[];
  /** The whole body. */
  readonly body: unknown;
}

/** There was no response, or it could not be read; `cause` is the reason. */
export class NetworkError extends RulebookError {
  /** The URL of the request. */
  readonly url?: string;
}

/** A JSON text that is sent unchanged and not checked, for numbers with more digits than a JavaScript number has. */
export class Json {
  constructor(text: string);
  readonly text: string;
  toString(): string;
}

/**
 * Parses JSON without rounding: an integer with more digits than a JavaScript number becomes a `bigint`, and another
 * such number a `Json` with its text. `isNumber` decides by the text whether a number becomes a JavaScript number.
 */
export function parseExactly(text: string, isNumber?: (text: string) => boolean): unknown;

/** Reads the definition of an API and returns its functions. `url` is the base path of the API, or its server. */
export function rulebook<Api = any>(url: string | URL, options?: ClientOptions): Promise<Api>;

/** Returns the functions of an API without a request. `root` is the URL of its server, with a slash at the end. */
export function client<Api = any>(definition: Definition, root: string | URL, options?: Options): Api;

/** Returns the response to OPTIONS on the base path of an API: the definition of the API. */
export function definition(url: string | URL, options?: Options): Promise<Definition>;

/** Returns the response to OPTIONS on a URL: the definition of the API or of one service. */
export function describe(url: string | URL, options?: Options): Promise<any>;
