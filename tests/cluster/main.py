"""The program that `scripts/cluster` runs. Its first lines describe the arguments."""

import argparse
import os
import signal
import sys
import tempfile
import traceback

import cpu
import keys
import kills
import limits
import links
import report
from processes import CannotStart
from servers import Cluster

STEPS = {"limits": limits.run, "keys": keys.run, "links": links.run, "kills": kills.run, "cpu": cpu.run}


def options():
    parser = argparse.ArgumentParser(prog="scripts/cluster", description="See the first lines of scripts/cluster.")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), metavar="STEP")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--kills", type=int, default=14)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--links", type=int, default=18)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--program", required=True)
    parser.add_argument("--weed", required=True)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[])
    found = parser.parse_args()
    if min(found.kills, found.requests // 80, found.keys, found.links) < 1 or found.minutes < 0:
        parser.error("the numbers must be at least 1, and --requests at least 80")
    found.program = os.path.abspath(found.program)
    # Each of four callers sends twice its limit.
    found.limit = found.requests // 8
    return found


def main():
    found = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="rulebook-cluster-")
    # PostgreSQL may run as another user, which must reach its folder.
    os.chmod(folder, 0o711)
    cluster = Cluster(found, folder)
    try:
        cluster.start()
        report.figure("three servers behind nginx are ready, with PostgreSQL, Valkey or Redis, and S3")
        for name in [name for name in STEPS if name in found.only]:
            print(f"== {name}", flush=True)
            try:
                STEPS[name](cluster)
            except Exception as error:
                traceback.print_exc()
                report.promise(False, f"{name} ended: {error}")
    except (CannotStart, TimeoutError) as error:
        report.promise(False, str(error))
    finally:
        cluster.stop()
        keep_logs(folder, found.keep)
    print(f"\n{len(report.failures)} promises failed" if report.failures else "\nall promises were kept")
    for failure in report.failures:
        print(f"  {failure}")
    return 1 if report.failures else 0


def keep_logs(folder, is_kept):
    """Removes the folder of a run, unless a promise failed: the logs in it say why."""
    if report.failures or is_kept:
        print(f"The logs are in {folder}")
    else:
        import shutil
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
