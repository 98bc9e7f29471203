"""Firmware of cards and microcode of processors that Debian keeps outside its main component: whoever needs some names a folder.

TANDEM_FIRMWARE is a folder as /lib/firmware of a Debian machine is. All of it goes to /usr/lib/firmware of the image; what is in
intel-ucode and amd-ucode also stands before the initrd, as an archive of its own, where the kernel takes it from at its start.
"""

import fnmatch
import os
import shutil

from mk import initrd
from mk.common import Fault

PLACE = "usr/lib/firmware"
# What there is for each vendor, and the file that the kernel looks for.
MICROCODE = {"intel-ucode/??-??-??": "GenuineIntel.bin", "amd-ucode/microcode_amd*.bin": "AuthenticAMD.bin"}
EARLY = "kernel/x86/microcode"


def folder():
    """None where there is no add-on."""
    given = os.environ.get("TANDEM_FIRMWARE")
    if given and not os.path.isdir(given):
        raise Fault(f"TANDEM_FIRMWARE={given}: no such folder")
    return given


def files(source):
    """Paths of its files below it; a link has to lead to one of them."""
    found = []
    for at, _, names in os.walk(source, followlinks=True):
        found += [os.path.relpath(os.path.join(at, name), source) for name in names]
    for name in found:
        real = os.path.realpath(os.path.join(source, name))
        if not os.path.isfile(real) or not real.startswith(os.path.realpath(source) + os.sep):
            raise Fault(f"TANDEM_FIRMWARE: {name} is no file, or leads out of the folder")
    if not found:
        raise Fault(f"TANDEM_FIRMWARE={source}: nothing is in it")
    return sorted(found)


def lay(source, root):
    """Into the tree of the root file system; links become the files that they lead to."""
    for name in files(source):
        target = os.path.join(root, PLACE, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(source, name), target)
        os.chmod(target, 0o644)


def early(source, work, epoch):
    """The archive before the initrd; nothing if the folder holds no microcode."""
    root = os.path.join(work, "early")
    shutil.rmtree(root, ignore_errors=True)
    for pattern, name in MICROCODE.items():
        chosen = fnmatch.filter(files(source), pattern)
        if not chosen:
            continue
        os.makedirs(os.path.join(root, EARLY), exist_ok=True)
        with open(os.path.join(root, EARLY, name), "wb") as out:
            for part in chosen:
                with open(os.path.join(source, part), "rb") as f:
                    shutil.copyfileobj(f, out)
    return initrd.cpio(root, epoch, has_console=False) if os.path.isdir(root) else b""
