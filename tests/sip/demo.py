#!/usr/bin/env python3
"""A first look: starts a switch, enters a customer, a vendor and a rate, places calls with sipp, and
shows the SIP ladder, the records, the charges and the balances. Leaves nothing running.

    tests/sip/demo.py --bin build/bin
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import net  # noqa: E402
from harness.demo import Demo, Trouble  # noqa: E402
from harness.switch import Switch  # noqa: E402


async def run(binaries, folder):
    subnet = net.Subnet()
    ip = subnet.ip(1)
    switch = Switch(binaries, folder, ip, net.free_port(ip))
    demo = Demo(switch, folder, subnet.ip(2), subnet.ip(3))
    await switch.start()
    try:
        await demo.enter()
        good = await demo.show()
        await switch.stop()
        return good
    finally:
        switch.discard()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--bin", required=True, help="folder with switchd and switchctl")
    options = p.parse_args()
    if not shutil.which("sipp"):
        raise SystemExit("demo.py: sipp is missing (Debian: sip-tester)")
    folder = tempfile.mkdtemp(prefix="tandem-demo-")
    try:
        good = asyncio.run(run(os.path.abspath(options.bin), folder))
    except Trouble as e:
        raise SystemExit(f"demo.py: {e}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("All as it should be." if good else "Something differs: see above.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
