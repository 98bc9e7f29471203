"""A slot that does not load gives way to the other one at once; one that does not start or reports no health, after the third
time; a boot loader whose memory is damaged boots all the same."""

from harness.disk import Copy, environment
from harness.machine import Machine
from test_boot import BOOT

B_FIRST = {"ORDER": "B A", "A_OK": "1", "A_TRY": "0", "B_OK": "1", "B_TRY": "0", "RESET": "0"}
TRIES = 3


def tries_of_b(m, own):
    """How often B was started; all else is as it was."""
    words = environment(m, own.folder)
    assert {**words, "B_TRY": "0"} == B_FIRST, words
    return int(words["B_TRY"])


def ends_up_in_a(own, trouble, tries):
    """Power on; B is tried that often, says what is wrong, and A runs and reports its health. (QEMU ends at a restart and is
    started anew: after a warm one its boot loader takes minutes where the processor is emulated.)"""
    with Machine(own.folder, boot="bios", extra=["-no-reboot"]) as m:
        for n in range(1, tries + 1):
            m.start()
            m.console.wait_for("Tandem: slot B", BOOT)
            m.console.wait_for(trouble, BOOT)
            m.wait_off(BOOT)
            assert tries_of_b(m, own) == (n if tries > 1 else TRIES)
        m.start()
        m.console.wait_for("Tandem: slot A", BOOT)
        m.wait_unit("tandem-good.service", BOOT)
        m.power_cut()
        assert tries_of_b(m, own) == TRIES


def test_a_slot_that_does_not_load_gives_way(image):
    """The boot loader itself finds no kernel there."""
    with Copy(image) as own:
        own.fill_b()
        own.mtools("boot-b", "mdel", "::vmlinuz")
        own.set_environment(B_FIRST)
        ends_up_in_a(own, "slot B does not load", 1)


def test_a_slot_that_does_not_start_gives_way(image):
    """Its root does not match its hash."""
    with Copy(image) as own:
        own.fill_b()
        own.flip("root-b", 8)
        own.set_environment(B_FIRST)
        ends_up_in_a(own, "dm-verity device corrupted", TRIES)


def test_a_slot_that_reports_no_health_gives_way(image):
    """It starts, and the machine goes down before it said that it is well."""
    with Copy(image) as own:
        own.fill_b()
        own.set_environment(B_FIRST)
        with Machine(own.folder, boot="bios") as m:
            for n in range(1, TRIES + 1):
                m.start()
                m.console.wait_for("tandem: slot b", BOOT)
                m.power_cut()
                assert tries_of_b(m, own) == n
            m.start()
            m.console.wait_for("Tandem: slot A", BOOT)
            m.console.wait_for("tandem: slot a", BOOT)


def is_made_anew(own):
    """A is started, and writes the boot loader's words anew."""
    with Machine(own.folder, boot="bios") as m:
        m.start()
        m.console.wait_for("Tandem: slot A", BOOT)
        m.wait_unit("tandem-good.service", BOOT)
        m.power_cut()
        words = environment(m, own.folder)
        assert words["A_OK"] == "1" and words["A_TRY"] == "0", words


def test_a_damaged_environment_is_made_anew(image):
    """Noise where the boot loader keeps its words."""
    with Copy(image) as own:
        own.set_environment(b"\xff\x00noise" * 60)
        is_made_anew(own)


def test_a_missing_environment_is_made_anew(image):
    """The file that they stand in is gone."""
    with Copy(image) as own:
        own.mtools("esp", "mdel", "::grub/grubenv")
        is_made_anew(own)
