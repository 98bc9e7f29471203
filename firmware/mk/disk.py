"""File systems, boot loader and partition table, written into files; nothing is mounted.

    bios  GRUB's core          esp  BOOTX64.EFI, grub.cfg, grubenv
    boot-a, boot-b  kernel, initrd, slot.cfg (FAT16)    root-a, root-b  squashfs and its hash tree
    data  ext4: /var and the changes to /etc

Slot B is empty until the first update.
"""

import os
import shutil
import struct

from mk import grubenv
from mk.common import HERE, Fault, run, write

MIB = 1 << 20
SECTOR = 512
BLOCK = 4096
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ROOT = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
# name, MiB, type of partition; data grows to the disk's end at first boot.
PARTS = (
    ("bios", 1, "21686148-6449-6E6F-744E-656564454649"),
    ("esp", 64, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
    ("boot-a", 96, LINUX),
    ("root-a", 512, ROOT),
    ("boot-b", 96, LINUX),
    ("root-b", 512, ROOT),
    ("data", 256, LINUX),
)
UUID = "7a6d6e64-0000-4000-8000-0000000000"
CONSOLES = "console=tty0 console=ttyS0,115200"
QUIET = "quiet loglevel=3 systemd.show_status=false panic=10"
GRUB_MODULES = ("part_gpt fat search search_label configfile normal loadenv test echo linux serial "
                "terminal reboot sleep regexp read").split()
GRUB_EARLY = """\
search --no-floppy --label --set=root TANDEM-ESP
set prefix=($root)/grub
configfile ($root)/grub/grub.cfg
"""


def uuid(number):
    return f"{UUID}{number:02x}"


def squashfs(root, out, epoch):
    """The file system and, behind it, its hash tree. Gives the words of tandem.verity=."""
    if os.path.exists(out):
        os.unlink(out)
    run("mksquashfs", root, out, "-comp", "zstd", "-Xcompression-level", "9", "-b", "128K",
        "-all-root", "-no-xattrs", "-all-time", epoch, "-mkfs-time", epoch, "-noappend",
        "-no-progress", "-quiet")
    size = -(-os.path.getsize(out) // BLOCK) * BLOCK
    os.truncate(out, size)
    salt = f"{epoch:064x}"
    text = run("veritysetup", "format", f"--salt={salt}", f"--uuid={uuid(0xf0)}",
               f"--data-blocks={size // BLOCK}", f"--hash-offset={size}", out, out).decode()
    hashes = [line.split()[-1] for line in text.splitlines() if line.startswith("Root hash")]
    if len(hashes) != 1:
        raise Fault("veritysetup told no root hash")
    # A superblock stands before the tree.
    return f"{size // BLOCK},{size // BLOCK + 1},{hashes[0]},{salt}"


def fat(path, label, serial, size, bits, files, epoch):
    """files: (path on the volume, path here); folders are made as they are met."""
    if os.path.exists(path):
        os.unlink(path)
    run("mkfs.vfat", "--invariant", "-F", bits, "-i", f"{serial:08x}", "-n", label, "-C", path,
        size // 1024)
    made = set()
    for name, source in files:
        parts = name.split("/")[:-1]
        for n in range(1, len(parts) + 1):
            folder = "/".join(parts[:n])
            if folder not in made:
                run("mmd", "-i", path, f"::{folder}", env={"SOURCE_DATE_EPOCH": str(epoch)})
                made.add(folder)
        os.utime(source, (epoch, epoch))
        run("mcopy", "-m", "-i", path, source, f"::{name}", env={"SOURCE_DATE_EPOCH": str(epoch)})


def slot_cfg(verity):
    return (f'set verity="{verity}"\n'
            f'set cmdline="{CONSOLES} {QUIET}"\n')


def command_line(slot, verity):
    """What GRUB gives the kernel, for boots without GRUB."""
    return f"tandem.slot={slot} tandem.verity={verity} {CONSOLES} {QUIET}"


def boot(work, out, verity, epoch):
    cfg = os.path.join(work, "slot.cfg")
    write(cfg, slot_cfg(verity))
    files = [("vmlinuz", f"{out}/vmlinuz"), ("initrd.img", f"{out}/initrd.img"), ("slot.cfg", cfg)]
    path = os.path.join(work, "boot-a.fat")
    fat(path, "TANDEM-BOOT", 0x7A6D0001, 96 * MIB, 16, files, epoch)
    return path


def grub(work, kind, extra, first=GRUB_EARLY, prefix="/grub"):
    """GRUB's core with its modules in it; first: what it does at its start."""
    core = os.path.join(work, f"grub.{kind}")
    early = os.path.join(work, "early.cfg")
    write(early, first)
    run("grub-mkimage", "-O", kind, "-o", core, "-c", early, "-p", prefix, *GRUB_MODULES, *extra)
    return core


def esp(work, epoch):
    cfg, env = os.path.join(work, "grub.cfg"), os.path.join(work, "grubenv")
    shutil.copyfile(os.path.join(HERE, "grub.cfg"), cfg)
    write(env, grubenv.block(grubenv.FRESH))
    efi = grub(work, "x86_64-efi", ("efi_gop", "all_video"))
    files = [("EFI/BOOT/BOOTX64.EFI", efi), ("grub/grub.cfg", cfg), ("grub/grubenv", env)]
    path = os.path.join(work, "esp.fat")
    fat(path, "TANDEM-ESP", 0x7A6D0000, 64 * MIB, 32, files, epoch)
    return path


def data(work, epoch):
    path, empty = os.path.join(work, "data.ext4"), os.path.join(work, "empty")
    os.makedirs(empty, exist_ok=True)
    os.utime(empty, (epoch, epoch))
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.truncate(256 * MIB)
    run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", "data", "-U", uuid(0xf1), "-d", empty, "-E",
        f"hash_seed={uuid(0xf2)},lazy_itable_init=1,root_owner=0:0", path,
        env={"E2FSPROGS_FAKE_TIME": str(epoch)})
    return path


def layout():
    """name -> (first byte, bytes); the first MiB is the partition table's."""
    at, places = MIB, {}
    for name, size, _ in PARTS:
        places[name] = (at, size * MIB)
        at += size * MIB
    return places, at + MIB


def table(path, places, total):
    with open(path, "wb") as f:
        f.truncate(total)
    lines = ["label: gpt", f"label-id: {uuid(0)}", "first-lba: 34"]
    for number, (name, _, kind) in enumerate(PARTS, 1):
        at, size = places[name]
        lines.append(f'start={at // SECTOR}, size={size // SECTOR}, type={kind}, '
                     f'uuid={uuid(number)}, name="{name}"')
    run("sfdisk", "-q", "--no-reread", "--no-tell-kernel", path, input="\n".join(lines).encode())


def put(image, source, at, limit):
    """Copies a file into the image, leaving holes where it has zeros."""
    size = os.path.getsize(source)
    if size > limit:
        raise Fault(f"{os.path.basename(source)} has {size} bytes, its partition {limit}")
    with open(source, "rb") as f:
        while chunk := f.read(MIB):
            if chunk.count(0) != len(chunk):
                image.seek(at)
                image.write(chunk)
            at += len(chunk)


def bios(image, core_path, at):
    """GRUB's first sector and its core know each other by block addresses, patched here."""
    with open("/usr/lib/grub/i386-pc/boot.img", "rb") as f:
        first = bytearray(f.read())
    with open(core_path, "rb") as f:
        core = bytearray(f.read())
    core += bytes(-len(core) % SECTOR)
    first[0x5c:0x64] = struct.pack("<Q", at // SECTOR)
    first[0x66:0x68] = b"\x90\x90"  # boot from any drive number
    core[0x1f4:0x1fe] = struct.pack("<QH", at // SECTOR + 1, len(core) // SECTOR - 1)
    image.seek(0)
    image.write(first[:440])
    image.seek(at)
    image.write(core)


def assemble(work, out, root, verity, epoch):
    image = os.path.join(out, "tandem.img")
    places, total = layout()
    table(image, places, total)
    with open(image, "r+b") as f:
        for name, source in (("esp", esp(work, epoch)), ("boot-a", boot(work, out, verity, epoch)),
                             ("root-a", root), ("data", data(work, epoch))):
            put(f, source, *places[name])
        bios(f, grub(work, "i386-pc", ("biosdisk",)), places["bios"][0])
    return image


def compress(image):
    """Its threads do not change the bytes."""
    run("zstd", "-q", "-f", "-6", "-T0", image, "-o", f"{image}.zst")
