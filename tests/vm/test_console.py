"""The operator's console on the serial line: keys in, an 80 by 24 vt220 screen read back."""

import asyncio
import re

from harness.site import PASSWORD


async def shows(site, pattern, within=300):
    return await asyncio.to_thread(site.switch.machine.console.wait_screen, pattern, within)


def press(site, *names):
    site.switch.machine.console.press(*names)


async def test_the_password_opens_the_console(site):
    """A wrong one does not; the right one does, and neither is ever shown."""
    await shows(site, r"Tandem\s+Login")
    press(site, *"wrong password", "enter")
    await shows(site, "That is not the password")
    press(site, *PASSWORD)
    await shows(site, r"\*" * len(PASSWORD))
    press(site, "enter")
    await shows(site, r"Tandem\s+Console")
    assert PASSWORD not in site.switch.machine.console.text


async def test_the_dashboard_and_the_accounts_are_there(site):
    """What the licence is, and the first customer with the balance that switchctl gives."""
    await shows(site, "UNLICENSED")
    press(site, "a")
    await shows(site, r"Tandem\s+Accounts")
    balance = (await site.ctl.ask("account.show", id="acme"))["balance"]
    await shows(site, rf"acme.*{balance}")
    press(site, "esc")
    await shows(site, r"Tandem\s+Console")


async def test_no_key_leads_to_a_shell(site):
    """Keys that leave other programs; then logging out, which ends at the password."""
    press(site, "\x03", "\x1a", "\x1c", "\x04", "!", "\x0c")
    await shows(site, r"Tandem\s+Console")
    press(site, "q")
    await shows(site, "Log out of the console")
    press(site, "tab", "enter")
    await shows(site, r"Tandem\s+Login")


async def test_the_screen_is_a_vt220_of_24_lines(site):
    """Nothing was drawn past the screen: 24 lines of at most 80 columns, the last one with the keys."""
    screen = site.switch.machine.console.screen
    assert len(screen) == 24 and all(len(line) <= 80 for line in screen), screen
    assert not any("\ufffd" in line for line in screen), screen


async def tty1_shows(site, pattern):
    """The machine's own screen, once the pattern is on it."""
    machine = site.switch.machine

    async def is_there():
        lines = await asyncio.to_thread(machine.screen_tty1)
        return re.search(pattern, "\n".join(lines)) and lines
    return await site.poll(is_there, f"{pattern} on tty1")


async def test_the_same_on_the_machines_own_screen_and_keyboard(site):
    """tty1: the password opens it, the dashboard is there, and Ctrl-Alt-F2 leads nowhere."""
    machine = site.switch.machine
    await tty1_shows(site, r"Tandem\s+Login")
    machine.press_tty1(*(name_of(c) for c in PASSWORD), "ret")
    await tty1_shows(site, r"Tandem\s+Console")
    machine.press_tty1("a")
    await tty1_shows(site, r"acme")
    machine.press_tty1("ctrl-alt-f2", "esc", "ctrl-alt-delete")
    machine.press_tty1("ctrl-alt-f1")
    lines = await tty1_shows(site, r"Tandem\s+Console")
    assert len(lines) >= 24, lines
    machine.press_tty1("q")
    await tty1_shows(site, "Log out of the console")
    machine.press_tty1("tab", "ret")
    await tty1_shows(site, r"Tandem\s+Login")


def name_of(character):
    """QEMU's name of the key."""
    return {" ": "spc"}.get(character, character)
