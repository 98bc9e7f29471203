"""A slot that does not load, does not start or reports no health gives way to the other one; a boot loader
whose memory is damaged boots all the same."""

from harness.disk import Copy, environment
from harness.machine import Machine
from test_boot import BOOT

B_FIRST = {"ORDER": "B A", "A_OK": "1", "A_TRY": "0", "B_OK": "1", "B_TRY": "0"}
B_TRIED = {**B_FIRST, "B_TRY": "1"}


def ends_up_in_a(own, trouble):
    """Power on; B is tried first, says what is wrong, and A runs and reports its health."""
    with Machine(own.folder, boot="bios") as m:
        m.start()
        m.console.wait_for("Tandem: slot B", BOOT)
        since = m.console.wait_for(trouble, BOOT).end()
        m.console.wait_for("Tandem: slot A", BOOT, since)
        m.wait_unit("tandem-good.service", BOOT)
        m.power_cut()
        assert environment(m, own.folder) == B_TRIED


def test_a_slot_that_does_not_load_gives_way(image):
    """The boot loader itself finds no kernel there."""
    with Copy(image) as own:
        own.fill_b()
        own.mtools("boot-b", "mdel", "::vmlinuz")
        own.set_environment(B_FIRST)
        ends_up_in_a(own, "slot B does not load")


def test_a_slot_that_does_not_start_gives_way(image):
    """Its root does not match its hash."""
    with Copy(image) as own:
        own.fill_b()
        own.flip("root-b", 8)
        own.set_environment(B_FIRST)
        ends_up_in_a(own, "dm-verity device corrupted")


def test_a_slot_that_reports_no_health_gives_way(image):
    """It starts, and the machine goes down before it said that it is well."""
    with Copy(image) as own:
        own.fill_b()
        own.set_environment(B_FIRST)
        with Machine(own.folder, boot="bios") as m:
            m.start()
            m.console.wait_for("tandem: slot b", BOOT)
            m.power_cut()
            assert environment(m, own.folder) == B_TRIED
            m.start()
            m.console.wait_for("Tandem: slot A", BOOT)
            m.console.wait_for("tandem: slot a", BOOT)


def test_a_damaged_environment_is_made_anew(image):
    """Noise where the boot loader keeps its words: it boots A, which writes them anew."""
    with Copy(image) as own:
        own.set_environment(b"\xff\x00noise" * 60)
        with Machine(own.folder, boot="bios") as m:
            m.start()
            m.console.wait_for("Tandem: slot A", BOOT)
            m.wait_unit("tandem-good.service", BOOT)
            m.power_cut()
            words = environment(m, own.folder)
            assert words["A_OK"] == "1" and words["A_TRY"] == "0", words
