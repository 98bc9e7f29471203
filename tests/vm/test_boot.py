"""The image starts on what a rack may have, does not start when it was tampered with, and keeps what
was changed. A machine each; the firmware boots also say that the boot loader got what it needs."""

import os
import subprocess

from harness.disk import MIB, SECTOR, environment, partition
from harness.machine import Machine, StandsStill

# For a boot without KVM on a machine that does much else: some 30 s on a quiet one, ten times that on one with a load of 25.
BOOT = 900
DISK_BYTES = 3 << 30  # twice the image


def boots(image, boot, disk):
    """Power on to a console, with the slot reported healthy to the boot loader."""
    while True:
        try:
            return boots_once(image, boot, disk)
        except StandsStill as e:
            print(f"     QEMU lost the end of an interrupt before {e}: a new machine", flush=True)


def writes(m, image):
    """The packed image goes onto the machine's larger disk, in the words of docs/image.md."""
    raw = m.path("written.raw")
    with open(raw, "wb") as f:
        f.truncate(DISK_BYTES)
    packed = os.path.join(image, "tandem.img.zst")
    subprocess.run(f"zstd -dc {packed} | dd of={raw} bs=4M iflag=fullblock conv=notrunc,sparse,fsync", shell=True, check=True,
                   capture_output=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", raw, m.overlay], check=True)


def partitions_reach_the_end(m):
    """The spare table stands on the disk's last block now, and data reaches to it, as the first table says, too."""
    raw = m.path("grown.raw")
    subprocess.run(["qemu-img", "convert", "-O", "raw", m.overlay, raw], check=True)
    with open(raw, "rb") as f:
        f.seek(-SECTOR, os.SEEK_END)
        assert f.read(8) == b"EFI PART", "the spare table of partitions stands elsewhere"
    at, size = partition(raw, "data")
    assert DISK_BYTES - at - size < 2 * MIB, (at, size)


def boots_once(image, boot, disk):
    with Machine(image, boot=boot, disk=disk, is_blank=True, size=str(DISK_BYTES)) as m:
        writes(m, image)
        m.start()
        m.awaits(m.console, "Tandem: slot A", BOOT)
        m.awaits(m.console, "tandem: slot a", BOOT)
        m.awaits(m.console, "Tandem [0-9.]+ DEVELOPMENT", BOOT)
        seconds = m.seconds()
        m.awaits(m.journal, r"Finished tandem-good\.service", BOOT)
        m.journal.wait_for("The filesystem on /dev/[a-z0-9]+ is now", 1)
        m.power_cut()
        partitions_reach_the_end(m)
        assert environment(m, image) == {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0",
                                         "B_TRY": "0", "RESET": "0"}
        print(f"     {boot}, {disk}: console after {seconds:.0f} s")


def test_bios_boot_from_ahci(image):
    boots(image, "bios", "ahci")


def test_uefi_boot_from_nvme(image):
    boots(image, "uefi", "nvme")


def wound(m):
    """A folder of the data partition loses its node, as a worn disk may have it: what stands in it hangs in the air, which is
    more than e2fsck mends without being told to."""
    raw = m.path("wounded.raw")
    subprocess.run(["qemu-img", "convert", "-O", "raw", m.overlay, raw], check=True)
    at, _ = partition(raw, "data")
    # As the kernel marks a file system in which it met something wrong: it is looked through at the next start.
    subprocess.run(["/usr/sbin/debugfs", "-w", "-f", "-", f"{raw}?offset={at}"], input=b"clri /var/lost\nssv state 2\n", check=True,
                   capture_output=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", raw, m.overlay], check=True)


def test_a_damaged_file_system_is_mended_without_a_question(image):
    with Machine(image, size="2G", extra=["-no-reboot"]) as m:
        m.start()
        m.wait_unit("multi-user.target", BOOT)
        m.check("mkdir -p /var/lost/inner/deep && echo kept > /var/lost/inner/deep/file")
        m.shell.send("systemctl poweroff\n")
        m.wait_off(BOOT)
        wound(m)
        m.start()
        m.console.wait_for("data partition damaged .*, repairing", BOOT)
        m.wait_unit("tandem-good.service", BOOT)
        assert m.check("cat /data/lost+found/*/deep/file") == "kept\n"
        assert "e2fsck of" not in m.console.text


def test_a_byte_changed_in_the_root_stops_the_boot(image):
    """One bit in the file system's own time stamp: harmless, were it not for the hash tree."""
    at, _ = partition(os.path.join(image, "tandem.img"), "root-a")
    with open(os.path.join(image, "tandem.img"), "rb") as f:
        f.seek(at + 8)
        changed = f.read(1)[0] ^ 1
    with Machine(image, extra=["-no-reboot"]) as m:
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", f"write -P {changed} {at + 8} 1", m.overlay],
                       check=True, capture_output=True)
        m.start()
        m.console.wait_for("dm-verity device corrupted", BOOT)
        m.wait_off(BOOT)
        assert "DEVELOPMENT" not in m.console.text, "a root that does not match its hash ran"


def test_a_second_boot_keeps_what_was_changed(image):
    """On a controller that only a whole set of drivers knows, switched off in between. (It keeps flushes
    from its disks as one with a battery does, so this is not the place to pull the plug.)"""
    with Machine(image, disk="megasas", size="3G") as m:
        m.start()
        m.wait_unit("multi-user.target", BOOT)
        assert int(m.check("df -m /data | awk 'END { print $2 }'")) > 1600, "data did not grow"
        m.check("echo changed > /etc/hostname && echo 1 > /etc/tandem/mark && echo 2 > /var/lib/mark && "
                "echo 'kernel.domainname = kept' > /etc/sysctl.d/90-site.conf")
        before = m.check("cat /etc/machine-id")
        for place in ("/usr/x", "/x", "/boot/x"):
            assert m.sh(f"touch {place}")[0] != 0, f"{place} could be written"
        m.shell.send("systemctl poweroff\n")
        m.wait_off(BOOT)
        m.start()
        m.wait_unit("multi-user.target", BOOT)
        assert m.check("cat /etc/hostname /etc/tandem/mark /var/lib/mark") == "changed\n1\n2\n"
        assert m.check("cat /etc/machine-id") == before
        assert m.check("cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname") == "changed\nkept\n"
        failed = m.check("systemctl --failed --no-legend --plain").strip()
        assert failed == "", failed
        used = m.check("free -m | awk '/^Mem:/ { print $3 }'").strip()
        print(f"     {used} MiB in use at idle, before set-up")
