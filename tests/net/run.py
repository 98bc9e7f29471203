#!/usr/bin/env python3
"""The firewall and its bans, with real packets between two network namespaces (needs root).

    tests/net/run.py --bin build/bin [-k PATTERN] [--jobs 2] [--long] [--keep]

Each test is a process outside the wall, with switchd and switch-lockoutd inside. The rest is as in
tests/sip. The last line is `net: N passed, N failed`.
"""

import argparse
import glob
import importlib
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "sip")]

from harness import runner  # noqa: E402
from wall import NetStage  # noqa: E402


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--bin", required=True, help="folder with the programs")
    p.add_argument("-k", dest="pattern", default="", help="only tests whose name holds this")
    p.add_argument("--jobs", type=int, default=2, help="tests side by side")
    p.add_argument("--seed", default=str(time.time_ns()), help="of every random choice")
    p.add_argument("--keep", action="store_true", help="keep the folders of failed tests")
    p.add_argument("--long", action="store_true", help="also the attacks whose figures are printed")
    options = p.parse_args()
    options.bin = os.path.abspath(options.bin)
    options.stage = NetStage
    return options


def discover(options):
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = os.path.basename(path)[:-3]
        for name, function in vars(importlib.import_module(module)).items():
            if name.startswith("test_") and getattr(function, "__module__", "") == module:
                job = runner.Job(module[5:], name, function, 1)
                if options.pattern in job.name and (options.long or not job.scene["long"]):
                    yield job


def main():
    options = arguments()
    if os.getuid() != 0:
        print("the firewall is tested by root alone", file=sys.stderr)
        return 1
    results = runner.run(list(discover(options)), options)
    failed = [j.name for j, r in results if not r["ok"]]
    for name in failed:
        print(f"failed: {name}")
    print(f"net: {len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
