"""switch-install as it is in the image, with a file in place of a disk and a small image: what it writes, and what it refuses in
which words. (test_install.py installs the real one on a machine.)"""

import hashlib
import os
import subprocess
import tempfile

MIB = 1 << 20
# Neither a whole number of pieces of one MiB, nor all of them something.
SIZE = 23 * MIB + 4096


class Bench:
    """A disk, and the program beside the image."""

    def __init__(self, image):
        self.place = tempfile.TemporaryDirectory(prefix="tandem-disk-")
        raw = b"".join(os.urandom(MIB) if n % 3 else bytes(MIB) for n in range(1, SIZE // MIB + 2))[:SIZE]
        self.raw, self.packed = raw, self.file("image", raw) + ".zst"
        subprocess.run(["zstd", "-q", "-1", self.packed.removesuffix(".zst")], check=True)
        with open(self.packed, "rb") as f:
            self.whole = f.read()
        self.file("image.zst.sha256", hashlib.sha256(self.whole).hexdigest().encode() + b"  image.zst\n")
        self.program = os.path.join(os.path.dirname(image), "bin/switch-install")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.place.cleanup()

    def file(self, name, data=b"", size=None):
        path = os.path.join(self.place.name, name)
        with open(path, "wb") as f:
            f.write(data)
            if size:
                f.truncate(size)
        return path

    def run(self, *words, packed=None, typed=None, stdin=None):
        """(exit status, what it said)"""
        done = subprocess.run([self.program, "--image", packed or self.packed, "--sha256", f"{self.packed}.sha256",
                               *words], input=typed, stdin=stdin, capture_output=True, check=False, timeout=300)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def refused(self, why, *words, **more):
        status, said = self.run(*words, **more)
        assert status == 2 and why in said, (status, said)


def test_it_is_on_the_disk_byte_for_byte(image):
    """Over a disk full of something else, from a pipe; what was at the disk's end, where a table may be, is gone."""
    with Bench(image) as b:
        disk = b.file("disk", b"x" * (SIZE + 9 * MIB))
        with open(b.packed, "rb") as f, subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE) as cat:
            status, said = b.run("--disk", disk, packed="-", stdin=cat.stdout)
        assert status == 0 and f"is on {disk}" in said, said
        with open(disk, "rb") as f:
            assert f.read(SIZE) == b.raw, "the disk is not the image"
            f.seek(-MIB, os.SEEK_END)
            assert f.read() == bytes(MIB)


def test_what_is_not_the_whole_image_leaves_no_system(image):
    """Cut off, changed or another release's: refused, and what was written does not start."""
    with Bench(image) as b:
        disk = b.file("disk", size=64 * MIB)
        b.refused("ends before it should", "--disk", disk, packed=b.file("cut", b.whole[:-4 * MIB]))
        changed = b.whole[:-MIB] + bytes([b.whole[-MIB] ^ 1]) + b.whole[-MIB + 1:]
        status, said = b.run("--disk", disk, packed=b.file("changed", changed))
        assert status == 2 and "There is no system any more on" in said, said
        with open(disk, "rb") as f:
            assert f.read(MIB) == bytes(MIB)
        b.refused("its SHA-256 differs", "--disk", disk, packed=b.file("longer", b.whole + b"x"))
        b.refused("is no packed disk", "--disk", disk, packed=b.file("other", b"GIF89a" * 9))
        b.refused("is no packed disk", "--disk", disk, packed=b.file("empty"))


def test_refusals_say_what_is_wrong(image):
    with Bench(image) as b:
        b.refused("no such disk", "--disk", "/dev/sdzz")
        b.refused("it has 23 MiB, and ", "--disk", b.file("small", size=23 * MIB))
        b.refused("cannot be opened", "--disk", b.file("disk", size=64 * MIB), packed="/nowhere")
        answers = b.file("tandem.conf", b"hostname = -\ndisk = /dev/../etc/passwd\nlicence = mine\n")
        status, said = b.run("--answers", answers)
        assert status == 2 and "line 1: hostname" in said and "line 2: disk" in said, said
        b.refused("the licence cannot be read", "--answers", b.file("two.conf", b"licence = mine\n"))
        b.refused("no such disk", "--answers", b.file("three.conf", b"disk = /dev/sdzz\n"))
        one = b.file("one", size=64 * MIB)
        b.refused("it is the first one", "--disk", one, "--mirror", one)
        b.refused("no such disk", "--disk", one, "--mirror", "/dev/sdzz")
        b.refused("no such disk", "--disk", one, "--answers", b.file("four.conf", b"mirror = /dev/sdzz\n"))
        b.refused("unexpected argument", "again")


def test_a_person_leaves(image):
    with Bench(image) as b:
        status, said = b.run(typed=b"q\n")
        assert status == 3 and "Number of the disk" in said, said
