"""Vendors that fail, each kind by its name: what the caller hears, what the vendor is left with, what the record says and what is charged."""

import asyncio

from harness.oracle import Terms
from harness.plans import answer, answer_when, dead, reject, silent_after
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.watch import poll
from test_failover import HIDDEN, STOP, vendors

MINUTE = Terms(price="0.06", first=60, step=60)


async def decisions(t, cdr):
    """[(vendor, verdict, code, reason)] of the tries."""
    steps = (await t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"]
    return [(s["step"], s["verdict"], s.get("code"), s.get("reason")) for s in steps if "try" in s and s["verdict"] != "sent"]


async def goes_on(t, plan, came, within=20, **fields):
    """The first vendor does that, the second answers: the caller's one dialog is the second's, and only that one is charged."""
    caller, (bad, good) = await vendors(t, plan, answer(), **fields)
    call = caller.invite("88017")
    await call.expect(200, within=within)
    assert len(call.to_tags()) == 1
    await call.hang_up()
    leg = good.legs[0]
    cdr = await t.billed(call, leg, reason="CallerHangup", routing_gateway="v2", tries=2)
    vendor, verdict, _code, reason = (await decisions(t, cdr))[0]
    assert (vendor, verdict, reason) == ("v1", "failed, next", came), await decisions(t, cdr)
    assert len(bad.legs) == len(good.legs) == 1
    return bad.legs[0], cdr


async def test_a_dead_vendor(t):
    """Not one answer: the INVITE is repeated, no CANCEL is sent, and the next vendor's turn comes after SS_SIP_TIMEOUT_INVITE."""
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    leg, _cdr = await goes_on(t, dead(), "InviteTimeout")
    assert leg.first.repeats and not leg.cancelled


async def test_a_slow_vendor(t):
    """Slow within its time is no failure: 100 and 180 late, the answer later still."""
    async def slow(leg):
        for code in (100, 180):
            await asyncio.sleep(0.4)  # the slowness itself
            leg.reply(code)
        await asyncio.sleep(0.4)
        leg.accept()
    caller, (v1, v2) = await vendors(t, slow, answer())
    await t.set("SS_SIP_TIMEOUT_INVITE", 2)
    call = await caller.place("88017")
    cdr = await t.billed(call, v1.legs[0], tries=1, routing_gateway="v1")
    assert cdr["pdd_ms"] >= 800 and not v2.legs, cdr


async def test_a_vendor_that_is_too_slow_to_refuse(t):
    """Its refusal comes when the call is the next one's already: acknowledged, and nothing more."""
    over = asyncio.Event()

    async def late(leg):
        leg.reply(100)
        await leg.cancel(within=20)
        await over.wait()
        leg.reply(487)
    caller, (v1, v2) = await vendors(t, late, answer())
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)
    call = caller.invite("88017")
    await call.expect(200)
    over.set()
    await v1.until(lambda: v1.legs[0].first.acked, "ACK of the late refusal")
    await call.hang_up()
    await t.billed(call, v2.legs[0], tries=2)


async def test_every_code_from_400_to_699(t):
    """Preset carrier: those that are a verdict on the called party end the hunt and are the caller's; after any other the next one answers.
    Alone, what is private between us and the vendor is 503 to the caller."""
    caller, (v1, v2) = await vendors(t, answer(), answer())
    await t.set("SS_MAX_CALL_PER_SECOND", 1000)
    for code in range(400, 700):
        v1.on(f"880{code}", reject(code))

    async def one(code):
        call = caller.invite(f"880{code}")
        got = (await call.final(within=30)).code
        if got == 200:
            await call.hang_up()
        cdr = await t.cdr(call)
        assert (got, cdr["tries"], cdr["vendor_code"]) == ((code, 1, code) if code in STOP else (200, 2, 200)), (code, got, cdr)
    for begin in range(400, 700, 50):
        await asyncio.gather(*(one(code) for code in range(begin, begin + 50)))
    await t.ctl.ask("routing-gateway.set", name="v2", status="locked")
    for code in (400, 401, 403, 407, 480, 500, 503, 599, 603, 699):
        call = caller.invite(f"880{code}")
        await call.expect(503 if code in HIDDEN else code)
        await t.cdr(call, vendor_code=code)


async def test_100_and_then_silence(t):
    """CANCEL, for it has said something; the 487 to that is acknowledged."""
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)
    leg, _cdr = await goes_on(t, silent_after(100), "GatewayTimeout")
    await leg.cancel()


async def test_ringing_and_then_silence(t):
    await t.set("SS_SIP_TIMEOUT_RINGING", 1)
    leg, _cdr = await goes_on(t, silent_after(180), "NoAnswer")
    await leg.cancel()


async def test_183_and_then_503(t):
    """Without a description, and with one and its media: what the caller has of the first vendor stays, the second's answer is what counts."""
    for described in (False, True):
        async def plan(leg, described=described):
            leg.reply(183, sdp=leg.sdp if described else None)
            await asyncio.sleep(0.1)  # early media, for a moment
            leg.reply(503)
        if not described:
            caller, (v1, v2) = await vendors(t, plan, answer())
        v1.plan = plan
        call = caller.invite("88017")
        early = await call.rings(183)
        await call.expect(200)
        assert len(call.to_tags()) == 1
        if described:
            assert (call.remote_sdp.ip, call.remote_sdp.port) == (early.sdp.ip, early.sdp.port)
        await call.hang_up()
        cdr = await t.billed(call, v2.legs[-1], tries=2, routing_gateway="v2")
        assert (await decisions(t, cdr))[0][:3] == ("v1", "failed, next", 503)


async def test_an_answer_and_a_bye_at_once(t):
    """It was answered, so the hunt is over: nobody else is asked, the first increment is charged on both sides, and the vendor ended it. So
    with a BYE that does not wait for the ACK."""
    async def without_waiting(leg):
        leg.accept()
        await leg.hang_up()
    caller, (v1, v2) = await vendors(t, answer(bye_after=0), answer(), rates={"880": MINUTE})
    for n, plan in enumerate((answer(bye_after=0), answer(ring=False, bye_after=0), without_waiting)):
        v1.plan = plan
        call = caller.invite("88017")
        await call.expect(200)
        await call.ended_by_peer()
        cdr = await t.billed(call, v1.legs[n], buy=MINUTE, tries=1, reason="CalleeHangup", hangup_side="callee")
        assert cdr["hold_ms"] < 60000 and cdr["cost"] in ("0.06", "0"), cdr
    assert not v2.legs


@scene(idle=True)
async def test_media_one_way_only(t):
    """From either side: an alarm that names who was silent, and the call goes on until it is hung up."""
    caller, carrier = await t.plain()
    await t.set("SS_MEDIA_TIMEOUT", 2)
    media = t.keep(Media(carrier.ip, "far"))
    near = t.keep(Media(caller.ip, "near"))
    answered = asyncio.Event()

    async def plan(leg):
        media.aim(leg.remote_sdp)
        leg.sdp = Sdp(carrier.ip, media.port)
        leg.accept()
        answered.set()
    for talker, silent in ((media, "acme-in as caller"), (near, "vendor as callee")):
        carrier.plan = plan
        call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
        await call.expect(200)
        near.aim(call.remote_sdp)
        await answered.wait()

        async def raised(talker=talker):
            await talker.talk(5, 0.02)
            return [a["object"] for a in await t.ctl.ask("alarm.list") if a["type"] == "one_way_media"]
        assert await poll(raised, "the alarm", within=20) == [silent]
        assert not call.bye_seen
        await call.hang_up()
        await t.billed(call, carrier.legs[-1], reason="CallerHangup")
        await t.ctl.ask("alarm.ack", type="one_way_media")


async def test_an_answer_that_nobody_waits_for(t):
    """The caller gives up while the vendor rings, and the answer crosses: ended at once, and charged to nobody but as the vendor's."""
    event = asyncio.Event()
    caller, (v1, v2) = await vendors(t, answer_when(event), answer())
    call = caller.invite("88017")
    await call.rings()
    call.cancel()
    await call.expect(487)
    await t.cdr(call, fee="0", tries=1)
    assert not v2.legs
