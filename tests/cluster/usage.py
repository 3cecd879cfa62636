"""The processor time and the switches of a process, as the kernel counts them."""

import os
from dataclasses import dataclass, field

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    # In seconds. The kernel estimates this part of the processor time by samples.
    user: float = 0
    # The processor time of each thread in seconds, which the kernel measures exactly.
    threads: dict = field(default_factory=dict)
    # How often a thread has waited.
    waits: int = 0

    @property
    def total(self):
        return sum(self.threads.values())

    def __sub__(self, other):
        # A thread that has ended in between is not known any more.
        threads = {thread: time - other.threads.get(thread, 0) for thread, time in self.threads.items()}
        return Usage(self.user - other.user, threads, self.waits - other.waits)

    def __add__(self, other):
        return Usage(self.user + other.user, {**self.threads, **other.threads}, self.waits + other.waits)


def usage(process):
    """Returns the usage of all threads of a process since its start."""
    with open(f"/proc/{process}/stat") as file:
        found = Usage(int(file.read().rsplit(")", 1)[1].split()[11]) / TICKS)
    for thread in os.listdir(f"/proc/{process}/task"):
        try:
            with open(f"/proc/{process}/task/{thread}/schedstat") as file:
                found.threads[thread] = int(file.read().split()[0]) / 1e9
            with open(f"/proc/{process}/task/{thread}/status") as file:
                found.waits += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        except OSError:
            # The thread has ended.
            pass
    return found
