"""A call from one end to the other: set up, ended from each side, billed; and every way it may fail."""

import asyncio

from harness import plans
from harness.oracle import Terms, money
from harness.record import CallRecord
from harness.scene import scene
from harness.sip import Sdp
from harness.watch import poll
from harness.wire import now


async def test_a_billed_call(t):
    """UDP both sides: the wire, the CDR, the charge of both parties and both balances."""
    caller, carrier = await t.plain()
    call = await caller.place("8801712345678", hold=1.2)
    leg = await carrier.leg("8801712345678")
    await leg.ended_by_peer()
    assert len(carrier.legs) == 1 and leg.acked and leg.bye_seen
    cdr = await t.billed(call, leg, reason="CallerHangup", sip_code=200, hangup_side="caller",
                         account="acme", vendor_account="vendor-acc", caller="1001",
                         callee="8801712345678", mapping_gateway="acme-in", routing_gateway="vendor",
                         call_id=call.call_id, call_id_out=leg.call_id, tries=1)
    assert cdr["start"] <= cdr["answer"] <= cdr["end"] and cdr["billed_s"] >= 1
    assert leg.call_id != call.call_id


async def test_the_record_is_there_when_the_bye_is_answered(t):
    """The 200 to BYE leaves after the commit: the record can be read at that very moment."""
    caller, _carrier = await t.plain()
    for i in range(5):
        call = await caller.place(f"88017{i}")
        rows = await t.ctl.ask("cdr.list", call_id=call.call_id)
        assert len(rows) == 1, rows


async def test_the_called_side_hangs_up(t):
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.hang_up()
    await call.ended_by_peer()
    await t.billed(call, leg, reason="CalleeHangup", sip_code=200, hangup_side="callee")


async def transports(t, tcp_in, tcp_out):
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller)
    await t.vendor(carrier, transport="tcp" if tcp_out else "udp")
    flow = await caller.tcp_flow() if tcp_in else None
    call = await caller.place("88017", hold=0.1, flow=flow)
    leg = carrier.legs[0]
    await leg.ended_by_peer()
    assert leg.flow.reliable is tcp_out
    await t.billed(call, leg, reason="CallerHangup")


async def test_tcp_to_tcp(t):
    await transports(t, True, True)


async def test_tcp_to_udp(t):
    await transports(t, True, False)


async def test_udp_to_tcp(t):
    await transports(t, False, True)


async def test_the_vendor_hangs_up_towards_a_tcp_caller(t):
    """The BYE finds its way over the caller's connection (or a new one to its Contact)."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", flow=await caller.tcp_flow())
    await call.expect(200)
    await carrier.legs[0].hang_up()
    await call.ended_by_peer()
    await t.billed(call, carrier.legs[0], reason="CalleeHangup")


async def test_ringing_and_early_media_come_through(t):
    """180 comes as 180; 183 with a description comes with one of ours; the 200 keeps the To tag."""
    caller, carrier = await t.plain()
    answer = asyncio.Event()

    async def plan(leg):
        leg.reply(100)
        leg.reply(180)
        leg.reply(183, sdp=leg.sdp)
        await answer.wait()
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    await call.rings(180)
    early = await call.rings(183)
    assert early.sdp and early.sdp.ip == t.switch.ip
    answer.set()
    ok = await call.expect(200)
    assert len(call.to_tags()) == 1
    assert (ok.sdp.ip, ok.sdp.port) == (early.sdp.ip, early.sdp.port)
    await call.hang_up()


async def test_busy(t):
    caller, carrier = await t.plain()
    carrier.plan = plans.reject(486)
    call = caller.invite("88017")
    await t.refused(call, 486, "UserBusy", vendor_code=486, tries=1)
    await carrier.until(lambda: carrier.legs[0].first.acked, "ACK of the 486")


async def test_the_caller_cancels_while_it_rings(t):
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    await call.rings()
    call.cancel()
    await t.refused(call, 487, "CallerCancel", hangup_side="caller")
    assert (await call.cancel_txn.response()).code == 200
    leg = carrier.legs[0]
    await leg.cancel()
    await carrier.until(lambda: leg.first.acked, "ACK of the vendor's 487")


async def test_no_cancel_before_the_first_answer(t):
    """RFC 3261 §9.1: the vendor that said nothing yet gets CANCEL after its first 1xx, not before."""
    caller, carrier = await t.plain()
    speak = asyncio.Event()

    async def plan(leg):
        await speak.wait()
        assert not leg.cancelled and not carrier.strangers, "CANCEL before any 1xx"
        leg.reply(180)
    carrier.plan = plan
    call = caller.invite("88017")
    leg = await carrier.leg()
    call.cancel()
    await call.expect(487)
    await carrier.until(lambda: leg.first.repeats, "repeat of the INVITE, well after the CANCEL")
    speak.set()
    await leg.cancel()
    await t.cdr(call, reason="CallerCancel", sip_code=487)


async def test_cancel_before_anything_is_known(t):
    """INVITE and CANCEL in one burst: whatever the order inside, 487 and one record."""
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    for i in range(10):
        call = caller.invite(f"88017{i}")
        call._send_cancel()
        await call.expect(487)
        await t.cdr(call, reason="CallerCancel", sip_code=487)
    for leg in carrier.legs:
        await leg.cancel()


async def test_no_route(t):
    caller, _carrier = await t.plain()
    await t.ctl.ask("rate.add", group="acme-sell", prefix="99", price="1")
    await t.refused(caller.invite("9955"), 503, "NoAvailableRouter", tries=0)


async def test_no_rate(t):
    caller, carrier = await t.plain()
    await t.refused(caller.invite("4420"), 403, "NoRate", tries=0)
    await t.ctl.ask("rate.add", group="acme-sell", prefix="88099", price="1", status="locked")
    await t.refused(caller.invite("880991"), 403, "NoRate")
    assert not carrier.legs


async def test_the_longest_rate_wins_however_dear(t):
    """A shorter code never wins, in either rate group."""
    caller, carrier = await t.plain()
    dear, dear_cost = Terms(price="1.5"), Terms(price="0.9")
    await t.ctl.ask("rate.add", group="acme-sell", prefix="880171", price="1.5")
    await t.ctl.ask("rate.add", group="vendor-buy", prefix="8801711", price="0.9")
    call = await caller.place("880171155", hold=0.1)
    cdr = await t.billed(call, carrier.legs[0], dear, dear_cost)
    assert (cdr["rate_prefix"], cdr["cost_prefix"]) == ("880171", "8801711")


@scene(idle=True)
async def test_it_rang_too_long(t):
    caller, carrier = await t.plain()
    await t.ctl.ask("routing-gateway.set", name="vendor", timeout_ringing=1)
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    await t.refused(call, 480, "NoAnswer")
    await carrier.legs[0].cancel()


async def test_a_retransmitted_invite_is_absorbed(t):
    """The same INVITE three times makes one call; each repeat brings the last answer again."""
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    await call.rings()
    for n in (2, 3):
        caller.send(call.txn.msg, call.flow)
        await call.until(lambda n=n: len([1 for _, m in call.provisional if m.code == 180]) >= n,
                         f"the 180 for the {n}. time")
    call.cancel()
    await call.expect(487)
    await t.cdr(call, reason="CallerCancel")
    assert len(carrier.legs) == 1 and not carrier.legs[0].first.repeats


async def test_a_retransmitted_200_is_acknowledged_again(t):
    """RFC 3261 §13.2.2.4: every 200 of the vendor gets its ACK; it is not a second answer."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    carrier.send(leg._ok[1], leg.flow)
    await leg.until(lambda: len(leg.acks) >= 2, "second ACK")
    assert leg.acks[0].cseq == leg.acks[1].cseq
    await call.hang_up()
    await t.billed(call, leg)


async def test_the_200_is_repeated_until_the_ack(t):
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    await call.until(lambda: len(call.ok_times) >= 3, "third 200")
    call.send_an_ack()
    call.send_ack = True
    await call.hang_up()
    await t.billed(call, carrier.legs[0])


async def test_a_bye_is_answered_twice(t):
    """A repeated BYE gets 200 again and changes nothing."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    txn = call.send_bye()
    await txn.response()
    caller.send(txn.msg, txn.flow)
    await txn.until(lambda: len(txn.responses) >= 2, "second 200 to the same BYE")
    assert {r.code for r in txn.responses} == {200}
    await t.billed(call, carrier.legs[0])


async def test_bye_from_both_sides_at_once(t):
    """Both hang up: one outcome, one record, both answered 200."""
    caller, carrier = await t.plain()
    for i in range(10):
        call = caller.invite(f"88017{i}")
        await call.expect(200)
        leg = await carrier.leg(f"88017{i}")
        await leg.ack()
        one, two = call.send_bye(), leg.send_bye()
        assert (await one.response()).code == 200 and (await two.response()).code == 200
        cdr = await t.cdr(call)
        assert cdr["reason"] in ("CallerHangup", "CalleeHangup")
        CallRecord(call, leg).check_hold(cdr["hold_ms"])


async def test_a_caller_that_hangs_up_before_its_ack(t):
    """200 came, BYE goes at once, no ACK ever: ended and billed like any other."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    await call.hang_up()
    leg = carrier.legs[0]
    await leg.ended_by_peer()
    await t.billed(call, leg, reason="CallerHangup")


@scene(idle=True, within=90)
async def test_a_caller_that_never_acknowledges(t):
    """Ended after 32 s with NoAck on both sides, billed from the answer on; counted per gateway."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", ack=False)
    await call.expect(200)
    await call.ended_by_peer(within=60)
    leg = carrier.legs[0]
    await leg.ended_by_peer()
    cdr = await t.billed(call, leg, reason="NoAck", sip_code=200, hangup_side="switch")
    assert cdr["hold_ms"] >= 31000, cdr["hold_ms"]
    assert len(call.ok_times) >= 7, "the 200 must be repeated all the while"
    alarms = await t.ctl.ask("alarm.list")
    assert any("acme-in" in str(a) for a in alarms), alarms


async def test_a_late_offer(t):
    """INVITE without a description: the offer comes in the 200, the answer in the ACK."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", sdp=None, ack=False)
    ok = await call.expect(200)
    assert ok.sdp and ok.sdp.ip == t.switch.ip
    ack = call.build("ACK", call.txn.msg.cseq[0], headers=[], body=Sdp(caller.ip, 40000, (8,)).encode())
    caller.send(ack, call.next_hop())
    leg = carrier.legs[0]
    await leg.ack()
    assert not leg.invite.body and leg.acks[0].body
    await call.hang_up()


@scene(settings={"SS_MAX_CALL_PER_SECOND": "1000"})
async def test_two_hundred_calls_in_turn_leave_nothing_behind(t):
    """Answered, refused and cancelled calls in turn: afterwards no call, no hold, one record each."""
    caller, carrier = await t.plain()

    async def one(i):
        number = f"88017{i:04d}"
        if i % 4 == 1:
            carrier.on(number, plans.reject(486))
        if i % 4 == 2:
            carrier.on(number, plans.silent_after(180))
        call = caller.invite(number)
        if i % 4 == 1:
            await call.expect(486)
        elif i % 4 == 2:
            await call.rings()
            call.cancel()
            await call.expect(487)
        else:
            await call.expect(200)
            await call.hang_up()
    for start in range(0, 200, 20):
        await asyncio.gather(*(one(i) for i in range(start, start + 20)))
    await t.books.settled()
    cdrs = await t.books.check()
    assert len(cdrs) == 200
    assert sorted(c["call_id"] for c in cdrs) == sorted(c.call_id for c in caller.calls)


async def test_an_answer_that_cannot_be_read(t):
    """The vendor's 200 has no description that anybody could read: its fault, not the caller's. It is
    acknowledged and ended, the caller hears 502, nobody is charged a second."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.final_sent, leg.ok_at = True, now()
        leg.send_ok(leg.first, Garbage())
    carrier.plan = plan
    call = caller.invite("88017")
    await call.expect(502)
    leg = carrier.legs[0]
    await leg.ack()
    await leg.ended_by_peer()
    cdr = await t.cdr(call, reason="UpstreamFailure", sip_code=502, hangup_side="switch")
    assert money(cdr["fee"]) == 0 == money(cdr["cost"]), cdr


class Garbage:
    """A description that is none."""

    def __init__(self, text=b"v=0\r\nm=nonsense\r\n"):
        self.text = text

    def encode(self):
        return self.text


async def test_an_offer_that_cannot_be_read(t):
    """Not a description: 400. One without any stream: 488. The vendor hears of neither."""
    caller, carrier = await t.plain()
    await t.refused(caller.invite("88017", sdp=Garbage()), 400, "BadRequest")
    empty = Garbage(b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n")
    await t.refused(caller.invite("88018", sdp=empty), 488, "CodecMismatch")
    assert not carrier.legs


async def test_no_new_calls_while_it_drains(t):
    """After SIGTERM a call that is up goes on for a while; a new one gets 503 with Retry-After."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    stopped = asyncio.create_task(t.switch.stop(within=60))
    await poll(lambda: draining(t), "the drain")
    late = caller.invite("88018")
    answer = await late.expect(503)
    assert 1 <= int(answer.get("Retry-After")) <= 5
    await call.hang_up()
    await stopped
    await t.switch.start()
    await t.billed(call, carrier.legs[0], reason="CallerHangup")
    await t.cdr(late, reason="Overload", sip_code=503)


async def draining(t):
    with open(t.switch.log, "rb") as f:
        return b"no new calls" in f.read()
