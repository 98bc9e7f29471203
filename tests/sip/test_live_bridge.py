"""Attended transfer made by the switch: REFER with Replaces between two calls of the one who asks (RFC 3515, 3891).

Neither of the other two has REFER or Replaces: all that they see is a re-INVITE."""

import asyncio

from harness import sip
from harness.dialogs import asked, of_method
from harness.rtp import Media
from harness.scene import live, scene
from harness.sip import Sdp
from harness.stage import SELL


def worker_of(session):
    """The worker whose dialog it is, by the tag that the switch gave it (transport/steer.h)."""
    return int(sip.param(session.remote, "tag")[1:3], 16)


async def beside(t, place, session):
    """A second call, on another worker than the first, if there is one. Where a Call-ID leads is anybody's guess, so it is
    tried."""
    for _ in range(50):
        call = place()
        await call.expect(200)
        if t.workers == 1 or worker_of(call) != worker_of(session):
            return call
        await call.hang_up()
    raise AssertionError("50 calls, and all on one worker")


async def three(t, **fields):
    """Phones 1001 to 1003, each with an account of its own; only 1002 may transfer."""
    phones = []
    for last, name in enumerate(("acme", "beta", "gamma"), 1):
        await t.phones_account(name, rates={"880": SELL, "1": SELL})
        phones.append(await t.phone(f"100{last}", 10 + last, account=name, call_transfer=last == 2, **fields))
        await phones[-1].register()
    return phones


def refer_to(session, number, tag=None):
    tag = tag or sip.param(session.remote, "tag")
    replaces = f"{session.call_id}%3Bto-tag%3D{tag}%3Bfrom-tag%3D{session.tag}".replace("@", "%40")
    return f"<sip:{number}@x?Replaces={replaces}>"


def refer(side, session, number="1003", tag=None, **more):
    return side.request("REFER", [("Refer-To", refer_to(session, number, tag)),
                                  ("Contact", side.peer.contact(side.flow)), *more.items()])


async def progress(side, n):
    """The n-th NOTIFY of the transfer: its status line and the state of the subscription."""
    msg = await asked(side, "NOTIFY", n)
    assert msg.get("Event") == "refer" and msg.get("Content-Type").startswith("message/sipfrag")
    return msg.body.decode().strip(), msg.get("Subscription-State")


async def hold(session, way="sendonly"):
    answer = await session.reinvite(Sdp(session.peer.ip, session.sdp.port, session.sdp.payloads, way,
                                        version=session.cseq + 5))
    assert answer.code == 200, answer.start_line()


def answers_hold(session):
    """An end that answers each offer by its direction, as RFC 3264 wants it; the offers that came are kept."""
    session.offers = []

    def on_reinvite(_session, txn):
        offer = txn.msg.sdp
        session.offers.append(offer)
        way = {"sendonly": "recvonly", "inactive": "inactive"}.get(offer.direction, "sendrecv")
        session.send_ok(txn, Sdp(session.peer.ip, session.sdp.port, session.sdp.payloads, way,
                                 version=len(session.offers) + 1))
    session.on_reinvite = on_reinvite


async def consult(t, first, second, third, first_sdp="default", third_sdp=None):
    """1001 has called 1002, who holds it and talks with 1003: (A's call, B's leg, B's call, C's leg)."""
    if third_sdp:
        async def plan(leg):
            leg.sdp = third_sdp
            leg.accept()
        third.plan = plan
    call = first.call(second.number, sdp=first_sdp)
    await call.expect(200)
    leg = await second.leg()
    await leg.ack()
    answers_hold(call)
    await hold(leg)
    asking = await beside(t, lambda: second.call(third.number), leg)
    held = third.legs[-1]
    await held.ack()
    answers_hold(held)
    return call, leg, asking, held


async def gone(*sides):
    for side in sides:
        await side.ended_by_peer()


@live("SS_CALL_TRANSFER_BRIDGE")
@scene(idle=True)
async def test_the_two_talk_with_each_other(t):
    """Held by 1002, tied to 1003: media without a gap of content, octet by octet, DTMF and a re-INVITE between the two;
    1002's legs end; one hangs up, both calls end; each is charged to whoever it was. Off: 603, for the others have no
    REFER."""
    first, second, third = await three(t)
    ear, mouth = t.keep(Media(first.ip, "A")), t.keep(Media(third.ip, "C"))
    call, leg, asking, held = await consult(t, first, second, third, Sdp(first.ip, ear.port, (8, 101)),
                                            Sdp(third.ip, mouth.port, (8, 101)))
    await t.set("SS_CALL_TRANSFER_BRIDGE", "Off")
    assert (await refer(leg, asking).response()).code == 603
    await t.set("SS_CALL_TRANSFER_BRIDGE", "On")
    answer = await refer(leg, asking).response()
    assert answer.code == 202 and answer.contact
    assert await progress(leg, 1) == ("SIP/2.0 100 Trying", "active;expires=60")
    assert await progress(leg, 2) == ("SIP/2.0 200 OK", "terminated;reason=noresource")
    await gone(leg, asking)
    assert [o.direction for o in held.offers] == ["sendrecv"]
    assert [o.direction for o in call.offers] == ["sendonly", "sendrecv"]
    assert all(o.ip == t.switch.ip for o in call.offers + held.offers)
    assert call.offers[-1].port == call.offers[0].port, "our port stays for the life of the leg"
    ear.aim(call.remote_sdp)
    mouth.aim(held.remote_sdp)
    await asyncio.gather(ear.talk(40), mouth.talk(40))
    await asyncio.gather(mouth.heard(ear, 40), ear.heard(mouth, 40))
    info = call.build("INFO", headers=[("Content-Type", "application/dtmf-relay")])
    info.body = b"Signal=5\r\nDuration=160\r\n"
    assert (await call.peer.request(info, call.next_hop()).response()).code == 200
    assert (await asked(held, "INFO")).body.startswith(b"Signal=5")
    await hold(held)
    assert call.offers[-1].direction == "sendonly"
    await hold(held, "sendrecv")
    assert not third.strangers and not first.strangers
    await call.hang_up()
    await held.ended_by_peer()
    row = await t.cdr(call, reason="CallerHangup", hangup_side="caller", account="acme", caller_phone="1001")
    assert row["hold_ms"] > 0 and row["billed_s"] > 0
    other = await t.cdr(asking, reason="CallerHangup", hangup_side="caller", account="beta", caller_phone="1002")
    assert other["hold_ms"] > 0 and other["billed_s"] > 0
    steps = (await t.ctl.ask("cdr.explain", id=other["id"]))["steps"]
    assert any(s["step"] == "transfer" and call.call_id in s["detail"] for s in steps), steps


@scene(idle=True)
async def test_both_were_called(t):
    """A customer's gateway ties two of a vendor's numbers together, and pays for both; it wants no NOTIFY."""
    caller, carrier = await t.plain(call_transfer=True)
    one = caller.invite("88017")
    await one.expect(200)
    other = await beside(t, lambda: caller.invite("88018"), one)
    a, c = await carrier.leg("88017"), carrier.legs[-1]
    await c.ack()
    assert (await refer(one, other, "88018", **{"Refer-Sub": "false"}).response()).get("Refer-Sub") == "false"
    await gone(one, other)
    assert len(a.reinvites) == 1 == len(c.reinvites) and not of_method(one, "NOTIFY")
    await asyncio.sleep(0.1)  # longer than what is rounded to nothing
    await c.hang_up()
    await a.ended_by_peer()
    assert (await t.cdr(one, reason="CallerHangup"))["cost_billed_s"] > 0
    assert (await t.cdr(other, reason="CalleeHangup"))["cost_billed_s"] > 0


@scene(idle=True)
async def test_both_have_called(t):
    """Both pay on, and whoever asked pays nothing."""
    first, second, third = await three(t)
    call = first.call(second.number)
    await call.expect(200)
    leg = await second.leg()
    await leg.ack()
    their = await beside(t, lambda: third.call(second.number), call)
    held = second.legs[-1]
    await held.ack()
    assert (await refer(leg, held).response()).code == 202
    await gone(leg, held)
    await their.hang_up()
    await call.ended_by_peer()
    await t.cdr(call, reason="CalleeHangup", account="acme")
    await t.cdr(their, reason="CallerHangup", account="gamma")


@scene(idle=True)
async def test_it_does_not_come_about(t):
    """C refuses the change: B is told, and both calls are as they were. C's dialog is gone: that call ends, the other
    goes on. Somebody else's call is not B's to give."""
    first, second, third = await three(t)
    call, leg, asking, held = await consult(t, first, second, third)
    held.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(488, tag=session.tag))
    assert (await refer(leg, asking).response()).code == 202
    assert await progress(leg, 2) == ("SIP/2.0 488 Not Acceptable Here", "terminated;reason=noresource")
    await hold(leg, "sendrecv")
    assert call.offers[-1].direction == "sendrecv" and len(call.offers) == 2
    answers_hold(held)
    await hold(asking)
    assert held.offers[-1].direction == "sendonly"
    theirs = await beside(t, lambda: third.call(first.number), leg)
    assert (await refer(leg, theirs).response()).code == 603
    await theirs.hang_up()
    held.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(481, tag=session.tag))
    assert (await refer(leg, asking).response()).code == 202
    assert (await progress(leg, 4))[0] == "SIP/2.0 481 Call/Transaction Does Not Exist"
    await gone(asking)
    assert not call.bye_seen and not leg.bye_seen
    await leg.hang_up()
    await call.ended_by_peer()
    await t.cdr(call, reason="CalleeHangup")
    await t.cdr(asking, hangup_side="switch")


@scene(idle=True)
async def test_who_asked_hangs_up_at_once(t):
    """B's BYEs right behind its REFER end its part and no more; with a refusal of C's behind them they end the calls."""
    first, second, third = await three(t)
    call, leg, asking, held = await consult(t, first, second, third)
    waits = []
    held.on_reinvite = lambda session, txn: (waits.append(txn), session.changed())
    refer(leg, asking)
    await held.until(lambda: waits, "re-INVITE at C")
    await leg.hang_up()
    await asking.hang_up()
    assert not call.bye_seen and not held.bye_seen
    held.send_ok(waits[0], held.sdp)
    await call.until(lambda: len(call.offers) == 2 and len(call.acks) == 2, "re-INVITE at A")
    assert not call.bye_seen and not held.bye_seen
    await held.hang_up()
    await call.ended_by_peer()
    await t.cdr(call, reason="CalleeHangup")
    await t.cdr(asking, reason="CalleeHangup")
    third.plans.clear()
    call, leg, asking, held = await again(t, first, second, third)
    waits.clear()
    held.on_reinvite = lambda session, txn: (waits.append(txn), session.changed())
    refer(leg, asking)
    await held.until(lambda: waits, "re-INVITE at C")
    await leg.hang_up()
    await asking.hang_up()
    waits[0].reply(waits[0].msg.reply(488, tag=held.tag))
    await gone(call, held)
    await t.cdr(call, reason="CalleeHangup")
    await t.cdr(asking, reason="CallerHangup")


@scene(idle=True)
async def test_a_is_gone_before_it_comes_about(t):
    """A hangs up while C is asked: that call ends, C's answer is acknowledged, and B and C go on."""
    first, second, third = await three(t)
    call, leg, asking, held = await consult(t, first, second, third)
    waits = []
    held.on_reinvite = lambda session, txn: (waits.append(txn), session.changed())
    assert (await refer(leg, asking).response()).code == 202
    await held.until(lambda: waits, "re-INVITE at C")
    await call.hang_up()
    await leg.ended_by_peer()
    acks = len(held.acks)
    held.send_ok(waits[0], held.sdp)
    await held.until(lambda: len(held.acks) > acks, "ACK of C's 200")
    answers_hold(held)
    await hold(asking)
    assert held.offers[-1].direction == "sendonly" and not held.bye_seen
    await asking.hang_up()
    await held.ended_by_peer()
    await t.cdr(call, reason="CallerHangup")
    await t.cdr(asking, reason="CallerHangup")


async def again(t, first, second, third):
    call = first.call(second.number)
    await call.expect(200)
    leg = await second.leg(nth=len(second.legs) - 1)
    await leg.ack()
    answers_hold(call)
    asking = await beside(t, lambda: second.call(third.number), leg)
    held = third.legs[-1]
    await held.ack()
    return call, leg, asking, held


@scene(idle=True)
async def test_glare_and_silence(t):
    """A's own re-INVITE meets ours: 491, and after the times of RFC 3261 §14.1 ours comes again. An A that is not there any
    more ends both calls."""
    first, second, third = await three(t)
    call, leg, asking, held = await consult(t, first, second, third)
    came = []

    def glare(session, txn):
        came.append(txn)
        if len(came) == 1:
            txn.reply(txn.msg.reply(491, tag=session.tag))
        else:
            session.send_ok(txn, session.sdp)
        session.changed()
    call.on_reinvite = glare
    assert (await refer(leg, asking).response()).code == 202
    await call.until(lambda: len(came) == 2, "re-INVITE again")
    assert (await progress(leg, 2))[0] == "SIP/2.0 200 OK"
    await gone(leg, asking)
    await call.hang_up()
    await held.ended_by_peer()
    call, leg, asking, held = await again(t, first, second, third)
    call.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(481, tag=session.tag))
    assert (await refer(leg, asking).response()).code == 202
    await gone(call, leg, asking, held)
    await t.cdr(call, hangup_side="switch")
    await t.cdr(asking, hangup_side="switch")


@live("SS_CALL_TRANSFER_ASK_DISPLAY")
@scene(idle=True)
async def test_the_number_that_the_vendor_is_told(t):
    """A vendor that gets P-Asserted-Identity gets the new party's with the re-INVITE; `local`: nobody else's."""
    first, second, third = await three(t)
    carrier = await t.carrier()
    await t.vendor(carrier, pai="caller")
    for shown in ("original", "local"):
        await t.set("SS_CALL_TRANSFER_ASK_DISPLAY", shown)
        call, leg, asking, _ = await again(t, first, second, third)
        await asking.hang_up()
        asking = await beside(t, lambda: second.call("88017"), leg)
        c = carrier.legs[-1]
        await c.ack()
        assert "<sip:1002@" in c.invite.get("P-Asserted-Identity")
        assert (await refer(leg, asking, "88017").response()).code == 202
        await gone(leg, asking)
        told = c.reinvites[0].get("P-Asserted-Identity")
        assert "<sip:1001@" in told if shown == "original" else told is None, told
        await call.hang_up()
        await c.ended_by_peer()


@scene(idle=True)
async def test_a_crash_ends_the_two(t):
    """After a SIGKILL the two that talk with each other are told BYE, and nobody else is."""
    first, second, third = await three(t)
    call, leg, asking, held = await consult(t, first, second, third)
    assert (await refer(leg, asking).response()).code == 202
    await gone(leg, asking)
    await t.books.journalled()
    byes = [len(of_method(s, "BYE")) for s in (leg, asking)]
    t.switch.kill()
    await t.switch.start()
    await gone(call, held)
    assert [len(of_method(s, "BYE")) for s in (leg, asking)] == byes
    await t.cdr(call, reason="SwitchRestarted")
    await t.cdr(asking, reason="SwitchRestarted")
