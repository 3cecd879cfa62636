/**
 * Handlers of a rulebook API in Node.
 *
 *     import { Failure, handler, serve } from "./rulebook.mjs";
 *
 *     handler("note.get", async ({ id }, call) => {
 *         const note = notes.get(id);
 *         if (!note) throw new Failure("not_found", { id });
 *         return { note, by: (await call.api("user.get", { id: note.user })).name };
 *     });
 *
 *     serve();
 *
 * A handler gets the arguments of its method as an object, without those that the client has omitted, and the call. It
 * returns the outputs, or a promise of them. Handlers run at the same time if the definition sets `concurrency`. The
 * names that the pattern of the first parameter takes from the arguments must be parameters of the method.
 *
 * This file needs Node 18 or later, and nothing else.
 */

import { relative } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;
const DECLARED_ERROR = -32000;

/**
 * An uploaded file. The file is removed when the call ends.
 * @typedef {{ path: string, name: string, type: string, size: number }} Upload
 */

/**
 * The caller. `claims` are those of its token, if it has one.
 * @typedef {{ name: string, permissions: string[], claims?: Record<string, unknown> }} Identity
 */

/** An error that the definition declares for the method. `members` are added to the response. */
export class Failure extends Error {
    /**
     * @param {string} name
     * @param {Record<string, unknown>} [members]
     * @param {string} [message] replaces the message in the definition
     */
    constructor(name, members = {}, message = undefined) {
        super(message ?? name);
        this.name = "Failure";
        this.error = name;
        this.members = members;
        this.clientMessage = message;
    }
}

/**
 * The error of a call of the API. `error` is the name of a declared error, or the code of another error, such as
 * `forbidden`. `status` is its HTTP status.
 */
export class CallError extends Error {
    constructor(message, data) {
        super(message);
        this.name = "CallError";
        this.error = data?.name;
        this.status = data?.status;
        this.members = data?.members ?? {};
    }
}

/** A call that a handler handles. */
export class Call {
    #id;
    #worker;

    constructor(worker, id, method, params) {
        this.#worker = worker;
        this.#id = id;
        /** The id of the method. */
        this.method = method;
        /** @type {Identity | null} The caller; null if the caller is anonymous. */
        this.identity = params.identity;
        /** @type {string | null} The id of the request, which is in the log, too. */
        this.requestId = params.request_id;
        /** @type {string | null} The header field `traceparent` for requests to other servers; null without a trace. */
        this.traceparent = params.traceparent ?? null;
    }

    /**
     * Calls a method of the API with the permissions of the caller, and returns its outputs.
     * @param {string} target the id of the method, such as `user.get`, or an HTTP method and a path
     * @param {Record<string, unknown>} [args]
     * @returns {Promise<any>}
     * @throws {CallError} if the call fails
     */
    api(target, args = {}) {
        return this.#worker.api(this.#id, target, args);
    }
}

/** The handlers by the ids of their methods: their functions, and what the server knows of them. */
const handlers = new Map();

/**
 * Describes a function for the server, which compares it with the definition: where it is registered, and the names in
 * the pattern of its first parameter, such as `({ id, lang = "en" }) =>`, unless the pattern has nested patterns,
 * comments or defaults with brackets or commas.
 */
function describe(run) {
    const caller = new Error().stack?.split("\n")[3] ?? "";
    const [, path, line] = caller.match(/([^\s()]+):(\d+):\d+\)?$/) ?? [];
    const file = path?.startsWith("file:") ? fileURLToPath(path) : path;
    const location = file && `${relative(process.cwd(), file)}:${line}`;
    const pattern = String(run).match(/^(?:async\b\s*)?(?:function\b\s*)?[\w$]*\s*\(\s*\{([^{}()[\]]*)\}/)?.[1];
    const items = (pattern ?? "").split(",").map((item) => item.trim());
    const named = items.filter((item) => item && !item.startsWith("..."));
    const names = named.map((item) => item.match(/^([\w$]+|"[^"]*")\s*(?:[:=][^/]*)?$/)?.[1].replaceAll('"', ""));
    const parameters = names.includes(undefined) ? [] : names;
    return { function: run.name || undefined, location: location || undefined, parameters };
}

/**
 * Registers a function as the handler of the method with this id, such as `note.get`.
 * @param {string} method
 * @param {(args: any, call: Call) => unknown} run
 */
export function handler(method, run) {
    if (handlers.has(method)) throw new Error(`there are two handlers for ${method}`);
    handlers.set(method, { run, described: describe(run) });
}

class Worker {
    #output = "";
    #isScheduled = false;
    #write;
    #lastApiCall = 0;
    #waiting = new Map();
    #running = 0;
    #unwritten = 0;
    #isEnding = false;

    constructor(write) {
        this.#write = write;
    }

    /** Writes a line together with others that are ready in the same turn of the event loop. */
    send(line) {
        this.#output += line + "\n";
        if (this.#isScheduled) return;
        this.#isScheduled = true;
        setImmediate(() => {
            const text = this.#output;
            this.#output = "";
            this.#isScheduled = false;
            this.#unwritten += 1;
            this.#write(text, () => {
                this.#unwritten -= 1;
                this.#endIfIdle();
            });
        });
    }

    /** Ends the program when no handler runs and everything is written. */
    endWhenIdle() {
        this.#isEnding = true;
        for (const { reject } of this.#waiting.values()) reject(new CallError("the server has ended"));
        this.#waiting.clear();
        this.#endIfIdle();
    }

    #endIfIdle() {
        const isIdle = this.#running === 0 && this.#unwritten === 0 && !this.#isScheduled;
        if (this.#isEnding && isIdle) process.exit(0);
    }

    receive(line) {
        const message = JSON.parse(line);
        if (message.method !== undefined) {
            this.#handle(message);
            return;
        }
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.error) waiting?.reject(new CallError(message.error.message, message.error.data));
        else waiting?.resolve(message.result);
    }

    api(id, target, args) {
        const request = `c${(this.#lastApiCall += 1)}`;
        const params = { target, arguments: args, for: id };
        const line = JSON.stringify({ jsonrpc: "2.0", id: request, method: "call", params });
        return new Promise((resolve, reject) => {
            this.#waiting.set(request, { resolve, reject });
            this.send(line);
        });
    }

    #handle({ id, method, params }) {
        this.#running += 1;
        const run = handlers.get(method)?.run;
        if (!run) {
            this.#fail(id, METHOD_NOT_FOUND, `there is no handler for ${method}`);
            return;
        }
        try {
            const returned = run(params.arguments, new Call(this, id, method, params));
            if (typeof returned?.then === "function") {
                returned.then((outputs) => this.#succeed(id, outputs)).catch((error) => this.#failWith(id, error));
            } else {
                this.#succeed(id, returned);
            }
        } catch (error) {
            this.#failWith(id, error);
        }
    }

    #succeed(id, outputs) {
        this.send(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(outputs) ?? "null"}}`);
        this.#running -= 1;
    }

    #failWith(id, error) {
        if (error instanceof Failure) {
            const data = { name: error.error, members: error.members, message: error.clientMessage };
            try {
                this.#fail(id, DECLARED_ERROR, error.error, data);
                return;
            } catch (cause) {
                error = cause;
            }
        }
        const traceback = inspect(error);
        this.#fail(id, INTERNAL_ERROR, String(error?.message ?? error), { traceback });
    }

    #fail(id, code, message, data) {
        this.send(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, data } }));
        this.#running -= 1;
    }
}

/**
 * Handles calls until the server ends. What handlers print goes to standard error, and so to the log of the server.
 */
export function serve() {
    const worker = new Worker(process.stdout.write.bind(process.stdout));
    // The server has ended.
    process.stdout.on("error", () => process.exit(0));
    process.stdout.write = process.stderr.write.bind(process.stderr);
    for (const name of ["log", "info", "debug"]) console[name] = console.error;
    const decoder = new StringDecoder("utf8");
    let rest = [];
    process.stdin.on("data", (chunk) => {
        const text = decoder.write(chunk);
        let start = 0;
        let end = text.indexOf("\n");
        while (end >= 0) {
            rest.push(text.slice(start, end));
            const line = rest.length === 1 ? rest[0] : rest.join("");
            rest = [];
            worker.receive(line);
            start = end + 1;
            end = text.indexOf("\n", start);
        }
        if (start < text.length) rest.push(text.slice(start));
    });
    // When the server ends, the program ends as soon as nothing is left to do: timers and connections of the program
    // could keep it running, if it did not end here.
    process.stdin.on("end", () => worker.endWhenIdle());
    const methods = Object.fromEntries([...handlers].map(([method, { described }]) => [method, described]));
    worker.send(JSON.stringify({ jsonrpc: "2.0", method: "ready", params: { methods } }));
}
