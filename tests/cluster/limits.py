"""Step `limits`: three servers together allow exactly the limit."""

import time

from report import figure, promise
from tools import h2load, h2load_counts

CALLERS = 4


def wait_for_one_period():
    """Waits if the day ends soon: the limits begin anew with it."""
    left = 86400 - time.time() % 86400
    if left < 900:
        time.sleep(left + 1)


def run(cluster):
    wait_for_one_period()
    limit = cluster.options.limit
    # Together, all callers send twice the sum of their limits.
    share = 2 * limit // len(cluster.servers)
    for path, arguments in [("/limited", []), ("/counted", ["--requests", str(limit), "--per", "day"])]:
        keys = [cluster.add_key(f"caller {path} {n}", *arguments) for n in range(CALLERS)]
        # All keys have the limit of the key, and only calls of one method have that of the method.
        waited = cluster.wait_for_key(keys[-1])
        used = waited if path == "/counted" else 0
        start = time.monotonic()
        loads = [[h2load(server.port, path, key, share + 1) for server in cluster.servers] for key in keys]
        counts = [[h2load_counts(load) for load in of_key] for of_key in loads]
        seconds = time.monotonic() - start
        allowed = [sum(each.succeeded for each in of_key) for of_key in counts]
        others = sum(each.failed + each.without_response for of_key in counts for each in of_key)
        allowed[-1] += used
        for n, key in enumerate(keys):
            allowed[n] += use_claimed(cluster, path, key)
        total = CALLERS * len(cluster.servers) * (share + 1)
        figure(f"{path}: {total} requests in {seconds:.1f} s ({total / seconds:.0f} a second); allowed {allowed}")
        kind = "a limit of the method" if path == "/limited" else "a limit of the key"
        promise(allowed == [limit] * CALLERS and others == 0,
                f"{kind}: of each caller, exactly {limit} requests are allowed; {others} had another error")


def use_claimed(cluster, path, key):
    """Sends requests until no server allows one. Workers claim several requests at once, and some of them had no client
    any more that uses those. Returns how many requests were allowed."""
    allowed = 0
    while True:
        loads = [h2load(server.port, path, key, 512, clients=16) for server in cluster.servers]
        succeeded = sum(h2load_counts(load).succeeded for load in loads)
        allowed += succeeded
        # Above twice the limit, the caller reports that the promise failed.
        if not succeeded or allowed > 2 * cluster.options.limit + 100_000:
            return allowed
