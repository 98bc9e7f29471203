"""Tandem comes onto a machine: from its medium by a person and unattended, and over the network; then the machine starts from
its own disk. (What switch-install refuses, and that it writes what it should, is shown without a machine, too.)"""

import contextlib
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
# UEFI's list, made while the disk was blank, ends in a shell of its own: as an operator would, the disk is put first.
FROM_DISK = ("-global", "virtio-blk-pci.bootindex=0")
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


def medium(iso):
    """The installer's CD in the drive, and no way back from a restart but by start()."""
    return ["-drive", f"file={iso},media=cdrom,if=none,id=cd,readonly=on", "-device", "ide-cd,drive=cd,bus=ide.1",
            "-no-reboot"]


def iso_of(image):
    return os.path.join(image, "tandem-install.iso")


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


def with_answers(image, path, answers):
    """A medium with tandem.conf in its root, as docs/image.md says to make one: its path."""
    conf = f"{path}.conf"
    with open(conf, "w", encoding="ascii") as f:
        f.write(answers)
    subprocess.run(["xorriso", "-indev", os.path.join(image, "tandem-install.iso"), "-outdev", path, "-boot_image", "any",
                    "replay", "-map", conf, "/tandem.conf"], check=True, capture_output=True)
    return path


def test_unattended_on_one_disk_under_bios(image):
    """The answers stand on the medium itself."""
    with Machine(image, boot="bios", disk="ahci", size=SIZE, is_blank=True) as m:
        m.extra = medium(with_answers(image, m.path("own.iso"), ANSWERS + "disk = /dev/sda\n"))
        m.start()
        m.console.wait_for("Tandem: installer", BOOT)
        m.console.wait_for("to /dev/sda\\b", BOOT)
        installs(m)
        assert "Type ERASE" not in m.console.text
        m.journal.wait_for("setting up from an interrupted set-up", 1)
        m.journal.wait_for("the set-up is done", BOOT)


def test_unattended_from_the_medium_under_uefi(image):
    """The answers stand on a stick that is pulled out afterwards: the machine sets itself up from what was kept of them."""
    with Machine(image, boot="uefi", disk="nvme", size=SIZE, is_blank=True, extra=medium(iso_of(image)),
                 files={"tandem.conf": ANSWERS + "disk = /dev/nvme0n1\n"}) as m:
        m.start()
        m.console.wait_for("Tandem: installer", BOOT)
        m.console.wait_for("to /dev/nvme0n1", BOOT)
        m.eject()
        installs(m)
        assert "Type ERASE" not in m.console.text
        m.journal.wait_for("setting up from an interrupted set-up", 1)
        m.journal.wait_for("the set-up is done", BOOT)


def second(path):
    """QEMU's words for a further disk on the controller."""
    return ["-drive", f"file={path},if=none,id=second,format=qcow2", "-device", "ide-hd,drive=second,bus=ahci.1"]


def blank(path):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, MIRROR_SIZE], check=True)
    return path


def test_by_a_person_from_the_medium_under_bios(image):
    with Machine(image, boot="bios", disk="ahci", size=SIZE, is_blank=True, extra=medium(iso_of(image))) as m:
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


def comes_up(m, word):
    """Healthy, from its disks as they are, with what it was set up as; `word` was said by the initrd."""
    m.start()
    m.console.wait_for(word, BOOT)
    m.wait_unit("tandem-good.service", 2 * BOOT)
    m.console.wait_screen(r"Tandem\s+Login", BOOT)


@contextlib.contextmanager
def on_a_mirror(image, boot):
    """(a machine that was installed, unattended, on two mirrored disks, set itself up and is switched off; its second disk)"""
    with Machine(image, boot=boot, disk="ahci", size=MIRROR_SIZE, is_blank=True, extra=medium(iso_of(image)),
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
        yield m, left


def starts_from_the_second_alone(m, left):
    """The other disk is gone."""
    m.overlay, m.extra = left, ["-no-reboot", *NIC]
    comes_up(m, "1 of 2 disks of the mirror are there")
    m.power_cut()


def test_unattended_on_mirrored_disks(image):
    """It starts from both disks, from the second alone, and from a new one that took the first one's place and all that
    was on it."""
    with on_a_mirror(image, "bios") as (m, left):
        starts_from_the_second_alone(m, left)
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


def test_unattended_on_mirrored_disks_under_uefi(image):
    """The firmware finds its loader on either disk."""
    with on_a_mirror(image, "uefi") as (m, left):
        starts_from_the_second_alone(m, left)


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


@contextlib.contextmanager
def shared(image):
    """(folder, Server) of one's own."""
    with tempfile.TemporaryDirectory(prefix="tandem-pxe-") as folder:
        server = Server(folder)
        try:
            share(image, folder, {"tandem.conf": ANSWERS})
            yield folder, server
        finally:
            server.close()


def words_for(server):
    """The kernel's, for an installation that asks nothing."""
    return (f"tandem.install=auto tandem.image={server.url}/{PACKED} tandem.answers={server.url}/tandem.conf "
            f"console=tty0 console=ttyS0,115200 quiet loglevel=3 {TCG_WORDS}")


def over_the_network(image, boot):
    """A blank machine: its card's boot program gets a script by TFTP, as DHCP says, and the rest by HTTP."""
    with shared(image) as (folder, server):
        with open(os.path.join(folder, "boot.ipxe"), "w", encoding="ascii") as f:
            f.write(f"#!ipxe\nkernel {server.url}/vmlinuz initrd=install.img {words_for(server)}\n"
                    f"initrd {server.url}/install.img\nboot\n")
        card = ["-netdev", f"user,id=net,tftp={folder},bootfile=boot.ipxe", "-device",
                "virtio-net-pci,netdev=net,bootindex=0", "-no-reboot"]
        with Machine(image, boot=boot, size=SIZE, is_blank=True, extra=card) as m:
            m.start()
            installs(m, FROM_DISK)
            assert {f"/{n}" for n in ("vmlinuz", "install.img", PACKED, "tandem.conf")} <= {
                line.split("?")[0] for line in server.asked}, server.asked
            m.journal.wait_for("setting up from an interrupted set-up", BOOT)


def test_over_the_network(image):
    over_the_network(image, "bios")


def test_over_the_network_under_uefi(image):
    over_the_network(image, "uefi")


def test_on_megasas_by_words_of_the_kernel(image):
    """What pxelinux would start: kernel, initrd and words; the image and the answers come by HTTP. The disk is one of a RAID
    controller, as hired servers have them."""
    with shared(image) as (_, server):
        start = ["-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/install.img", "-append", words_for(server), *NIC,
                 "-no-reboot"]
        with Machine(image, boot="bios", disk="megasas", size=SIZE, is_blank=True, extra=start) as m:
            m.start()
            m.console.wait_for("to /dev/sda\\b", BOOT)
            installs(m)
            assert f"/{PACKED}" in server.asked and "/tandem.conf" in server.asked, server.asked
            m.journal.wait_for("the set-up is done", BOOT)


def test_a_disk_that_holds_a_switch_is_not_written_over(image):
    """Nobody loses a switch to a medium that was left in the drive, or to a network that always says `install`."""
    words = f"tandem.install=auto console=ttyS0,115200 quiet loglevel=3 {TCG_WORDS}"
    start = ["-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/install.img", "-append", words,
             *medium(iso_of(image))]
    with Machine(image, boot="bios", extra=start) as m:
        m.start()
        said = m.console.wait_for("a Tandem system is on it", BOOT)
        m.console.wait_for("tandem.overwrite=yes", 1, said.start())
        since = m.console.wait_for("Press Enter to begin again", BOOT).end()
        m.console.send("\r")
        m.console.wait_for("a Tandem system is on it", BOOT, since)
