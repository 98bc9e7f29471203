"""Reliable provisional responses, RFC 3262: towards the caller, of a vendor, and who may have them."""

import asyncio

from harness import plans
from harness.dialogs import asked, fork, listed, of_method, prack, reliable
from harness.scene import scene
from harness.sip import Sdp

WANTS = ("Require", "100rel")
CAN = ("Supported", "100rel")


async def sent(call, code, n=1):
    """The n-th different provisional response of that code: repeats count once."""
    def found():
        seen = {}
        for _, m in call.provisional:
            if m.code == code:
                seen.setdefault(m.get("RSeq"), m)
        return list(seen.values())[n - 1] if len(seen) >= n else None
    return await call.until(found, f"{code} #{n}")


def rings(event, *steps):
    """Provisional responses at once (code, or code with a description), 200 when the event is set."""
    async def plan(leg):
        for code in steps:
            leg.reply(abs(code), sdp=leg.sdp if code < 0 else None)
        await event.wait()
        leg.accept()
    return plan


@scene(idle=True)
async def test_a_caller_that_requires_it(t):
    """§3: Require and RSeq in each 18x; repeated until its PRACK, the next one waits for that, numbers
    grow by one; a PRACK of something else is 481."""
    caller, carrier = await t.plain()
    answer = asyncio.Event()
    carrier.plan = rings(answer, 180, -183)
    call = caller.invite("88017", headers=[WANTS])
    first = await sent(call, 180)
    assert WANTS in first.headers and 1 <= int(first.get("RSeq")) < 2 ** 31
    await call.until(lambda: len([1 for _, m in call.provisional if m.code == 180]) >= 2, "the 180 again")
    assert not [1 for _, m in call.provisional if m.code == 183], "183 before the PRACK of the 180"
    for rack in ("1 1 INVITE", f"{first.get('RSeq')} 9 INVITE", f"{first.get('RSeq')} 1 BYE", "x", "1 1"):
        assert (await prack(call, first, rack=rack).response()).code == 481, rack
    assert (await prack(call, first).response()).code == 200
    second = await sent(call, 183)
    assert int(second.get("RSeq")) == int(first.get("RSeq")) + 1 and second.sdp.ip == t.switch.ip
    assert (await prack(call, first).response()).code == 481, "acknowledged already"
    answer.set()
    leg = await carrier.leg()
    await leg.ack()
    assert not call.answer, "§3: no 2xx while a description waits for its PRACK"
    assert (await prack(call, second).response()).code == 200
    await call.expect(200)
    await call.hang_up()
    await t.billed(call, leg, reason="CallerHangup")


async def test_an_answer_does_not_wait_for_the_prack_of_a_mere_180(t):
    caller, carrier = await t.plain()
    answer = asyncio.Event()
    carrier.plan = rings(answer, 180)
    call = caller.invite("88017", headers=[WANTS])
    first = await sent(call, 180)
    answer.set()
    await call.expect(200)
    assert (await prack(call, first).response()).code in (200, 481)
    await call.hang_up()


async def test_the_vendor_hangs_up_while_its_answer_waits(t):
    """It was answered: with the PRACK come 200 and BYE, and the record is as long as the vendor's. A CANCEL in that state is 487."""
    caller, carrier = await t.plain()
    carrier.plan = plans.answer(early=Sdp(carrier.ip, 50000, (8, 101)))
    call = caller.invite("88017", headers=[WANTS])
    first = await sent(call, 183)
    leg = await carrier.leg()
    await leg.ack()
    await leg.hang_up()
    assert not call.answer
    assert (await prack(call, first).response()).code == 200
    await call.expect(200)
    await call.ended_by_peer()
    await t.billed(call, leg, reason="CalleeHangup")
    call = caller.invite("88018", headers=[WANTS])
    await sent(call, 183)
    leg = await carrier.leg("88018")
    await leg.ack()
    call.cancel()
    await t.refused(call, 487, "CallerCancel")
    await leg.ended_by_peer()


async def test_a_refusal_does_not_wait(t):
    """§3: a final response other than 2xx may overtake; a cancelled call ends as ever."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.reply(183, sdp=leg.sdp)
        if leg.callee.endswith("7"):
            leg.reply(486)
    carrier.plan = plan
    await t.refused(caller.invite("88017", headers=[WANTS]), 486, "UserBusy")
    call = caller.invite("88018", headers=[WANTS])
    await sent(call, 183)
    call.cancel()
    await t.refused(call, 487, "CallerCancel")


@scene(idle=True, within=90)
async def test_a_prack_that_never_comes(t):
    """§3: after 64*T1 the INVITE is refused with 504, the vendor is cancelled; answered or not."""
    caller, carrier = await t.plain()
    await t.set("SS_SIP_TIMEOUT_RINGING", 60)
    carrier.plan = plans.silent_after(180)
    ringing = caller.invite("88017", headers=[WANTS])
    carrier.on("88018", plans.answer(early=Sdp(carrier.ip, 50000, (8, 101))))
    answered = caller.invite("88018", headers=[WANTS])
    leg = await carrier.leg("88018")
    await leg.ack()
    await t.refused(ringing, 504, "PrackMissing", within=50)
    await t.refused(answered, 504, "PrackMissing", within=50)
    await (await carrier.leg("88017")).cancel()
    await leg.ended_by_peer()
    times = [at for at, m in ringing.provisional if m.code == 180]
    assert 6 <= len(times) <= 9, "repeats double their interval without a ceiling"


async def test_per_gateway(t):
    """rel100 = off: Require is 420, nothing is offered. required: 421 to a caller that cannot; a vendor
    has to. supported: Supported at the vendor, and a caller that merely can gets plain ringing."""
    caller, carrier = await t.plain()
    call = await caller.place("88010", headers=[CAN])
    assert not listed(call.provisional[-1][1], "Require")
    assert "100rel" in listed(carrier.legs[-1].invite, "Supported")
    await t.ctl.ask("mapping-gateway.set", name="acme-in", rel100="off")
    await t.ctl.ask("routing-gateway.set", name="vendor", rel100="off")
    call = caller.invite("88011", headers=[WANTS])
    await t.refused(call, 420, "BadExtension")
    assert listed(call.answer, "Unsupported") == {"100rel"}
    await caller.place("88012", headers=[CAN])
    assert "100rel" not in listed(carrier.legs[-1].invite, "Supported")
    await t.ctl.ask("mapping-gateway.set", name="acme-in", rel100="required")
    await t.ctl.ask("routing-gateway.set", name="vendor", rel100="required")
    call = caller.invite("88013")
    await t.refused(call, 421, "ExtensionRequired")
    assert listed(call.answer, "Require") == {"100rel"}
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88014", headers=[CAN])
    assert (await prack(call, await sent(call, 180)).response()).code == 200
    assert "100rel" in listed(carrier.legs[-1].invite, "Require")
    call.cancel()
    await call.expect(487)


async def test_a_vendor_that_asks_for_it(t):
    """§4: a PRACK for each response, inside the early dialog, in order, once; a gap is not acknowledged;
    what comes to the caller is plain."""
    caller, carrier = await t.plain()
    go_on = asyncio.Event()

    async def plan(leg):
        reliable(leg, 180, 41)
        await asked(leg, "PRACK")
        carrier.send(leg.first.last, leg.flow)  # its repeat, and one that came too early
        reliable(leg, 183, 43)
        reliable(leg, 183, 42, leg.sdp)
        await asked(leg, "PRACK", 2)
        await go_on.wait()
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    leg = await carrier.leg()
    await asked(leg, "PRACK", 2)
    early = await call.rings(183)
    assert "100rel" not in listed(early, "Require") and not early.get("RSeq")
    go_on.set()
    await call.expect(200)
    await call.hang_up()
    await leg.ended_by_peer()
    n = leg.invite.cseq[0]
    assert [m.get("RAck") for m in of_method(leg, "PRACK")] == [f"41 {n} INVITE", f"42 {n} INVITE"]
    cseqs = [m.cseq[0] for m in leg.requests]
    assert cseqs == sorted(set(cseqs)) and cseqs[0] > n
    assert not any(m.body for m in of_method(leg, "PRACK"))
    await t.billed(call, leg)


async def test_each_fork_counts_for_itself(t):
    """§4: RSeq belongs to one early dialog; each PRACK goes to the end that asked."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.twin = fork(leg)
        reliable(leg, 180, 7)
        reliable(leg.twin, 180, 900)
        await asked(leg, "PRACK")
        await asked(leg.twin, "PRACK")
        reliable(leg, 183, 8)
        await asked(leg, "PRACK", 2)
        leg.twin.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    await call.expect(200)
    leg = await carrier.leg()
    await leg.twin.ack()
    assert len(call.to_tags()) == 1
    await call.hang_up()
    await leg.twin.ended_by_peer()
    assert not leg.bye_seen


async def test_late_offers_go_without(t):
    """§5: the first reliable response to an INVITE without an offer would have to bring one. So a vendor
    is not asked for any, a caller that requires them hears nothing before the answer, and a vendor that
    has to is passed over."""
    caller, carrier = await t.plain()
    for headers in ([], [WANTS]):
        call = caller.invite("88017", sdp=None, ack=False, headers=headers)
        ok = await call.expect(200)
        leg = carrier.legs[-1]
        assert "100rel" not in listed(leg.invite, "Supported") and ok.sdp
        if headers:
            assert {m.code for _, m in call.provisional} == {100}
        ack = call.build("ACK", call.txn.msg.cseq[0], body=Sdp(caller.ip, 40000, (8,)).encode())
        caller.send(ack, call.next_hop())
        await leg.ack()
        assert leg.acks[0].body
        await call.hang_up()
    await t.ctl.ask("routing-gateway.set", name="vendor", rel100="required")
    call = caller.invite("88018", sdp=None)
    assert (await call.final()).code >= 500
    assert len(carrier.legs) == 2


async def test_an_offer_in_a_prack_is_refused(t):
    """§5 allows one; it is refused cleanly (488), the response counts as acknowledged and the call goes on."""
    caller, carrier = await t.plain()
    answer = asyncio.Event()
    carrier.plan = rings(answer, -183)
    call = caller.invite("88017", headers=[WANTS])
    first = await sent(call, 183)
    assert (await prack(call, first, Sdp(caller.ip, 40010, version=2).encode()).response()).code == 488
    answer.set()
    await call.expect(200)
    await call.hang_up()
    await t.billed(call, carrier.legs[0])


async def test_a_prack_of_nothing(t):
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    ringing = await call.rings()
    assert (await prack(call, ringing, rack="1 1 INVITE").response()).code == 481
    assert (await prack(call, ringing, rack="4294967295 4294967296 INVITE").response()).code == 481
    call.cancel()
    await call.expect(487)
