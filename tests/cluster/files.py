"""Compares what is stored with what was acknowledged."""

import collections
import json

from links import request
from report import figure, promise


def check_rows(cluster, key, rows):
    """Compares the rows of the database with those whose creation was acknowledged."""
    for server in cluster.servers:
        status, body = request(server.port, "GET", "/row", {"Authorization": f"Bearer {key}"})
        found = {row["id"]: row["version"] for row in map(json.loads, body.splitlines())} if status == 200 else {}
        lost = [row for row in rows if row not in found]
        wrong = [row for row, versions in rows.items() if row in found and found[row] not in versions]
        promise(not lost and not wrong, f"{server.name} has all {len(rows)} acknowledged rows: "
                                        f"{len(lost)} lost, {len(wrong)} with an older version")


def check_files(cluster, key, files):
    """Downloads all acknowledged files, each from one of the servers, and some of them from each server."""
    lost, wrong, caches = [], [], collections.defaultdict(set)
    headers = {"Authorization": f"Bearer {key}"}
    downloads = 0
    for n, (name, expected) in enumerate(files.items()):
        servers = cluster.servers if n % 20 == 0 else [cluster.servers[n % len(cluster.servers)]]
        for server in servers:
            downloads += 1
            status, body = request(server.port, "GET", f"/iapi/file?filename={name}", headers)
            if status != 200:
                lost.append(f"{name} at {server.name}: {status}")
            elif isinstance(expected, set):
                if body not in expected:
                    wrong.append(f"{name} at {server.name}")
            else:
                caches[expected].add(body)
    wrong += [f"caches of {row}" for row, bodies in caches.items() if len(bodies) != 1 or b"" in bodies]
    for each in [*lost, *wrong][:6]:
        figure(f"  {each}")
    promise(not lost and not wrong, f"all {len(files)} acknowledged files and caches are stored ({downloads} "
                                    f"downloads): {len(lost)} lost, {len(wrong)} with another content")
