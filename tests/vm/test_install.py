"""Tandem comes onto a machine: from its medium by a person and unattended, and over the network; then the machine starts from
its own disk. (What switch-install refuses, and that it writes what it should, is shown without a machine, too.)"""

import functools
import http.server
import os
import subprocess
import tempfile
import threading

from harness.machine import DISKS, Machine
from harness.site import ADMIN, Lan
from test_boot import BOOT

PACKED = "tandem.img.zst"
SIZE = "3G"


def medium(image):
    """The installer's CD in the drive, and no way back from a restart but by start()."""
    return ["-drive", f"file={image}/tandem-install.iso,media=cdrom,if=none,id=cd,readonly=on",
            "-device", "ide-cd,drive=cd,bus=ide.1", "-no-reboot"]


def installs(m):
    """To the end of the installation, then from the disk, the medium taken out: a healthy machine whose data has grown."""
    m.console.wait_for(r"Tandem [0-9.]+ is on /dev/\w+\.", BOOT)
    m.wait_off(BOOT)
    print(f"     installed after {m.seconds():.0f} s", flush=True)
    m.extra, m.boot = ["-no-reboot"], m.boot if m.boot != "kernel" else "bios"
    m.start()
    m.console.wait_for("Tandem: slot A", BOOT)
    m.console.wait_for("Tandem [0-9.]+ DEVELOPMENT", BOOT)
    m.wait_unit("tandem-good.service", BOOT)
    m.journal.wait_for("The filesystem on /dev/[a-z0-9]+ is now", 1)


def test_by_a_person_from_the_medium_under_bios(image):
    with Machine(image, boot="bios", disk="ahci", size=SIZE, is_blank=True, extra=medium(image)) as m:
        m.start()
        m.console.wait_for("Tandem: installer", BOOT)
        shown = m.console.wait_for(r"1  /dev/sda +3\.0 GiB  QEMU HARDDISK; nothing", BOOT).end()
        m.console.wait_for("Number of the disk", BOOT, shown)
        m.console.send("7\r")
        m.console.wait_for("That is no number of a disk", BOOT)
        m.console.send("1\r")
        asked = m.console.wait_for("Everything on /dev/sda is destroyed", BOOT).end()
        m.console.send("yes\r")
        m.console.wait_for("Number of the disk", BOOT, asked)
        m.console.send("1\r")
        m.console.wait_for("Everything on /dev/sda is destroyed", BOOT, asked)
        m.console.send("ERASE\r")
        installs(m)


test_by_a_person_from_the_medium_under_bios.within = 1500
