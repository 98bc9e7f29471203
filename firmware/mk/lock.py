"""packages.lock: which file each package is, and getting exactly that file.

A line: name version architecture sha256 size pool-path. Where packages come from is apt's business;
nothing here knows a host.
"""

import hashlib
import os
import re
import subprocess
from collections import namedtuple

from mk.common import HERE, Fault, read, rows, run, say, write

LOCK = os.path.join(HERE, "packages.lock")
HEAD = """\
# Made by firmware/build.py --refresh from packages.list; changed in a commit of its own.
# name version architecture sha256 size pool-path
"""
Package = namedtuple("Package", "name version arch sha256 size path")


def read_lock():
    lines = [line for line in read(LOCK).splitlines() if line and not line.startswith("#")]
    return [Package(*line.split()) for line in lines]


def file_name(package):
    """As apt-get download names it."""
    return f"{package.name}_{package.version.replace(':', '%3a')}_{package.arch}.deb"


def fields(paragraph):
    found = re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.M)
    return dict(found)


def show(names):
    text = run("apt-cache", "show", "--no-all-versions", *names).decode()
    return [fields(paragraph) for paragraph in text.split("\n\n") if paragraph.strip()]


def only():
    """name -> the only paths that are taken of it, where packages.list names some."""
    found = (row.split() for row in rows("packages.list"))
    return {words[0]: words[1:] for words in found if words[1:]}


def kernel_of(meta):
    """The versioned package that linux-image-amd64 stands for today."""
    found = re.search(r"\blinux-image-[0-9][^ ,]*", show([meta])[0].get("Depends", ""))
    if not found:
        raise Fault(f"{meta} names no kernel")
    return found.group()


def refresh():
    names = [row.split()[0] for row in rows("packages.list")]
    names = [kernel_of(name) if name == "linux-image-amd64" else name for name in names]
    known = {f["Package"]: f for f in show(names)}
    lost = [name for name in names if name not in known]
    if lost:
        raise Fault(f"apt knows no {', '.join(lost)}: correct firmware/packages.list")
    keys = ("Package", "Version", "Architecture", "SHA256", "Size", "Filename")
    lines = sorted(" ".join(known[name][key] for key in keys) for name in names)
    write(LOCK, HEAD + "\n".join(lines) + "\n")
    say(f"packages.lock: {len(lines)} packages")


def is_good(path, package):
    if not os.path.exists(path) or os.path.getsize(path) != int(package.size):
        return False
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() == package.sha256


def download(folder, packages):
    """Fetches what it can; says nothing of what it cannot."""
    words = [f"{package.name}={package.version}" for package in packages]
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def missing(folder, packages):
    return [p for p in packages if not is_good(os.path.join(folder, file_name(p)), p)]


def fetch(folder):
    """Every locked package as a checked file in the folder."""
    packages = read_lock()
    os.makedirs(folder, exist_ok=True)
    wanted = missing(folder, packages)
    if not wanted:
        return packages
    size = sum(int(p.size) for p in wanted) >> 20
    say(f"fetching {len(wanted)} packages, {size} MiB")
    if not download(folder, wanted):
        for package in wanted:
            download(folder, [package])
    lost = missing(folder, wanted)
    if lost:
        lines = "".join(f"\n  {p.name} {p.version}" for p in lost)
        raise Fault(f"apt cannot get these locked packages any more:{lines}\n"
                    "Run `apt-get update`; if they are still missing the mirror has moved on: "
                    "`firmware/build.py --refresh`, look at the change of packages.lock, commit it.")
    return packages
