"""Tandem comes onto a machine: from its medium by a person and unattended, and over the network; then the machine starts from
its own disk. (What switch-install refuses, and that it writes what it should, is shown without a machine, too.)"""

import functools
import http.server
import os
import subprocess
import tempfile
import threading

from harness.machine import TCG_WORDS, Machine
from harness.site import PASSWORD, hash_of
from test_boot import BOOT
from test_menu import at, rescue_shell

PACKED = "tandem.img.zst"
# A card of the machine that is installed, since a set-up asks for one.
NIC = ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]
SIZE = "3G"
MIRROR_SIZE = "2G"
ANSWERS = f"""\
hostname = bought-yesterday
ipv4 = 192.0.2.10/24
gateway = 192.0.2.1
admin_password_hash = {hash_of(PASSWORD)}
"""


def medium(image):
    """The installer's CD in the drive, and no way back from a restart but by start()."""
    return ["-drive", f"file={image}/tandem-install.iso,media=cdrom,if=none,id=cd,readonly=on",
            "-device", "ide-cd,drive=cd,bus=ide.1", "-no-reboot"]


def installs(m, disks=()):
    """To the end of the installation, then from the disk, the medium taken out: a healthy machine whose data has grown. disks:
    words for QEMU that stay."""
    m.console.wait_for(r"Tandem [0-9.]+ is on /dev/\w+( and /dev/\w+)?\.", BOOT)
    m.wait_off(BOOT)
    print(f"     installed after {m.seconds():.0f} s", flush=True)
    m.extra = ["-no-reboot", *NIC, *disks]
    m.start()
    m.console.wait_for("Tandem: slot A", BOOT)
    m.wait_unit("tandem-good.service", 2 * BOOT)
    m.journal.wait_for("The filesystem on /dev/[a-z0-9]+ is now", 1)


def test_unattended_from_the_medium_under_uefi(image):
    """The answers stand on a stick that is pulled out afterwards: the machine sets itself up from what was kept of them."""
    with Machine(image, boot="uefi", disk="nvme", size=SIZE, is_blank=True, extra=medium(image),
                 files={"tandem.conf": ANSWERS + "disk = /dev/nvme0n1\n"}) as m:
        m.start()
        m.console.wait_for("Tandem: installer", BOOT)
        m.console.wait_for("to /dev/nvme0n1", BOOT)
        m.eject()
        installs(m)
        assert "Type ERASE" not in m.console.text
        m.journal.wait_for("setting up from an interrupted set-up", 1)
        m.journal.wait_for("the set-up is done", BOOT)


test_unattended_from_the_medium_under_uefi.within = 1500


def second(path):
    """QEMU's words for a further disk on the controller."""
    return ["-drive", f"file={path},if=none,id=second,format=qcow2", "-device", "ide-hd,drive=second,bus=ahci.1"]


def blank(path):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, MIRROR_SIZE], check=True)
    return path


def test_by_a_person_from_the_medium_under_bios(image):
    with Machine(image, boot="bios", disk="ahci", size=SIZE, is_blank=True, extra=medium(image)) as m:
        m.extra += second(blank(m.path("other.qcow2")))
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
        asked = m.console.wait_for("Number of a second disk, for a mirror of both", BOOT, asked).end()
        m.console.send("1\r")
        asked = m.console.wait_for("/dev/sda cannot be used: it is the first one", BOOT, asked).end()
        m.console.wait_for("Number of a second disk", BOOT, asked)
        m.console.send("\r")
        installs(m)


test_by_a_person_from_the_medium_under_bios.within = 1500


def comes_up(m, word):
    """Healthy, from its disks as they are, with what it was set up as; `word` was said by the initrd."""
    m.start()
    m.console.wait_for(word, BOOT)
    m.wait_unit("tandem-good.service", 2 * BOOT)
    m.console.wait_screen(r"Tandem\s+Login", BOOT)


def test_unattended_on_mirrored_disks(image):
    """It starts from both disks, from the second alone, and from a new one that took the first one's place and all that
    was on it."""
    with Machine(image, boot="bios", disk="ahci", size=MIRROR_SIZE, is_blank=True, extra=medium(image),
                 files={"tandem.conf": ANSWERS + "disk = /dev/sda\nmirror = /dev/sdb\n"}) as m:
        left = blank(m.path("left.qcow2"))
        m.extra += second(left)
        m.start()
        m.console.wait_for("to /dev/sda and /dev/sdb", BOOT)
        m.eject()
        installs(m, second(left))
        m.journal.wait_for("/dev/md127p7 is now", 1)
        m.journal.wait_for("the set-up is done", BOOT)
        m.qmp.ask("system_powerdown")
        m.wait_off(BOOT)

        m.overlay, m.extra = left, ["-no-reboot", *NIC]
        comes_up(m, "1 of 2 disks of the mirror are there")
        m.power_cut()

        new = blank(m.path("new.qcow2"))
        m.extra += second(new)
        shell = rescue_shell(m)
        m.console.send("mdadm /dev/md127 --add /dev/sdb && mdadm --wait /dev/md127; mdadm --detail /dev/md127; echo do''ne\n")
        at(m, "done", shell, 2 * BOOT)
        m.console.wait_for("State : clean", 1, shell)
        m.console.send("exit\n")
        m.wait_off(BOOT)
        m.overlay, m.extra = new, ["-no-reboot", *NIC]
        comes_up(m, "1 of 2 disks of the mirror are there")


test_unattended_on_mirrored_disks.within = 3000


class Server:
    """HTTP for a guest behind QEMU's own network, which it sees as 10.0.2.2; `asked`: the paths that were fetched."""

    def __init__(self, folder):
        self.asked = []
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                asked.append(self.path)

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
        self.url = f"http://10.0.2.2:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def share(image, folder, files):
    """What a server of one's own would have: the artefacts and some files."""
    for name in ("vmlinuz", "install.img", PACKED):
        os.symlink(os.path.join(image, name), os.path.join(folder, name))
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)


def test_over_the_network(image):
    """A blank machine: its card's boot program gets a script by TFTP, as DHCP says, and the rest by HTTP."""
    with tempfile.TemporaryDirectory(prefix="tandem-pxe-") as folder:
        server = Server(folder)
        share(image, folder, {"tandem.conf": ANSWERS, "boot.ipxe": f"""\
#!ipxe
kernel {server.url}/vmlinuz tandem.install=auto tandem.image={server.url}/{PACKED} \
tandem.answers={server.url}/tandem.conf console=tty0 console=ttyS0,115200 quiet loglevel=3 {TCG_WORDS}
initrd {server.url}/install.img
boot
"""})
        card = ["-netdev", f"user,id=net,tftp={folder},bootfile=boot.ipxe", "-device",
                "virtio-net-pci,netdev=net,bootindex=0", "-no-reboot"]
        try:
            with Machine(image, boot="bios", size=SIZE, is_blank=True, extra=card) as m:
                m.start()
                installs(m)
                assert {f"/{n}" for n in ("vmlinuz", "install.img", PACKED, "tandem.conf")} <= {
                    line.split("?")[0] for line in server.asked}, server.asked
                m.journal.wait_for("setting up from an interrupted set-up", BOOT)
        finally:
            server.close()


test_over_the_network.within = 1500


def test_a_disk_that_holds_a_switch_is_not_written_over(image):
    """Nobody loses a switch to a medium that was left in the drive, or to a network that always says `install`."""
    words = f"tandem.install=auto console=ttyS0,115200 quiet loglevel=3 {TCG_WORDS}"
    start = ["-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/install.img", "-append", words,
             *medium(image)]
    with Machine(image, boot="bios", extra=start) as m:
        m.start()
        said = m.console.wait_for("a Tandem system is on it", BOOT)
        m.console.wait_for("tandem.overwrite=yes", 1, said.start())
        since = m.console.wait_for("Press Enter to begin again", BOOT).end()
        m.console.send("\r")
        m.console.wait_for("a Tandem system is on it", BOOT, since)
