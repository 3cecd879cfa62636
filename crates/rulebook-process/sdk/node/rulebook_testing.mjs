/**
 * Calls of methods in tests: the program `rulebook` checks the arguments, runs the handler and checks the outputs.
 *
 *     import { Client } from "./rulebook_testing.mjs";
 *
 *     test("a note has a text", async () => {
 *         const reader = new Client({ scope: ["reader"] });
 *         assert.deepEqual(await reader.call("note.get", { id: 1 }), { text: "Buy bread" });
 *         await assert.rejects(new Client().call("note.get", { id: 2 }), { error: "not_found" });
 *     });
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { CallError } from "./rulebook.mjs";

/** Calls methods of the API as a server does, without a server. */
export class Client {
    #command;
    #options;
    #program;

    /**
     * @param {object} [options]
     * @param {string[]} [options.scope] the permissions of the caller, who is anonymous without it
     * @param {string} [options.folder] the folder in which the server would be started: by default, that of this file
     * @param {string} [options.program] the name or the path of the program `rulebook`
     */
    constructor({ scope, folder = fileURLToPath(new URL(".", import.meta.url)), program = "rulebook" } = {}) {
        // An empty data folder for this client.
        const data = mkdtempSync(join(tmpdir(), "rulebook-"));
        process.on("exit", () => rmSync(data, { recursive: true, force: true }));
        this.#command = ["call", "--data", data, ...(scope ? [`--scope=${scope.join(",")}`] : [])];
        this.#options = { cwd: folder, maxBuffer: Infinity };
        this.#program = program;
    }

    /**
     * Calls a method, and returns its outputs.
     * @param {string} target the id of the method, such as `note.get`, or an HTTP method and a path
     * @param {Record<string, unknown>} [args] the arguments by the names of the parameters in code
     * @returns {Promise<any>}
     * @throws {CallError} for an error response, with the log of an internal error in its message
     */
    async call(target, args = {}) {
        const command = [...this.#command, `--json=${JSON.stringify(args)}`, "--", target];
        const [failure, stdout, stderr] = await new Promise((resolve) => {
            execFile(this.#program, command, this.#options, (...results) => resolve(results));
        });
        let response;
        try {
            response = JSON.parse(stdout);
        } catch {
            // The API does not start.
            throw new Error(`${target}: ${stdout}${stderr || failure?.message}`);
        }
        if (!failure) return response;
        const { type, title, status, detail, code, ...members } = response;
        throw new CallError(`${target}: ${detail}\n${stderr}`.trimEnd(), { name: code, status, members });
    }
}
