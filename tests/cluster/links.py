"""Step `links`: a link that one server has created can be downloaded at every server, and through nginx."""

import http.client
import json
import os
import uuid

from report import figure, promise


def request(port, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def form(fields):
    """Returns the type and the body of a form; the value of a file is a pair of its name and its content."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields:
        file = f'; filename="{value[0]}"' if isinstance(value, tuple) else ""
        content = value[1] if isinstance(value, tuple) else value.encode()
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content)
    return f"multipart/form-data; boundary={boundary}", b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()])


def create_link(port, path, key):
    """Requests a file as a script of a page does. Returns the path of the link."""
    headers = {"Authorization": f"Bearer {key}", "X-Requested-With": "XMLHttpRequest"}
    status, body = request(port, "GET", path, headers)
    if status != 200:
        raise RuntimeError(f"GET {path}: {status} {body[:200]}")
    return json.loads(body)["link"]


def run(cluster):
    key = cluster.add_key("links")
    cluster.wait_for_key(key)
    good = total = 0
    failed = {}
    for n in range(cluster.options.links):
        creator = cluster.servers[n % len(cluster.servers)]
        name = f"{uuid.uuid4().hex}.bin"
        # Some files are longer than what a server keeps in memory.
        content = os.urandom([100, 5_000, 200_000][n // len(cluster.servers) % 3])
        kind, body = form([("file", (name, content))])
        headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
        status, reply = request(creator.port, "POST", f"/attachment/{name}", headers, body)
        if status != 200:
            raise RuntimeError(f"POST /attachment: {status} {reply[:200]}")
        link = create_link(creator.port, f"/attachment/{name}", key)
        for server in [*cluster.servers, cluster.nginx]:
            total += 1
            status, received = request(server.port, "GET", link)
            if status == 200 and received == content:
                good += 1
            else:
                failed[f"{creator.name} → {server.name}: {status}"] = received[:100]
    figure(f"{cluster.options.links} links, {total} downloads, {good} of them complete")
    for which, body in sorted(failed.items())[:6]:
        figure(f"  {which} {body}")
    promise(good == total, "a download link of one server works at every server")
