#!/usr/bin/env python3
"""Makes the package for CentOS 7 out of locked packages and build/bin: build/rpm/tandem-VERSION-RELEASE.el7.x86_64.rpm.

    firmware/rpm.py [--out build/rpm] [--bin build/bin] [--cache build/packages] [--release 1]
"""

import argparse
import os
import shutil

from mk import lock, rpm, tree
from mk.common import TOP, epoch, main, say


def start():
    parser = argparse.ArgumentParser(description="make the package for CentOS 7")
    parser.add_argument("--out", default="build/rpm")
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--cache", default="build/packages")
    parser.add_argument("--release", default="1")
    chosen = parser.parse_args()
    out, bin_folder, cache = (os.path.join(TOP, path) for path in (chosen.out, chosen.bin, chosen.cache))
    work = os.path.join(out, "work")
    os.makedirs(work, exist_ok=True)
    root = os.path.join(work, "root")
    tree.base(root, os.path.join(cache, "unpacked"), cache, lock.fetch(cache))
    made = rpm.build(work, out, bin_folder, root, epoch(), chosen.release)
    say(f"{os.path.relpath(made)}: {os.path.getsize(made) >> 10} KiB")
    shutil.rmtree(work)


if __name__ == "__main__":
    main(start)
