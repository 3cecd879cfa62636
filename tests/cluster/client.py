"""A client that sends one request after the other through nginx, and records what happens to each."""

import http.client
import select
import threading
import time
from dataclasses import dataclass, field

# How long a client tries to connect to nginx, in seconds.
MAX_CONNECT = 60


@dataclass
class Outcome:
    """What happened to a request. `status` is `None` if there was no complete response."""

    kind: str
    method: str
    has_body: bool
    start: float
    end: float
    status: int | None
    body: bytes
    # The servers to which nginx has sent the request.
    upstream: str
    error: str = ""


@dataclass
class Log:
    """The outcomes that all clients share: how many succeeded, and the failed ones."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    succeeded: dict = field(default_factory=dict)
    failed: list = field(default_factory=list)
    # When each server has last handled a request.
    handled: dict = field(default_factory=dict)

    def record(self, outcome, is_good):
        with self.lock:
            if is_good:
                self.succeeded[outcome.kind] = self.succeeded.get(outcome.kind, 0) + 1
                # nginx has sent the request to the last of them.
                self.handled[outcome.upstream.split(", ")[-1]] = outcome.start
            else:
                self.failed.append(outcome)


class Client:
    """A connection to nginx. After a connection has ended, and while nginx does not run, it connects again: a request
    that was never sent has not failed."""

    def __init__(self, port, key, log):
        self.port = port
        self.key = key
        self.log = log
        self.connection = None

    def send(self, kind, method, path, body=None, content_type="application/json", expected=(200,)):
        """Sends a request, and records its outcome. Returns the outcome, and whether it has an expected status."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            headers["Content-Type"] = content_type
        start = self.connect()
        outcome = Outcome(kind, method, body is not None, start, start, None, b"", "")
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            outcome.upstream = response.headers.get("X-Upstream", "")
            outcome.body = response.read()
            outcome.status = response.status
        except (OSError, http.client.HTTPException) as error:
            outcome.error = repr(error)
            self.close()
        outcome.end = time.monotonic()
        is_good = outcome.status in expected
        self.log.record(outcome, is_good)
        return outcome, is_good

    def connect(self):
        """Connects unless there is a connection that nginx has not closed. Returns a time from which on there is this
        connection: a killed nginx can have accepted it before its end. Raises an error if nginx does not start again in
        time."""
        start = time.monotonic()
        if self.connection and self.connection.sock and not select.select([self.connection.sock], [], [], 0)[0]:
            return start
        self.close()
        while True:
            before = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.connect()
                self.connection = connection
                return before
            except ConnectionError:
                if time.monotonic() > start + MAX_CONNECT:
                    raise
                time.sleep(0.01)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None
