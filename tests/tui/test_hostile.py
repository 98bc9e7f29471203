"""What strangers wrote, on an operator's screen."""

import os

from fake import Fake
from harness.scene import scene
from harness.terminal import Terminal
from terminal import console

# Title, clear, C1 control, report of the cursor, bidi, zero width, a tag, lone surrogates' neighbours.
EVIL = "a\x1b]0;pwn\x07\x1b[2J\x1b[6n\x9b31m\u202eevil\u2066\u200b\U000e0041\x7f\r\n\tz"
ACTED_ON = [s.encode() for s in ("\x1b]0;", "\x1b[6n", "\x9b", "\u202e", "\u2066", "\u200b", "\U000e0041",
                                 "\x7f")]


def harmless(c):
    for bytes_ in ACTED_ON:
        assert bytes_ not in c.sent, f"{bytes_!r} was sent to the terminal"
    assert c.screen.title == "", c.screen.title


def evil_row(*names):
    return {name: EVIL for name in names}


ROWS = [evil_row("id", "name", "caller", "callee", "account", "state", "reason", "start", "address",
                 "prefix", "group", "value", "help", "type", "level", "object", "info", "at", "who",
                 "operation", "key", "memo", "begin", "mapping_gateway", "licence", "sip_code"),
        {"id": [1, {"x": EVIL}], "name": {EVIL: EVIL}, "caller": None, "before": {EVIL: [EVIL]}},
        {}]


PAGES = {"c": "Calls in progress", "d": "Call records", "a": "Accounts", "p": "Payments",
         "m": "Mapping gateways", "v": "Routing gateways", "s": "Gateway status", "t": "Rate groups",
         "g": "Gateway groups", "h": "Time plans", "x": "Calls that failed", "o": "Parameters", "b": "Bans", "w": "Alarms", "l": "Log of changes"}


async def home(c):
    """Esc until the first page is there; how many it takes depends on what Enter opened."""
    for _ in range(6):
        c.press("esc")
        try:
            return await c.see("Tandem  Console", "q Quit", within=1)
        except AssertionError:
            continue
    raise AssertionError(c.text)


@scene(switch=False)
async def test_nothing_of_it_acts_on_the_terminal(t):
    """Every page, before a daemon that answers with such texts whatever it is asked."""
    path = os.path.join(t.folder, "control.sock")
    steps = {"step": EVIL, "verdict": EVIL, "detail": EVIL}
    answers = {"status.show": {**evil_row("version", "licence", "asr"), "ledger": evil_row("error")},
               "license.show": evil_row("licence_state", "licence"),
               "cdr.explain": {"id": EVIL, "steps": [steps, steps]},
               "alarm.list": ROWS, "call.show": evil_row("id", EVIL)}

    def otherwise(params):
        return {EVIL: EVIL, "id": EVIL, "differences": [{EVIL: EVIL}]} if params.get("id") else ROWS
    async with Fake(path, answers, otherwise) as fake:
        program = os.path.join(t.switch.binaries, "switch-console")
        async with Terminal([program, "-s", path], gently=True) as c:
            await c.see("Tandem  Console", "]0;pwn")
            for key, title in PAGES.items():
                await c.go(key, f"Tandem  {title}")
                c.press("enter")
                await home(c)
            await c.go("k", "Done: 0 of 3 passed")
            harmless(c)
        asked = {m for m, _ in fake.asked}
        assert asked > {"call.list", "account.list", "parameter.list", "log.list"}, asked


async def test_a_callers_name_is_only_text(t):
    """What comes in a call, by way of the switch: escape sequences in every part that takes them."""
    caller, _ = await t.plain()
    taken = []
    for part in ({"from_value": '"\u202e\u009b2J" <sip:1001@x>'}, {"from_value": '"\u200b" <sip:1001@x>'},
                 {"caller": "%1B%5B2J"}, {"caller": "\u202e1001"}, {"call_id": "x%1b[2J@x"},
                 {"call_id": "x\u202e@x"}, {"headers": (("User-Agent", "\u009b2J"),)}):
        call = caller.invite("8801712345678", **part)
        await call.final()
        if call.ok:
            taken.append(call)
    assert taken, "the switch took none of them"
    for call in taken:
        await call.hang_up()
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("d", "Tandem  Call records", "8801712345678")
        await c.go(["enter"], "call_id:")
        harmless(c)
        await c.go(["esc"], "Enter Show")
        await c.go("e", "Why the call went")
        harmless(c)


async def test_a_name_with_invisible_letters_is_shown(t):
    await t.ctl.ask("account.add", id="acme", limit_money="0", name="A\u200bB\u05d0\u0301C")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("a", "acme", "A\ufffdB\u05d0")
        harmless(c)


@scene(switch=False)
async def test_odd_answers_are_survived(t):
    """Not what the operation promises: other types, deep, long, nothing at all."""
    path = os.path.join(t.folder, "control.sock")
    program = os.path.join(t.switch.binaries, "switch-console")
    for odd in (None, 7, "x", [], {}, [[[]]], [None], {"steps": 5}, [{"name": "x" * 100000}], [True, {"id": 1.5}]):
        async with Fake(path, {}, odd):
            async with Terminal([program, "-s", path], gently=True) as c:
                await c.see("Tandem  Console")
                for key in "cdapmvstowlki":
                    c.press(key, "enter", "e", "h", "esc", "esc", "esc", "esc")
                    c.press("esc")
                await home(c)
                assert c.process.poll() is None
        os.unlink(path)
