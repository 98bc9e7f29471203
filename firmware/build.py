#!/usr/bin/env python3
"""Makes the bootable image out of locked packages, rootfs/ and build/bin.

    firmware/build.py [--out build/image] [--bin build/bin] [--cache build/packages]
    firmware/build.py --refresh          packages.lock anew from packages.list

Leaves tandem.img, tandem.img.zst, tandem-install.iso, tandem-VERSION.update, sbom.spdx.json; for a start over the network
vmlinuz and install.img, and for one without a boot loader initrd.img and cmdline. The same source gives the same bytes.
"""

import argparse
import os
import shutil

from mk import addon, bundle, disk, initrd, installer, lock, sbom, tree
from mk.common import TOP, epoch, main, say, write
from mk.modules import Kernel


def arguments():
    parser = argparse.ArgumentParser(description="make the bootable image")
    parser.add_argument("--out", default="build/image")
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--cache", default="build/packages")
    parser.add_argument("--refresh", action="store_true", help="make packages.lock anew")
    return parser.parse_args()


def build(out, bin_folder, cache):
    work, when = os.path.join(out, "work"), epoch()
    root, squash = os.path.join(work, "root"), os.path.join(work, "root.squashfs")
    packages = lock.fetch(cache)
    tree.base(root, os.path.join(cache, "unpacked"), cache, packages)
    shutil.copyfile(os.path.join(root, "boot/vmlinuz"), os.path.join(out, "vmlinuz"))
    os.unlink(os.path.join(root, "boot/vmlinuz"))
    say(f"{len(packages)} packages")
    kernel = Kernel(root)
    own = addon.folder()
    early = addon.early(own, work, when) if own else b""
    initrd.build(kernel, work, bin_folder, os.path.join(out, "initrd.img"), when, early)
    say(f"Linux {kernel.release}, {len(kernel.needs)} modules, initrd "
        f"{os.path.getsize(os.path.join(out, 'initrd.img')) >> 10} KiB")
    if own:
        addon.lay(own, root)
        say(f"firmware of {own}: {len(addon.files(own))} files")
    names = tree.finish(root, bin_folder, when)
    bundle.lay(root, when)
    say(f"root tree {tree.size(root) >> 20} MiB, with {', '.join(names)}")
    verity = disk.squashfs(root, squash, when)
    write(os.path.join(out, "cmdline"), disk.command_line("a", verity) + "\n")
    say(f"root file system {os.path.getsize(squash) >> 20} MiB")
    image = disk.assemble(work, out, squash, verity, when)
    update = bundle.build(work, out, os.path.join(work, "boot-a.fat"), squash, when)
    say(f"{os.path.relpath(update)}: {os.path.getsize(update) >> 20} MiB")
    ours = [os.path.join(bin_folder, name) for name in sorted({*names, "tandem-init"})]
    sbom.build(os.path.join(out, "sbom.spdx.json"), packages, root, ours, image, when, own)
    disk.compress(image)
    iso = installer.build(work, out, squash, image + ".zst", when)
    say(f"{os.path.relpath(iso)}: {os.path.getsize(iso) >> 20} MiB")
    say(f"{os.path.relpath(image)}: {os.path.getsize(image) >> 20} MiB, "
        f"{os.stat(image).st_blocks >> 11} MiB of them on disk, "
        f"{os.path.getsize(image + '.zst') >> 20} MiB as .zst")
    shutil.rmtree(work)


def start():
    chosen = arguments()
    if chosen.refresh:
        lock.refresh()
        return
    out, bin_folder, cache = (os.path.join(TOP, path) for path in
                              (chosen.out, chosen.bin, chosen.cache))
    os.makedirs(out, exist_ok=True)
    build(os.path.abspath(out), bin_folder, cache)


if __name__ == "__main__":
    main(start)
