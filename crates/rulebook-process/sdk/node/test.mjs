// Tests of rulebook.mjs: each test runs a program with handlers, and exchanges messages with it as the server does.
//
//     node --test sdk/node/

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { Client } from "./rulebook_testing.mjs";

const LIBRARY = new URL("./rulebook.mjs", import.meta.url);

const HANDLERS = `
import { execSync, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CallError, Failure, handler, serve } from ${JSON.stringify(LIBRARY.href)};

setInterval(() => {}, 1000);

handler("echo", ({ value }, call) => {
    return { value, caller: call.identity, request: call.requestId, method: call.method };
});
handler("noisy", () => {
    console.log("printed");
    process.stdout.write("written\\n");
});
handler("programs", () => {
    spawn("cat", { detached: true });
    return { output: execSync("echo of a program; cat").toString() + spawnSync("cat").stdout };
});
handler("fails", async () => {
    throw new Failure("not_found", { id: 5 }, "not here");
});
handler("throws", () => {
    throw new Error("secret");
});
handler("rejects", async () => {
    throw new Error("secret");
});
handler("big", () => ({ value: 1n }));
handler("nested", async (_, call) => {
    try {
        return { outputs: await call.api("other.get", { id: 7 }) };
    } catch (error) {
        if (!(error instanceof CallError)) throw error;
        return { error: [error.message, error.error, error.status, error.members] };
    }
});
handler("sleep", async ({ seconds }) => {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return { slept: seconds };
});
handler("upload", ({ file }) => ({ content: readFileSync(file.path, "utf8") }));
handler("pattern", async function place({ id, lang: language = "en", "two-words": words, ...rest }, call) {});
handler("nested pattern", ({ id, list: [first] }) => first);
handler("comment", ({ id /* , other */ }) => id);
handler("brackets", ({ id = [1, 2], other }) => other);
serve();
`;

// Behaves like the program `rulebook` with the command `call`.
const PROGRAM = `#!/bin/sh
case $6 in
note.get) printf '{"command": "%s", "data": "%s", "arguments": %s}' "$1 $2" "$(ls "$3")" "\${4#--json=}" ;;
note.post)
    echo '{"type": "about:blank", "status": 404, "detail": "not here", "code": "not_found", "id": 5}'
    echo 'a log' >&2
    exit 1 ;;
*) echo 'error: unexpected' >&2; exit 2 ;;
esac
`;

/** Starts a program with handlers. */
async function start(context) {
    const folder = mkdtempSync(join(tmpdir(), "rulebook-"));
    const script = join(folder, "handlers.mjs");
    writeFileSync(script, HANDLERS);
    const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "pipe"] });
    context.after(() => {
        child.kill("SIGKILL");
        rmSync(folder, { recursive: true });
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    let written = "";
    child.stderr.on("data", (chunk) => (written += chunk));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const program = {
        send: (...messages) => child.stdin.write(messages.map((message) => JSON.stringify(message) + "\n").join("")),
        receive: async () => JSON.parse((await lines.next()).value),
        call: async (method, args, params) => {
            program.send(call(1, method, args, params));
            return program.receive();
        },
        /** Closes the input, and returns the exit code and what the program has written to standard error. */
        finish: async () => {
            child.stdin.end();
            return [await ended, written];
        },
    };
    program.ready = await program.receive();
    return program;
}

function call(id, method, args = {}, params = {}) {
    return { jsonrpc: "2.0", id, method, params: { arguments: args, identity: null, request_id: null, ...params } };
}

test("the first message describes the functions", async (context) => {
    const { ready } = await start(context);
    assert.equal(ready.method, "ready");
    const { methods } = ready.params;
    assert.match(methods.echo.location, /handlers\.mjs:8$/);
    assert.deepEqual(methods.echo.parameters, ["value"]);
    assert.deepEqual([methods.pattern.function, methods.pattern.parameters], ["place", ["id", "lang", "two-words"]]);
    for (const method of ["noisy", "nested", "nested pattern", "comment", "brackets"]) {
        assert.deepEqual(methods[method].parameters, [], method);
    }
});

test("a handler gets arguments and the call", async (context) => {
    const program = await start(context);
    const identity = { name: "ada", permissions: ["reader"], claims: { tenant: "t1" } };
    const response = await program.call("echo", { value: "é\n😀" }, { identity, request_id: "r1" });
    const result = { value: "é\n😀", caller: identity, request: "r1", method: "echo" };
    assert.deepEqual(response, { jsonrpc: "2.0", id: 1, result });
});

test("what handlers print goes to standard error", async (context) => {
    const program = await start(context);
    assert.equal((await program.call("noisy")).result, null);
    const [code, written] = await program.finish();
    assert.equal(code, 0);
    assert.match(written, /printed\nwritten\n/);
});

test("programs that a handler starts do not read calls", async (context) => {
    const program = await start(context);
    program.send(call(1, "programs"), call(2, "echo", { value: "a" }));
    assert.equal((await program.receive()).result.output, "of a program\n");
    assert.equal((await program.receive()).result.value, "a");
    assert.equal((await program.call("echo", { value: "b" })).result.value, "b");
});

test("a failure is a declared error", async (context) => {
    const program = await start(context);
    const { error } = await program.call("fails");
    assert.deepEqual(error.data, { name: "not_found", members: { id: 5 }, message: "not here" });
});

test("an exception is an internal error", async (context) => {
    const program = await start(context);
    for (const method of ["throws", "rejects", "big"]) {
        const { error } = await program.call(method);
        assert.equal(error.code, -32603, method);
        assert.match(error.data.traceback, /Error: .*\n +at /, method);
    }
    assert.equal((await program.call("unknown")).error.code, -32601);
    const [, written] = await program.finish();
    assert.equal(written, "", "the server writes tracebacks to the log");
});

test("a handler calls the API while other calls arrive", async (context) => {
    const program = await start(context);
    program.send(call(1, "nested"), call(2, "echo", { value: 2 }));
    const received = [await program.receive(), await program.receive()];
    const request = received.find((message) => message.method === "call");
    assert.deepEqual(request.params, { target: "other.get", arguments: { id: 7 }, for: 1 });
    assert.equal(received.find((message) => message.id === 2).result.value, 2);
    program.send({ jsonrpc: "2.0", id: request.id, result: { ok: true } });
    assert.deepEqual((await program.receive()).result, { outputs: { ok: true } });
});

test("a failed call of the API throws", async (context) => {
    const program = await start(context);
    program.send(call(1, "nested"));
    const { id } = await program.receive();
    const data = { name: "gone", status: 404, members: { id: 7 } };
    program.send({ jsonrpc: "2.0", id, error: { code: -32000, message: "it is gone", data } });
    assert.deepEqual((await program.receive()).result, { error: ["it is gone", "gone", 404, { id: 7 }] });
});

test("handlers run at the same time", async (context) => {
    const program = await start(context);
    program.send(call(1, "sleep", { seconds: 1 }), call(2, "sleep", { seconds: 0 }));
    assert.equal((await program.receive()).id, 2);
    assert.equal((await program.receive()).id, 1);
});

test("an upload has a path", async (context) => {
    const program = await start(context);
    const folder = mkdtempSync(join(tmpdir(), "rulebook-"));
    context.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "a.txt"), "content");
    const file = { path: join(folder, "a.txt"), name: "a.txt", type: "text/plain", size: 7 };
    assert.deepEqual((await program.call("upload", { file })).result, { content: "content" });
});

test("many calls and long lines have their results", async (context) => {
    const program = await start(context);
    const texts = [0, 1, 65_536, 300_000, 10].map((length) => "é".repeat(length));
    texts.forEach((value, id) => program.send(call(id, "echo", { value })));
    // The program writes all results before it ends, even if they do not fit into the pipe at once.
    const finished = program.finish();
    for (const [id, value] of texts.entries()) {
        const response = await program.receive();
        assert.equal(response.id, id);
        assert.equal(response.result.value, value);
    }
    assert.equal((await finished)[0], 0);
});

test("the program ends with its input, after its handlers", async (context) => {
    const program = await start(context);
    program.send(call(1, "sleep", { seconds: 0.2 }), call(2, "nested"));
    await program.receive();
    const finished = program.finish();
    assert.deepEqual((await program.receive()).result, { error: ["the server has ended", null, null, {}] });
    assert.deepEqual((await program.receive()).result, { slept: 0.2 });
    assert.equal((await finished)[0], 0);
});

test("a client returns outputs and throws errors", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "rulebook-"));
    context.after(() => rmSync(folder, { recursive: true }));
    const program = join(folder, "rulebook");
    writeFileSync(program, PROGRAM, { mode: 0o755 });
    const client = new Client({ program });
    const outputs = { command: "call --data", data: "", arguments: { id: 5 } };
    assert.deepEqual(await client.call("note.get", { id: 5 }), outputs);
    const error = { error: "not_found", status: 404, members: { id: 5 }, message: "note.post: not here\na log" };
    await assert.rejects(client.call("note.post"), error);
    await assert.rejects(client.call("other"), { name: "Error", message: "other: error: unexpected\n" });
});
