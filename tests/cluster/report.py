"""Prints the figures of each step, and remembers which promises failed."""

import time

failures = []
started = time.monotonic()


def figure(text):
    print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)


def promise(is_kept, text):
    """Prints a promise and whether it was kept."""
    figure(f"{'ok    ' if is_kept else 'FAILED'}  {text}")
    if not is_kept:
        failures.append(text)
    return is_kept
