"""The installer: an initrd that carries the root file system, and a medium that starts it under BIOS and UEFI.

    install.img          initrd.img, root.squashfs and the SHA-256 of the packed image behind it: a machine that has started from
                         it needs nothing else than tandem.img.zst, from the medium or by HTTP
    tandem-install.iso   for a CD drive, or written to a USB stick as it is: /boot/vmlinuz, /boot/install.img, /tandem.img.zst

The initrd carries all so that a start from the medium and one over the network are the same.
"""

import hashlib
import os
import shutil
import time

from mk import disk, initrd
from mk.common import HERE, read, run, write

LABEL = "TANDEM-INSTALL"
MODULES = ("iso9660", "part_msdos", "search_fs_file", "chain")
EARLY = """\
search --no-floppy --file --set=root /boot/install.img
set prefix=($root)/boot/grub
configfile ($root)/boot/grub/grub.cfg
"""
ESP_MIB = 8


def sum_of(packed):
    """Beside the image, as sha256sum prints it: the file's path."""
    with open(packed, "rb") as f:
        text = f"{hashlib.file_digest(f, 'sha256').hexdigest()}  {os.path.basename(packed)}\n"
    write(f"{packed}.sha256", text)
    return f"{packed}.sha256"


def esp(work, epoch):
    """What UEFI starts from."""
    core = disk.grub(work, "x86_64-efi", ("efi_gop", "all_video", *MODULES), EARLY, "/boot/grub")
    path = os.path.join(work, "install-esp.fat")
    disk.fat(path, "TANDEM-EFI", 0x7A6D0002, ESP_MIB * disk.MIB, 12, [("EFI/BOOT/BOOTX64.EFI", core)], epoch)
    return path


def lay(work, out, packed, epoch):
    """The files of the medium, in a folder."""
    root = os.path.join(work, "iso")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, "boot/grub"))
    for name in ("vmlinuz", "install.img"):
        shutil.copyfile(os.path.join(out, name), os.path.join(root, "boot", name))
    shutil.copyfile(packed, os.path.join(root, "tandem.img.zst"))
    words = f"{disk.CONSOLES} quiet loglevel=3 panic=30"
    write(os.path.join(root, "boot/grub/grub.cfg"), read(os.path.join(HERE, "install.cfg")).replace("@WORDS@", words))
    core = disk.grub(work, "i386-pc-eltorito", ("biosdisk", *MODULES), EARLY, "/boot/grub")
    shutil.copyfile(core, os.path.join(root, "boot/grub/eltorito.img"))
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            os.utime(os.path.join(folder, name), (epoch, epoch))
    return root


def medium(root, efi, out, epoch):
    date = time.strftime("%Y%m%d%H%M%S00", time.gmtime(epoch))
    run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-V", LABEL, "-o", out, f"--modification-date={date}",
        "--set_all_file_dates", date, "-b", "boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4",
        "-boot-info-table", "--grub2-boot-info", "--grub2-mbr", "/usr/lib/grub/i386-pc/boot_hybrid.img",
        "-append_partition", "2", "0xef", efi, "-appended_part_as_gpt", "--gpt_disk_guid",
        disk.uuid(0xf3).replace("-", ""), "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::",
        "-no-emul-boot", root, env={"SOURCE_DATE_EPOCH": str(epoch)})


def build(work, out, squash, packed, epoch):
    """Gives the medium's path."""
    files = {"root.squashfs": squash, "image.sha256": sum_of(packed)}
    initrd.carry(os.path.join(out, "initrd.img"), files, work, os.path.join(out, "install.img"), epoch)
    target = os.path.join(out, "tandem-install.iso")
    if os.path.exists(target):
        os.unlink(target)
    medium(lay(work, out, packed, epoch), esp(work, epoch), target, epoch)
    return target
