"""The initrd: one program of ours and the modules that it may need, as a cpio of fixed bytes."""

import os
import shutil
import stat

from mk.common import TOP, run, write
from mk.modules import index

TABLES = ("modules.order", "modules.builtin", "modules.builtin.modinfo")
FOLDERS = ("dev", "proc", "sys", "run", "sysroot", "sbin")


def header(number, mode, size, name, major, minor, epoch):
    fields = (number, mode, 0, 0, 1, epoch, size, 0, 0, major, minor, len(name) + 1, 0)
    return b"070701" + b"".join(b"%08X" % field for field in fields)


def padded(data):
    return data + bytes(-len(data) % 4)


def entry(number, name, mode, data, epoch, device=(0, 0)):
    name = name.encode()
    head = header(number, mode, len(data), name, *device, epoch)
    return padded(head + name + b"\0") + padded(data)


def content(path):
    if os.path.islink(path):
        return os.readlink(path).encode()
    if os.path.isdir(path):
        return b""
    with open(path, "rb") as f:
        return f.read()


def mode_of(path):
    if os.path.islink(path):
        return stat.S_IFLNK | 0o777
    if os.path.isdir(path):
        return stat.S_IFDIR | 0o755
    return stat.S_IFREG | (0o755 if os.access(path, os.X_OK) else 0o644)


def cpio(folder, epoch, has_console=True):
    names = sorted(os.path.relpath(os.path.join(at, name), folder)
                   for at, folders, files in os.walk(folder) for name in folders + files)
    parts = [entry(number, name, mode_of(os.path.join(folder, name)),
                   content(os.path.join(folder, name)), epoch)
             for number, name in enumerate(names, 1)]
    if has_console:
        # The kernel opens this for PID 1 before anything is mounted.
        parts.append(entry(len(names) + 1, "dev/console", stat.S_IFCHR | 0o600, b"", epoch, (5, 1)))
    parts.append(entry(0, "TRAILER!!!", 0, b"", 0))
    return b"".join(parts)


def build(kernel, work, bin_folder, out, epoch, early=b""):
    """out: the initrd. kernel: a mk.modules.Kernel whose files are still all there; early: an archive that the kernel reads
    before all else."""
    root = os.path.join(work, "initrd")
    shutil.rmtree(root, ignore_errors=True)
    for folder in FOLDERS:
        os.makedirs(os.path.join(root, folder))
    init = os.path.join(root, "init")
    run("strip", "-o", init, os.path.join(TOP, bin_folder, "tandem-init"))
    os.chmod(init, 0o755)
    os.symlink("../init", os.path.join(root, "sbin/modprobe"))
    target = os.path.join(root, "lib/modules", kernel.release)
    for path in kernel.chosen("initrd.list"):
        os.makedirs(os.path.join(target, os.path.dirname(path)), exist_ok=True)
        shutil.copyfile(os.path.join(kernel.folder, path), os.path.join(target, path))
    for name in TABLES:
        shutil.copyfile(os.path.join(kernel.folder, name), os.path.join(target, name))
    index(root, kernel.release)
    for name in os.listdir(target):
        if name not in ("kernel", "modules.dep", "modules.alias"):
            os.unlink(os.path.join(target, name))
    write(out, early + run("zstd", "-q", "-12", "--no-check", "-c", input=cpio(root, epoch)))


def carry(start, files, work, out, epoch):
    """out: the initrd `start` with files (name -> path here) behind it, as they are."""
    root = os.path.join(work, "carried")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    for name, path in files.items():
        shutil.copyfile(path, os.path.join(root, name))
    with open(start, "rb") as f:
        head = f.read()
    # An archive begins at a multiple of four; the kernel passes over zeros.
    write(out, head + bytes(-len(head) % 4) + cpio(root, epoch))
