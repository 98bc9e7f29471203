"""The race conditions of RFC 5407, each under its section, on each leg of the switch and on the pair.

The switch is the callee of its caller and the caller of its vendor. A race is made by holding an end's
message back until the other one's is on its way."""

import asyncio

from harness import plans
from harness.dialogs import asked, early, of_method, up
from harness.scene import scene
from harness.sip import Sdp
from harness.wire import now


def hold_reinvites(session):
    """The end does not answer re-INVITEs; the transactions, as they come."""
    held = []

    def keep(_session, txn):
        held.append(txn)
        session.changed()
    session.on_reinvite = keep
    return held


async def over(t, call, leg, reason, **want):
    await leg.until(lambda: leg.bye_seen or leg.bye_sent, "BYE at the vendor")
    return await t.cdr(call, reason=reason, **want)


# -- 3.1: in the moratorium state (2xx sent, ACK not there yet) -----------------------------------------

@scene(idle=True)
async def test_3_1_1_the_invite_again_after_the_answer(t):
    """An INVITE's repeat that crosses the 200 is absorbed (RFC 6026): one call, one vendor leg, and the
    200 still comes again until the ACK."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    caller.send(call.txn.msg, call.flow)
    await call.until(lambda: len(call.ok_times) >= 2, "the 200 again")
    call.send_an_ack()
    call.send_ack = True
    leg = carrier.legs[0]
    await leg.ack()
    assert len(carrier.legs) == 1 and not leg.reinvites
    await call.hang_up()
    await t.billed(call, leg)


async def test_3_1_2_cancel_after_the_answer(t):
    """CANCEL meets the 200: 200 to the CANCEL, and the call is up; the caller ends it with BYE."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    call._send_cancel()
    assert (await call.cancel_txn.response()).code == 200
    leg = carrier.legs[0]
    call.send_an_ack()
    call.send_ack = True
    assert not leg.cancelled and not leg.bye_seen
    await call.hang_up()
    await leg.ended_by_peer()
    await t.billed(call, leg, reason="CallerHangup")


async def test_3_1_2_our_cancel_meets_the_vendors_answer(t):
    """The same on the other leg: the vendor answers 200 to INVITE and to CANCEL: ACK, BYE; the caller
    hears 487 and is not charged."""
    caller, carrier = await t.plain()
    carrier.plan = plans.answer_when_cancelled()
    call = caller.invite("88017")
    await call.rings()
    call.cancel()
    await t.refused(call, 487, "CallerCancel")
    leg = carrier.legs[0]
    await leg.ack()
    await leg.ended_by_peer()


async def test_3_1_3_a_bye_for_the_early_dialog_after_the_answer(t):
    """A caller's BYE of the early state meets the 200: 200 to the BYE, no more of the call; its ACK, that
    comes after, changes nothing."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    early(call, await call.rings())
    await call.expect(200)
    await call.hang_up()
    call.send_an_ack()
    leg = carrier.legs[0]
    await leg.ended_by_peer()
    await t.billed(call, leg, reason="CallerHangup")


async def test_3_1_4_a_reinvite_before_the_ack(t):
    """Offer and answer are over with the 200: the re-INVITE is served though the ACK is missing; the late
    ACK still stops the repeats of the first 200."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    leg = carrier.legs[0]
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200
    assert leg.reinvites[0].sdp
    caller.send(call.build("ACK", call.txn.msg.cseq[0]), call.next_hop())
    call.send_ack = True
    await leg.until(lambda: len(leg.acks) >= 2, "both ACKs at the vendor")
    await call.hang_up()
    await t.billed(call, leg, reason="CallerHangup")


async def test_3_1_5_a_reinvite_before_the_ack_with_the_answer(t):
    """The answer to our offer is still to come, with the ACK: 491; after it the re-INVITE is served."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", sdp=None, ack=False)
    await call.expect(200)
    leg = carrier.legs[0]
    answer = await call.reinvite(Sdp(caller.ip, 40002, version=2))
    assert answer.code == 491, answer.start_line()
    ack = call.build("ACK", call.txn.msg.cseq[0], body=Sdp(caller.ip, 40000, (8,)).encode())
    caller.send(ack, call.next_hop())
    call.send_ack = True
    await leg.ack()
    assert leg.acks[0].body and not leg.reinvites
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200
    await call.hang_up()
    await t.billed(call, leg)


@scene(idle=True)
async def test_3_1_4_the_vendor_reinvites_at_once(t):
    """On the other leg, and on the pair: the vendor's re-INVITE before the caller's ACK reaches the caller."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    answer = await leg.reinvite(Sdp(carrier.ip, 50010, (8, 101), version=2))
    assert answer.code in (200, 491), answer.start_line()
    call.send_an_ack()
    call.send_ack = True
    await call.hang_up()
    await t.billed(call, leg)


async def test_3_1_6_bye_before_the_ack(t):
    """The caller hangs up before its ACK: 200, the vendor is told; the ACK that comes after is nobody's.
    The vendor hangs up before the caller's ACK: the BYE to the caller waits for it (RFC 3261 §15)."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    await call.hang_up()
    call.send_an_ack()
    leg = carrier.legs[0]
    await leg.ended_by_peer()
    await t.billed(call, leg, reason="CallerHangup")
    call = caller.invite("88018", ack=False)
    await call.expect(200)
    leg = carrier.legs[1]
    await leg.ack()
    await leg.hang_up()
    assert not call.bye_seen
    call.send_an_ack()
    call.send_ack = True
    await call.ended_by_peer()
    await t.billed(call, leg, reason="CalleeHangup")


def leave_at_once(early=False):
    """A vendor whose BYE is on the wire behind its 200, before anyone can have acknowledged that; early: before it."""
    async def plan(leg):
        leg.reply(180)
        if early:
            leg.send_bye()
            return
        leg.accept()
        leg.send_bye()
    return plan


async def test_3_1_6_the_vendors_bye_behind_its_200(t):
    """The call was answered, however short: 200 and then BYE to the caller, and a record from the vendor's 200 to its BYE.
    With an offer and without (then the 200's ACK waits for the caller's, and goes at once instead); with a PRACK that the
    200 waits for see test_prack.py."""
    caller, carrier = await t.plain()
    carrier.plan = leave_at_once()
    for number, options in (("88017", {}), ("88018", {"sdp": None})):
        call = caller.invite(number, **options)
        await call.expect(200)
        leg = await carrier.leg(number)
        await leg.ack()
        await call.ended_by_peer()
        assert len(leg.acks) == 1 and not leg.bye_seen
        await t.billed(call, leg, reason="CalleeHangup")


async def test_3_1_6_many_vendors_leave_at_once(t):
    """The same, fifty at a time: whichever of ACK, commit and BYE is first."""
    caller, carrier = await t.plain()
    carrier.plan = leave_at_once()
    calls = [caller.invite(f"8801{i:02d}") for i in range(50)]
    for call in calls:
        await call.expect(200)
        await call.ended_by_peer()
    for call in calls:
        await t.billed(call, await carrier.leg(call.callee), reason="CalleeHangup")


async def test_a_vendor_ends_its_early_dialog(t):
    """It must not (RFC 3261 §15); its try has failed, and the next vendor is asked. The 200 that comes after is acknowledged."""
    caller, carrier = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=20)
    carrier.plan = leave_at_once(early=True)
    call = caller.invite("88017")
    await call.expect(200)
    leg = second.legs[0]
    await carrier.legs[0].cancel()
    assert not carrier.legs[0].bye_seen
    await call.hang_up()
    await t.billed(call, leg)


# -- 3.2: in the mortal state (BYE sent) ----------------------------------------------------------------

async def test_3_2_1_bye_meets_bye(t):
    """On each leg and on the pair: whoever says BYE gets 200; one record."""
    caller, carrier, call, leg = await up(t)
    one, two = call.send_bye(), leg.send_bye()
    assert (await one.response()).code == 200 and (await two.response()).code == 200
    await over(t, call, leg, (await t.cdr(call))["reason"])
    for number, first, second in (("88018", "call", "leg"), ("88019", "leg", "call")):
        ends = {"call": caller.invite(number)}
        await ends["call"].expect(200)
        ends["leg"] = await carrier.leg(number)
        await ends["leg"].ack()
        ends[second].bye_code = None  # the switch's BYE is not answered; the end sends its own
        await ends[first].hang_up()
        await ends[second].ended_by_peer()
        await ends[second].hang_up()
        for txn in list(caller.servers.values()) + list(carrier.servers.values()):
            if txn.msg.method == "BYE" and not txn.last:
                txn.reply(txn.msg.reply(200))
        await t.cdr(ends["call"], reason="CallerHangup" if first == "call" else "CalleeHangup")


async def test_3_2_2_a_reinvite_meets_our_bye(t):
    """481 to a re-INVITE, UPDATE and INFO of an end that was sent BYE already; nothing of it reaches the
    other leg."""
    caller, carrier, call, leg = await up(t)
    for number, ender, late in ((None, "call", "leg"), ("88018", "leg", "call")):
        if number:
            call = caller.invite(number)
            await call.expect(200)
            leg = await carrier.leg(number)
            await leg.ack()
        ends = {"call": call, "leg": leg}
        ends[late].bye_code = None
        await ends[ender].hang_up()
        await ends[late].ended_by_peer()
        for method in ("INVITE", "UPDATE", "INFO"):
            body = Sdp(ends[late].peer.ip, 40600, version=9).encode() if method == "INVITE" else b""
            answer = await ends[late].request(method, body=body).response()
            assert answer.code == 481, (late, answer.start_line())
        txn = next(x for x in ends[late].peer.servers.values() if x.msg is ends[late].bye)
        txn.reply(ends[late].bye.reply(200))
        assert not ends[ender].reinvites
        await t.cdr(call)


async def test_3_2_3_the_answer_of_a_reinvite_meets_our_bye(t):
    """The re-INVITE that we passed on is answered after our BYE: its 200 is acknowledged all the same, on
    either leg; its asker got 487, or hung up itself."""
    caller, carrier, call, leg = await up(t)
    for number, asker, answerer in ((None, "call", "leg"), ("88018", "leg", "call")):
        if number:
            call = caller.invite(number)
            await call.expect(200)
            leg = await carrier.leg(number)
            await leg.ack()
        ends = {"call": call, "leg": leg}
        far, near = ends[answerer], ends[asker]
        held = hold_reinvites(far)
        near.request("INVITE", body=Sdp(near.peer.ip, 40700, version=4).encode())
        await far.until(lambda held=held: held, "re-INVITE")
        far.bye_code = None
        await near.hang_up()
        await far.ended_by_peer()
        acks = len(far.acks)
        far.send_ok(held[0], far.sdp)
        await far.until(lambda far=far, acks=acks: len(far.acks) > acks, "ACK of the re-INVITE's 200")
        assert far.acks[-1].cseq[0] == held[0].msg.cseq[0]
        txn = next(x for x in far.peer.servers.values() if x.msg is far.bye)
        txn.reply(far.bye.reply(200))
        await t.cdr(call)


async def test_3_2_4_the_ack_meets_our_bye(t):
    """The caller's ACK comes after the call was ended towards it: no answer, no harm, no second BYE."""
    caller, carrier, call, leg = await up(t)
    await leg.hang_up()
    await call.ended_by_peer()
    call.send_an_ack()
    answer = await caller.ask("OPTIONS").response()
    assert answer.code == 200 and len(of_method(call, "BYE")) == 1
    await t.billed(call, leg, reason="CalleeHangup")


# -- 3.3: other races -----------------------------------------------------------------------------------

async def test_3_3_1_reinvites_cross_on_one_leg(t):
    """The vendor's re-INVITE meets the one that we passed to it: 491 to it; its own 491 to ours comes
    back to the caller; after the times of RFC 3261 §14.1 each is served."""
    caller, carrier, call, leg = await up(t)
    held = hold_reinvites(leg)
    first = asyncio.create_task(call.reinvite(Sdp(caller.ip, 40002, version=2)))
    await leg.until(lambda: held, "re-INVITE at the vendor")
    assert (await leg.reinvite(Sdp(carrier.ip, 50010, (8, 101), version=2))).code == 491
    held[0].reply(held[0].msg.reply(491, tag=leg.tag))
    assert (await first).code == 491
    leg.on_reinvite = None
    assert not call.reinvites
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200
    assert (await leg.reinvite(Sdp(carrier.ip, 50010, (8, 101), version=2))).code == 200
    await call.hang_up()
    await t.billed(call, leg)


async def test_3_3_1_reinvites_cross_on_the_pair(t):
    """Both ends at once: none is lost, none is served twice; each gets 200 or 491, at most one 200 while
    the other is open; the call lives."""
    caller, carrier, call, leg = await up(t)
    for i in range(5):
        one, two = await asyncio.gather(call.reinvite(Sdp(caller.ip, 40002 + 2 * i, version=2 + i)),
                                        leg.reinvite(Sdp(carrier.ip, 50010 + 2 * i, (8, 101), version=2 + i)))
        assert {one.code, two.code} <= {200, 491}, (one.code, two.code)
    assert (await call.reinvite(Sdp(caller.ip, 40100, version=20))).code == 200
    await call.hang_up()
    await leg.ended_by_peer()
    await t.billed(call, leg)


async def test_3_3_2_update_and_reinvite_cross(t):
    """An UPDATE with an offer meets our re-INVITE: 491; its own re-INVITE is open: 500 with Retry-After;
    and a re-INVITE meets our UPDATE: 491."""
    caller, carrier, call, leg = await up(t, headers=[("Allow", "INVITE, ACK, BYE, UPDATE")])
    held = hold_reinvites(leg)
    first = asyncio.create_task(call.reinvite(Sdp(caller.ip, 40002, version=2)))
    await leg.until(lambda: held, "re-INVITE at the vendor")
    offer = Sdp(carrier.ip, 50010, (8, 101), version=2).encode()
    assert (await leg.request("UPDATE", body=offer).response()).code == 491
    answer = await call.request("UPDATE", body=Sdp(caller.ip, 40004, version=3).encode()).response()
    assert answer.code == 500 and 0 <= int(answer.get("Retry-After")) <= 10, answer.start_line()
    leg.send_ok(held[0], leg.sdp)
    assert (await first).code == 200
    updates = []
    default = call.on_request

    def on_request(txn):
        if txn.msg.method != "UPDATE":
            default(txn)
            return
        call.remote_cseq = txn.msg.cseq[0]
        updates.append(txn)
        call.changed()
    call.on_request = on_request
    second = leg.request("UPDATE", body=Sdp(carrier.ip, 50012, (8, 101), version=3).encode())
    await call.until(lambda: updates, "UPDATE at the caller")
    assert (await call.reinvite(Sdp(caller.ip, 40006, version=4))).code == 491
    body = call.sdp.encode()
    updates[0].reply(updates[0].msg.reply(200, headers=[("Contact", caller.contact()),
                                                        ("Content-Type", "application/sdp")], body=body))
    assert (await second.response()).code == 200
    await call.hang_up()
    await t.billed(call, leg)


async def test_3_3_3_a_refer_meets_our_bye(t):
    """481 to a REFER of an end that was sent BYE already."""
    _caller, _carrier, call, leg = await up(t)
    leg.bye_code = None
    await call.hang_up()
    await leg.ended_by_peer()
    answer = await leg.request("REFER", headers=[("Refer-To", "<sip:88099@127.0.0.1>")]).response()
    assert answer.code == 481, answer.start_line()
    txn = next(x for x in leg.peer.servers.values() if x.msg is leg.bye)
    txn.reply(leg.bye.reply(200))
    await t.cdr(call)


# -- our own refresh crosses (RFC 4028 §7.4 with RFC 3261 §14.1) -------------------------------------------

@scene(idle=True, settings={"SS_SIP_SESSION_TTL": "90", "SS_SIP_SESSION_UPDATE_SEGMENT": "10"})
async def test_a_refresh_meets_the_peers_reinvite(t):
    """Our refresh on one leg, a re-INVITE of the same peer meanwhile: 491 to it, 491 to ours; ours is
    tried again after 2.1 to 4 s (the Call-ID is ours). A change of the other side waits too."""
    caller, carrier = await t.plain()
    timer = [("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Require", "timer")]

    async def plan(leg):
        leg.held = hold_reinvites(leg)
        leg.accept(headers=timer)
    carrier.plan = plan
    call = caller.invite("88017")
    await call.expect(200)
    leg = carrier.legs[0]
    await asked(leg, "INVITE")
    assert (await leg.reinvite(Sdp(carrier.ip, 50010, (8, 101), version=2))).code == 491
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 491
    leg.held[0].reply(leg.held[0].msg.reply(491, tag=leg.tag))
    refused = now()
    await asked(leg, "INVITE", 2)
    assert now() - refused >= 2.1
    leg.send_ok(leg.held[1], leg.sdp, timer[:2])
    await leg.until(lambda: leg.acks[-1].cseq[0] == leg.held[1].msg.cseq[0], "ACK of the refresh")
    leg.on_reinvite = None
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=3))).code == 200
    await call.hang_up()
    await leg.ended_by_peer()
    await t.billed(call, leg)
