"""Runs the load generators h2load, which counts the responses to an exact number of requests, and wrk."""

import re
import signal
import subprocess
import tempfile


class Counts:
    """How many responses had each class of status, and how many requests got none."""

    def __init__(self, output):
        status = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output)
        total = re.search(r"requests: (\d+) total, .* (\d+) failed, (\d+) errored, (\d+) timeout", output)
        if not status or not total:
            raise RuntimeError(f"h2load printed:\n{output}")
        self.succeeded, _, self.refused, self.failed = map(int, status.groups())
        self.without_response = int(total[3]) + int(total[4])


def h2load(port, path, key, requests, clients=8, processor=None, rate=None):
    """Starts h2load with HTTP/1.1, on one processor if its number is given. With `rate`, all clients together send
    about as many requests a second."""
    command = ["taskset", "-c", str(processor)] if processor is not None else []
    command += ["h2load", "--h1", "-t1", f"-n{requests}", f"-c{clients}", "-H", f"Authorization: Bearer {key}"]
    command += [f"--rps={max(1, round(rate / clients))}"] if rate else []
    return subprocess.Popen([*command, f"http://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def h2load_counts(process):
    return Counts(process.communicate()[0])


class Wrk:
    """wrk, which sends requests until it is stopped, and counts the responses by status."""

    SCRIPT = """
    local threads = {}
    function setup(thread) table.insert(threads, thread) end
    function init(args)
      ok = 0; refused = 0; unavailable = 0; other = 0; last = 0
      io.write("connected\\n")
      io.flush()
    end
    function response(status, headers, body)
      if status == 200 then ok = ok + 1
      elseif status == 429 then refused = refused + 1
      elseif status == 503 then unavailable = unavailable + 1
      else other = other + 1; last = status end
    end
    function done(summary, latency, requests)
      local sum = {ok = 0, refused = 0, unavailable = 0, other = 0, last = 0}
      for _, thread in ipairs(threads) do
        for name in pairs(sum) do sum[name] = sum[name] + thread:get(name) end
      end
      local errors = summary.errors
      io.write(string.format("counts %d %d %d %d %d %d\\n", sum.ok, sum.refused, sum.unavailable, sum.other, sum.last,
        errors.connect + errors.read + errors.write + errors.timeout))
    end
    """

    def __init__(self, port, path, key, connections=2):
        self.script = tempfile.NamedTemporaryFile("w", suffix=".lua")
        self.script.write(self.SCRIPT)
        self.script.flush()
        # The processes that are checked are more important.
        command = ["nice", "-n", "10", "wrk", "-t1", f"-c{connections}", "-d100000", "--timeout", "60s", "-s",
                   self.script.name, "-H", f"Authorization: Bearer {key}", f"http://127.0.0.1:{port}{path}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # wrk gives up if it cannot connect at first, so that nothing may be killed before.
        first = self.process.stdout.readline()
        if first != "connected\n":
            raise RuntimeError(f"wrk printed:\n{first}{self.process.communicate()[0]}")

    def stop(self):
        """Ends wrk, and sets the counts."""
        self.process.send_signal(signal.SIGINT)
        output = self.process.communicate()[0]
        self.script.close()
        counts = re.search(r"counts (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
        if not counts:
            raise RuntimeError(f"wrk printed:\n{output}")
        self.ok, self.refused, self.unavailable, self.other, self.status, self.errors = map(int, counts.groups())
