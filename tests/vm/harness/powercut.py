"""A disk whose cache is lost in a power cut.

QEMU's blklogwrites driver writes down every write and flush that the guest's disk was asked for, in
order. The guest works on a throw-away overlay; what outlives a cut is the base with the log replayed:
everything up to the last flush, and of what came after it each sector or not, as chance has it. Killing
QEMU alone would prove less: the host's page cache would keep what the guest never flushed.
"""

import os
import random
import signal
import struct
import subprocess
import time

from harness.machine import Machine

SECTOR = 512
MAGIC = 0x6A736677736872  # of the dm-log-writes format
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD = 1, 2, 4
LOOKS, BETWEEN = 50, 0.02  # seconds: how the moment of a cut is found


class Entry:
    """One request to the disk; data is None for a flush and for a discard."""

    __slots__ = ("sector", "flags", "data")

    def __init__(self, sector, flags, data):
        self.sector, self.flags, self.data = sector, flags, data


def read_log(path):
    """The requests in order. The last one may have been cut short with its QEMU."""
    with open(path, "rb") as f:
        magic, _version, _count, size = SUPER.unpack(f.read(SUPER.size).ljust(SUPER.size, b"\0"))
        if magic != MAGIC:
            return  # nothing was ever flushed
        at = size
        while True:
            f.seek(at)
            head = f.read(ENTRY.size)
            if len(head) < ENTRY.size:
                return
            sector, sectors, flags, _length = ENTRY.unpack(head)  # QEMU leaves the length 0
            if not (sectors or flags):
                return
            at += size
            data, length = None, 0 if flags & DISCARD else sectors * size
            if length:
                f.seek(at)
                data = f.read(length)
                if len(data) < length:
                    return
                at += length
            yield Entry(sector, flags, data)


class Lost:
    """What a cut did: how many writes were kept and how many were lost, whole or in part."""

    def __init__(self):
        self.kept = self.lost = self.torn = 0

    def __str__(self):
        return f"{self.kept} writes kept, {self.lost} lost, {self.torn} torn"


class Disk:
    """base: a raw file that belongs to us and that cuts are replayed onto."""

    def __init__(self, base, folder):
        self.base = base
        self.overlay = os.path.join(folder, "overlay.qcow2")
        self.log = os.path.join(folder, "writes.log")

    def blockdevs(self, node="disk0"):
        """Arguments of QEMU for a node of that name; a fresh overlay and an empty log."""
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.base, self.overlay],
                       check=True)
        with open(self.log, "wb"):
            pass
        # The host's own fsync would cost time and prove nothing: the log says what a flush covered.
        nodes = (f"driver=file,node-name={node}-file,filename={self.overlay},cache.no-flush=on",
                 f"driver=qcow2,node-name={node}-cow,file={node}-file",
                 f"driver=file,node-name={node}-log,filename={self.log},cache.no-flush=on",
                 f"driver=blklogwrites,node-name={node},file={node}-cow,log={node}-log")
        return [word for n in nodes for word in ("-blockdev", n)]

    def is_exposed(self):
        """Whether something was written that no flush covers yet."""
        exposed = False
        for e in read_log(self.log):
            exposed = not e.flags & FLUSH and (exposed or (e.data is not None and not e.flags & FUA))
        return exposed

    def cut(self, chance):
        """After QEMU was killed. chance: a random.Random. Returns what was lost."""
        entries = list(read_log(self.log))
        flushed = max((i for i, e in enumerate(entries) if e.flags & FLUSH), default=-1)
        lost = Lost()
        with open(self.base, "r+b") as base:
            for i, e in enumerate(entries):
                if i <= flushed or e.flags & FUA:
                    self._write(base, e)
                    lost.kept += e.data is not None
                else:
                    self._tear(base, e, chance, lost)
        self._forget()
        return lost

    def keep(self):
        """After the guest ended in order: everything it wrote is there."""
        with open(self.base, "r+b") as base:
            for e in read_log(self.log):
                self._write(base, e)
        self._forget()

    def _forget(self):
        os.unlink(self.overlay)
        os.unlink(self.log)

    @staticmethod
    def _write(base, e):
        if e.data is not None:
            base.seek(e.sector * SECTOR)
            base.write(e.data)

    def _tear(self, base, e, chance, lost):
        """Each sector reached the disk or did not; mostly it is all or nothing."""
        if e.data is None:
            return
        dice = chance.random()
        if dice < 0.4:
            lost.lost += 1
        elif dice < 0.7:
            self._write(base, e)
            lost.kept += 1
        else:
            lost.torn += 1
            for at in range(0, len(e.data), SECTOR):
                if chance.random() < 0.5:
                    base.seek(e.sector * SECTOR + at)
                    base.write(e.data[at:at + SECTOR])


class Fragile(Machine):
    """A machine whose power cuts lose what its disk had not been told to keep."""

    def __init__(self, *words, seed=1, **options):
        super().__init__(*words, **options)
        self.chance = random.Random(seed)
        self.lost = []
        base = self.path("base.raw")
        subprocess.run(["cp", "--sparse=always", os.path.join(self.image, "tandem.img"), base], check=True)
        self.store = Disk(base, self.folder)

    def command(self):
        words = super().command()
        at = next(i for i, word in enumerate(words) if "id=disk," in word)
        words[at - 1:at + 1] = self.store.blockdevs("disk")
        return words

    def poise(self):
        """A cut that loses nothing shows nothing, and on a busy host most moments are such: this is the first one that would."""
        for _ in range(LOOKS):
            self.qemu.send_signal(signal.SIGSTOP)
            if self.store.is_exposed():
                return
            self.qemu.send_signal(signal.SIGCONT)
            time.sleep(BETWEEN)

    def power_cut(self):
        was_on = self.qemu is not None
        super().power_cut()
        if was_on:
            self.lost.append(self.store.cut(self.chance))

    def wait_off(self, timeout=120):
        super().wait_off(timeout)
        self.store.keep()
