"""Tests of the package `rulebook`: each test runs a program with handlers, and exchanges messages with it as the server
does.

    python3 -m unittest discover sdk/python
"""

import contextlib
import json
import os
import pty
import subprocess
import sys
import tempfile
import textwrap
import unittest

from rulebook import CallError
from rulebook.testing import Client

FOLDER = os.path.dirname(os.path.abspath(__file__))

HANDLERS = """
import asyncio
import dataclasses
import datetime
import os
import subprocess
import sys
import time
from rulebook import Call, CallError, Failure, Upload, handler, serve

print("printed at the start")

@handler("echo")
def echo(value, call: Call):
    caller = call.identity and [call.identity.name, call.identity.permissions, call.identity.claims]
    return {"value": value, "caller": caller, "request": call.request_id, "method": call.method}

@handler("defaults")
def defaults(first, second=2):
    return {"first": first, "second": second}

@handler("noisy")
def noisy():
    print("printed")
    os.write(1, b"written\\n")
    subprocess.run(["echo", "of a program"], check=True)
    subprocess.run(["cat"], check=True)
    return None

@handler("fails")
def fails():
    raise Failure("not_found", message="not here", id=5)

@handler("names")
def names(call, **arguments):
    if "fail" in arguments:
        raise Failure("taken", {"message": "m", "a\\nb": 1}, name="n", members=2, self=3)
    sent = dict(call.arguments)
    return {"arguments": arguments, "sent": sent, "outputs": call.api("other.get", target=7, self=8, call_id=9)}

@handler("omitted")
def omitted(first, call):
    return {"first": first, "sent": call.arguments}

@handler("raises")
def raises():
    raise ValueError("secret")

@handler("nan")
def nan():
    return {"value": float("nan")}

@handler("nested")
def nested(call):
    try:
        return {"outputs": call.api("other.get", id=7)}
    except CallError as error:
        return {"error": [str(error), error.name, error.status, error.members]}

@dataclasses.dataclass
class Point:
    x: int
    at: datetime.date

@handler("plain")
def plain():
    return {"point": Point(1, datetime.date(2026, 1, 2))}

@handler("upload")
def upload(file: Upload):
    with open(file["path"]) as content:
        return {"content": content.read()}

@handler("sleep")
def sleep(seconds):
    time.sleep(seconds)
    return {"slept": seconds}

@handler("async")
async def waits(value: "Later", _more=None):
    await asyncio.sleep(0)
    return {"value": value, "loop": id(asyncio.get_running_loop())}

class Later(str):
    pass

if sys.version_info >= (3, 11):
    from decimal import Decimal
    from typing import NotRequired, TypedDict, Unpack

    class Prices(TypedDict):
        price: Decimal
        others: NotRequired[list[Decimal]]

    @handler("unpacked")
    def unpacked(call: Call, **arguments: Unpack[Prices]):
        return {"types": {name: repr(value) for name, value in arguments.items()}}

@handler("breaks")
def breaks(value):
    breakpoint()
    doubled = value * 2
    return {"value": doubled}
"""

# Starts the program as the server does: in a process group of its own. Then makes a call, and prints what the program
# sends.
SERVER = """
import json, os, subprocess, sys

program = subprocess.Popen(
    [sys.executable, sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=os.setpgrp
)
params = {"arguments": {"value": 21}, "identity": None, "request_id": None}
program.stdin.write(json.dumps({"id": 1, "method": "breaks", "params": params}).encode() + b"\\n")
program.stdin.flush()
for line in program.stdout:
    message = json.loads(line) if line.startswith(b"{") else {}
    if "result" in message or message.get("method") == "debug":
        print(message, flush=True)
    if "result" in message:
        break
program.stdin.close()
program.wait()
"""

# Behaves like the program `rulebook` with the command `call`.
PROGRAM = """#!/bin/sh
case $6 in
note.get) printf '{"command": "%s", "data": "%s", "arguments": %s}' "$1 $2" "$(ls "$3")" "${4#--json=}" ;;
note.post)
    echo '{"type": "about:blank", "status": 404, "detail": "not here", "code": "not_found", "id": 5}'
    echo 'a log' >&2
    exit 1 ;;
*) echo 'error: unexpected' >&2; exit 2 ;;
esac
"""


class Program:
    """A program with handlers."""

    def __init__(self, test: unittest.TestCase, serve: str = "serve()") -> None:
        script = write_file(test, "handlers.py", textwrap.dedent(HANDLERS) + serve + "\n")
        self.process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": FOLDER},
        )
        test.addCleanup(self.end)
        self.ready = self.receive()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def send(self, *messages) -> None:
        self.process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        while line == b"printed at the start\n":
            # What a program prints before it calls serve is ignored by the server.
            line = self.process.stdout.readline()
        return json.loads(line)

    def call(self, method, arguments=None, **params):
        self.send(call(1, method, arguments, **params))
        return self.receive()

    def finish(self):
        """Closes the input, and returns what the program has written to standard error."""
        self.process.stdin.close()
        written = self.process.stderr.read().decode()
        self.process.wait(30)
        return written


def write_file(test: unittest.TestCase, name: str, text: str) -> str:
    """Writes a file in a folder for the test, and returns its path."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    path = os.path.join(folder.name, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def call(call_id, method, arguments=None, **params):
    params = {"arguments": arguments or {}, "identity": None, "request_id": None, **params}
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}


class WorkerTest(unittest.TestCase):
    def test_the_first_message_describes_the_functions(self):
        ready = Program(self).ready
        self.assertEqual(ready["method"], "ready")
        methods = ready["params"]["methods"]
        location = methods["echo"].pop("location")
        self.assertRegex(location, r"handlers\.py:[0-9]+$")
        self.assertEqual(
            methods["echo"], {"function": "echo", "parameters": ["value"], "required": [], "annotations": {}}
        )
        self.assertEqual(methods["upload"]["required"], ["file"])
        self.assertEqual(methods["names"]["parameters"], [])
        self.assertEqual(methods["async"]["parameters"], ["value"])

    def test_a_handler_gets_arguments_and_the_call(self):
        identity = {"name": "ada", "permissions": ["reader"], "claims": {"tenant": "t1"}}
        response = Program(self).call("echo", {"value": "é\n\U0001f600"}, identity=identity, request_id="r1")
        expected = {"value": "é\n\U0001f600", "caller": ["ada", ["reader"], {"tenant": "t1"}], "request": "r1"}
        expected["method"] = "echo"
        self.assertEqual(response, {"jsonrpc": "2.0", "id": 1, "result": expected})

    def test_omitted_arguments_have_defaults(self):
        program = Program(self)
        self.assertEqual(program.call("defaults")["result"], {"first": None, "second": 2})
        self.assertEqual(program.call("defaults", {"first": 1, "second": 3, "third": 4})["result"], {"first": 1, "second": 3})

    def test_what_handlers_print_goes_to_standard_error(self):
        program = Program(self)
        self.assertIsNone(program.call("noisy")["result"])
        self.assertEqual(program.call("defaults")["id"], 1)
        written = program.finish()
        for text in ("printed\n", "written\n", "of a program\n"):
            self.assertIn(text, written)

    def test_a_failure_is_a_declared_error(self):
        error = Program(self).call("fails")["error"]
        self.assertEqual(error["data"], {"name": "not_found", "members": {"id": 5}, "message": "not here"})

    def test_members_and_arguments_may_have_any_name(self):
        program = Program(self)
        error = program.call("names", {"fail": True})["error"]
        self.assertEqual(error["data"], {"name": "taken", "members": {"message": "m", "a\nb": 1, "name": "n", "members": 2, "self": 3}})
        arguments = {"call": 1, "self": 2, "method": 3, "a\nb": {"\n\u2028": [1.0]}}
        program.send(call(1, "names", arguments))
        request = program.receive()
        self.assertEqual(request["params"]["arguments"], {"target": 7, "self": 8, "call_id": 9})
        program.send({"jsonrpc": "2.0", "id": request["id"], "result": {}})
        result = program.receive()["result"]
        self.assertEqual(result["sent"], arguments)
        del arguments["call"]
        self.assertEqual(result["arguments"], arguments)

    def test_omitted_arguments_are_not_among_the_arguments_of_the_call(self):
        self.assertEqual(Program(self).call("omitted")["result"], {"first": None, "sent": {}})

    def test_an_exception_is_an_internal_error(self):
        program = Program(self)
        error = program.call("raises")["error"]
        self.assertEqual((error["code"], error["message"]), (-32603, "ValueError: secret"))
        self.assertRegex(error["data"]["traceback"], r'^Traceback .*\n  File ".*handlers.py", line [0-9]+, in raises\n')
        self.assertEqual(program.call("nan")["error"]["code"], -32603)
        self.assertEqual(program.call("unknown")["error"]["code"], -32601)
        self.assertEqual(program.call("defaults")["result"]["second"], 2)
        self.assertEqual(program.finish(), "", "the server writes tracebacks to the log")

    def test_a_handler_calls_the_api_while_other_calls_arrive(self):
        program = Program(self)
        program.send(call(1, "nested"), call(2, "defaults"))
        request = program.receive()
        self.assertEqual(request["method"], "call")
        self.assertEqual(request["params"], {"target": "other.get", "arguments": {"id": 7}, "for": 1})
        program.send(call(3, "defaults"), {"jsonrpc": "2.0", "id": request["id"], "result": {"ok": True}})
        responses = [program.receive() for _ in range(3)]
        self.assertEqual([response["id"] for response in responses], [1, 2, 3])
        self.assertEqual(responses[0]["result"], {"outputs": {"ok": True}})

    def test_a_failed_call_of_the_api_raises(self):
        program = Program(self)
        program.send(call(1, "nested"))
        data = {"name": "gone", "status": 404, "members": {"id": 7}}
        error = {"code": -32000, "message": "it is gone", "data": data}
        program.send({"jsonrpc": "2.0", "id": program.receive()["id"], "error": error})
        self.assertEqual(program.receive()["result"], {"error": ["it is gone", "gone", 404, {"id": 7}]})

    def test_dataclasses_and_dates_are_converted(self):
        self.assertEqual(Program(self).call("plain")["result"], {"point": {"x": 1, "at": "2026-01-02"}})

    @unittest.skipIf(sys.version_info < (3, 11), "needs Unpack")
    def test_the_arguments_of_a_typed_dict_are_described_and_converted(self):
        program = Program(self)
        self.assertEqual(program.ready["params"]["methods"]["unpacked"]["parameters"], ["price", "others"])
        annotations = program.ready["params"]["methods"]["unpacked"]["annotations"]
        self.assertEqual(annotations["price"], {"type": "decimal.Decimal", "accepts": ["number", "string"]})
        self.assertEqual(annotations["others"]["accepts"], ["array"])
        result = program.call("unpacked", {"price": "1.50", "others": ["2"]})["result"]
        self.assertEqual(result, {"types": {"price": "Decimal('1.50')", "others": "[Decimal('2')]"}})
        self.assertEqual(program.call("unpacked", {"price": "1"})["result"], {"types": {"price": "Decimal('1')"}})

    def test_an_upload_has_a_path(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("content")
            file.flush()
            upload = {"path": file.name, "name": "a.txt", "type": "text/plain", "size": 7}
            self.assertEqual(Program(self).call("upload", {"file": upload})["result"], {"content": "content"})

    def test_many_calls_and_long_lines_have_their_results(self):
        program = Program(self)
        for length in (0, 1, 65_535, 65_536, 300_000, 10):
            self.assertEqual(len(program.call("echo", {"value": "x" * length})["result"]["value"]), length)
        program.send(*(call(number, "echo", {"value": number}) for number in range(300)))
        for number in range(300):
            response = program.receive()
            self.assertEqual((response["id"], response["result"]["value"]), (number, number))

    def test_threads_run_handlers_at_the_same_time(self):
        program = Program(self, "serve(threads=4)")
        program.send(call(1, "sleep", {"seconds": 2}), call(2, "nested"), call(3, "defaults"))
        received = [program.receive() for _ in range(2)]
        request = next(message for message in received if message.get("method") == "call")
        self.assertIn(3, [message["id"] for message in received])
        program.send({"jsonrpc": "2.0", "id": request["id"], "result": 5})
        self.assertEqual(program.receive()["result"], {"outputs": 5})
        self.assertEqual(program.receive()["result"], {"slept": 2})

    def test_coroutines_of_a_thread_run_on_the_same_event_loop(self):
        program = Program(self)
        first, second = (program.call("async", {"value": value})["result"] for value in (1, 2))
        self.assertEqual((first["value"], second), (1, {**first, "value": 2}))
        threaded = Program(self, "serve(threads=2)")
        threaded.send(*(call(number, "async", {"value": number}) for number in range(20)))
        results = [threaded.receive()["result"] for _ in range(20)]
        self.assertEqual(sorted(result["value"] for result in results), list(range(20)))

    def test_a_breakpoint_without_a_terminal_has_no_effect(self):
        program = Program(self)
        program.process.stdin.flush()
        self.assertEqual(program.call("breaks", {"value": 2})["result"], {"value": 4})

    def test_a_breakpoint_stops_in_the_terminal_of_the_server(self):
        server = write_file(self, "server.py", SERVER)
        handlers = write_file(self, "handlers.py", textwrap.dedent(HANDLERS) + "serve()\n")
        process, terminal = pty.fork()
        if process == 0:
            os.environ["PYTHONPATH"] = FOLDER
            os.execv(sys.executable, [sys.executable, server, handlers])
        shown = b""
        # Each line is typed after the prompt for it, so that the terminal does not show it before. At the end of the
        # program, reading fails.
        lines = [b"p value + 2\n", b"next\n", b"p doubled\n", b"continue\n"]
        with contextlib.suppress(OSError):
            while chunk := os.read(terminal, 1000):
                shown += chunk
                if lines and shown.endswith(b"(Pdb) "):
                    os.write(terminal, lines.pop(0))
        self.assertEqual(os.waitpid(process, 0)[1], 0, shown.decode())
        os.close(terminal)
        shown = shown.decode()
        for text in ("'method': 'debug'", "doubled = value * 2", "p value + 2\r\n23\r\n", "p doubled\r\n42\r\n", "'result': {'value': 42}"):
            self.assertIn(text, shown)

    def test_the_program_ends_with_its_input(self):
        for serve in ("serve()", "serve(threads=2)"):
            program = Program(self, serve)
            program.send(call(1, "nested"))
            program.receive()
            program.finish()
            self.assertEqual(program.process.returncode, 0)


class ClientTest(unittest.TestCase):
    def setUp(self):
        program = write_file(self, "rulebook", PROGRAM)
        os.chmod(program, 0o755)
        self.client = Client(program=program)

    def test_outputs_are_returned(self):
        outputs = {"command": "call --data", "data": "", "arguments": {"id": 5}}
        self.assertEqual(self.client.call("note.get", id=5), outputs)

    def test_error_responses_are_raised(self):
        with self.assertRaises(CallError) as raised:
            self.client.call("note.post")
        error = raised.exception
        self.assertEqual((error.name, error.status, error.members), ("not_found", 404, {"id": 5}))
        self.assertEqual(str(error), "note.post: not here\na log")

    def test_an_api_that_does_not_start_is_no_error_response(self):
        with self.assertRaisesRegex(RuntimeError, "^other: error: unexpected\n$"):
            self.client.call("other")


if __name__ == "__main__":
    unittest.main()
