"""switch-console --login: what the machine's own console shows."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager

from fake import Fake
from harness.licence import sign
from harness.scene import live, scene
from harness.switch import die_with_parent
from harness.watch import poll
from terminal import console

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "firmware"))

from mk import grubenv  # noqa: E402

PASSWORD = "correct horse 7"


def ends_soon(t):
    """What a minute does to the file: the moments in it lie as much earlier."""
    path = os.path.join(t.folder, "console-tries")
    with open(path, encoding="ascii") as f:
        words = f.read().split()
    words[3:5] = [str(int(w) - 59000) for w in words[3:5]]
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(" ".join(words) + "\n")
    os.rename(path + ".new", path)


@asynccontextmanager
async def host(t):
    """switch-hostd with the same file as the consoles: call it with words of switchctl."""
    state = t.folder
    slots = os.path.join(t.folder, "slots")
    os.mkdir(slots)
    for name, data in (("grubenv", grubenv.block(grubenv.FRESH)), ("image.json", b'{"version": "1", "built": 1}')):
        with open(os.path.join(slots, name), "wb") as f:
            f.write(data)
    with subprocess.Popen([os.path.join(t.switch.binaries, "switch-hostd"), "--control",
                           os.path.join(os.path.dirname(t.switch.path), "host.sock"), "--state", state, "--image",
                           os.path.join(slots, "image.json"), "--slots", slots, "--running", "a", "--conf",
                           os.path.join(t.folder, "tandem.conf"), "--apply", "/bin/false"],
                          preexec_fn=die_with_parent, stderr=subprocess.DEVNULL) as daemon:
        async def ask(*words):
            status, out, err = await t.switch.cli("--json", *words)
            return json.loads(out) if status == 0 else err

        async def answers():
            return isinstance(await ask("login", "show"), dict)
        try:
            await poll(answers, "switch-hostd")
            yield ask
        finally:
            daemon.terminate()


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
        await c.go(["f1"], "SS_MAX_LOGIN_FAILED")
        await c.go(["esc"], "Tandem  Login")
        assert c.process.poll() is None


async def wrong(c, times):
    for _ in range(times):
        await c.go(["wrong", "enter"], "That is not the password")


@live("SS_MAX_LOGIN_FAILED", "SERVER_LOGIN_FAILED_DISABLE_TIME", "SS_LOGIN_LOCK_TIME")
@scene(idle=True)
async def test_too_many_wrong_ones_lock_every_console_until_an_administrator_ends_it(t):
    """SS_MAX_LOGIN_FAILED and SERVER_LOGIN_FAILED_DISABLE_TIME: five, and two minutes, are the defaults; others act on the next wrong
    one. The right password is nothing while it lasts, the other console and one that is started anew say the same, and
    `login unlock` ends it."""
    words = ("--login", "--hash", hash_file(t))
    async with console(t, *words) as c, console(t, *words) as other, host(t) as ctl:
        await c.see("Tandem  Login")
        await wrong(c, 4)
        assert "none is taken" not in c.text
        await wrong(c, 1)
        await c.see("5 wrong in a row: none is taken for 1 min ", "switchctl login unlock")
        c.press(PASSWORD, "enter")     # is nothing while it lasts
        await other.see("5 wrong in a row: none is taken")
        assert "****" not in c.text
        async with console(t, *words) as third:
            await third.see("5 wrong in a row: none is taken")
        shown = await ctl("login", "show")
        assert shown["locked"] and 0 < shown["seconds_left"] <= 120 and shown["wrong"] == 5, shown
        assert not (await ctl("login", "unlock"))["locked"]
        await c.hides("none is taken")
        await other.hides("none is taken")
        await t.set("SS_MAX_LOGIN_FAILED", 2)
        await t.set("SERVER_LOGIN_FAILED_DISABLE_TIME", 3600)
        await wrong(c, 2)
        await c.see("2 wrong in a row: none is taken for 29 min ")  # SS_LOGIN_LOCK_TIME is half an hour
        await ctl("login", "unlock")
        await c.hides("none is taken")
        await wrong(c, 1)
        await c.go([PASSWORD, "enter"], "Tandem  Console", "1 wrong password before this one")


@live("SS_LOGIN_LOCK_TIME")
@scene(idle=True)
async def test_a_lock_ends_by_itself_after_its_time(t):
    """SS_LOGIN_LOCK_TIME bounds it, whatever SERVER_LOGIN_FAILED_DISABLE_TIME says; the console needs nobody for that."""
    await t.set("SS_MAX_LOGIN_FAILED", 1)
    await t.set("SS_LOGIN_LOCK_TIME", 1)
    async with console(t, "--login", "--hash", hash_file(t)) as c:
        await c.see("Tandem  Login")
        await wrong(c, 1)
        await c.see("1 wrong in a row: none is taken for 0 min ")
        ends_soon(t)
        await c.hides("none is taken")
        await c.go([PASSWORD, "enter"], "Tandem  Console")


@scene(switch=False)
async def test_without_a_switch_the_limits_that_were_known_hold(t):
    """switchd does not run: wrong ones are counted all the same, by the limits of before or the defaults."""
    async with console(t, "--login", "--hash", hash_file(t)) as c:
        await c.see("Tandem  Login")
        await wrong(c, 5)
        await c.see("5 wrong in a row: none is taken for 1 min ")


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
