"""A phone's calls go on to another number: always, busy, no answer, not there. The caller pays for the call to the phone,
the phone for the part behind it, each in a record of its own."""

import asyncio
from decimal import Decimal

from harness.control import Refused
from harness.plans import reject, silent_after
from harness.oracle import Terms
from harness.scene import live, scene
from harness.stage import SELL
from harness.watch import poll


async def ends(t, acme=None, beta=None, **fields):
    """A customer's gateway (acme), a phone 1001 (beta) with these fields, a vendor for 880. acme, beta: money and
    settings of these accounts."""
    caller, carrier = await t.caller(), await t.carrier()
    acme, beta = dict(acme or {}), dict(beta or {})
    await t.customer(caller, rates={"1": acme.pop("sell", SELL), "880": SELL}, pay=acme.pop("pay", "100"), account=acme)
    await t.phones_account("beta", rates={"880": beta.pop("sell", SELL), "1": SELL, "9": SELL}, **beta)
    phone = await t.phone("1001", 11, account="beta", **fields)
    await phone.register()
    await t.vendor(carrier, pass_headers=["Diversion"])
    return caller, phone, carrier


async def records(t, call, count=2):
    """All records of the INVITE, the customer's first."""
    async def rows():
        found = await t.ctl.ask("cdr.list", call_id=call.call_id)
        return found if len(found) == count else None
    found = await poll(rows, f"{count} records of {call.call_id}")
    return sorted(found, key=lambda r: r["caller_phone"] is not None)


async def talk(customer, carrier, callee="1001", nth=0, **options):
    call = customer.invite(callee, **options)
    await call.expect(200)
    leg = await carrier.leg(nth=nth)
    await leg.ack()
    return call, leg


@live("SS_CALL_FORWARD_USING_ORIGINAL_CALLER")
@scene(idle=True)
async def test_forwarded_always(t):
    """The phone does not ring; the caller hears 181 and both pay; whose number the vendor sees."""
    caller, phone, carrier = await ends(t, forward_always="88017")
    call, leg = await talk(caller, carrier, caller="4420")
    assert 181 in [m.code for _, m in call.provisional] and not phone.legs
    assert leg.invite.get("From").startswith("<sip:4420@"), leg.invite.get("From")
    diversion = leg.invite.get("Diversion")
    assert diversion.startswith("<sip:1001@") and ";reason=unconditional" in diversion, diversion
    await asyncio.sleep(0.06)  # a talk: what is shorter than the hold time's precision is not charged
    await call.hang_up()
    front, own = await records(t, call)
    assert (front["account"], front["mapping_gateway"], front["callee"], front["callee_phone"]) == (
        "acme", "acme-in", "1001", "1001") and front["routing_gateway"] is None, front
    assert (own["account"], own["caller_phone"], own["callee"], own["routing_gateway"]) == (
        "beta", "1001", "88017", "vendor"), own
    for row in (front, own):
        assert row["reason"] == "CallerHangup" and row["answer"] and Decimal(row["fee"]) > 0, row
    assert front["cost"] in (None, "0") and Decimal(own["cost"]) > 0
    assert front["hold_ms"] == own["hold_ms"]
    await t.set("SS_CALL_FORWARD_USING_ORIGINAL_CALLER", "Off")
    call, leg = await talk(caller, carrier, nth=1)
    assert leg.invite.get("From").startswith("<sip:1001@")
    await leg.hang_up()
    await call.ended_by_peer()
    await t.ctl.ask("phone.set", number="1001", forward_display="caller")
    call, leg = await talk(caller, carrier, nth=2, caller="4421")
    assert leg.invite.get("From").startswith("<sip:4421@")
    await call.hang_up()


@scene(idle=True)
async def test_forwarded_when_busy_or_not_there(t):
    """486, do_not_disturb and no registration; a refusal of another kind stays one, an own limit or rate is the phone's, and
    what is wrong with the phone's account is not told to the caller."""
    caller, phone, carrier = await ends(t, forward_busy="88017", forward_offline="88018")
    phone.plan = reject(486)
    call, leg = await talk(caller, carrier)
    assert ";reason=user-busy" in leg.invite.get("Diversion") and len(phone.legs) == 1
    await call.hang_up()
    front, own = await records(t, call)
    assert front["tries"] == 1 and own["tries"] == 1 and own["callee"] == "88017", (front, own)
    phone.plan = reject(603)
    await t.refused(caller.invite("1001"), 603, "Rejected")
    await t.ctl.ask("phone.set", number="1001", do_not_disturb=True)
    call, leg = await talk(caller, carrier, nth=1)
    await call.hang_up()
    assert len(phone.legs) == 2
    await t.ctl.ask("phone.set", number="1001", do_not_disturb=False)
    await phone.register(expires=0)
    call, leg = await talk(caller, carrier, callee="1001", nth=2)
    assert ";reason=unavailable" in leg.invite.get("Diversion")
    await call.hang_up()
    await t.ctl.ask("account.set", id="beta", status="locked")
    call = caller.invite("1001")
    await call.expect(480)
    front, own = await records(t, call)
    assert (front["reason"], own["reason"], own["account"]) == ("PhoneOffline", "AccountLocked", "beta"), (front, own)
    assert Decimal(front["fee"]) == Decimal(own["fee"]) == 0
    await t.ctl.ask("phone.set", number="1001", forward_offline="")
    await t.refused(caller.invite("1001"), 480, "PhoneOffline")


@scene(idle=True)
async def test_forwarded_when_nobody_answers(t):
    """It rings for forward_after and is cancelled then; a caller who gives up meanwhile ends both; the own prefix of forwarded
    calls finds the rate."""
    caller, phone, carrier = await ends(t, forward_no_answer="88017", forward_after=1)
    phone.plan = silent_after(180)
    await t.set("SERVER_BILLING_FORWARD_PREFIX", "9")
    call, leg = await talk(caller, carrier)
    assert ";reason=no-answer" in leg.invite.get("Diversion")
    await (await phone.leg()).cancel()
    await call.hang_up()
    front, own = await records(t, call)
    assert own["rate_prefix"] == "9" and front["rate_prefix"] == "1", (front, own)
    carrier.plan = silent_after(180)
    call = caller.invite("1001")
    await carrier.leg(nth=1)
    call.cancel()
    await call.expect(487)
    for row in await records(t, call):
        assert (row["reason"], row["hold_ms"]) == ("CallerCancel", 0), row


@scene(idle=True)
async def test_forwarded_in_turn_and_in_a_circle(t):
    """From phone to phone: each pays for its part. Back to one that has sent it on: a loop. To itself: refused at entry."""
    caller, phone, carrier = await ends(t, forward_always="1002")
    second = await t.phone("1002", 12, account="beta", forward_always="88017")
    await second.register()
    call, leg = await talk(caller, carrier)
    assert [";reason=unconditional" in d for d in leg.invite.all("Diversion")] == [True, True]
    await call.hang_up()
    rows = await records(t, call, 3)
    assert [r["callee"] for r in rows if r["account"] == "acme"] == ["1001"]
    assert {(r["caller_phone"], r["callee"]) for r in rows if r["account"] == "beta"} == {
        ("1001", "1002"), ("1002", "88017")}
    await t.ctl.ask("phone.set", number="1002", forward_always="1001")
    call = caller.invite("1001")
    await call.expect(482)
    assert sorted(r["reason"] for r in await records(t, call, 3)) == ["LoopDetected", "Rejected", "Rejected"]
    assert not phone.legs and not second.legs
    try:
        await t.ctl.ask("phone.set", number="1001", forward_busy="1001")
    except Refused as e:
        assert "1001" in str(e)
    else:
        raise AssertionError("a phone that sends its calls to itself was taken")


@scene(idle=True)
async def test_a_crash_in_a_forwarded_call(t):
    """Both records are closed from the journal, each at its own account."""
    caller, _phone, carrier = await ends(t, forward_always="88017")
    call, leg = await talk(caller, carrier)
    t.switch.kill()
    await t.switch.start()
    await leg.ended_by_peer()
    rows = await records(t, call)
    assert [(r["account"], r["reason"]) for r in rows] == [
        ("acme", "SwitchRestarted"), ("beta", "SwitchRestarted")], rows


async def runs_dry(t, account):
    """A forwarded call with two seconds of money at that account, and cut_off: both records of it, whose reason is that."""
    dear = {"pay": "0.02", "sell": Terms(price="0.6", unit=60, first=1, step=1), "cut_off": True}
    caller, _phone, carrier = await ends(t, **{account: dear}, forward_always="88017")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 0)
    call, leg = await talk(caller, carrier)
    await call.ended_by_peer()
    await leg.ended_by_peer()
    front, own = await records(t, call)
    assert (front["reason"], own["reason"]) == ("BalanceCutOff", "BalanceCutOff"), (front, own)
    return front, own


@scene(idle=True)
async def test_money_cuts_a_forwarded_call_off(t):
    """Two seconds of money at one of the two accounts, and cut_off: the whole call ends at the last of them, both records say
    why, and the one that ran dry is charged what it had and no more."""
    front, own = await runs_dry(t, "beta")
    assert front["hangup_side"] == own["hangup_side"] == "switch"
    assert own["account"] == "beta" and own["billed_s"] == 2 and Decimal(own["fee"]) == Decimal("0.02"), own
    assert front["hold_ms"] >= own["hold_ms"]  # who has no cut_off is charged to the very end
    assert Decimal((await t.ctl.ask("account.show", id="beta"))["balance"]) == 0


@scene(idle=True)
async def test_money_cuts_a_forwarded_call_off_at_its_caller(t):
    """The same with the caller's account as the one that runs dry."""
    front, _own = await runs_dry(t, "acme")
    assert front["account"] == "acme" and front["billed_s"] == 2 and Decimal(front["fee"]) == Decimal("0.02"), front
    assert Decimal((await t.ctl.ask("account.show", id="acme"))["balance"]) == 0
