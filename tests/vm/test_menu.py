"""The boot loader's menu, for who stands at the machine's serial console: a rescue shell, and a factory reset that keeps the
console."""

from harness.disk import environment
from harness.machine import Machine
from harness.serial import Gone
from harness.site import PASSWORD, Lan, Site
from test_boot import BOOT

DOWN, ESCAPE = "\x0e", "\x1b"  # Ctrl-N: an arrow's octets may come apart on a slow line
RESCUE, RESET = 1, 2  # lines of the menu
KNOCKS = 600


def menu(m, line):
    """Power on, and that line of the menu is started."""
    m.start()
    # Escape counts while the boot loader waits for it, which no word on the line announces.
    for _ in range(KNOCKS):
        m.console.send(ESCAPE)
        try:
            m.console.wait_for("Rescue shell", 0.5)
            break
        except Gone:
            assert m.console.is_open, "the machine went down"
    m.console.wait_for("Factory reset", BOOT)
    m.console.send(DOWN * line + "\r")


def at(m, pattern, since=0, within=BOOT):
    """Where that has been said."""
    return m.console.wait_for(pattern, within, since).end()


def is_set_up(m):
    """A first start with a tandem.conf, whose medium is pulled out then."""
    m.start()
    m.journal.wait_for("Finished tandem-setup.service", 2 * BOOT)
    m.wait_unit("tandem-good.service", BOOT)
    m.qmp.ask("system_powerdown")
    m.wait_off(BOOT)


def rescue_shell(m):
    """By the menu and the administrator's password, and no other: where in the console's text it begins."""
    menu(m, RESCUE)
    asked = at(m, "Administrator's password: ")
    m.console.send("wrong\n")
    asked = at(m, "Administrator's password: ", at(m, "That is not the password", asked))
    m.console.send(f"{PASSWORD}\n")
    return at(m, "`exit` restarts the machine", asked)


def rescue(m):
    """A shell on a read-only root without a switch; leaving it restarts."""
    shell = rescue_shell(m)
    m.console.send("touch /usr/x && echo wri''tten; touch /data/x && echo ke''pt; pidof switchd || echo no''ne\n")
    at(m, "none", shell)
    said = m.console.data[shell:].decode(errors="replace")
    assert "Read-only file system" in said and "written" not in said and "kept" in said, said
    m.console.send("exit\n")
    m.wait_off(BOOT)


def reset(m, answer):
    menu(m, RESET)
    at(m, "Type ERASE and Enter")
    m.console.send(f"{answer}\r")


def test_a_rescue_shell_and_a_factory_reset(image):
    """Neither is to be had by who only stands there; and a machine that was made new asks for its set-up on the same line."""
    lan = Lan()
    try:
        site = Site(lan)
        with Machine(image, net=lan.network, boot="bios", files=site.files(), extra=["-no-reboot"]) as m:
            is_set_up(m)
            m.eject()
            rescue(m)
            reset(m, "erase")
            m.wait_off(BOOT)
            assert environment(m, image)["RESET"] == "0"
            m.start()
            m.console.wait_screen(r"Tandem\s+Login", BOOT)
            m.power_cut()

            reset(m, "ERASE")
            at(m, "factory reset: the data partition is made anew")
            m.console.wait_screen("Press Enter to begin", BOOT)
            m.wait_unit("tandem-good.service", BOOT)
            m.power_cut()
            words = environment(m, image)
            assert words["RESET"] == "0" and words["A_OK"] == "1", words

            # It is not made new again at the next start; and without a password there is no shell.
            menu(m, RESCUE)
            asked = at(m, "has no administrator's password, so it gives no shell")
            assert "factory reset" not in m.console.text
            m.console.send("\n")
            m.wait_off(BOOT)
            assert b"# " not in m.console.data[asked:]
    finally:
        lan.close()


def test_a_start_that_failed_asks_for_the_password_and_is_tried_again(image):
    """Emergency and rescue mode are no way in: who says nothing for a minute, or leaves, has the machine restarted; the administrator's
    password, and no other, opens a shell."""
    lan = Lan()
    try:
        site = Site(lan)
        with Machine(image, net=lan.network, files=site.files(), extra=["-no-reboot"]) as m:
            is_set_up(m)
            m.eject()
            m.append = "systemd.unit=emergency.target"
            m.start()
            asked = at(m, "The system did not start. In 60 s it is tried again")
            at(m, "Administrator's password: ", asked)
            m.wait_off(BOOT)
            m.append = "systemd.unit=rescue.target"
            m.start()
            asked = at(m, "Administrator's password: ")
            m.console.send("wrong\n")
            asked = at(m, "Administrator's password: ", at(m, "That is not the password", asked))
            m.console.send(f"{PASSWORD}\n")
            shell = at(m, "`exit` restarts the machine", asked)
            m.console.send("id -u; echo do''ne\n")
            at(m, "0\\s+done", shell)
            m.console.send("exit\n")
            m.wait_off(BOOT)
    finally:
        lan.close()
