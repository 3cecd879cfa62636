"""Tests deploy/nginx.conf, behind which three servers run.

  balanced.py fake PORT PORT PORT URL CERTIFICATE
      Runs three servers on the ports, behind the proxy with this URL, and checks what they receive: which requests are
      sent again to another server, paths, header fields, and bodies while they arrive.
  balanced.py load URL CERTIFICATE FILE REQUEST…
      Sends requests, such as `GET /article/1`, until the file exists, and fails if one of them fails.
"""

import http.client
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse


def connect(url, certificate):
    parts = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=certificate)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=20, context=context)


class FakeServers:
    """Servers that record the requests they receive. The ports in `dropping` close the connection without a response."""

    def __init__(self, ports):
        self.dropping = set()
        self.heads = []
        self.body_bytes = 0
        for port in ports:
            listener = socket.create_server(("127.0.0.1", port))
            threading.Thread(target=self.accept, args=(listener, port), daemon=True).start()

    def accept(self, listener, port):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.handle, args=(connection, port), daemon=True).start()

    def handle(self, connection, port):
        with connection, connection.makefile("rb") as received:
            while line := received.readline():
                method, path, _ = line.decode().split()
                fields = {}
                while (field := received.readline().decode().strip()):
                    name, value = field.split(":", 1)
                    fields[name.lower()] = value.strip()
                self.heads.append((port, method, path, fields))
                if port in self.dropping:
                    return
                left = int(fields.get("content-length", 0))
                while left:
                    left -= (length := len(received.read1(left)))
                    self.body_bytes += length
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def equal(subject, expected, actual):
    if expected != actual:
        sys.exit(f"{subject}: expected {expected}, got {actual}")


def check_proxy(ports, url, certificate):
    servers = FakeServers(ports)

    def call(method, path, body=None, fields={}):
        proxy = connect(url, certificate)
        proxy.request(method, path, body, fields)
        response = proxy.getresponse()
        response.read()
        return response.status

    # The response to a request that was sent at most once shows whether its server closed the connection.
    servers.dropping = set(ports[:2])
    statuses = [call("POST", "/", b"x") for _ in range(3)]
    equal("the responses to POST", [200, 502, 502], sorted(statuses))
    equal("the POST requests that the servers received", 3, len(servers.heads))
    servers.heads.clear()
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] * 3:
        equal(f"the response to {method}", 200, call(method, "/"))
    if len(servers.heads) <= 12:
        sys.exit("no idempotent request was sent to another server")

    servers.dropping.clear()
    servers.heads.clear()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    fields = {"traceparent": trace, "tracestate": "x=1", "Authorization": "Bearer x", "X-Request-Id": "client"}
    call("GET", "/a//b%2Fc?q=%2F", fields=fields)
    [(_, _, path, fields)] = servers.heads
    equal("the path", "/a//b%2Fc?q=%2F", path)
    equal("the fields of a trace", (None, None), (fields.get("traceparent"), fields.get("tracestate")))
    equal("Authorization", "Bearer x", fields.get("authorization"))
    equal("X-Forwarded-For", "127.0.0.1", fields.get("x-forwarded-for"))
    equal("Host", "localhost", fields.get("host"))
    equal("the length of X-Request-Id", 32, len(fields.get("x-request-id", "")))
    for path in ["/metrics", "/readyz"]:
        equal(path, 404, call("GET", path))
    equal("the requests that the proxy does not forward", 1, len(servers.heads))
    equal("a large body", 200, call("PUT", "/", b"x" * 3_000_000))

    # A half of a body reaches the server before the client sends the rest.
    servers.body_bytes = 0
    proxy = connect(url, certificate)
    proxy.putrequest("PUT", "/")
    proxy.putheader("Content-Length", "200000")
    proxy.endheaders(b"x" * 100_000)
    deadline = time.monotonic() + 10
    while servers.body_bytes < 100_000:
        if time.monotonic() > deadline:
            sys.exit(f"the server received {servers.body_bytes} bytes of an upload, not 100000")
        time.sleep(0.02)
    proxy.send(b"x" * 100_000)
    equal("the response to the upload", 200, proxy.getresponse().status)


def load(url, certificate, end, *requests):
    failures = []
    counts = [0] * 6

    def send(worker):
        proxy = connect(url, certificate)
        while not os.path.exists(end):
            method, path = requests[counts[worker] % len(requests)].split()
            body, fields = ('{"text": "x"}', {"Content-Type": "application/json"}) if method == "POST" else (None, {})
            try:
                proxy.request(method, path, body, fields)
                response = proxy.getresponse()
                response.read()
                if response.status != 200:
                    failures.append(f"{method}: {response.status}")
            except (OSError, http.client.HTTPException) as error:
                failures.append(f"{method}: {error!r}")
                proxy = connect(url, certificate)
            counts[worker] += 1
            # nginx closes a connection after 1000 requests; the client begins a new one before.
            if counts[worker] % 500 == 0:
                proxy.close()

    workers = [threading.Thread(target=send, args=(worker,)) for worker in range(len(counts))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(f"{sum(counts)} requests, {len(failures)} failed", file=sys.stderr)
    if failures or sum(counts) < 100:
        sys.exit("\n".join(failures[:10]) or "too few requests")


if sys.argv[1] == "fake":
    check_proxy([int(port) for port in sys.argv[2:5]], *sys.argv[5:7])
else:
    load(*sys.argv[2:])
