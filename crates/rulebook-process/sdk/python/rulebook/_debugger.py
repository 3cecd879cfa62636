"""`breakpoint()` in a handler: a debugger in the terminal in which the server runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pdb
import signal
import sys
import types
from typing import Any, Callable, Iterator


class _Debugger(pdb.Pdb):
    """A debugger that takes the terminal from the server while it waits for commands."""

    def __init__(self) -> None:
        self.terminal = open("/dev/tty", encoding="utf-8")
        super().__init__(stdin=self.terminal, stdout=open("/dev/tty", "w", encoding="utf-8"))

    @contextlib.contextmanager
    def lock(self) -> Iterator[int]:
        """Waits until no debugger of another worker has the terminal. Returns the process group that has it."""
        fcntl.flock(self.terminal, fcntl.LOCK_EX)
        try:
            yield os.tcgetpgrp(self.terminal.fileno())
        finally:
            fcntl.flock(self.terminal, fcntl.LOCK_UN)

    def is_in_foreground(self) -> bool:
        """Returns whether the server has the terminal, and not the shell or another program."""
        with self.lock() as owner:
            return owner == os.getpgid(os.getppid())

    def interaction(self, *arguments: Any, **options: Any) -> None:
        with self.lock() as owner:
            # The system stops processes that take a terminal which they do not have, unless they block this signal.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
            os.tcsetpgrp(self.terminal.fileno(), os.getpgrp())
            try:
                super().interaction(*arguments, **options)
            finally:
                os.tcsetpgrp(self.terminal.fileno(), owner)
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def stop(frame: types.FrameType, report: Callable[[], None]) -> None:
    """Stops at the next line of a frame, after calling `report`. Does nothing if the server has no terminal."""
    try:
        debugger = _Debugger()
        is_in_foreground = debugger.is_in_foreground()
    except OSError:
        is_in_foreground = False
    if not is_in_foreground:
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        reason = "the server is not in the foreground of a terminal"
        print(f"breakpoint() at {place} has no effect: {reason}", file=sys.stderr)
        return
    report()
    debugger.set_trace(frame)
