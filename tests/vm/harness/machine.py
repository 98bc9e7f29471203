"""The image in QEMU.

    with Network() as net, Machine("build/image", net=net) as m:
        m.start()
        m.console.wait_for("Tandem")          ttyS0: text, screen, keys (harness/serial.py)
        m.journal.wait_for("Startup finished") ttyS1
        status, output = m.sh("ip address")   a root shell on ttyS2 (boot="kernel" only)
        m.power_cut(); m.start()              the same disk again

The image file is never changed: the guest writes to a qcow2 file over it, in the machine's folder.
KVM is used where it is there; without it the guest is ten times slower, and every time-out here is
meant for that.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from harness.qmp import Qmp
from harness.serial import Gone, Serial

# Only for tests without KVM: QEMU's translated guest measures its clocks badly.
TCG_WORDS = "tsc=reliable no_timer_check mitigations=off"
OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
DISKS = {
    "virtio": ["-device", "virtio-blk-pci,drive=disk"],
    "ahci": ["-device", "ahci,id=ahci", "-device", "ide-hd,drive=disk,bus=ahci.0"],
    "nvme": ["-device", "nvme,drive=disk,serial=tandem"],
    "megasas": ["-device", "megasas,id=sas", "-device", "scsi-hd,drive=disk,bus=sas.0"],
}
LINES = ("console", "journal", "shell")
PULSE = 30.0  # seconds: how often a silent guest is looked at


def has_kvm():
    """A device alone is not enough: in some virtual machines it is there, and no guest comes far with it."""
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR))
    except OSError:
        return False
    with open("/proc/cpuinfo", encoding="ascii") as f:
        return any(word in ("vmx", "svm") for word in f.read().split())


def volume(path, files, label="TANDEM"):
    """A FAT file system with the files (name -> bytes or text), as a stick would bring them."""
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run(["/usr/sbin/mkfs.vfat", "-n", label, "-C", path, "8192"], check=True,
                   capture_output=True)
    for name, data in files.items():
        data = data if isinstance(data, bytes) else data.encode()
        subprocess.run(["mcopy", "-i", path, "-", f"::{name}"], input=data, check=True)


def stands_still(machine):
    """QEMU 7.2 without KVM, on a busy host, now and then loses the end-of-interrupt of a local APIC: the
    processor then waits, halted, for interrupts that its own unfinished one keeps away. Seen twice in a
    row, that is no moment in passing."""
    def wedged():
        for cpu in range(machine.cpus):
            said = [machine.qmp.ask("human-monitor-command", **{"command-line": f"info {what}", "cpu-index": cpu})
                    for what in ("registers", "lapic")]
            in_service = re.search(r"ISR\t? *([0-9 ]+)", said[1])
            if "HLT=1" in said[0] and in_service and in_service[1].strip():
                yield cpu, in_service[1].strip()
    first = set(wedged())
    time.sleep(2)
    return bool(first & set(wedged()))


class StandsStill(Exception):
    """QEMU lost the end of an interrupt: the guest can do nothing for it, and the boot proves nothing either way."""


class Machine:
    """boot: kernel, bios or uefi; disk: a key of DISKS; files: what a volume TANDEM holds; append:
    more words for the kernel (boot="kernel"); drive: more options of the disk (cache=none); extra:
    more words for QEMU; size: of the disk (4G), when it is larger than the image; is_blank: nothing is
    on it."""

    def __init__(self, image, net=None, boot="kernel", disk="virtio", memory=768, cpus=2, files=None,
                 append="", drive="", extra=(), nic="virtio-net-pci", mac="52:54:00:54:44:4d",
                 uuid="7a6d6e64-7465-4d00-8000-000000000001", folder=None, size=None,
                 is_blank=False):
        self.image = os.path.abspath(image)
        self.net, self.boot, self.disk, self.append, self.drive = net, boot, disk, append, drive
        self.memory, self.cpus, self.nic, self.mac, self.uuid = memory, cpus, nic, mac, uuid
        self.extra = list(extra)
        self.keep = folder is not None
        self.folder = folder or tempfile.mkdtemp(prefix="tandem-vm-")
        os.makedirs(self.folder, exist_ok=True)
        self.overlay = self.path("disk.qcow2")
        self.tap = net.tap() if net else None
        self.qemu = self.qmp = self.console = self.journal = self.shell = None
        self.started = 0.0
        base = [] if is_blank else ["-F", "raw", "-b", os.path.join(self.image, "tandem.img")]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, self.overlay,
                        *([size] if size else [])], check=True)
        if files is not None:
            volume(self.path("volume.img"), files)
        if boot == "uefi":
            shutil.copyfile(OVMF_VARS, self.path("vars.fd"))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.power_cut()
        if not self.keep:
            shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def command_line(self):
        with open(os.path.join(self.image, "cmdline"), encoding="ascii") as f:
            words = [f.read().strip(), "systemd.debug_shell", self.append]
        return " ".join(words if has_kvm() else [*words, TCG_WORDS])

    def _firmware(self):
        if self.boot == "kernel":
            return ["-kernel", f"{self.image}/vmlinuz", "-initrd", f"{self.image}/initrd.img",
                    "-append", self.command_line()]
        if self.boot == "uefi":
            return ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF_CODE}",
                    "-drive", f"if=pflash,format=raw,file={self.path('vars.fd')}"]
        return []

    def _accelerator(self):
        return (["-accel", "kvm", "-cpu", "host"] if has_kvm() else
                ["-accel", "tcg,thread=multi", "-cpu", "max"])

    def command(self):
        words = ["qemu-system-x86_64", "-machine", "pc", *self._accelerator(), "-smp", self.cpus,
                 "-m", self.memory, "-nodefaults", "-display", "none", "-S", "-uuid", self.uuid,
                 "-qmp", f"unix:{self.path('qmp')},server=on,wait=off", *self._firmware()]
        words += ["-device", "VGA", "-drive", f"file={self.overlay},if=none,id=disk,format=qcow2"
                            + (f",{self.drive}" if self.drive else ""), *DISKS[self.disk]]
        if os.path.exists(self.path("volume.img")):
            words += ["-drive", f"file={self.path('volume.img')},if=virtio,format=raw"]
        for name in LINES:
            words += ["-serial", f"unix:{self.path(name)},server=on,wait=off"]
        if self.tap:
            words += ["-netdev", f"tap,id=net,ifname={self.tap},script=no,downscript=no",
                      "-device", f"{self.nic},netdev=net,mac={self.mac},romfile="]
        return [str(word) for word in words + self.extra]

    def start(self):
        """Power on. Returns at once; wait for what the test needs."""
        for name in (*LINES, "qmp"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        prefix = self.net.prefix() if self.net else []
        with open(self.path("qemu.log"), "ab") as log:
            self.qemu = subprocess.Popen([*prefix, *self.command()], stdout=log, stderr=log,
                                         stdin=subprocess.DEVNULL)
        self._await_socket(self.path("qmp"))
        try:
            self.qmp = Qmp(self.path("qmp"))
        except ConnectionError:
            raise Gone(f"QEMU did not start: {self._said()}") from None
        self.console, self.journal, self.shell = (
            Serial(name, self.path(name), self.path(f"{name}.log")) for name in LINES)
        self.started = time.monotonic()
        self.qmp.ask("cont")
        return self

    def _await_socket(self, path, timeout=60):
        """QEMU tells nobody when its monitor listens."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.qemu.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                if os.path.exists(path) and probe.connect_ex(path) == 0:
                    return
            time.sleep(0.02)
        raise Gone(f"QEMU did not start: {self._said()}")

    def _said(self):
        with open(self.path("qemu.log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def seconds(self):
        """Since power on."""
        return time.monotonic() - self.started

    def is_running(self):
        return self.qemu is not None and self.qemu.poll() is None

    def _release(self):
        for line in (self.console, self.journal, self.shell, self.qmp):
            if line:
                line.close()
        self.qmp = None

    def poise(self):
        """A power cut comes next."""

    def power_cut(self):
        """The plug is pulled: QEMU is killed. The machine can be started again."""
        if self.qemu is None:
            return
        self.qemu.kill()
        self.qemu.wait()
        self._release()
        self.qemu = None

    def eject(self):
        """The volume with the files is gone at the next power on."""
        os.unlink(self.path("volume.img"))

    def reset(self):
        """The reset button."""
        self.qmp.ask("system_reset")
        self.started = time.monotonic()

    def wait_off(self, timeout=120):
        """Until the guest switched itself off."""
        self.qemu.wait(timeout)
        self._release()
        self.qemu = None

    def press_tty1(self, *names):
        """Keys of the machine's own keyboard, by QEMU's names: ret, esc, a, shift-a, ctrl-alt-f2."""
        for name in names:
            keys = [{"type": "qcode", "data": key} for key in name.split("-")]
            self.qmp.ask("send-key", keys=keys)

    def screen_tty1(self):
        """What stands on tty1, as lines."""
        _, text = self.sh("cut -b 1- /dev/vcs1")
        columns = int(self.sh("stty size < /dev/tty1 | cut -d' ' -f2")[1])
        return [text[n:n + columns].rstrip() for n in range(0, len(text), columns)]

    def sh(self, command, timeout=120):
        """Runs a line in the guest's root shell: (exit status, what it printed)."""
        if self.boot != "kernel":
            raise RuntimeError("only a boot with boot='kernel' has the root shell")
        self._await_shell(timeout)
        since, word = self.shell.mark(), f"{time.monotonic_ns():x}"
        # Spelt so that an echo of the line is not taken for its end.
        self.shell.send(f"{{ {command}\n}} 2>&1; echo end-''{word}-$?-\n")
        end = self.shell.wait_for(rf"end-{word}-(\d+)-", timeout, since)
        text = self.shell.data[since:end.start()].decode(errors="replace").replace("\r", "")
        return int(end.group(1)), text

    def _await_shell(self, timeout):
        if getattr(self.shell, "is_ready", False):
            return
        self.journal.wait_for(r"Started debug-shell\.service|Reached target", timeout)
        self.shell.send("stty -echo -onlcr; echo ready-''shell\n")
        self.shell.wait_for("ready-shell", timeout)
        self.shell.is_ready = True

    def check(self, command, timeout=120):
        """What a line prints; an exit status other than 0 is an error."""
        status, text = self.sh(command, timeout)
        if status != 0:
            raise AssertionError(f"{command}: exit status {status}: {text[-2000:]}")
        return text

    def awaits(self, line, pattern, timeout):
        """line.wait_for(pattern), but a guest that stands still through no fault of its own is a StandsStill."""
        end = time.monotonic() + timeout
        while True:
            try:
                return line.wait_for(pattern, max(0, min(PULSE, end - time.monotonic())))
            except Gone:
                if not self.is_running() or time.monotonic() > end:
                    raise
            if stands_still(self):
                raise StandsStill(pattern)

    def wait_unit(self, unit, timeout=180):
        """Until the journal on ttyS1 says that the unit started or was reached."""
        return self.journal.wait_for(rf"(Started|Reached target|Finished) {re.escape(unit)}", timeout)
