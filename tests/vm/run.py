#!/usr/bin/env python3
"""The tests of the appliance: the image boots in QEMU and is looked at from outside, as its network, its
callers and its operators see it.

    tests/vm/run.py --image build/image [-k PATTERN] [--but PATTERN] [--cuts 30] [--seed N]

A test is a function test_*(...) in tests/vm/test_*.py that says by the names of its arguments what it
needs: `site`, the switch that was booted once for all such tests and set up from a tandem.conf; `image`,
the folder of the image, for tests with a machine of their own; `options`, the command line. Those of
`site` come first, in the order of ORDER. The last line is `vm: N passed, N failed`.
"""

import argparse
import asyncio
import glob
import importlib.util
import inspect
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SIP = os.path.join(HERE, "..", "sip")
sys.path[:0] = [HERE, SIP]

import harness  # noqa: E402

harness.__path__.append(os.path.join(SIP, "harness"))

from harness.machine import Machine  # noqa: E402
from harness.site import Lan, Site, enter  # noqa: E402

# What changes the machine for the others comes later; the boot that proves that all was kept is last.
ORDER = ["setup", "kernel", "audit", "lynis", "call", "scan", "ban", "change", "console", "reboot"]
# Of a test. Every wait in it has its own end: this is for what was forgotten, and so for a machine that has much else to do.
WITHIN = 3600


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--image", required=True, help="folder with tandem.img")
    p.add_argument("-k", dest="pattern", default="", help="only tests whose name holds one of these words: ban,call")
    p.add_argument("--but", default="", help="and none whose name holds one of these")
    p.add_argument("--cuts", type=int, default=30, help="power cuts under load")
    p.add_argument("--seed", type=int, default=time.time_ns() % 10**9, help="of every random choice")
    p.add_argument("--list", action="store_true", help="print the names and stop")
    options = p.parse_args()
    options.image = os.path.abspath(options.image)
    return options


def load(path):
    name = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(f"vm_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return name[5:], module


class Test:
    def __init__(self, group, function):
        self.name, self.group, self.function = f"{group}.{function.__name__[5:]}", group, function
        self.needs = list(inspect.signature(function).parameters)
        self.limit = getattr(function, "within", WITHIN)

    def within(self, options):
        """Seconds; a test may make them of the options."""
        return self.limit(options) if callable(self.limit) else self.limit

    def place(self):
        """Tests of the site first, in their order."""
        on_site = "site" in self.needs
        return (not on_site, ORDER.index(self.group) if self.group in ORDER else len(ORDER))


def holds(name, words):
    """Whether the name holds one of "ban,call"."""
    return any(word in name for word in words.split(","))


def discover(pattern, but):
    tests = []
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        group, module = load(path)
        tests += [Test(group, f) for n, f in vars(module).items()
                  if n.startswith("test_") and inspect.isfunction(f) and f.__module__ == module.__name__]
    chosen = (t for t in tests if holds(t.name, pattern) and not (but and holds(t.name, but)))
    return sorted(chosen, key=Test.place)


class Shared:
    """The site that many tests look at; booted when the first one asks for it."""

    def __init__(self, options):
        self.options, self.lan, self.machine, self.site, self.broken = options, None, None, None, None

    async def open(self):
        if self.broken:
            raise AssertionError(f"the shared site could not be set up: {self.broken}")
        if self.site is None:
            try:
                await self._open()
            except Exception as e:
                self.broken = f"{type(e).__name__}: {e}"
                raise
        return self.site

    async def _open(self):
        self.lan = Lan()
        site = Site(self.lan, self.options.seed)
        self.machine = Machine(self.options.image, net=self.lan.network, files=site.files())
        enter(self.lan.outside.namespace)
        await site.power(self.machine).start()
        up = self.machine.seconds()
        await site.switch.set_up()
        print(f"     the site is set up: switchd after {up:.0f} s, set-up after {self.machine.seconds():.0f} s",
              flush=True)
        self.site = site

    def tail(self):
        if not self.site:
            return ""
        screen = "\n".join(self.machine.console.screen) if self.machine.console else ""
        return f"  journal:\n{self.site.switch.tail()}\n  ttyS0:\n{screen}"

    def close(self):
        if self.machine:
            self.machine.__exit__()
        if self.lan:
            self.lan.close()


async def call(test, shared, options):
    given = {"image": options.image, "options": options}
    if "site" in test.needs:
        given["site"] = await shared.open()
    result = test.function(**{name: given[name] for name in test.needs})
    if inspect.isawaitable(result):
        await result


async def run_one(test, shared, options):
    began = time.monotonic()
    try:
        await asyncio.wait_for(call(test, shared, options), test.within(options))
        good, why = True, ""
    except Exception:
        good, why = False, traceback.format_exc()
        if "site" in test.needs:
            why += shared.tail()
    finally:
        if shared.site:
            shared.site.hang_up()
    print(f"{'ok  ' if good else 'FAIL'} {test.name} ({time.monotonic() - began:.1f} s)", flush=True)
    if why:
        print(why, flush=True)
    return good


async def run_all(tests, options):
    shared, passed = Shared(options), 0
    try:
        for i, test in enumerate(tests):
            passed += await run_one(test, shared, options)
            if not any("site" in t.needs for t in tests[i + 1:]):
                shared.close()
                shared = Shared(options)
    finally:
        shared.close()
    return passed


def main():
    options = arguments()
    tests = discover(options.pattern, options.but)
    if options.list:
        print("\n".join(t.name for t in tests))
        return 0
    if os.geteuid() != 0:
        raise SystemExit("run.py: network namespaces need root")
    # Whoever ends us (a time limit, an operator) ends the guests and takes their networks away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    passed = asyncio.run(run_all(tests, options))
    print(f"\n{time.monotonic() - began:.0f} s, seed {options.seed}")
    print(f"vm: {passed} passed, {len(tests) - passed} failed")
    return 0 if passed == len(tests) and tests else 1


if __name__ == "__main__":
    sys.exit(main())
