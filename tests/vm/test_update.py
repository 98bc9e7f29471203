"""A switch at work is updated over SSH, goes on with the new version, goes back, and comes back by itself from a version
that does not work. Its books are exact all along."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time

from harness.machine import Machine
from harness.powercut import Fragile
from harness.site import BUY, NUMBER, SELL, Lan, Site, enter
from test_boot import BOOT
from test_image import TOP, image_time, unpacked
from test_kill import Storm, both_ends_hear, cut_down, open_books, reckon

sys.path.append(os.path.join(TOP, "firmware"))

from mk import bundle, disk  # noqa: E402

HOUR = 3600
SICK = r"(Failed to start|Dependency failed for) tandem-good"
HEALTHY = r"Finished tandem-good\.service"


class Updated(Site):
    """A site whose operator has nothing but SSH, and whose machine starts by its boot loader."""

    async def update(self, path, *words):
        """`switchctl update install - < path`: what it said."""
        with open(path, "rb") as f:
            done = await asyncio.to_thread(
                subprocess.run, [*self.ssh.words(), "switchctl", "update", "install", "-", *words], stdin=f,
                capture_output=True, text=True, check=False, timeout=BOOT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def slots(self):
        return {s["slot"]: s["state"] for s in (await self.ctl.ask("update.status"))["slots"]}

    async def up(self):
        """The machine is switched on and comes up healthy: the slot."""
        await self.switch.start()
        machine = self.switch.machine
        slot = await asyncio.to_thread(machine.console.wait_for, "Tandem: slot ([AB])", 1)
        end = await asyncio.to_thread(machine.journal.wait_for, f"{HEALTHY}|{SICK}", BOOT)
        assert re.search(HEALTHY.encode(), end[0]), "\n".join(
            line for line in machine.journal.text.split("\n") if "health" in line or "tandem-good" in line)
        await self.switch.answers()
        return slot[1].decode()

    async def again(self, slot):
        """The machine restarts by itself, to come up healthy from that slot. (QEMU ends at a restart and is started
        anew: after a warm one its boot loader takes minutes where the processor is emulated.)"""
        await asyncio.to_thread(self.switch.machine.wait_off, BOOT)
        self.ssh.forget()
        assert await self.up() == slot

    async def carries(self):
        """A call from outside, to the last digit of its charge."""
        caller, carrier = await self.ends()
        call = caller.invite(NUMBER)
        await call.expect(200)
        await carrier.legs[0].ack()
        await call.hang_up()
        await self.billed(call, carrier.legs[0], SELL, BUY)
        await self.settle()
        self.hang_up()


def broken(image, folder):
    """A signed update, an hour younger, whose switchd does not start: its path."""
    root, when = os.path.join(folder, "root"), image_time(image) + HOUR
    shutil.copytree(unpacked(image), root, symlinks=True)
    with open(f"{root}/usr/sbin/switchd", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 1\n")
    squash = os.path.join(folder, "root.squashfs")
    verity = disk.squashfs(root, squash, when)
    shutil.rmtree(root)
    return bundle.build(folder, folder, disk.boot(folder, image, verity, when), squash, when)


async def test_there_and_back_and_back_by_itself(image, options):
    lan = Lan()
    site = Updated(lan, options.seed)
    try:
        with Machine(image, net=lan.network, files=site.files(), boot="bios", size="3G",
                     extra=["-no-reboot"]) as machine:
            bad = broken(image, machine.folder)
            enter(lan.outside.namespace)
            await site.power(machine, site.ssh).start()
            await site.switch.set_up()
            await site.switch.answers()
            await story(site, os.path.join(image, f"tandem-{bundle.version()}.update"), bad)
    finally:
        lan.close()


async def story(site, good, bad):
    await site.carries()
    assert await site.slots() == {"A": "running", "B": "empty"}

    print("     " + (await site.update(good)).replace("\n", ", "), flush=True)
    assert await site.slots() == {"A": "running", "B": "installed, starts next"}
    # A call is up when the machine restarts: it ends with an exact record.
    caller, carrier = await site.ends()
    call = caller.invite(NUMBER)
    await call.expect(200)
    await carrier.legs[0].ack()
    await site.ctl.ask("machine.restart")
    await site.again("B")
    assert "A customer's call reaches a vendor and ends" in site.switch.machine.journal.text, "no test call was placed"
    for end in (call, carrier.legs[0]):
        await end.ended_by_peer(within=TOLD_WITHIN)
    await site.billed(call, carrier.legs[0], SELL, BUY, reason="SwitchRestarted")
    site.hang_up()
    assert await site.slots() == {"A": "good", "B": "running"}
    await site.switch.stop()
    assert await site.up() == "B"
    await site.carries()
    print("     updated, and from cold", flush=True)

    await site.ctl.ask("update.rollback", restart=True)
    await site.again("A")
    assert (await site.slots())["A"] == "running"
    print("     back", flush=True)

    await site.update(bad, "restart=true")
    await asyncio.to_thread(site.switch.machine.wait_off, BOOT)
    site.ssh.forget()
    await asyncio.to_thread(site.switch.machine.start)
    await asyncio.to_thread(site.switch.machine.console.wait_for, "Tandem: slot B", BOOT)
    await site.again("A")
    assert await site.slots() == {"A": "running", "B": "failed"}
    assert (await site.ctl.ask("ledger.verify"))["differences"] == []


async def cut_while(site, storm, update, seconds):
    """The plug is pulled so long after the update was begun."""
    with open(update, "rb") as f:
        sending = await asyncio.create_subprocess_exec(*site.ssh.words(), "switchctl", "update", "install", "-", stdin=f,
                                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cut = await cut_down(storm, seconds)
    await sending.wait()
    slot = await site.up()
    await both_ends_hear(site, storm, cut, TOLD_WITHIN, but=lambda session: session.bye_sent)
    for leg in storm.carrier.legs:
        leg.stop()
    await reckon(site, storm)
    assert (await site.slots())[slot] == "running"
    print(f"     cut after {seconds:.0f} s: {len(cut)} calls cut, {site.switch.machine.lost[-1]}; up from slot {slot}",
          flush=True)


CUTS = 3
CALLS = 5           # a second
TOLD_WITHIN = 20.0  # of a switch that has just booted on an emulated processor


async def test_power_cuts_while_an_update_is_written(image, options):
    """Under load, at moments from its first byte to its last, with what the disk had not been told to keep lost or torn: a
    switch comes up from a slot that is whole, with a record for every call; and the update goes in whole afterwards."""
    lan = Lan()
    site = Updated(lan, options.seed, customers="")
    good = os.path.join(image, f"tandem-{bundle.version()}.update")
    try:
        with Fragile(image, net=lan.network, files=site.files(), boot="bios", size="3G", seed=options.seed,
                     extra=["-no-reboot"]) as machine:
            enter(lan.outside.namespace)
            await site.power(machine, site.ssh).start()
            await site.switch.set_up()
            await site.switch.answers()
            began = time.monotonic()
            await site.update(good)
            took = time.monotonic() - began
            storm = Storm(site, *await open_books(site), rate=CALLS)
            for n in range(CUTS):
                await cut_while(site, storm, good, took * (n + site.random.random()) / CUTS)
            await site.update(good)
            assert "installed, starts next" in (await site.slots()).values()
    finally:
        lan.close()
