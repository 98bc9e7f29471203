"""The root file system as a folder: packages unpacked, pruned, our own files laid over.

No maintainer script runs. Owners do not matter (all is root's in the image), so neither does who
builds. Users are made by the tree's own systemd-sysusers, so not by the build machine's version.
"""

import fnmatch
import hashlib
import os
import shutil
import stat
import subprocess

from mk import lock
from mk.common import HERE, TOP, Fault, read, rows, run, version, write
from mk.modules import Kernel

FOLDERS = ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "var", "run", "tmp", "proc", "sys",
           "dev", "root", "home", "boot", "boot/efi", "data", "media", "mnt", "opt", "srv")
MERGED = ("bin", "sbin", "lib", "lib64")
UNITS = "usr/lib/systemd/system"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
# Where a program of ours goes when it is not /usr/bin.
PLACES = {
    "switchd": "usr/sbin",
    "switch-lockoutd": "usr/sbin",
    "switch-hostd": "usr/sbin",
    "switch-tune": "usr/sbin",
    "switch-audit": "usr/sbin",
    "switch-setup": "usr/sbin",
    "switch-install": "usr/sbin",
    "switch-shell": "usr/libexec/tandem",
    "tandem-slot": "usr/sbin",
    "tandem-rescue": "usr/sbin",
    "tandem-ifcfg": "usr/sbin",
    "tandem-init": None,
}
# BusyBox offers these too; systemd, kmod and udev are meant.
NOT_BUSYBOX = {"init", "linuxrc", "halt", "poweroff", "reboot", "runlevel", "udevadm", "mdev", "dpkg",
               "dpkg-deb", "rpm", "modprobe", "lsmod", "rmmod", "insmod", "depmod", "modinfo", "login",
               "passwd", "su", "sulogin", "adduser", "addgroup", "deluser", "delgroup", "getty",
               "telnet", "telnetd", "ftpd", "ftpget", "ftpput", "httpd", "inetd", "tftpd", "syslogd",
               "klogd", "udhcpd", "udhcpc"}


def skeleton(root):
    for folder in FOLDERS:
        os.makedirs(os.path.join(root, folder))
    for name in MERGED:
        os.symlink(f"usr/{name}", os.path.join(root, name))


def unpack(root, cache, packages):
    """A merged /usr stays merged: tar follows the links that are there."""
    exclude = os.path.join(HERE, "exclude.list")
    only = lock.only()
    for package in packages:
        deb = os.path.join(cache, lock.file_name(package))
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
            run("tar", "-x", "-p", "--no-same-owner", "--keep-directory-symlink", "--exclude-from",
                exclude, "-C", root, *only.get(package.name, []), stdin=source.stdout)
        if source.returncode != 0:
            raise Fault(f"dpkg-deb cannot read {deb}")


def take_kernel(root):
    """The kernel gets a name without its version."""
    boot = os.path.join(root, "boot")
    names = [name for name in os.listdir(boot) if name.startswith("vmlinuz-")]
    if len(names) != 1:
        raise Fault(f"one kernel expected, found {names}")
    os.rename(os.path.join(boot, names[0]), os.path.join(boot, "vmlinuz"))


def drop_units(root):
    patterns = rows("units.drop")
    for folder, folders, names in os.walk(os.path.join(root, UNITS)):
        for name in names + folders:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                path = os.path.join(folder, name)
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)
    shutil.rmtree(os.path.join(root, "etc/systemd/system"), ignore_errors=True)
    os.makedirs(os.path.join(root, "etc/systemd/system"))


def busybox(root):
    """A link for every applet that no package and none of our files provides."""
    applets = run(os.path.join(root, "usr/bin/busybox"), "--list").decode().split()
    for name in sorted(set(applets) - NOT_BUSYBOX):
        if not any(os.path.lexists(os.path.join(root, folder, name)) for folder in
                   ("usr/bin", "usr/sbin")):
            os.symlink("busybox", os.path.join(root, "usr/bin", name))


def words():
    kind = "RELEASE" if os.environ.get("TANDEM_LICENCE_KEY") else "DEVELOPMENT"
    return {"@VERSION@": version(), "@KIND@": kind}


def overlay(root):
    """rootfs/ one to one; in files that end in .in words like @VERSION@ are replaced."""
    source = os.path.join(TOP, "rootfs")
    for folder, folders, names in os.walk(source):
        at = os.path.join(root, os.path.relpath(folder, source))
        os.makedirs(at, exist_ok=True)
        for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            lay(os.path.join(folder, name), os.path.join(at, name))


def lay(source, target):
    if os.path.lexists(target):
        os.unlink(target)
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if not source.endswith(".in"):
        shutil.copyfile(source, target)
    else:
        text = read(source)
        target = target.removesuffix(".in")
        for word, value in words().items():
            text = text.replace(word, value)
        write(target, text)
    os.chmod(target, 0o755 if os.access(source, os.X_OK) else 0o644)


def programs(root, bin_folder):
    """Those of layers.mk that are built, without debug information. Gives their names."""
    found = []
    for name in sorted(os.listdir(bin_folder)):
        place = PLACES.get(name, "usr/bin")
        if place:
            os.makedirs(os.path.join(root, place), exist_ok=True)
            target = os.path.join(root, place, name)
            run("strip", "-o", target, os.path.join(bin_folder, name))
            os.chmod(target, 0o755)
            found.append(name)
    return found


def inside(root, program, *arguments, **options):
    """Runs a program of the tree with the tree's libraries."""
    libraries = os.path.join(root, LIBRARIES)
    return run(os.path.join(root, "usr/lib64/ld-linux-x86-64.so.2"), "--library-path",
               f"{libraries}:{libraries}/systemd", os.path.join(root, program), *arguments, **options)


def users(root, epoch):
    inside(root, "usr/bin/systemd-sysusers", f"--root={root}", env={"SOURCE_DATE_EPOCH": str(epoch)})
    shadow = os.path.join(root, "etc/shadow")
    # "!" would also refuse keys; "*" is only a password that nobody has.
    lines = [line.replace("admin:!*:", "admin:*:") for line in read(shadow).splitlines(True)]
    write(shadow, "".join(lines), 0o600)
    for name in os.listdir(os.path.join(root, "etc")):
        if name.endswith("-") or name == ".pwd.lock":
            os.unlink(os.path.join(root, "etc", name))


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def unresolved(root):
    """Lines "library <- file" for what a program needs and the tree has not."""
    have, needs = set(), []
    for folder, folders, names in os.walk(os.path.join(root, "usr")):
        if "modules" in folders and folder.endswith("usr/lib"):
            folders.remove("modules")
        have.update(names)
        needs += [path for path in (os.path.join(folder, name) for name in names) if is_elf(path)]
    text = run("readelf", "-dW", *needs).decode()
    lost, current = [], needs[0]
    for line in text.splitlines():
        if line.startswith("File: "):
            current = line[len("File: "):]
        elif "(NEEDED)" in line:
            library = line[line.index("[") + 1:line.index("]")]
            if library not in have:
                lost.append(f"{library} <- {os.path.relpath(current, root)}")
    return sorted(lost)


def settle(root, epoch):
    """Every time is the same; no file is wider open than it must be."""
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                mode = stat.S_IMODE(os.stat(path).st_mode)
                os.chmod(path, mode & ~(stat.S_ISUID | stat.S_ISGID | 0o022) | 0o400)
            os.utime(path, (epoch, epoch), follow_symlinks=False)
    os.chmod(os.path.join(root, "tmp"), 0o1777)
    os.chmod(os.path.join(root, "root"), 0o700)


def size(root):
    total = 0
    for folder, _, names in os.walk(root):
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return total


def key():
    """Changes with everything that base() reads."""
    names = ("packages.list", "packages.lock", "exclude.list", "units.drop", "modules.list", "initrd.list",
             "mk/tree.py", "mk/modules.py")
    text = "".join(read(os.path.join(HERE, name)) for name in names)
    return hashlib.sha256(text.encode()).hexdigest()


def base(root, kept, cache, packages):
    """What only the packages decide, in the folder root; a copy is kept for the next build."""
    stamp = f"{kept}.key"
    if not os.path.exists(stamp) or read(stamp) != key():
        if os.path.exists(stamp):
            os.unlink(stamp)
        shutil.rmtree(kept, ignore_errors=True)
        skeleton(kept)
        unpack(kept, cache, packages)
        take_kernel(kept)
        drop_units(kept)
        Kernel(kept).prune("modules.list", "initrd.list")
        write(stamp, key())
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.dirname(root), exist_ok=True)
    run("cp", "-a", kept, root)


def finish(root, bin_folder, epoch):
    overlay(root)
    names = programs(root, bin_folder)
    busybox(root)
    users(root, epoch)
    lost = unresolved(root)
    if lost:
        raise Fault("libraries that are not in the image:\n  " + "\n  ".join(lost))
    settle(root, epoch)
    return names
