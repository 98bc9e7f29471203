"""The harness against itself: caller to carrier with no switch between, so that a fault found later
is the switch's and not the checker's."""

import asyncio
import os
import csv

from harness import load, oracle, sip, wire as wires
from harness.plans import answer, dead, reject, silent_after, answer_when_cancelled
from harness.record import CallRecord, pair
from harness.rtp import Media
from harness.scene import scene
from harness.ua import Caller, Carrier
from harness.watch import Missed

CASES = os.path.join(os.path.dirname(__file__), "rating-cases.tsv")


async def ends(t):
    """A caller that takes the carrier for its switch."""
    carrier = Carrier("vendor", t.net.ip(3), t.wire)
    await carrier.open()
    caller = Caller("customer", t.net.ip(2), t.wire, (carrier.ip, carrier.port))
    await caller.open()
    t.peers += [caller, carrier]
    return caller, carrier


@scene(switch=False)
async def test_a_call_is_made_acknowledged_and_ended(t):
    caller, carrier = await ends(t)
    call = caller.invite("880171")
    await call.rings()
    await call.expect(200)
    leg = await carrier.leg("880171")
    await leg.ack()
    assert call.remote_sdp.port == leg.sdp.port and leg.remote_sdp.port == call.sdp.port
    await call.hang_up()
    await leg.ended_by_peer()
    record = CallRecord(call, leg)
    assert record.hung_up_by() == "caller"
    least, most = record.hold_bounds()
    assert 0 <= least <= most < 10


@scene(switch=False)
async def test_the_carrier_hangs_up(t):
    caller, carrier = await ends(t)
    carrier.plan = answer(bye_after=0)
    call = caller.invite("1")
    await call.expect(200)
    await call.ended_by_peer()
    assert CallRecord(call, carrier.legs[0]).hung_up_by() == "callee"


@scene(switch=False)
async def test_tcp_carries_a_whole_call(t):
    caller, carrier = await ends(t)
    call = await caller.place("1", flow=await caller.tcp_flow())
    assert carrier.legs[0].flow.reliable and carrier.legs[0].bye_seen and call.bye_done


@scene(switch=False)
async def test_lost_datagrams_are_repeated(t):
    """The first INVITE, the first 200 and the first ACK vanish; the call comes about all the same."""
    caller, carrier = await ends(t)
    lost = []

    def once(kind):
        def lose(msg):
            what = msg.method or msg.code
            if what == kind and what not in lost:
                lost.append(what)
                return True
            return False
        return lose
    eat_invite, eat_ack = once("INVITE"), once("ACK")
    carrier.lose = lambda m: eat_invite(m) or eat_ack(m)
    caller.lose = once(200)
    call = caller.invite("1")
    await call.expect(200)
    await carrier.legs[0].ack()
    assert sorted(map(str, lost)) == ["200", "ACK", "INVITE"]
    caller.lose = None
    await call.hang_up()


@scene(switch=False)
async def test_refusal_cancel_and_silence(t):
    caller, carrier = await ends(t)
    carrier.on("486", reject(486, ring=True)).on("99", dead()).on("180", silent_after(180))
    await caller.invite("486").expect(486)
    call = caller.invite("180")
    await call.rings()
    call.cancel()
    await call.expect(487)
    assert (await carrier.leg("180")).cancelled
    try:
        await caller.invite("99").final(within=0.3)
        raise AssertionError("an answer from a dead carrier")
    except Missed:
        pass
    assert await carrier.leg("486")
    await carrier.servers[(carrier.legs[0].invite.branch, "INVITE")].peer.until(
        lambda: carrier.legs[0].first.acked, "ACK of the 486")


@scene(switch=False)
async def test_a_200_that_crosses_the_cancel(t):
    caller, carrier = await ends(t)
    carrier.plan = answer_when_cancelled()
    call = caller.invite("1")
    await call.rings()
    call.cancel()
    await call.expect(200)
    await call.hang_up()


@scene(switch=False)
async def test_reinvite_both_ways(t):
    caller, carrier = await ends(t)
    call = caller.invite("1")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    held = sip.Sdp(caller.ip, 40000, direction="sendonly", version=2)
    assert (await call.reinvite(held)).code == 200
    assert leg.reinvites[0].sdp.direction == "sendonly"
    assert (await leg.reinvite(sip.Sdp(carrier.ip, 50002))).code == 200
    assert call.reinvites[0].sdp.port == 50002
    await call.hang_up()


@scene(switch=False)
async def test_media_ends_notice_every_difference(t):
    one, two = t.keep(Media(t.net.ip(2), "one")), t.keep(Media(t.net.ip(3), "two"))
    one.aim(sip.Sdp(two.ip, two.port))
    two.aim(sip.Sdp(one.ip, one.port))
    await asyncio.gather(one.talk(10, 0.002), two.talk(10, 0.002))
    await two.heard(one, 10)
    await one.heard(two, 10)
    report = one.report()
    await two.until(lambda: two.rtcp, "RTCP")
    assert two.rtcp[0][0] == report
    one.sock.sock.sendto(one.packet(5), (two.ip, two.port))
    try:
        await two.heard(one, 11)
        raise RuntimeError("a packet twice went unnoticed")
    except AssertionError as e:
        assert "11 packets came of 10 sent" in str(e), e


@scene(switch=False)
async def test_the_parser_is_strict(_t):
    good = (b"INVITE sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n"
            b"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
            b"Max-Forwards: 70\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n")
    msg = sip.parse(good)
    assert (msg.method, msg.branch, msg.from_tag, msg.to_tag) == ("INVITE", "z9hG4bKx", "1", None)
    assert sip.parse(msg.encode()).headers == msg.headers
    for old, new in ((b"\r\nCSeq", b"\nCSeq"), (b"Length: 0", b"Length: 1"), (b"70", b"0"),
                     (b"z9hG4bK", b"x"), (b";tag=1", b""), (b"1 INVITE", b"1 ACK"),
                     (b"Contact: <sip:a@b>\r\n", b""), (b"Call-ID: x", b"Call-ID: x\r\nCall-ID: x"),
                     (b"From", b"Fr om"), (b"sip:1@127.0.0.1 SIP", b"sip:1 @127.0.0.1 SIP"),
                     (b"<sip:a@b>;tag", b"\0<sip:a@b>;tag"), (b"CSeq: 1", b"CSeq: 2147483648")):
        assert old in good
        try:
            sip.parse(good.replace(old, new, 1))
        except sip.Malformed:
            continue
        raise AssertionError(f"{new!r} instead of {old!r} was not noticed")


@scene(switch=False)
async def test_a_breach_at_an_end_is_a_fault(t):
    """A response with another Call-ID, and a second final answer, are written down."""
    _caller, carrier = await ends(t)
    own = wires.Wire()
    strict = Caller("strict", t.net.ip(4), own, (carrier.ip, carrier.port))
    await strict.open()
    t.peers.append(strict)

    async def lie(leg):
        leg.first.reply(leg.invite.reply(180, tag="a").set("Call-ID", "other"))
        leg.reply(486)
        await carrier.until(lambda: leg.first.acked, "ACK")
        carrier.send(leg.invite.reply(603, tag=leg.tag), leg.flow)
    carrier.plan = lie
    await strict.invite("1").expect(486)
    await strict.until(lambda: len(own.faults) >= 2, "two faults")
    assert "Call-ID" in own.faults[0] and "second final answer" in own.faults[1], own.faults


@scene(switch=False)
async def test_the_oracle_agrees_with_the_page(_t):
    """All of rating-cases.tsv, which the page's author worked out by other means."""
    with open(CASES, encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    assert len(rows) > 150
    for row in rows:
        terms = oracle_terms(row)
        got = oracle.charge(terms, int(row["hold_ms"]))
        want = (int(row["hold_s"]), int(row["billed_s"]), oracle.money(row["fee"]), oracle.money(row["tax"]))
        assert (got.hold_s, got.billed_s, got.fee, got.tax) == want, (row, got)


def oracle_terms(row):
    """A row of rating-cases.tsv as the oracle's terms."""
    sections = () if row["sections"] == "-" else tuple(
        tuple(x.split(":")) for x in row["sections"].split(";"))
    return oracle.Terms(
        price=row["price"], unit=int(row["unit_s"]), first=int(row["first_s"]), step=int(row["step_s"]),
        setup_fee=row["setup_fee"], sections=sections, tax_percent=row["tax_percent"],
        fee_precision=int(row["fee_precision"]), fee_unit=row["fee_unit"],
        hold_time_precision_ms=int(row["hold_time_precision_ms"]), free_time_s=int(row["free_time_s"]))


@scene(switch=False, heavy=True)
async def test_the_harness_keeps_up_with_the_load_test(t):
    """The load of (a) with no switch between: all answered, nothing repeated for want of speed."""
    caller, carrier = await ends(t)
    carrier.plan = answer()
    calls = await load.steady(100, 300, lambda i: caller.place(f"880{i:06d}", hold=0.5))
    assert len(calls) == 300 and all(c.ok for c in calls)
    for record in pair(calls, carrier.legs):
        least, most = record.hold_bounds()
        assert 0.4 < least <= most, (least, most)
