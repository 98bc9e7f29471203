"""The plug is pulled under load, and what the disk had not been told to keep is lost or torn; then the
promises of design.md §4, by a checker that keeps its own record of what it saw on the wire."""

import asyncio
import os
import random
import subprocess

from harness.machine import Machine
from harness.powercut import Disk, Fragile
from harness.site import Lan, Site, enter
from test_kill import Storm, both_ends_hear, cut_down, open_books, reckon

RATE = 15          # calls a second: what a guest on an emulated processor carries
# Something else writes too, and its pages leave at once and without a flush: there is always something
# that a cut can lose.
RESTLESS = ("for x in expire writeback; do echo 5 > /proc/sys/vm/dirty_${x}_centisecs; done; (while :; do "
            "dd if=/dev/zero of=/var/junk bs=64k count=8 conv=notrunc; sleep 0.1; done >/dev/null 2>&1) &")
TOLD_WITHIN = 20.0  # of a switch that has just booted on one


def test_the_disk_loses_what_was_not_flushed(image):
    """The tool itself: a write with a flush behind it is there after a cut, one without mostly is not."""
    with Machine(image) as machine:  # for its folder
        base = machine.path("small.raw")
        lost = 0
        for seed in range(8):
            with open(base, "wb") as f:
                f.truncate(8 << 20)
            disk = Disk(base, machine.folder)
            disk.blockdevs()
            node = (f"driver=blklogwrites,file.driver=qcow2,file.file.driver=file,file.file.filename={disk.overlay},"
                    f"log.driver=file,log.filename={disk.log}")
            words = ["qemu-io", "--image-opts", node]
            for command in ("write -P 1 0 64k", "flush", "write -P 2 1M 64k", "abort"):
                words += ["-c", command]
            subprocess.run(words, check=False, capture_output=True)
            disk.cut(random.Random(seed))
            with open(base, "rb") as f:
                kept, rest = f.read(1 << 20), f.read(65536)
            assert kept[:65536] == b"\1" * 65536, "a flushed write was lost"
            lost += rest != b"\2" * 65536
        assert 0 < lost < 8, f"{lost} of 8 cuts lost what was not flushed"
        os.unlink(base)


async def test_power_cuts_under_load(image, options):
    """One record for every answered call, charges and balances exact, cut calls closed and both ends told:
    after each cut."""
    lan = Lan()
    try:
        site = Site(lan, options.seed, customers="")
        with Fragile(image, net=lan.network, files=site.files(), seed=options.seed) as machine:
            enter(lan.outside.namespace)
            await site.power(machine).start()
            await site.switch.set_up()
            await battle(site, machine, options.cuts)
    finally:
        lan.close()


test_power_cuts_under_load.within = lambda options: 3600 + 300 * options.cuts


async def battle(site, machine, rounds):
    await site.set("SS_MAX_CALL_PER_SECOND", 10000)
    storm = Storm(site, *await open_books(site), rate=RATE)
    for n in range(1, rounds + 1):
        await asyncio.to_thread(machine.check, RESTLESS)
        cut = await cut_down(storm, site.random.uniform(2, 5))
        await site.switch.start()
        # A machine boots for longer than anybody repeats a BYE: who had hung up himself has given up.
        await both_ends_hear(site, storm, cut, TOLD_WITHIN, but=lambda session: session.bye_sent)
        for leg in storm.carrier.legs:
            leg.stop()
        await reckon(site, storm)
        print(f"     cut {n} of {rounds}: {len(cut)} calls cut, {len(storm.answered())} answered so far, "
              f"{machine.lost[-1]}; up again after {site.switch.ready_at - machine.started:.0f} s", flush=True)
    assert rounds < 3 or any(cut.lost or cut.torn for cut in machine.lost), "no cut lost anything"
    site._no_faults()
    site.hang_up()
