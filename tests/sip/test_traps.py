"""What gives an attacker away: numbers that nobody has a reason to call, and very many wrong passwords of one user
(security.md A5, F5)."""

import asyncio
import contextlib
import json
import socket

from harness import digest
from harness.scene import scene
from harness.watch import poll


@contextlib.asynccontextmanager
async def lockoutd(t):
    """switch-lockoutd's end of the security socket: a function that gives the next event of that name."""
    path = f"{t.folder}/security.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as events:
        events.bind(path)
        events.setblocking(False)
        t.switch.extra = ["--security", path]
        await t.switch.start()

        async def heard(name):
            while True:
                data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(events, 4096), 15)
                event = json.loads(data)
                if event["event"] == name:
                    return event
        yield heard


async def alarm(t, kind):
    async def there():
        return next((a for a in await t.ctl.ask("alarm.list") if a["type"] == kind), None)
    return await poll(there, f"the alarm {kind}")


async def honeypot(t, *numbers):
    await t.ctl.ask("number-list.add", name="trap", honeypot=True)
    for number in numbers:
        await t.ctl.ask("listed-number.add", list="trap", number=number)


@scene(start=False)
async def test_who_calls_a_honeypot_number_is_told(t):
    """A customer's call is refused and raises an alarm; a stranger gets no answer; both are events."""
    async with lockoutd(t) as heard:
        caller, _ = await t.plain()
        stranger = await t.caller("stranger", last=77)
        await honeypot(t, "88099", "88017")
        cdr = await t.refused(caller.invite("88099"), 403, "Blacklisted")
        assert "honeypot" in str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
        event = await heard("honeypot")
        assert (event["src"], event["account"], event["detail"], event["proof"]) == (
            caller.ip, "acme-in", "88099", "none"), event
        shown = await alarm(t, "honeypot")
        assert (shown["object"], shown["value"], shown["level"]) == ("acme-in", 1, "major"), shown
        told = await t.ctl.ask("route.explain", gateway="acme-in", caller="1", callee="88099")
        assert told["verdict"] == "Blacklisted", told

        silent = [stranger.ask("INVITE", headers=[("To", f"<sip:{n}@x>")]) for n in ("88016", "88017")]
        silent.append(stranger.ask("REGISTER", headers=[("To", "<sip:88099@x>")]))
        events = [await heard("honeypot") for _ in range(2)]  # in any order: of two workers
        assert {(e["src"], e["detail"], e["proof"]) for e in events} == {
            (stranger.ip, "88017", "none"), (stranger.ip, "88099", "none")}, events
        await t.ctl.ask("whitelist.add", number="88017")
        await caller.place("88017")
        await t.ctl.ask("number-list.set", name="trap", honeypot=False)
        await caller.place("88099")
        assert not any(txn.final for txn in silent)
        for txn in silent:
            txn.stop()


async def codes(caller, *passwords):
    calls = [caller.invite("88017", credentials=("u", p, "MD5")) for p in passwords]
    found = []
    for call in calls:
        found.append((await call.final()).code)
        if call.ok:
            await call.hang_up()
    return found


@scene(idle=True)
async def test_a_hundred_wrong_passwords_of_one_user(t):
    """From two sources together: an alarm, and from then on each source is heard once a second. Nobody is locked."""
    right = "a pass word 9"
    caller, other = await t.caller(), await t.caller("other", last=9)
    carrier = await t.carrier()
    await t.customer(caller, auth="password", address=[t.net.cidr], user="u", password=right)
    await t.vendor(carrier)
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 0)
    assert set(await codes(caller, *["no"] * 60) + await codes(other, *["no"] * 39)) == {403}
    assert await codes(caller, right) == [200]
    assert not [a for a in await t.ctl.ask("alarm.list") if a["type"] == "password_guessing"]
    assert await codes(other, "no") == [403]
    shown = await alarm(t, "password_guessing")
    assert (shown["object"], shown["value"], shown["level"]) == ("acme-in", 100, "major"), shown

    async def paused():
        return await codes(caller, "no") + await codes(caller, right) == [403, 403]
    await poll(paused, "the pause after a wrong one")
    assert await codes(other, right) == [200], "the user is locked elsewhere"

    async def heard():
        return await codes(caller, right) == [200]
    await poll(heard, "the end of the pause")


@scene(idle=True)
async def test_very_many_guesses_do_not_tell_who_exists(t):
    """The pause after a wrong one comes to a name that nobody has as it comes to one that somebody has: the same answers to the same
    tries, also where a wrong one is asked again (A4, A5)."""
    caller = await t.caller()
    await t.customer(caller, auth="password", address=[t.net.cidr], user="u", password="a pass word 9")
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 0)
    await t.set("SS_SIP_AUTHENTICATION_RETRY", 1)

    async def asked_again(user):
        """How often a wrong one is challenged: once, unless its source is in the pause."""
        call = caller.invite("88017")
        first = await call.final()
        times = 0
        while first.code == 401:
            call.answer = None
            caller.send_invite(call, call.txn.msg.uri, [digest.answer(first, "INVITE", call.txn.msg.uri, user, "no", "MD5")])
            first = await call.final()
            times += 1
        assert first.code == 403, first.code
        return times
    for user in ("u", "nobody-is-called-that"):
        for _ in range(50):
            assert await asked_again(user) == 2, user  # each is two wrong ones

        async def paused():
            await asked_again(user)
            return await asked_again(user) == 1
        await poll(paused, f"the pause of {user}")
