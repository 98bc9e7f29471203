#!/usr/bin/env python3
"""The black-box tests: they play customer and vendor on loopback against a switchd each.

    tests/sip/run.py --bin build/bin [--workers 1,3] [-k PATTERN] [--jobs 3] [--long]

A test is a coroutine test_*(t) in tests/sip/test_*.py; harness/stage.py is what it gets. Every test
runs once for each worker count. The last line is `sip: N passed, N failed`.
"""

import argparse
import fnmatch
import glob
import importlib
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import runner  # noqa: E402
from harness.capture import Capture  # noqa: E402


def arguments(workers):
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--bin", required=True, help="folder with switchd and switchctl")
    p.add_argument("--workers", default=workers, help="worker counts, each test runs with each")
    p.add_argument("-k", dest="pattern", default="*", help="only tests whose name holds or matches this")
    p.add_argument("--jobs", type=int, default=3, help="tests side by side")
    p.add_argument("--long", action="store_true", help="also the long ones, and the big ones at full length")
    p.add_argument("--seed", default=str(time.time_ns()), help="of every random choice")
    p.add_argument("--keep", action="store_true", help="keep the folders of failed tests")
    p.add_argument("--list", action="store_true", help="print the names and stop")
    options = p.parse_args()
    options.bin = os.path.abspath(options.bin)
    return options


def discover(options, folder):
    jobs = []
    for path in sorted(glob.glob(os.path.join(folder, "test_*.py"))):
        module = os.path.basename(path)[:-3]
        for name, function in vars(importlib.import_module(module)).items():
            if not name.startswith("test_") or getattr(function, "__module__", "") != module:
                continue
            scene = runner.scenes.of(function)
            counts = [int(w) for w in options.workers.split(",")] if scene["switch"] else [0]
            if not scene["long"] or options.long:
                jobs += [runner.Job(module[5:], name, function, w) for w in counts]
    wanted = options.pattern if "*" in options.pattern else f"*{options.pattern}*"
    return [j for j in jobs if fnmatch.fnmatch(j.name, wanted) or options.pattern in j.name]


def main(name="sip", folder=HERE, workers="1,3"):
    """name: in the last line; folder: with the test_*.py."""
    options = arguments(workers)
    jobs = discover(options, folder)
    if options.list:
        print("\n".join(j.name for j in jobs))
        return 0
    began = time.monotonic()
    handle, path = tempfile.mkstemp(prefix="tandem-sip-", suffix=".pcap")
    os.close(handle)
    options.capture = Capture(path)
    results = runner.run(jobs, options)
    failed = [j.name for j, r in results if not r["ok"]]
    slow = sorted(results, key=lambda x: -x[1]["seconds"])[:3]
    print(f"\n{time.monotonic() - began:.0f} s, seed {options.seed}; slowest: "
          + ", ".join(f"{j.name} {r['seconds']:.0f} s" for j, r in slow))
    said, complaints = options.capture.complaints()
    print(f"tshark: {said} messages of the switch, {len(complaints)} malformed")
    if complaints:
        failed.append("tshark.the_switch_is_well_formed")
        print(f"  kept: {path}\n  " + "\n  ".join(complaints[:10]))
    else:
        options.capture.remove()
    for job in failed:
        print(f"failed: {job}")
    print(f"{name}: {len(results) + 1 - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
