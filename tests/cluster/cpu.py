"""Step `cpu`: a request to three servers costs as much as one to one server, and with enough processors, three servers
have 2.5 times the throughput of one.

All servers share the databases and the counter of limits, and all wait for their turns on the processors, as the unit
in `deploy` makes them do. A single measurement of a ratio deviates by 7 % and more, because other programs use the
processors too. So each is short, and repeated often, in turns and in alternating order. The processor time is that of
all threads of the servers, as the scheduler of the kernel measures it; the parts in user mode are estimates of the
kernel."""

import os
import statistics
import subprocess
import time

from report import figure, promise
from tools import h2load, h2load_counts
from usage import Usage, usage

REPEATS = 28
CLIENTS = 16
# The share of the throughput that servers get as load when they are compared at the same rate.
SHARE = 0.5
# With these processors, three servers with one worker each do not have to share them with their clients.
MIN_PROCESSORS = 8
# How much more processor time a request to three servers may take.
MAX_RATIO = 1.05


class Case:
    """Some servers, each of which gets the same load, or `loads` times this load: as many requests as it can respond
    to, or `rate` requests a second."""

    def __init__(self, name, servers, path, key, requests, processor=None, loads=1, rate=None):
        self.name, self.servers, self.path, self.key, self.requests = name, servers, path, key, requests
        self.loads, self.rate = loads, rate
        # The processor of the clients; `None` for any.
        self.processor = processor
        self.results = []

    def measure(self):
        before = [usage(server.process.pid) for server in self.servers]
        start = time.monotonic()
        loads = [h2load(server.port, self.path, self.key, self.requests, CLIENTS, self.processor, self.rate)
                 for server in self.servers for _ in range(self.loads)]
        counts = [h2load_counts(load) for load in loads]
        seconds = time.monotonic() - start
        if any(each.succeeded != self.requests for each in counts):
            raise RuntimeError(f"{self.name}: requests to {self.path} failed")
        used = sum((usage(server.process.pid) - earlier for server, earlier in zip(self.servers, before)), Usage())
        total = self.requests * len(loads)
        self.results.append({
            "time": used.total / total * 1e6, "user": used.user / total * 1e6, "waits": used.waits / total,
            "throughput": total / seconds,
        })

    def median(self, name):
        return statistics.median(result[name] for result in self.results)

    def describe(self):
        return (f"{self.name:<28}{self.path:<10} {self.median('time'):6.2f} µs a request, {self.median('user'):.2f} in "
                f"user mode; {self.median('waits'):.2f} waits; {self.median('throughput'):.0f} requests a second")


def ratio(case, *others):
    """Returns the processor time of a request of `case` divided by that of the others: the median of all repetitions,
    in each of which they ran one after the other, because the processors are not always equally fast."""
    repetitions = zip(case.results, *(other.results for other in others))
    return statistics.median(own["time"] / statistics.mean(each["time"] for each in rest) for own, *rest in repetitions)


def run(cluster):
    key = cluster.add_key("cpu")
    servers, started = [], []
    try:
        # One worker each: the numbers of threads that share the processors are 1 and 3, not more.
        for index in range(3):
            server = cluster.rulebook(index, f"cpu-{index + 1}", "--workers", "1")
            servers.append(server)
            started.append(server)
            server.start()
        idle_cost(servers)
        cluster.wait_for_key(key)
        # A user who starts one server gives it all processors.
        single = cluster.rulebook(3, "cpu-single")
        started.append(single)
        single.start()
        cluster.wait_for_key(key)
        for path, requests in [("/healthz", 15_000), ("/fixed", 10_000), ("/me", 3_000)]:
            compare(servers, single, path, key, max(1000, int(requests * cluster.options.seconds / 8)))
        if os.cpu_count() >= 2:
            compare_on_one_processor(servers, key, max(1000, int(12_500 * cluster.options.seconds / 8)))
    finally:
        for server in started:
            server.stop()


def idle_cost(servers):
    """Prints what servers without requests cost."""
    before = [usage(server.process.pid) for server in servers]
    time.sleep(3)
    used = [usage(server.process.pid) - earlier for server, earlier in zip(servers, before)]
    share = statistics.mean(each.total for each in used) / 3
    figure(f"a server without requests uses {share * 100:.3f} % of a processor, and wakes up "
           f"{statistics.mean(each.waits for each in used) / 3:.0f} times a second")
    promise(share < 0.01, "a server without requests uses less than a hundredth of a processor")


def measure(cases):
    for turn in range(REPEATS):
        for case in cases if turn % 2 == 0 else reversed(cases):
            case.measure()
    for case in cases:
        figure(case.describe())


def compare(servers, single, path, key, requests):
    """Compares one server with three, on all processors. `single` has a worker for each, and gets the load of three.

    The processor times are compared twice: with as many requests as the servers can respond to, and at the same
    number of requests a second. In the first comparison, clients that use the same processors decide how many requests
    a server finds when it wakes up."""
    cases = [Case(f"server {index + 1} by itself", [server], path, key, requests)
             for index, server in enumerate(servers)]
    three = Case("three at the same time", servers, path, key, requests)
    one = Case("one with the same load", [single], path, key, requests, loads=3)
    measure([*cases, three, one])
    throughput_of_one = statistics.mean(case.median("throughput") for case in cases)
    promise(ratio(three, one) <= MAX_RATIO,
            f"{path}: with as many requests as possible, a request to three servers costs {ratio(three, one):.3f} of "
            f"one to one server, at most {MAX_RATIO:.2f}")
    figure(f"{path}: a request to three servers costs {ratio(three, *cases):.2f} of one to one server "
           f"with a third of the clients; the throughput is {three.median('throughput') / throughput_of_one:.2f} of it")
    if os.cpu_count() >= MIN_PROCESSORS:
        promise(three.median("throughput") >= 2.5 * throughput_of_one,
                f"{path}: three servers have 2.5 times the throughput of one")
    rate = SHARE * min(case.median("throughput") for case in (three, one))
    compare_at_rate(servers, single, path, key, requests, rate)


def compare_at_rate(servers, single, path, key, requests, rate):
    three = Case("three at the same time", servers, path, key, requests // 3, rate=rate / 3)
    one = Case("one with the same load", [single], path, key, requests // 3, loads=3, rate=rate / 3)
    measure([three, one])
    promise(ratio(three, one) <= MAX_RATIO,
            f"{path}: at {rate:.0f} requests a second, a request to three servers costs {ratio(three, one):.3f} of "
            f"one to one server, at most {MAX_RATIO:.2f}")


def compare_on_one_processor(servers, key, requests):
    """Compares one server with three that share a processor, which their clients do not use. Each worker finds as many
    requests at a time, so that the difference is what several processes cost."""
    for server in servers:
        subprocess.run(["taskset", "-a", "-p", "-c", "0", str(server.process.pid)], check=True, capture_output=True)
    for path in ["/healthz", "/fixed"]:
        cases = [Case(f"server {index + 1} on one core", [server], path, key, requests, 1)
                 for index, server in enumerate(servers)]
        three = Case("three on one core", servers, path, key, requests, 1)
        measure([*cases, three])
        promise(ratio(three, *cases) <= MAX_RATIO,
                f"{path}: on one processor, a request to three servers costs {ratio(three, *cases):.3f} of one to one "
                f"server, at most {MAX_RATIO:.2f}")
