"""Starts, kills and restarts one server of the cluster, whichever program it is."""

import os
import random
import signal
import socket
import subprocess
import time


class CannotStart(Exception):
    """A server did not start; the text contains the end of its log."""


def free_ports(count):
    """Returns ports on which no server listens. All of them are reserved until the last one is known.

    The kernel gives none of them to a client: a connection to a server that was killed could get the port of the
    server, which then could not start again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first_of_clients = int(file.read().split()[0])
    sockets = {}
    while len(sockets) < count:
        port = random.SystemRandom().randrange(first_of_clients // 2, first_of_clients)
        try:
            sockets.setdefault(port, socket.create_server(("127.0.0.1", port)))
        except OSError:
            # Another server listens.
            pass
    for each in sockets.values():
        each.close()
    return list(sockets)


def is_listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_until(condition, seconds, subject):
    """Waits until the condition is true, and returns how long that took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"{subject}: not within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - start


def process_tree(root):
    """Returns the ids of a process and of all its descendants."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(name))
    found = [root]
    for process in found:
        found.extend(children.get(process, []))
    return found


def exists(process):
    """Returns whether a process exists and has not ended: a process that has ended may wait for its parent."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


class Server:
    """A server process. `is_ready` returns whether it can be used."""

    def __init__(self, name, command, folder, is_ready, environment=None, user=None):
        self.name = name
        self.command = command
        self.folder = folder
        self.is_ready = is_ready
        self.environment = {**os.environ, **(environment or {})}
        self.user = user
        self.log = os.path.join(folder, f"{name}.log")
        self.process = None

    def start(self, seconds=60):
        """Starts the server, and waits until it is ready. Returns how long that took."""
        # The program may run as another user than this one, which must not need the right to write to the folder.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environment, user=self.user, group=self.user,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        start = time.monotonic()
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - start > seconds:
                raise CannotStart(f"{self.name} did not start:\n{self.last_log()}")
            time.sleep(0.02)
        return time.monotonic() - start

    def kill(self):
        """Kills the process and its descendants with the signal 9. Returns the times before and after their end."""
        before = time.monotonic()
        processes = process_tree(self.process.pid)
        for process in processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        wait_until(lambda: not any(map(exists, processes)), 10, f"the end of {self.name}")
        return before, time.monotonic()

    def stop(self):
        """Kills the server if it is running."""
        if self.process and self.process.poll() is None:
            self.kill()

    def last_log(self):
        with open(self.log, "rb") as file:
            return file.read()[-3000:].decode(errors="replace")
