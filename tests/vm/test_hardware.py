"""What QEMU cannot show: that a rented server's cards and controllers find their drivers, by the tables that the kernel's loader
reads; and the folder by which firmware comes in that Debian keeps apart."""

import fnmatch
import glob
import os
import re
import subprocess
import sys
import tempfile

from test_image import TOP, unpacked

sys.path.append(os.path.join(TOP, "firmware"))

from mk import addon, sbom  # noqa: E402
from mk.common import Fault  # noqa: E402

# What a dedicated server may have: module -> devices, as the kernel's alias of each begins.
CARDS = {
    "e1000e": ("8086:10D3", "8086:15B7"), "igb": ("8086:1521", "8086:1533"), "igc": ("8086:15F2",),
    "ixgbe": ("8086:10FB", "8086:1528", "8086:1563"), "ixgbevf": ("8086:10ED",),
    "i40e": ("8086:1572", "8086:1583", "8086:37D0"), "iavf": ("8086:1889",), "ice": ("8086:1592", "8086:159B"),
    "mlx4_core": ("15B3:1003",), "mlx5_core": ("15B3:1015", "15B3:1017", "15B3:101D"),
    "tg3": ("14E4:165F", "14E4:1657"), "bnx2": ("14E4:1639",), "bnx2x": ("14E4:168E",),
    "bnxt_en": ("14E4:16D8", "14E4:16D7", "14E4:1750"), "r8169": ("10EC:8168", "10EC:8125"),
}
CONTROLLERS = {
    "nvme": ("144D:A808 010802", "8086:0A54 010802"), "ahci": ("8086:8D02 010601", "1022:7901 010601"), "vmd": ("8086:201D",),
    "megaraid_sas": ("1000:005D", "1000:0014", "1000:10E2"), "mpt3sas": ("1000:0072", "1000:0097", "1000:00AF", "1000:00E6"),
    "mptsas": ("1000:0058",), "hpsa": ("103C:323B/103C:3354",), "smartpqi": ("9005:028F",), "aacraid": ("9005:0285",),
}
# Of mlx4_core, which asks for it itself; of a mirror.
BESIDE = ("mlx4_en", "raid1", "md-mod", "dm-verity", "ext4")


def alias(device):
    """How the kernel names such a device: vendor and number; those of the board behind a slash, and the class, where they matter."""
    word = re.fullmatch(r"(\w+):(\w+)(?:/(\w+):(\w+))?(?: (\w\w)(\w\w)(\w\w))?", device)
    bus, sub, kind = (word[n] or "00" for n in (5, 6, 7))
    board = f"sv0000{word[3] or word[1]}sd0000{word[4] or '0001'}"
    return f"pci:v0000{word[1]}d0000{word[2]}{board}bc{bus}sc{sub}i{kind}"


def knows(folder, modules):
    """What the tables below the folder have not: a device's driver, a module's file or that of one it needs."""
    lost = []
    needs = {}
    with open(f"{folder}/modules.dep", encoding="ascii") as f:
        for line in f:
            path, _, others = line.partition(":")
            needs[os.path.basename(path).removesuffix(".ko")] = [path, *others.split()]
    with open(f"{folder}/modules.alias", encoding="ascii") as f:
        aliases = [line.split()[1:3] for line in f if line.startswith("alias pci:")]
    for module, devices in modules.items():
        files = needs.get(module)
        if files is None or not all(os.path.exists(f"{folder}/{path}") for path in files):
            lost.append(f"{module}: {files}")
        for device in devices:
            if module not in {name for pattern, name in aliases if fnmatch.fnmatchcase(alias(device), pattern)}:
                lost.append(f"{module} for {device}")
    return lost


def started_with(image, folder):
    """The initrd's files in the folder: that of its modules."""
    data = subprocess.run(["zstd", "-dcq", f"{image}/initrd.img"], check=True, capture_output=True).stdout
    for name, content in archive(data):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if name.startswith("lib/modules") and content:
            with open(path, "wb") as f:
                f.write(content)
    return glob.glob(f"{folder}/lib/modules/*")[0]


def archive(data):
    """(name, content) of each file of a cpio."""
    at, name = 0, ""
    while name != "TRAILER!!!":
        assert data[at:at + 6] == b"070701", data[at:at + 6]
        size, length = (int(data[at + 6 + 8 * n:at + 14 + 8 * n], 16) for n in (6, 11))
        name = data[at + 110:at + 109 + length].decode()
        begin = -(-(at + 110 + length) // 4) * 4
        yield name, data[begin:begin + size]
        at = -(-(begin + size) // 4) * 4


def test_a_servers_cards_and_disks_have_their_drivers(image):
    """By the number that each card has, with everything that the module needs: those of the disks in the initrd already."""
    folder = glob.glob(f"{unpacked(image)}/usr/lib/modules/*")[0]
    lost = knows(folder, {**CARDS, **CONTROLLERS, **dict.fromkeys(BESIDE, ())})
    assert lost == [], lost
    with tempfile.TemporaryDirectory(prefix="tandem-initrd-") as place:
        lost = knows(started_with(image, place), {**CONTROLLERS, **dict.fromkeys(BESIDE[1:], ())})
        assert lost == [], lost
    print(f"     {len(CARDS)} drivers of cards, {len(CONTROLLERS)} of controllers")


def test_firmware_of_ones_own_can_be_added(image):
    """A folder of it goes into the root, and microcode before the initrd; what leads out of the folder is refused, and the bill of
    materials names each file."""
    with tempfile.TemporaryDirectory(prefix="tandem-firmware-") as place:
        source, root = os.path.join(place, "given"), os.path.join(place, "root")
        for name, text in (("bnx2x/a.fw", b"card"), ("intel-ucode/06-3f-02", b"one"), ("intel-ucode/06-4f-01", b"two"),
                           ("intel-ucode/README", b"no"), ("amd-ucode/microcode_amd.bin", b"other")):
            os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
            with open(os.path.join(source, name), "wb") as f:
                f.write(text)
        os.symlink("a.fw", os.path.join(source, "bnx2x/b.fw"))
        addon.lay(source, root)
        with open(f"{root}/usr/lib/firmware/bnx2x/b.fw", "rb") as f:
            assert f.read() == b"card"
        found = dict(archive(addon.early(source, place, 1700000000)))
        assert found["kernel/x86/microcode/GenuineIntel.bin"] == b"onetwo"
        assert found["kernel/x86/microcode/AuthenticAMD.bin"] == b"other"
        assert "dev/console" not in found
        named = sbom.added(source)
        assert len({p["SPDXID"] for p in named}) == len(named) == 6 and named[1]["name"] == "firmware/bnx2x/a.fw", named
        os.symlink("/etc/passwd", os.path.join(source, "stray"))
        try:
            addon.lay(source, root)
            raise AssertionError("a link out of the folder was followed")
        except Fault as fault:
            assert "stray" in str(fault)
