"""switch-console --login: what the machine's own console shows."""

import base64
import hashlib
import os

from fake import Fake
from harness.licence import sign
from harness.scene import scene
from terminal import console

PASSWORD = "correct horse 7"


def hash_file(t, password=PASSWORD):
    salt = os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)
    b64 = [base64.b64encode(x).decode().rstrip("=") for x in (salt, made)]
    path = os.path.join(t.folder, "admin.hash")
    with open(path, "w", encoding="ascii") as f:
        f.write("$scrypt$ln=15,r=8,p=1${}${}\n".format(*b64))
    return path


async def test_the_password_opens_and_leaving_asks_for_it_again(t):
    async with console(t, "--login", "--hash", hash_file(t)) as c:
        await c.see("Tandem  Login", "Password")
        await c.go([PASSWORD], "*" * len(PASSWORD))
        await c.go(["enter"], "Tandem  Console", "Ledger")
        assert PASSWORD.encode() not in c.sent
        await c.go("q", "Log out of the console?")
        await c.go(["tab", "enter"], "Tandem  Login")
        await c.hides("****")


@scene(switch=False)
async def test_every_screen_says_what_the_licence_is(t):
    for state, mark in (("UNLICENSED", "UNLICENSED"), ("expired", "EXPIRED"), ("lapsed", "LAPSED")):
        licence = {"licence_state": state, "development_key": True}
        async with Fake(t.switch.path, {"license.show": licence}, {}):
            async with console(t, "--login", "--hash", hash_file(t)) as c:
                await c.see("Tandem  Login", f"{mark} DEVELOPMENT")
                await c.go([PASSWORD, "enter"], "Tandem  Console", f"{mark} DEVELOPMENT")
        os.unlink(t.switch.path)
    async with console(t, "--login") as c:
        await c.see("Tandem  Login", "DEVELOPMENT")  # as the build is, without any switch


async def test_nothing_else_gets_past_it(t):
    async with console(t, "--login", "--hash", hash_file(t)) as c:
        await c.see("Tandem  Login")
        for key in ("esc", "\x03", "\x1a", "\x1c", "\x18", "\x04", "f10", "enter"):
            c.press(key)
        await c.see("That is not the password")  # of Enter alone
        await c.go(["f1"], "After three wrong")
        await c.go(["esc"], "Tandem  Login")
        assert c.process.poll() is None


@scene(idle=True)
async def test_three_wrong_ones_are_followed_by_a_pause(t):
    async with console(t, "--login", "--hash", hash_file(t)) as c:
        await c.see("Tandem  Login")
        for _ in range(3):
            await c.go(["wrong", "enter"], "That is not the password")
        await c.see("Too many wrong ones: wait")
        c.press(PASSWORD, "enter")     # is nothing while it lasts
        await c.see("wait 8 s")
        assert "****" not in c.text
        await c.hides("Too many wrong ones")
        await c.go([PASSWORD, "enter"], "Tandem  Console")


async def test_without_a_hash_nobody_gets_in(t):
    missing = os.path.join(t.folder, "no-such-file")
    async with console(t, "--login", "--hash", missing) as c:
        await c.see("Tandem  Login")
        await c.go(["anything", "enter"], "no-such-file cannot be used")
    broken = os.path.join(t.folder, "broken")
    with open(broken, "w", encoding="ascii") as f:
        f.write("$scrypt$ln=63,r=8,p=1$AAAA$AAAA\n")
    async with console(t, "--login", "--hash", broken) as c:
        await c.see("Tandem  Login")
        await c.go(["anything", "enter"], "broken cannot be used: it holds no password hash")


@scene(idle=True)
async def test_an_idle_operator_is_logged_out(t):
    async with console(t, "--login", "--hash", hash_file(t), "--idle", "2") as c:
        await c.see("Tandem  Login")
        await c.go([PASSWORD, "enter"], "Tandem  Console")
        await c.go("a", "Tandem  Accounts")
        await c.go("a", "New account")
        await c.see("Tandem  Login")
        await c.go([PASSWORD, "enter"], "Tandem  Console")


async def test_a_licence_is_activated_by_its_pasted_text(t):
    """A text that is none is refused with what is wrong; the right one ends the mark UNLICENSED."""
    text = "".join((await sign(t.switch.binaries, lines=30)).splitlines())
    async with console(t) as c:
        await c.see("Tandem  Console", "UNLICENSED")
        await c.go("y", "Activate a licence", "content")
        await c.go(['{"customer":1}', "f2"], "[ Activate ]", "the licence file does not say")
        await c.go(["clear", text, "f2"], "Acme Telecom")
        await c.go(["enter"], "Tandem  Console", "30 lines")
        await c.hides("UNLICENSED")
    assert (await t.status())["licence_lines"] == 30
