"""The image starts on what a rack may have, does not start when it was tampered with, and keeps what
was changed. A machine each; the firmware boots also say that the boot loader got what it needs."""

import os
import subprocess

from harness.disk import environment, partition
from harness.machine import Machine, StandsStill

# Time for a boot without KVM on a machine that does other things as well.
BOOT = 300


def boots(image, boot, disk):
    """Power on to a console, with the slot reported healthy to the boot loader."""
    while True:
        try:
            return boots_once(image, boot, disk)
        except StandsStill as e:
            print(f"     QEMU lost the end of an interrupt before {e}: a new machine", flush=True)


def boots_once(image, boot, disk):
    with Machine(image, boot=boot, disk=disk, size="3G") as m:
        m.start()
        m.awaits(m.console, "Tandem: slot A", BOOT)
        m.awaits(m.console, "tandem: slot a", BOOT)
        m.awaits(m.console, "Tandem [0-9.]+ DEVELOPMENT", BOOT)
        seconds = m.seconds()
        m.awaits(m.journal, r"Finished tandem-good\.service", BOOT)
        m.journal.wait_for("The filesystem on /dev/[a-z0-9]+ is now", 1)
        m.power_cut()
        assert environment(m, image) == {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0",
                                         "B_TRY": "0", "RESET": "0"}
        print(f"     {boot}, {disk}: console after {seconds:.0f} s")


def test_bios_boot_from_ahci(image):
    boots(image, "bios", "ahci")


def test_uefi_boot_from_nvme(image):
    boots(image, "uefi", "nvme")


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
