"""Licences: made, shown, refused with what is wrong, and lines never exceeded by one."""

import hashlib
import json
import os

from harness.control import Refused
from harness.licence import moment, sign, tool
from harness.plans import silent_after
from harness.scene import scene
from harness.watch import poll

MACHINE = "ab" * 32


async def refused(t, content, *words):
    """The file is not taken; the switch says what is wrong, in these words."""
    before = await t.ctl.ask("license.show")
    try:
        await t.ctl.ask("license.activate", content=content)
    except Refused as e:
        text = json.dumps(e.error).lower()
        assert all(w in text for w in words), (words, text)
        after = await t.ctl.ask("license.show")
        assert {**after, "this_machine": None} == {**before, "this_machine": None}, (before, after)
        return
    raise AssertionError(f"a licence was taken that should be refused: {words}")


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


async def full(t, caller, lines):
    """That many calls ring; the next is refused, with 503 and its reason."""
    ringing = []
    for i in range(lines):
        ringing.append(caller.invite(f"88017{i:03d}"))
        await ringing[-1].rings()
    await t.refused(caller.invite("880199"), 503, "LicenceLinesExceeded")
    return ringing


async def cancelled(ringing):
    for call in ringing:
        call.cancel()
        await call.expect(487)


async def test_unlicensed_is_unlimited_and_says_so(t):
    caller, carrier = await t.plain()
    carrier.plan = silent_after(180)
    status = await t.status()
    assert (status["licence"], status["licence_state"], status["licence_lines"]) == ("UNLICENSED", "UNLICENSED", None)
    ringing = [caller.invite(f"88017{i:03d}") for i in range(40)]
    for call in ringing:
        await call.rings()
    await cancelled(ringing)
    _, out, _ = await t.switch.cli("status")
    assert "UNLICENSED" in out


async def test_lines_are_enforced_from_the_next_call_on(t):
    """Two calls up when a licence of one line comes: both go on, no third starts, and so on."""
    caller, carrier = await t.plain()
    carrier.plan = silent_after(180)
    ringing = [caller.invite("8801701"), caller.invite("8801702")]
    for call in ringing:
        await call.rings()
    file = write(os.path.join(t.folder, "licence"), await sign(t.binaries, lines=1, expires=moment(days=9)))
    status, out, err = await t.switch.cli("license", "activate", file)
    assert status == 0 and "Acme Telecom" in out, err
    await t.refused(caller.invite("8801703"), 503, "LicenceLinesExceeded")
    assert (await t.status())["calls"] == 2
    await cancelled(ringing)
    await cancelled(await full(t, caller, 1))
    shown = await t.status()
    assert (shown["licence"], shown["licence_lines"]) == ("Acme Telecom", 1)
    assert shown["licence_expires"].startswith(moment(days=9)[:10]), shown
    _, out, _ = await t.switch.cli("status")
    assert "Acme Telecom" in out and "licence_expires" in out
    (entry, *_) = await t.ctl.ask("log.list")
    assert entry["operation"] == "license.activate" and "Acme Telecom" in json.dumps(entry["after"])


async def test_a_licence_is_kept_over_a_restart(t):
    caller, carrier = await t.plain()
    carrier.plan = silent_after(180)
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=3))
    await t.switch.restart()
    assert (await t.status())["licence_lines"] == 3
    await cancelled(await full(t, caller, 3))
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=4))
    await cancelled(await full(t, caller, 4))


async def test_calls_a_second_are_licensed_too(t):
    caller, _carrier = await t.plain()
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=100, cps=2))
    calls = [caller.invite(f"88017{i}") for i in range(12)]
    for call in calls:
        await call.final()
    passed = [c for c in calls if c.ok]
    if max(c.answered_at for c in calls) - calls[0].invited < 1:
        assert len(passed) == 2, len(passed)
    for call in passed:
        await call.hang_up()


@scene(start=False)  # --media-ports would hold for the whole run
async def test_too_few_media_ports_are_told_of(t):
    """Four ports a call, and ten seconds of rest: what SS_MEDIA_PORT_RANGE lacks is said when the licence comes and afterwards."""
    t.switch.media_ports = None
    await t.switch.start()
    await t.set("SS_MEDIA_PORT_RANGE", "20000,20399")
    assert (await t.ctl.ask("license.show"))["warning"] is None, "no licence, no load that is known"
    shown = await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=80, cps=2))
    assert shown["warning"] is None, shown
    file = write(os.path.join(t.folder, "licence"), await sign(t.binaries, lines=81, cps=2))
    status, out, err = await t.switch.cli("license", "activate", file)
    assert status == 0 and "400 ports" in out and "need 404" in out, (out, err)
    assert "need 404" in (await t.ctl.ask("license.show"))["warning"]
    await t.set("SS_MAX_CALL_PER_SECOND", 1)
    assert (await t.ctl.ask("license.show"))["warning"] is None, "fewer begin in a second"


async def test_what_is_refused_and_why(t):
    good = await sign(t.binaries, lines=3, machine="any")
    other = os.path.join(t.folder, "other")
    os.mkdir(other)
    assert (await tool(t.binaries, "keygen", other))[0] == 0
    foreign = await sign(t.binaries, key=os.path.join(other, "licence.pem"))
    await refused(t, good.replace('"lines": 3', '"lines": 4'), "changed after it was signed")
    await refused(t, good.replace("Acme", "Evil"), "changed after it was signed")
    await refused(t, foreign, "not signed by us")
    await refused(t, await sign(t.binaries, machine=MACHINE), "bound to a machine", "not known")
    await refused(t, await sign(t.binaries, issued=moment(days=-9), expires=moment(days=-1)), "has expired")
    await refused(t, good[:-20], "not json")
    await refused(t, "[]", "not a json object")
    await refused(t, good.replace('"cps"', '"more": 1, "cps"'), "says more than a licence does")
    await refused(t, good.replace('"lines": 3', '"lines": 3, "lines": 4'), "duplicate")
    await refused(t, good.replace('"lines": 3', '"lines": -3'), "lines")
    await refused(t, good.replace('"lines": 3', '"lines": 3.5'), "lines")
    await refused(t, good + " " * 9000, "bytes")
    await refused(t, "", "bytes")
    status, _, err = await t.switch.cli("license", "activate", os.path.join(t.folder, "none"))
    assert status == 1 and "No such file" in err
    assert (await t.status())["licence"] == "UNLICENSED"


@scene(start=False)
async def test_bound_to_this_machine(t):
    t.switch.extra = ["--machine", os.path.join(t.folder, "machine-id")]
    await t.switch.start()
    mine = await sign(t.binaries, machine=MACHINE)
    await refused(t, mine, "not known")
    write(os.path.join(t.folder, "machine-id"), MACHINE + "\n")
    await refused(t, await sign(t.binaries, machine="cd" * 32), "another machine", MACHINE)
    shown = await t.ctl.ask("license.activate", content=mine)
    assert shown["machine"] == shown["this_machine"] == MACHINE
    write(os.path.join(t.folder, "machine-id"), "cd" * 32 + "\n")
    await t.switch.restart()
    shown = await t.ctl.ask("license.show")
    assert shown["licence"] == "UNLICENSED" and "another machine" in shown["problem"], shown
    assert [a["type"] for a in await t.ctl.ask("alarm.list")] == ["licence"]


async def alarm(t):
    return [a for a in await t.ctl.ask("alarm.list") if a["type"] == "licence"]


async def test_expiry_warns_and_ends_nothing(t):
    """The end comes while a call is up: an alarm, the call goes on, the next passes, more can be added."""
    caller, _carrier = await t.plain()
    call = caller.invite("8801701")
    await call.expect(200)
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=2, issued=moment(days=-9),
                                                           expires=moment(seconds=1.5)))
    assert not await alarm(t)
    (found,) = await poll(lambda: alarm(t), "an alarm of the licence")
    assert "expired" in found["info"] and (await t.status())["licence_state"] == "expired"
    other = caller.invite("8801702")
    await other.expect(200)
    await t.refused(caller.invite("8801703"), 503, "LicenceLinesExceeded")
    await t.account("late")
    for up in (call, other):
        await up.hang_up()


@scene(start=False)
async def test_a_month_after_the_end_lines_are_few_and_nothing_is_new(t):
    caller, carrier = await t.caller(), await t.carrier()
    carrier.plan = silent_after(180)
    await t.switch.start()
    await t.customer(caller)
    await t.vendor(carrier)
    await t.switch.stop()
    write(os.path.join(t.switch.data, "licence.json"),
          await sign(t.binaries, lines=30, issued=moment(days=-90), expires=moment(days=-31)))
    await t.switch.start()
    assert (await t.status())["licence_state"] == "lapsed" and await alarm(t)
    await cancelled(await full(t, caller, 10))
    try:
        await t.account("late")
        raise AssertionError("an account was made on a lapsed licence")
    except Refused as e:
        assert "expired" in e.message and e.data["code"] == "forbidden"
    await t.ctl.ask("account.set", id="acme", memo="what is there can be changed")
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=12))
    await cancelled(await full(t, caller, 12))
    await t.account("late")


@scene(start=False)
async def test_a_damaged_file_is_an_alarm_and_no_failure(t):
    for content in ("", "{", (await sign(t.binaries)).replace("Acme", "Evil"), "\0" * 100, "x" * 20000):
        write(os.path.join(t.switch.data, "licence.json"), content)
        await t.switch.start()
        assert (await t.status())["licence"] == "UNLICENSED" and len(await alarm(t)) == 1
        await t.switch.stop()
    await t.switch.start()


@scene(switch=False)
async def test_the_tool(t):
    """Keys are not replaced, a licence verifies on its machine only, and what is wrong is said."""
    folder = t.folder
    assert (await tool(t.binaries, "keygen", folder))[0] == 0
    pem, pub = os.path.join(folder, "licence.pem"), os.path.join(folder, "licence.pub")
    assert os.stat(pem).st_mode & 0o777 == 0o600
    status, _, err = await tool(t.binaries, "keygen", folder)
    assert status == 1 and "File exists" in err
    sys = machine(folder, "ACDE0F00-0000-4000-8000-00000000000A", {"eth1": (3, "AA:BB:CC:00:00:02"),
                                                                    "eth0": (7, "aa:bb:cc:00:00:01")})
    status, binding, _ = await tool(t.binaries, "machine", "--sys", sys)
    assert status == 0 and binding.strip() == expected("acde0f00-0000-4000-8000-00000000000a\naa:bb:cc:00:00:02")
    file = write(os.path.join(folder, "l"), await sign(t.binaries, key=pem, machine=binding.strip()))
    assert (await tool(t.binaries, "verify", "--key", pub, "--sys", sys, file))[:2] == (0, "good, valid\n")
    status, _, err = await tool(t.binaries, "verify", "--key", pub, "--sys",
                                machine(os.path.join(folder, "b"), None, {"eth0": (2, "aa:bb:cc:00:00:03")}), file)
    assert status == 1 and "another machine" in err
    status, _, err = await tool(t.binaries, "verify", file)
    assert status == 1 and "not signed by us" in err
    status, out, _ = await tool(t.binaries, "show", file)
    assert status == 0 and "NOT by the key of this build" in out
    for words, says in (((), "no such command"), (("sign",), "--key"), (("sign", "--key", pem, "lines"), "name=value"),
                        (("sign", "--key", pem, "customer=x", "lines=0"), "lines"),
                        (("sign", "--key", pem, "customer=x", "lines=1", "machine=abc"), "machine"),
                        (("sign", "--key", pub, "customer=x", "lines=1"), "no such key"),
                        (("sign", "--key", pem, "colour=red"), "no such field")):
        status, _, err = await tool(t.binaries, *words)
        assert status in (1, 2) and says in err, (words, err)


def machine(folder, uuid, interfaces):
    """A sysfs of our own."""
    sys = os.path.join(folder, "sys")
    if uuid:
        os.makedirs(os.path.join(sys, "class/dmi/id"))
        write(os.path.join(sys, "class/dmi/id/product_uuid"), uuid + "\n")
    os.makedirs(os.path.join(sys, "class/net/lo"))
    write(os.path.join(sys, "class/net/lo/ifindex"), "1\n")
    for name, (index, address) in interfaces.items():
        os.makedirs(os.path.join(sys, "class/net", name, "device"))
        write(os.path.join(sys, "class/net", name, "ifindex"), f"{index}\n")
        write(os.path.join(sys, "class/net", name, "address"), address + "\n")
    return sys


def expected(text):
    return hashlib.sha256(text.encode()).hexdigest()
