"""Trying one vendor after the other: which failures go on, which end the hunt, and the caller's code."""

import asyncio

from harness import plans
from harness.books import check_fee
from harness.oracle import charge, money
from harness.plans import answer, dead, reject, silent_after
from harness.rtp import closed_port
from harness.scene import scene
from harness.stage import BUY, SELL

STOP = (404, 410, 484, 485, 486, 487, 600, 604, 607, 608)
GO_ON = (401, 402, 403, 407, 408, 480, 488, 500, 502, 503, 504, 580, 603)
HIDDEN = (401, 402, 403, 407)


async def vendors(t, *chosen, **fields):
    """A caller and one vendor for each plan, tried in that order."""
    caller, carriers = await t.caller(), []
    await t.customer(caller)
    for i, plan in enumerate(chosen, 1):
        carrier = await t.carrier(f"v{i}", last=2 + i)
        carrier.plan = plan
        await t.vendor(carrier, priority=i, **fields)
        carriers.append(carrier)
    return caller, carriers


@scene(idle=True)
async def test_a_change_while_a_vendor_rings(t):
    """Everything that a call was admitted by is replaced while its first vendor rings: the next choice knows only what is
    there now. A customer's gateway that is deleted meanwhile has no further vendors."""
    waiting = asyncio.Event()

    async def rings(leg):
        leg.reply(180)
        await waiting.wait()
        leg.reply(503)
    caller, (v1, v2) = await vendors(t, rings, answer())
    await t.ctl.ask("mapping-gateway.set", name="acme-in", policy="cost", policy_then="quality")
    call = caller.invite("88017")
    await call.rings()
    for n in range(3):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", memo=f"change {n}", rate_limit=100 + n)
    waiting.set()
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, routing_gateway="v2", tries=2)
    waiting.clear()
    gone = caller.invite("88017")
    await gone.rings()
    await t.ctl.ask("mapping-gateway.del", name="acme-in")
    waiting.set()
    assert (await gone.final()).code >= 400
    assert len(v1.legs) == 2 and len(v2.legs) == 1


async def test_dead_slow_503_then_busy(t):
    """The check (e): the first says nothing, the second 100 and then nothing, the third 503, the
    fourth is busy. The caller hears busy; each vendor is left as RFC 3261 wants."""
    caller, (v1, v2, v3, v4) = await vendors(t, dead(), silent_after(100), reject(503), reject(486))
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)
    call = caller.invite("88017")
    await t.refused(call, 486, "UserBusy", tries=4, routing_gateway="v4", vendor_code=486, within=30)
    assert [len(v.legs) for v in (v1, v2, v3, v4)] == [1, 1, 1, 1]
    assert v1.legs[0].first.repeats, "an INVITE without an answer is repeated"
    await v2.legs[0].cancel()
    await v2.until(lambda: v2.legs[0].first.acked, "ACK of the slow vendor's 487")
    assert not v1.legs[0].cancelled, "CANCEL to a vendor that never said anything"
    for v in (v3, v4):
        await v.until(lambda v=v: v.legs[0].first.acked, "ACK of the refusal")
    assert not call.provisional or {m.code for _, m in call.provisional} == {100}


async def test_dead_slow_503_then_answered(t):
    caller, carriers = await vendors(t, dead(), silent_after(100), reject(503), answer())
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)
    call = caller.invite("88017")
    await call.expect(200, within=30)
    leg = carriers[3].legs[0]
    await leg.ack()
    await call.hang_up()
    cdr = await t.billed(call, leg, reason="CallerHangup", tries=4, routing_gateway="v4")
    explained = str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    assert all(v in explained for v in ("v1", "v2", "v3", "v4")), explained


async def test_a_vendor_that_refuses_tcp(t):
    """Nobody listens at the vendor's port: the next one at once, no waiting for a timer."""
    caller, (v2,) = await vendors(t, answer())
    await t.rates("gone-buy", {"880": SELL})
    await t.account("gone-acc", kind="clearing", rate_group="gone-buy")
    await t.ctl.ask("routing-gateway.add", name="gone", account="gone-acc", transport="tcp", prefix=["880"],
                    address=[f"{t.net.ip(9)}:{closed_port(t.net.ip(9))}"], priority=1)
    await t.ctl.ask("routing-gateway.set", name="v1", priority=9)
    call = await caller.place("88017")
    await t.cdr(call, routing_gateway="v1", tries=2)
    assert len(v2.legs) == 1


async def test_codes_that_end_the_hunt(t):
    """Preset carrier: a verdict on the called party stops; it is the caller's code."""
    caller, (v1, v2) = await vendors(t, answer(), answer())
    for code in STOP:
        v1.plan = reject(code)
        call = caller.invite(f"880{code}")
        await call.expect(code)
        cdr = await t.cdr(call, sip_code=code, vendor_code=code, tries=1, hold_ms=0)
        assert cdr["reason"] == ("UserBusy" if code in (486, 600) else cdr["reason"])
    assert not v2.legs


async def test_codes_that_go_on(t):
    caller, (v1, v2) = await vendors(t, answer(), answer())
    for code in GO_ON:
        v1.plan = reject(code)
        call = await caller.place(f"880{code}")
        await t.cdr(call, routing_gateway="v2", tries=2, sip_code=200)
    assert len(v2.legs) == len(GO_ON)


async def test_preset_vos(t):
    """4xx stop, 5xx and 6xx go on."""
    caller, (v1, v2) = await vendors(t, answer(), answer(), switch_preset="vos")
    for code, goes_on in ((480, False), (404, False), (486, False), (500, True), (503, True), (603, True)):
        v1.plan = reject(code)
        call = caller.invite(f"880{code}")
        got = await call.final()
        assert got.code == (200 if goes_on else code), (code, got.start_line())
        if call.ok:
            await call.hang_up()
    assert len(v2.legs) == 3


async def test_stop_codes_of_the_gateway_itself(t):
    """The list of the gateway that just failed decides, instead of its preset."""
    caller, (v1, v2) = await vendors(t, answer(), answer())
    await t.ctl.ask("routing-gateway.set", name="v1", stop_codes=["503", "480"])
    for code, goes_on in ((503, False), (480, False), (486, True), (500, True)):
        v1.plan = reject(code)
        call = caller.invite(f"880{code}")
        got = await call.final()
        assert got.code == (200 if goes_on else code), (code, got.start_line())
        if call.ok:
            await call.hang_up()
    assert len(v2.legs) == 2


async def test_the_callers_code_after_several_failures(t):
    """A verdict on the called party if any try gave one, else the last code; vendors' own troubles
    (401, 402, 403, 407, 3xx) are 503, and the CDR keeps the original."""
    caller, (v1, v2) = await vendors(t, answer(), answer())
    await t.ctl.ask("routing-gateway.set", name="v1", stop_codes=["699"])
    for one, two, want in ((480, 503, 480), (503, 480, 480), (486, 500, 486), (404, 502, 404),
                           (500, 502, 502), (502, 403, 503), (403, 500, 500), (503, 488, 488)):
        v1.plan, v2.plan = reject(one), reject(two)
        call = caller.invite(f"880{one}{two}")
        await call.expect(want)
        await t.cdr(call, tries=2, sip_code=want, vendor_code=two)


async def test_what_is_never_relayed(t):
    """401, 402, 403, 407, 3xx, a Retry-After, a challenge, a Contact of the vendor: the caller gets 503."""
    caller, (v1,) = await vendors(t, answer())
    secret = "secret-of-the-vendor"
    for code in HIDDEN + (301, 302, 305, 380):
        v1.plan = reject(code, secret, headers=[
            ("Retry-After", "77"), ("Contact", f"<sip:{secret}@192.0.2.99>"), ("Server", secret),
            ("WWW-Authenticate", f'Digest realm="{secret}", nonce="1"'),
            ("Proxy-Authenticate", f'Digest realm="{secret}", nonce="1"'),
            ("Warning", f'399 {secret} "{secret}"'), ("Reason", f'Q.850;cause=21;text="{secret}"')])
        call = caller.invite(f"880{code}")
        await call.expect(503)
        assert call.answer.get("Retry-After") is None
        await t.cdr(call, sip_code=503, vendor_code=code)
    v1.plan = reject(503, headers=[("Retry-After", "77")])
    call = caller.invite("880999")
    await call.expect(503)
    assert call.answer.get("Retry-After") is None
    assert secret.encode() not in t.wire.bytes_to("customer")
    assert b"192.0.2.99" not in t.wire.bytes_to("customer")


async def test_switch_until_connect_off(t):
    """off: the first gateway's failure is the call's failure."""
    caller, (_v1, v2) = await vendors(t, reject(503), answer(), switch_until_connect="off")
    await caller.invite("88017").expect(503)
    assert not v2.legs


@scene(idle=True)
async def test_switch_until_ringing(t):
    """until_ringing: a failure before 180 goes on, one after it ends the call."""
    caller, (v1, v2) = await vendors(t, reject(503), answer(), switch_until_connect="until_ringing")
    await caller.place("88017")
    assert len(v2.legs) == 1
    v1.plan = reject(503, ring=True, after=0.2)
    call = caller.invite("88018")
    await call.rings()
    await call.expect(503)
    assert len(v2.legs) == 1


async def test_until_connect_goes_on_after_ringing(t):
    caller, (v1, v2) = await vendors(t, reject(503, ring=True, after=0.1), answer(ring=True))
    call = caller.invite("88017")
    await call.rings()
    await call.expect(200)
    assert len(call.to_tags()) == 1, "the caller's To tag stays over the change of vendor"
    await call.hang_up()
    await t.billed(call, v2.legs[0], routing_gateway="v2")
    assert len(v1.legs) == 1


async def test_after_early_media_the_callers_side_stays(t):
    """183 with media from the first vendor, then 503; the second answers: the same To tag, address
    and port for the caller, and the second is offered only what was already answered."""
    async def early_then_503(leg):
        leg.reply(183, sdp=leg.sdp)
        await asyncio.sleep(0.1)
        leg.reply(503)
    caller, (v1, v2) = await vendors(t, early_then_503, answer())
    call = caller.invite("88017")
    early = await call.rings(183)
    await call.expect(200)
    assert len(call.to_tags()) == 1
    assert (call.remote_sdp.ip, call.remote_sdp.port) == (early.sdp.ip, early.sdp.port)
    offered, answered = set(v2.legs[0].remote_sdp.payloads), set(early.sdp.payloads)
    assert offered <= answered, f"offered {offered} after {answered} was answered"
    await call.hang_up()
    await t.billed(call, v2.legs[0])
    assert len(v1.legs) == 1


async def test_at_most_five_tries(t):
    caller, carriers = await vendors(t, *[reject(503)] * 6)
    call = caller.invite("88017")
    await t.refused(call, 503, "HuntTimeout", tries=5)
    assert [len(c.legs) for c in carriers] == [1, 1, 1, 1, 1, 0]
    await t.set("SS_GATEWAY_SWITCH_LIMIT", "None")
    await t.refused(caller.invite("88018"), 503, "Rejected", tries=6)
    assert [len(c.legs) for c in carriers] == [2, 2, 2, 2, 2, 1]


@scene(idle=True)
async def test_a_late_answer(t):
    """The first vendor rings too long and answers while being cancelled: ACK and BYE at once, marked
    LateAnswer and costed by the vendor's first increment; the second vendor's call is not touched."""
    caller, (v1, v2) = await vendors(t, plans.answer_when_cancelled(), answer())
    await t.ctl.ask("routing-gateway.set", name="v1", timeout_ringing=1)
    call = caller.invite("88017")
    await call.expect(200)
    late = v1.legs[0]
    await late.ack()
    await late.ended_by_peer()
    leg = v2.legs[0]
    await leg.ack()
    assert not leg.bye_seen and not call.bye_seen
    await call.hang_up()
    cdr = await t.cdr(call, reason="CallerHangup", routing_gateway="v2", tries=2)
    check_fee(cdr, SELL)
    await marked_late(t, call, cdr)
    await t.books.settled()
    assert await t.books.balance("v1-acc") == -first_increment()


async def marked_late(t, call, cdr):
    """LateAnswer stands in the call's record, in its decisions, or in a record of the try's own."""
    rows = await t.ctl.ask("cdr.list", call_id=call.call_id)
    assert "LateAnswer" in str(rows) + str(await t.ctl.ask("cdr.explain", id=cdr["id"])), rows


def first_increment():
    """What BUY makes of its first increment."""
    return charge(BUY, 1000).total


async def test_a_200_that_crosses_the_callers_cancel(t):
    """487 for the caller, ACK and BYE for the vendor, the customer is not charged, the vendor is
    costed by its first increment."""
    caller, (v1,) = await vendors(t, plans.answer_when_cancelled())
    call = caller.invite("88017")
    await call.rings()
    call.cancel()
    await call.expect(487)
    leg = v1.legs[0]
    await leg.ack()
    await leg.ended_by_peer()
    await t.books.settled()
    cdr = await t.cdr(call, sip_code=487, hold_ms=0)
    await marked_late(t, call, cdr)
    assert await t.books.balance("acme") == 100
    assert await t.books.balance("v1-acc") == -first_increment()


async def test_cancel_and_200_in_every_order(t):
    """The caller's CANCEL and the vendor's 200 race 30 times: either the call is up on both sides or
    ended on both, the charge follows, nothing hangs."""
    caller, (v1,) = await vendors(t, answer())
    for i in range(30):
        go = asyncio.Event()
        v1.plan = plans.answer_when(go)
        call = caller.invite(f"88017{i}")
        await call.rings()
        leg = await v1.leg(f"88017{i}")
        if i % 2:
            go.set()
            await asyncio.sleep(0)
            call.cancel()
        else:
            call.cancel()
            go.set()
        got = await call.final()
        assert got.code in (200, 487), got.start_line()
        if call.ok:
            await leg.ack()
            await call.hang_up()
            await t.billed(call, leg)
        else:
            await v1.until(lambda leg=leg: leg.bye_seen or leg.first.acked, "end of the vendor's leg")
            assert not leg.ok_at or leg.acked, "a 200 that was never acknowledged"
            cdr = await t.cdr(call, hold_ms=0)
            assert money(cdr["fee"]) == 0, cdr


async def test_a_vendor_without_a_rate_is_passed_over(t):
    """No rate of the clearing account for the number, or a blocked one: never a cost of 0."""
    caller, (v1, v2) = await vendors(t, answer(), answer())
    await t.ctl.ask("rate.add", group="v1-buy", prefix="88099", price="1", status="locked")
    await t.cdr(await caller.place("880991"), routing_gateway="v2")
    await t.ctl.ask("rate.del", key="v1-buy/880")
    await t.cdr(await caller.place("88017"), routing_gateway="v2")
    assert not v1.legs and len(v2.legs) == 2


async def test_order_by_prefix_then_priority(t):
    """Policy priority: longest route prefix, then priority; terminating cuts off the shorter ones."""
    caller, (v1, v2, v3) = await vendors(t, reject(503), reject(503), answer())
    await t.ctl.ask("routing-gateway.set", name="v3", prefix=["8801"], priority=90)
    await t.ctl.ask("routing-gateway.set", name="v1", prefix=["88017"], priority=99)
    await t.ctl.ask("routing-gateway.set", name="v2", prefix=[], priority=1)
    call = await caller.place("88017")
    await t.cdr(call, routing_gateway="v3", tries=2)
    assert [len(v.legs) for v in (v1, v2, v3)] == [1, 0, 1]
    v3.plan = reject(503)
    await t.ctl.ask("routing-gateway.set", name="v1", prefix_mode="terminating")
    await caller.invite("880175").expect(503)
    assert [len(v.legs) for v in (v1, v2, v3)] == [2, 0, 1]


async def test_protected_gateways_come_last(t):
    caller, (v1, v2) = await vendors(t, answer(), answer())
    await t.ctl.ask("routing-gateway.set", name="v1", protect=True)
    await t.cdr(await caller.place("88017"), routing_gateway="v2")
    v2.plan = reject(503)
    await t.cdr(await caller.place("88018"), routing_gateway="v1")
    assert len(v1.legs) == 1


async def test_a_gateway_with_two_addresses(t):
    """Several addresses in order of preference: the second is used when the first is dead."""
    caller, (v1,) = await vendors(t, answer())
    await t.ctl.ask("routing-gateway.set", name="v1", timeout_invite=1,
                    address=[f"{t.net.ip(9)}:{closed_port(t.net.ip(9))}", v1.address])
    call = caller.invite("88017")
    await call.expect(200, within=30)
    await call.hang_up()
    await t.cdr(call, routing_gateway="v1")


async def test_a_new_call_id_hides_the_old_one(t):
    """Each try has a branch, tag and Call-ID of the switch's own."""
    caller, (v1, v2) = await vendors(t, reject(503), answer())
    call = await caller.place("88017")
    one, two = v1.legs[0].invite, v2.legs[0].invite
    assert call.call_id not in (one.call_id, two.call_id)
    assert one.branch != two.branch and call.tag not in (one.from_tag, two.from_tag)


async def test_after_early_media_without_a_relay_the_hunt_is_over(t):
    """The caller has the first vendor's address: another vendor could not be heard (behaviour.md)."""
    async def early_then_503(leg):
        leg.reply(183, sdp=leg.sdp)
        await asyncio.sleep(0.1)
        leg.reply(503)
    caller, (_v1, v2) = await vendors(t, early_then_503, answer(), media_relay="off")
    await t.ctl.ask("mapping-gateway.set", name="acme-in", media_relay="off")
    call = caller.invite("88017")
    await call.rings(183)
    await t.refused(call, 503, "Rejected", tries=1, vendor_code=503)
    assert not v2.legs
