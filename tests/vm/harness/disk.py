"""The image's disk from outside: its partitions, what stands on them, and an image of one's own to change."""

import os
import struct
import subprocess
import tempfile

MIB = 1 << 20
SECTOR = 512
SLOT_BYTES = {"boot": 96 * MIB, "root": 512 * MIB}
SIGNATURE = "# GRUB Environment Block\n"
ENVIRONMENT_BYTES = 1024


def partition(disk, name):
    """(first byte, bytes) of the partition, read from the table at the start of a raw disk."""
    with open(disk, "rb") as f:
        f.seek(2 * SECTOR)
        for _ in range(128):
            entry = f.read(128)
            first, last = struct.unpack("<QQ", entry[32:48])
            if entry[56:].decode("utf-16-le").rstrip("\0") == name:
                return first * SECTOR, (last - first + 1) * SECTOR
    raise AssertionError(f"no partition {name}")


def esp_file(machine, image, name):
    """A file of the EFI partition as it is on the machine's disk now."""
    at, _ = partition(os.path.join(image, "tandem.img"), "esp")
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "disk")
        subprocess.run(["qemu-img", "convert", "-O", "raw", machine.overlay, raw], check=True)
        return subprocess.run(["mtype", "-i", f"{raw}@@{at}", f"::{name}"], check=True, capture_output=True).stdout


def environment(machine, image):
    """The boot loader's words about the slots; its block has its exact size."""
    block = esp_file(machine, image, "grub/grubenv").decode()
    assert len(block) == ENVIRONMENT_BYTES and block.startswith(SIGNATURE), block[:64]
    lines = block.rstrip("#").splitlines()[1:]
    return dict(line.split("=", 1) for line in lines)


class Copy:
    """An image of the test's own, in a folder that Machine takes for one:

        with Copy(image) as own:
            own.fill_b()
            with Machine(own.folder, boot="bios") as m: ...
    """

    def __init__(self, image):
        self.place = tempfile.TemporaryDirectory(prefix="tandem-image-")
        self.folder = self.place.name
        self.disk = os.path.join(self.folder, "tandem.img")
        subprocess.run(["cp", "--sparse=always", os.path.join(image, "tandem.img"), self.disk], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.place.cleanup()

    def mtools(self, part, tool, *words, data=None):
        """mtools on a FAT partition."""
        at, _ = partition(self.disk, part)
        subprocess.run([tool, "-i", f"{self.disk}@@{at}", *words], input=data, check=True, capture_output=True)

    def fill_b(self):
        """Slot B gets the system of slot A, as an update would bring it."""
        for kind, size in SLOT_BYTES.items():
            self._copy(partition(self.disk, f"{kind}-a")[0], partition(self.disk, f"{kind}-b")[0], size)

    def _copy(self, at, to, size):
        subprocess.run(["dd", f"if={self.disk}", f"of={self.disk}", "bs=1M", f"skip={at // MIB}",
                        f"seek={to // MIB}", f"count={size // MIB}", "conv=notrunc,sparse", "status=none"], check=True)

    def flip(self, part, offset):
        """One bit of a partition is another one."""
        at, _ = partition(self.disk, part)
        with open(self.disk, "r+b") as f:
            f.seek(at + offset)
            byte = f.read(1)[0]
            f.seek(at + offset)
            f.write(bytes([byte ^ 1]))

    def set_environment(self, block):
        """block: bytes as they stand, or the boot loader's words."""
        if isinstance(block, dict):
            text = SIGNATURE + "".join(f"{name}={value}\n" for name, value in block.items())
            block = text.ljust(ENVIRONMENT_BYTES, "#").encode()
        self.mtools("esp", "mcopy", "-o", "-", "::grub/grubenv", data=block)
