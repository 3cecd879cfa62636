"""The processor time and the switches of a process, as the kernel counts them."""

import os
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    # In seconds. The kernel measures the sum exactly, and estimates its parts by samples.
    user: float = 0
    system: float = 0
    total: float = 0
    # How often a thread has waited, and how often another thread took its processor.
    waits: int = 0
    preemptions: int = 0

    def __sub__(self, other):
        return Usage(self.user - other.user, self.system - other.system, self.total - other.total,
                     self.waits - other.waits, self.preemptions - other.preemptions)

    def __add__(self, other):
        return Usage(self.user + other.user, self.system + other.system, self.total + other.total,
                     self.waits + other.waits, self.preemptions + other.preemptions)


def usage(process):
    """Returns the usage of all threads of a process since its start."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    found = Usage(int(fields[11]) / TICKS, int(fields[12]) / TICKS)
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/status") as file:
            counts = dict(line.split(":", 1) for line in file if "ctxt_switches" in line)
        with open(f"/proc/{process}/task/{thread}/schedstat") as file:
            found.total += int(file.read().split()[0]) / 1e9
        found.waits += int(counts["voluntary_ctxt_switches"])
        found.preemptions += int(counts["nonvoluntary_ctxt_switches"])
    return found
