"""Handlers of a rulebook API in Python.

    from rulebook import Failure, handler, serve

    @handler("note.get")
    def get(id: int, call):
        note = notes.get(id)
        if note is None:
            raise Failure("not_found", id=id)
        return {"note": note, "by": call.api("user.get", id=note["user"])["name"]}

    serve()

A handler gets the arguments of its method by name. An argument that the client has omitted is the default of the
parameter, or None. An argument becomes what the annotation of its parameter names: `Decimal`, `datetime`, `date`,
`time` or `UUID`, `Optional` of them, or a `list` of them. `**arguments: Unpack[…]` takes the arguments of a TypedDict,
which `rulebook types --handlers` writes. A parameter with the name `call` or the annotation `Call`
gets the call itself. The handler, which can be `async`, returns the outputs: a dict, or the value of the output `*`.

This package needs Python 3.9 or later, and nothing else.
"""

from __future__ import annotations

import collections
import concurrent.futures
import functools
import json
import os
import sys
import threading
import time
import traceback
from typing import Any, Callable, Optional, TypedDict, TypeVar

from ._handler import Handler
from ._values import InvalidArgument, to_json_value

__all__ = ["Call", "CallError", "Failure", "Identity", "Upload", "handler", "serve"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_METHOD_NOT_FOUND = -32601
_INVALID_ARGUMENT = -32602
_INTERNAL_ERROR = -32603
_DECLARED_ERROR = -32000

_FOLDER = os.path.join(os.path.dirname(__file__), "")

# The number of bytes that are read at once.
_READ_SIZE = 65536
# Results are written together if they are ready within this number of seconds.
_FLUSH_INTERVAL = 0.0005


class Upload(TypedDict):
    """An uploaded file. The file is removed when the call ends."""

    path: str
    name: str
    type: str
    size: int


class Identity:
    """The caller: its name, its permissions, and the claims of its token."""

    __slots__ = ("name", "permissions", "claims")

    def __init__(self, name: str, permissions: list[str], claims: Optional[dict[str, Any]] = None) -> None:
        self.name = name
        self.permissions = permissions
        self.claims = claims or {}

    def __repr__(self) -> str:
        return f"Identity({self.name!r}, {self.permissions!r})"


class Failure(Exception):
    """An error that the definition declares for the method.

    Members are added to the response: as keywords, or in a dict if their names cannot be keywords, such as `message`.
    The keyword `message` replaces the message in the definition.
    """

    def __init__(
        self, name: str, members: Optional[dict[str, Any]] = None, /, *, message: Optional[str] = None, **more: Any
    ) -> None:
        super().__init__(name)
        self.name = name
        self.message = message
        self.members: dict[str, Any] = {**(members or {}), **more}


class CallError(Exception):
    """The error of a call of the API.

    `name` is the name of a declared error, or the code of another error, such as `forbidden`. `status` is the HTTP
    status of the error, or None if the call could not be made.
    """

    def __init__(self, message: str, name: Optional[str], status: Optional[int], members: dict[str, Any]) -> None:
        super().__init__(message)
        self.name = name
        self.status = status
        self.members = members


class Call:
    """A call that a handler handles."""

    __slots__ = ("method", "request_id", "traceparent", "arguments", "_identity", "_id", "_worker")

    def __init__(self, worker: _Worker, call_id: int, method: str, params: dict[str, Any]) -> None:
        self.method: str = method
        self.request_id: Optional[str] = params["request_id"]
        # The header field `traceparent` for requests to other servers, if the request has a trace.
        self.traceparent: Optional[str] = params.get("traceparent")
        self.arguments: dict[str, Any] = params["arguments"]
        self._identity = params["identity"]
        self._id = call_id
        self._worker = worker

    @property
    def identity(self) -> Optional[Identity]:
        """The caller; None if the caller is anonymous."""
        found = self._identity
        return None if found is None else Identity(found["name"], found["permissions"], found.get("claims"))

    def api(self, target: str, /, **arguments: Any) -> Any:
        """Calls a method of the API with the permissions of the caller, and returns its outputs.

        `target` is the id of the method, such as `user.get`, or an HTTP method and a path. Raises CallError if the
        call fails.
        """
        return self._worker.api(self._id, target, arguments)


_handlers: dict[str, Handler] = {}


def handler(method: str) -> Callable[[_Function], _Function]:
    """Registers a function as the handler of the method with this id, such as `note.get`."""

    def register(function: _Function) -> _Function:
        if method in _handlers:
            raise ValueError(f"there are two handlers for {method}")
        _handlers[method] = Handler(function, Call)
        return function

    return register


# One encoder for all messages: json.dumps would create one for each.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=to_json_value).encode
_scan = json.JSONDecoder().raw_decode


def _decode(line: bytes) -> Any:
    return _scan(line.decode())[0]


def _ready() -> bytes:
    """Returns the line that says which methods have handlers, and which parameters their functions have."""
    methods = {method: found.describe() for method, found in _handlers.items()}
    return _encode({"jsonrpc": "2.0", "method": "ready", "params": {"methods": methods}}).encode() + b"\n"


def _error(call_id: Any, code: int, message: str, data: Any = None) -> bytes:
    error = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return _encode({"jsonrpc": "2.0", "id": call_id, "error": error}).encode() + b"\n"


class _Worker:
    """Exchanges messages with the server, and runs the handlers one after the other."""

    def __init__(self, input_fd: int, output_fd: int) -> None:
        self._input = input_fd
        self._output = output_fd
        self._lines: collections.deque[bytes] = collections.deque()
        self._rest = b""
        self._results: list[bytes] = []
        self._last_api_call = 0

    def run(self) -> None:
        self.write(_ready())
        lines, results, clock = self._lines, self._results, time.perf_counter
        flushed = clock()
        while True:
            while not lines:
                self._flush()
                if not self._read():
                    return
                flushed = clock()
            results.append(self.handle(_decode(lines.popleft())))
            # A result must not wait for the calls after it if these take long.
            if clock() - flushed > _FLUSH_INTERVAL:
                self._flush()
                flushed = clock()

    def handle(self, message: dict[str, Any]) -> bytes:
        """Runs the handler of a call, and returns the line with its result."""
        call_id, method = message["id"], message.get("method")
        found = _handlers.get(method)  # type: ignore[arg-type]
        if found is None:
            return _error(call_id, _METHOD_NOT_FOUND, f"there is no handler for {method}")
        try:
            outputs = found.run(Call(self, call_id, method, message["params"]))  # type: ignore[arg-type]
            return f'{{"jsonrpc":"2.0","id":{call_id},"result":{_encode(outputs)}}}\n'.encode()
        except InvalidArgument as invalid:
            place = {"parameter": invalid.parameter, "path": invalid.path, "expected": invalid.expected}
            return _error(call_id, _INVALID_ARGUMENT, str(invalid), place)
        except Failure as failure:
            data: dict[str, Any] = {"name": failure.name, "members": failure.members}
            if failure.message is not None:
                data["message"] = failure.message
            try:
                return _error(call_id, _DECLARED_ERROR, failure.name, data)
            except Exception as error:
                return self._unexpected(call_id, error)
        except Exception as error:
            return self._unexpected(call_id, error)

    def _unexpected(self, call_id: int, error: Exception) -> bytes:
        # The functions of this package that have called the handler say nothing about the error.
        place = error.__traceback__
        while place is not None and place.tb_frame.f_code.co_filename.startswith(_FOLDER):
            place = place.tb_next
        lines = traceback.format_exception(type(error), error, place or error.__traceback__)
        return _error(call_id, _INTERNAL_ERROR, f"{type(error).__name__}: {error}", {"traceback": "".join(lines)})

    def api(self, call_id: int, target: str, arguments: dict[str, Any]) -> Any:
        request_id = self._send_api_call(call_id, target, arguments)
        # Further calls can arrive before the response.
        waiting = 0
        while True:
            while waiting < len(self._lines):
                line = self._lines[waiting]
                if b'"method"' not in line or "method" not in _decode(line):
                    message = _decode(line)
                    del self._lines[waiting]
                    if message.get("id") == request_id:
                        return _api_result(message)
                else:
                    waiting += 1
            if not self._read():
                raise CallError("the server has ended", None, None, {})

    def _send_api_call(self, call_id: int, target: str, arguments: dict[str, Any]) -> str:
        self._last_api_call += 1
        request_id = f"c{self._last_api_call}"
        params = {"target": target, "arguments": arguments, "for": call_id}
        self._flush()
        self.write(_encode({"jsonrpc": "2.0", "id": request_id, "method": "call", "params": params}).encode() + b"\n")
        return request_id

    def _read(self) -> bool:
        """Reads more lines. Returns False at the end of the input."""
        chunk = os.read(self._input, _READ_SIZE)
        if not chunk:
            return False
        if b"\n" not in chunk:
            # A line that is longer than a chunk.
            chunks = [self._rest, chunk]
            while b"\n" not in chunk:
                chunk = os.read(self._input, _READ_SIZE)
                if not chunk:
                    return False
                chunks.append(chunk)
            self._rest, chunk = b"", b"".join(chunks)
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        self._lines.extend(lines)
        return True

    def _flush(self) -> None:
        if self._results:
            self.write(b"".join(self._results))
            self._results.clear()

    def write(self, text: bytes) -> None:
        written = os.write(self._output, text)
        while written < len(text):
            text = text[written:]
            written = os.write(self._output, text)


class _ThreadedWorker(_Worker):
    """Runs several handlers at the same time."""

    def __init__(self, input_fd: int, output_fd: int, threads: int) -> None:
        super().__init__(input_fd, output_fd)
        self._threads = concurrent.futures.ThreadPoolExecutor(threads)
        self._lock = threading.Lock()
        self._waiting: dict[str, concurrent.futures.Future[dict[str, Any]]] = {}
        self._is_ended = False

    def run(self) -> None:
        self.write(_ready())
        while self._lines or self._read():
            message = _decode(self._lines.popleft()) if self._lines else None
            if message is None:
                continue
            if "method" in message:
                self._threads.submit(self._handle_and_write, message)
                continue
            with self._lock:
                waiting = self._waiting.pop(message.get("id"), None)
            if waiting is not None:
                waiting.set_result(message)
        with self._lock:
            self._is_ended = True
            ended = list(self._waiting.values())
        for future in ended:
            future.set_exception(CallError("the server has ended", None, None, {}))
        self._threads.shutdown()

    def _handle_and_write(self, message: dict[str, Any]) -> None:
        self.write(self.handle(message))

    def api(self, call_id: int, target: str, arguments: dict[str, Any]) -> Any:
        future: concurrent.futures.Future[dict[str, Any]] = concurrent.futures.Future()
        with self._lock:
            if self._is_ended:
                raise CallError("the server has ended", None, None, {})
            self._last_api_call += 1
            request_id = f"c{self._last_api_call}"
            self._waiting[request_id] = future
        params = {"target": target, "arguments": arguments, "for": call_id}
        try:
            text = _encode({"jsonrpc": "2.0", "id": request_id, "method": "call", "params": params}).encode() + b"\n"
        except Exception:
            with self._lock:
                del self._waiting[request_id]
            raise
        self.write(text)
        return _api_result(future.result())

    def write(self, text: bytes) -> None:
        with self._lock:
            super().write(text)


def _api_result(message: dict[str, Any]) -> Any:
    error = message.get("error")
    if error is None:
        return message["result"]
    data = error.get("data") or {}
    raise CallError(error["message"], data.get("name"), data.get("status"), data.get("members") or {})


def _breakpoint(worker: _Worker, *_arguments: Any, **_options: Any) -> None:
    # Only this function needs the debugger.
    from ._debugger import stop

    report = _encode({"jsonrpc": "2.0", "method": "debug"}).encode() + b"\n"
    stop(sys._getframe(1), lambda: worker.write(report))


def serve(threads: int = 1) -> None:
    """Handles calls until the server ends.

    With `threads`, this number of handlers run at the same time; the definition must set `concurrency` to at least this
    number. What handlers print goes to standard error, and so to the log of the server. `breakpoint()` stops in the
    terminal of the server, unless the environment variable PYTHONBREAKPOINT chooses another debugger.
    """
    # The standard streams are replaced, so that neither print nor a program that a handler starts uses the pipes.
    input_fd, output_fd = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    # What was printed before is still in the memory of this stream.
    sys.stdout.flush()
    sys.stdout = sys.stderr
    worker = _Worker(input_fd, output_fd) if threads == 1 else _ThreadedWorker(input_fd, output_fd, threads)
    if "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = functools.partial(_breakpoint, worker)
    try:
        worker.run()
    except (BrokenPipeError, KeyboardInterrupt):
        # The server has ended, or a terminal has interrupted both.
        pass
    sys.stderr.flush()
