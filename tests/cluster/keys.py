"""Step `keys`: new and revoked keys are known at every server within a second."""

import threading
import time

from report import figure, promise
from servers import get

# Between the check of a key and the next one.
INTERVAL = 0.005


def run(cluster):
    rounds = cluster.options.keys
    added, revoked, mixed = [], [], 0
    for n in range(rounds):
        key = cluster.add_key(f"key {n}")
        times, changes = until_status(cluster, key, 200, time.monotonic())
        added.append(max(times))
        mixed += changes
        cluster.keys("revoke", key.split("_")[1])
        times, changes = until_status(cluster, key, 401, time.monotonic())
        revoked.append(max(times))
        mixed += changes
    figure(f"{rounds} keys: accepted everywhere after at most {max(added) * 1000:.0f} ms "
           f"(median {sorted(added)[rounds // 2] * 1000:.0f}), "
           f"refused after at most {max(revoked) * 1000:.0f} ms (median {sorted(revoked)[rounds // 2] * 1000:.0f})")
    promise(max(added) < 1, "a new key is accepted at every server within a second")
    promise(max(revoked) < 1, "a revoked key is refused at every server within a second")
    promise(mixed == 0, "no server accepts a key that it has refused, or refuses one that it has accepted")


def until_status(cluster, key, expected, start):
    """Waits until each server responds with a status. Returns the time that each needed, and how many of them responded
    with another status after that."""
    times, changes = [None] * len(cluster.servers), [0] * len(cluster.servers)

    def watch(index, port):
        while time.monotonic() - start < 10:
            status, _ = get(port, "/fixed", key)
            if status == expected:
                times[index] = time.monotonic() - start
                break
            time.sleep(INTERVAL)
        for _ in range(10):
            changes[index] += get(port, "/fixed", key)[0] != expected

    threads = [threading.Thread(target=watch, args=(index, server.port))
               for index, server in enumerate(cluster.servers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each or 10 for each in times], sum(changes)
