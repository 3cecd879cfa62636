"""Step `kills`: the servers are killed one after the other, while clients write and read."""

import collections
import random
import time

from client import Log
from excuses import Kill, explain
from files import check_files, check_rows
from limits import use_claimed, wait_for_one_period
from processes import wait_until
from report import figure, promise
from servers import readiness
from tools import Wrk
from writes import Load

# How long a server may need until all requests succeed again.
MAX_RECOVERY = 60


class Round:
    """A kill of one server, with a key that has a limit of its own."""

    def __init__(self, cluster, server, log, number, chance):
        self.cluster, self.server, self.log, self.chance = cluster, server, log, chance
        self.name = "limits" if server is cluster.limits else server.name
        is_release = "/release/" in cluster.options.program
        self.limit = 20_000 if is_release else 2_000
        self.key = cluster.add_key(f"round {number}", "--requests", str(self.limit), "--per", "day")
        self.allowed = cluster.wait_for_key(self.key)

    def run(self):
        """Kills the server and starts it again, while wrk uses up the limit. Returns the kill."""
        wrk = Wrk(self.cluster.nginx.port, "/counted", self.key)
        time.sleep(self.chance.uniform(0.2, 1))
        before, after = self.server.kill()
        is_rulebook = self.server in self.cluster.servers
        kill = Kill(self.name, f"127.0.0.1:{self.server.port}" if is_rulebook else "", before, after)
        time.sleep(self.chance.uniform(0, 1))
        self.server.start()
        started = time.monotonic()
        self.wait_until_ready()
        kill.recovered = time.monotonic()
        self.wait_until_handling(kill.recovered)
        handling = time.monotonic()
        allowed = self.allowed + use_claimed(self.cluster, "/counted", self.key)
        wrk.stop()
        allowed += wrk.ok
        # While nginx is away, wrk tries to connect all the time.
        others = wrk.other if self.name == "nginx" else wrk.other + wrk.errors
        figure(f"{self.name}: started after {started - after:.1f} s, all ready after {kill.recovered - after:.1f} s, "
               f"all used after {handling - after:.1f} s; {allowed} of {self.limit} allowed; wrk: {wrk.ok} allowed, "
               f"{wrk.refused} above the limit, {wrk.unavailable} with 503, {others} others")
        self.check(wrk, allowed)
        return kill, allowed

    def wait_until_ready(self):
        """Waits until all servers are ready, longer than a worker remembers the result of its checks."""
        end = time.monotonic() + MAX_RECOVERY
        since = time.monotonic()
        while time.monotonic() - since < 1.2:
            if not all(readiness(server.port) == 200 for server in self.cluster.servers):
                since = time.monotonic()
                if since > end:
                    raise TimeoutError(f"the servers are not ready after the kill of {self.name}")
            time.sleep(0.05)

    def wait_until_handling(self, since):
        """Waits until nginx sends requests to all servers again."""
        addresses = [f"127.0.0.1:{server.port}" for server in self.cluster.servers]
        wait_until(lambda: all(self.log.handled.get(address, 0) > since for address in addresses), MAX_RECOVERY,
                   "requests at each server")

    def check(self, wrk, allowed):
        if allowed > self.limit:
            promise(False, f"kill of {self.name}: {allowed} requests were allowed, and the limit is {self.limit}")
        if wrk.unavailable and self.name != "limits" or wrk.other:
            promise(False, f"kill of {self.name}: {wrk.unavailable} requests had the status 503, {wrk.other} another "
                           f"one, such as {wrk.status}")
        if wrk.errors and self.name != "nginx":
            promise(False, f"kill of {self.name}: {wrk.errors} requests had no response")


def run(cluster):
    wait_for_one_period()
    seed = cluster.options.seed or random.randrange(10**6)
    figure(f"seed {seed}")
    chance = random.Random(seed)
    key = cluster.add_key("load")
    cluster.wait_for_key(key)
    log = Log()
    load = Load(cluster.nginx.port, key, log, seed)
    one, two, three = cluster.servers
    # A short run kills one of each kind.
    targets = [one, cluster.limits, cluster.postgres, cluster.files, cluster.nginx, two, three]
    end = time.monotonic() + 60 * cluster.options.minutes
    kills, allowed, limit = [], 0, 0
    load.start()
    start = time.monotonic()
    try:
        while len(kills) < cluster.options.kills or time.monotonic() < end:
            server = targets[len(kills) % len(targets)]
            current = Round(cluster, server, log, len(kills), chance)
            kill, count = current.run()
            kills.append(kill)
            allowed += count
            limit += current.limit
    finally:
        load.stop()
    report(cluster, key, load, log, kills, time.monotonic() - start)
    promise(allowed <= limit, f"{len(kills)} limits together: {allowed} requests allowed of {limit}")


def report(cluster, key, load, log, kills, seconds):
    sent = sum(log.succeeded.values()) + len(log.failed)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(log.succeeded.items()))
    figure(f"{len(kills)} kills in {seconds:.0f} s; {sent} requests besides those of wrk: {kinds}")
    reasons = collections.Counter()
    unexplained = []
    for outcome in log.failed:
        reason = explain(outcome, kills)
        if reason:
            reasons[reason] += 1
        else:
            unexplained.append(outcome)
    for reason, count in sorted(reasons.items()):
        figure(f"  {count} {reason}")
    for outcome in unexplained[:10]:
        nearest = min(kills, key=lambda kill: abs(kill.before - outcome.end))
        figure(f"  {outcome.method} {outcome.kind}: {outcome.status} {outcome.error} {outcome.body[:120]} at "
               f"{outcome.upstream}, {outcome.start - nearest.before:+.3f} to {outcome.end - nearest.before:+.3f} s "
               f"after the kill of {nearest.target}, which was over after {nearest.recovered - nearest.before:.1f} s")
    # Without requests, the other promises would mean nothing.
    missing = [kind for kind in Load.NEEDS if not log.succeeded.get(kind)]
    promise(not missing, f"requests of all kinds succeeded; kinds without success: {', '.join(missing) or 'none'}")
    promise(not load.errors, f"no thread of the load ended early; errors: {', '.join(load.errors) or 'none'}")
    promise(not unexplained,
            f"of {sent} requests, {len(log.failed)} failed, {len(unexplained)} of them without a reason")
    promise(not load.damaged, f"{len(load.damaged)} downloads had another content than the stored file")
    check_rows(cluster, key, load.rows)
    check_files(cluster, key, load.files)
