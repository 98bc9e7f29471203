#!/usr/bin/env python3
"""A first look at the appliance: boots the image in QEMU, in a network of its own with a customer and a
vendor outside, sets it up from a tandem.conf without a hand, places calls with RTP both ways, shows the
SIP ladder, the records, the charges and the balances, and leaves the console on this terminal.

    tests/vm/demo.py --image build/image [--firmware kernel|bios|uefi]
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SIP = os.path.join(HERE, "..", "sip")
sys.path[:0] = [HERE, SIP]

import harness  # noqa: E402

harness.__path__.append(os.path.join(SIP, "harness"))

from harness.attach import attach, has_terminal  # noqa: E402
from harness.demo import Demo, Trouble, title  # noqa: E402
from harness.machine import Machine, has_kvm  # noqa: E402
from harness.site import CUSTOMER, PASSWORD, SSH_PORT, SWITCH, VENDOR, Lan, Site, enter  # noqa: E402

BEGAN = time.monotonic()
PATIENCE = 900


def step(text):
    print(f"[{time.monotonic() - BEGAN:4.0f} s] {text}", flush=True)


class Beat:
    """Says now and then how far the guest is, while something is waited for."""

    def __init__(self, machine):
        self.machine, self.said, self.task = machine, "", None

    async def __aenter__(self):
        self.task = asyncio.create_task(self._run())

    async def __aexit__(self, *what):
        self.task.cancel()

    async def _run(self):
        while True:
            await asyncio.sleep(10)
            journal = self.machine.journal
            lines = [x for x in journal.text.split("\n") if x.strip()] if journal else []
            last = lines[-1].strip()[:90] if lines else "the kernel starts"
            if last != self.said:
                step(f"  {last}")
                self.said = last


async def boot(site, machine):
    step(f"booting in QEMU ({'KVM' if has_kvm() else 'no KVM here: the processor is emulated, which is slow'})")
    async with Beat(machine):
        await site.switch.start()
        step(f"switchd is up, {machine.seconds():.0f} s after power on; set-up reads tandem.conf")
        await site.switch.set_up()
    step("set up")


async def run(options, folder):
    lan = Lan()
    try:
        site = Site(lan)
        title("The answers of the installer: tandem.conf on a volume labelled TANDEM")
        print("  " + site.conf.strip().replace("\n", "\n  ") + "\n")
        with Machine(options.image, net=lan.network, boot=options.firmware, files=site.files()) as machine:
            enter(lan.outside.namespace)
            site.power(machine, site.ssh)
            demo = Demo(site.switch, folder, CUSTOMER, VENDOR)
            await boot(site, machine)
            good = await demo.show()
            step("All as it should be." if good else "Something differs: see above.")
            if has_terminal():
                print(f"\nThe switch is {SWITCH} in a network of its own (operators: ssh, port {SSH_PORT}).\n"
                      f"Next is its serial console; the password is: {PASSWORD}\nCtrl-] leaves it and switches the machine off.")
                await asyncio.to_thread(attach, machine.console)
            return good
    finally:
        lan.close()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--image", required=True, help="folder with tandem.img")
    p.add_argument("--firmware", choices=("kernel", "bios", "uefi"), default="kernel",
                   help="kernel: without a boot loader, which is faster")
    options = p.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("demo.py: a network of its own needs root")
    folder = tempfile.mkdtemp(prefix="tandem-demo-")
    try:
        good = asyncio.run(asyncio.wait_for(run(options, folder), None if has_terminal() else PATIENCE))
    except Trouble as e:
        raise SystemExit(f"demo.py: {e}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
