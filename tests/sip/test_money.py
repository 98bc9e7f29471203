"""Holds, locks and limits of money, one call at a time. test_overdraft.py has the crowds."""

import asyncio
from fractions import Fraction

from harness import plans
from harness.control import Refused
from harness.oracle import Terms, charge, hold_for, money
from harness.scene import scene
from harness.stage import BUY, SELL

CENT = Terms(price="0.6", unit=60, first=1, step=1)  # a cent a second: a minute's hold is 0.60


async def account(t, name="acme"):
    return await t.ctl.ask("account.show", id=name)


async def stage(t, pay="100", terms=CENT, **fields):
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay=pay, rates={"880": terms}, account=fields)
    await t.vendor(carrier)
    return caller, carrier


async def test_a_hold_is_taken_before_the_call_is_routed(t):
    """A minute's charge is held from before the vendor hears of the call until its end."""
    caller, carrier = await stage(t)
    seen = {}

    async def plan(leg):
        seen.update(await account(t))
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    await call.expect(200)
    assert money(seen["holds"]) == hold_for(CENT, 60) == Fraction(6, 10)
    assert money(seen["available"]) == 100 - Fraction(6, 10) and money(seen["balance"]) == 100
    await call.hang_up()
    await t.books.settled()
    shown = await account(t)
    assert money(shown["holds"]) == 0 and money(shown["available"]) == money(shown["balance"])


async def test_not_enough_money(t):
    """One unit under the hold: 403 and the vendor hears nothing. Exactly the hold: the call passes.
    The refused call's record shows what was there and what was needed."""
    caller, carrier = await stage(t, pay="0.59999999")
    call = caller.invite("88017")
    await t.refused(call, 403, "CustomerBalanceNotEnough")
    cdr = await t.cdr(call)
    told = str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    assert "0.59999999" in told and "0.6" in told.replace("0.59999999", ""), told
    assert not carrier.legs
    await t.books.pay("acme", "0.00000001")
    await caller.place("88018")


async def test_the_first_increment_may_be_more_than_a_minute(t):
    """first=180: three minutes are needed and held."""
    terms = CENT.but(first=180)
    caller, _carrier = await stage(t, pay="1.79", terms=terms)
    await t.refused(caller.invite("88017"), 403, "CustomerBalanceNotEnough")
    await t.books.pay("acme", "0.01")
    call = caller.invite("88018")
    await call.expect(200)
    assert money((await account(t))["holds"]) == hold_for(terms, 60) == Fraction(18, 10)
    await call.hang_up()


async def test_a_locked_account(t):
    """The operator's lock refuses; a payment does not lift it; normal lets calls pass again."""
    caller, carrier = await stage(t)
    await t.ctl.ask("account.set", id="acme", status="locked")
    await t.refused(caller.invite("88017"), 403, "AccountLocked")
    assert (await account(t))["lock_manual"] is True
    await t.books.pay("acme", "50")
    await t.refused(caller.invite("88018"), 403, "AccountLocked")
    await t.ctl.ask("account.set", id="acme", status="normal")
    await caller.place("88019")
    assert len(carrier.legs) == 1


async def test_validity(t):
    caller, _carrier = await stage(t)
    await t.ctl.ask("account.set", id="acme", valid_until="2020-01-01T00:00:00Z")
    await t.refused(caller.invite("88017"), 403, "AccountExpired")
    await t.ctl.ask("account.set", id="acme", valid_until="2099-01-01T00:00:00Z",
                    valid_from="2098-01-01T00:00:00Z")
    await t.refused(caller.invite("88018"), 403, "AccountExpired")
    await t.ctl.ask("account.set", id="acme", valid_from="2020-01-01T00:00:00Z")
    await caller.place("88019")


async def test_the_automatic_lock_and_the_payment_that_lifts_it(t):
    """balance <= -limit_money locks; a payment to above it unlocks (unlock_at=above_limit), or one to
    above zero (positive)."""
    terms = CENT.but(setup_fee="0.4")
    caller, _carrier = await stage(t, pay="1.00", terms=terms.but(first=60), limit_money="0")
    await caller.place("88017", hold=0.1)     # 0.60 + 0.40
    await t.books.settled()
    shown = await account(t)
    assert money(shown["balance"]) == 0 and shown["lock_auto"] is True, shown
    await t.refused(caller.invite("88018"), 403, "AccountLocked")
    await t.books.pay("acme", "1.00")
    assert (await account(t))["lock_auto"] is False
    await t.ctl.ask("account.set", id="acme", unlock_at="positive", limit_money="1")
    await caller.place("88019", hold=0.1)     # to 0
    await caller.place("88020", hold=0.1)     # to -1 = -limit
    await t.books.settled()
    assert (await account(t))["lock_auto"] is True
    await t.books.pay("acme", "0.5")
    assert (await account(t))["lock_auto"] is True, "-0.5 is above the limit but not positive"
    await t.books.pay("acme", "2")
    assert (await account(t))["lock_auto"] is False
    await caller.place("88021")


async def test_a_credit_line(t):
    """limit_money is how far below zero the balance may go."""
    caller, _carrier = await stage(t, pay=None, billing="postpaid", limit_money="0.6")
    await caller.place("88017", hold=0.1)
    await t.refused(caller.invite("88018"), 403, "CustomerBalanceNotEnough")
    shown = await account(t)
    assert money(shown["balance"]) == -charge(CENT, 1000).total and shown["lock_auto"] is False


async def test_an_allowance_by_hand(t):
    """overdraft until a time is added to what is available; when its time is over it is gone."""
    caller, _carrier = await stage(t, pay="0.1")
    await t.refused(caller.invite("88017"), 403, "CustomerBalanceNotEnough")
    await t.ctl.ask("account.set", id="acme", overdraft="5", overdraft_until="2099-01-01T00:00:00Z")
    assert money((await account(t))["available"]) == Fraction(51, 10)
    await caller.place("88018")
    await t.ctl.ask("account.set", id="acme", overdraft_until="2020-01-01T00:00:00Z")
    await t.refused(caller.invite("88019"), 403, "CustomerBalanceNotEnough")


async def test_anti_overdraft_off(t):
    """No hold, never a lock: calls pass below every limit."""
    caller, _carrier = await stage(t, pay=None, anti_overdraft=False)
    call = caller.invite("88017")
    await call.expect(200)
    assert money((await account(t))["holds"]) == 0
    await call.hang_up()
    await caller.place("88018", hold=0.1)
    shown = await account(t)
    assert shown["lock_auto"] is False and money(shown["balance"]) < 0


async def test_a_clearing_account_never_locks(t):
    """The vendor's balance falls as far as it will; its calls go on."""
    caller, _carrier = await stage(t)
    for i in range(3):
        await caller.place(f"88017{i}", hold=0.1)
    await t.books.settled()
    shown = await account(t, "vendor-acc")
    assert shown["lock_auto"] is False and money(shown["balance"]) == -3 * charge(BUY, 1000).total


async def test_every_part_of_a_tariff(t):
    """Increments, set-up fee, sections, tax, precision and unit of a group on real calls."""
    for i, terms in enumerate((
            Terms(price="0.0123", first=30, step=6), Terms(price="0.0123", first=60, step=60, tax_percent="15"),
            Terms(price="1.7", first=1, step=1, setup_fee="0.02", tax_percent="7.5", fee_precision=2),
            Terms(price="3", unit=1, first=1, step=1, sections=((1, "0.5"),), tax_percent="5"),
            Terms(price="0.99", first=6, step=6, fee_unit="0.05"),
            Terms(price="0", first=1, step=1))):
        await t.rates(f"sell{i}", {"880": terms})
        caller = await t.caller(f"c{i}", last=20 + i)
        await t.account(f"a{i}", "1000", rate_group=f"sell{i}")
        await t.gateway_in(f"a{i}", f"in{i}", address=[caller.ip])
        if i == 0:
            carrier = await t.carrier()
            await t.vendor(carrier)
        call = await caller.place(f"8801{i}", hold=1.3)
        await t.billed(call, await carrier.leg(f"8801{i}"), terms, BUY, account=f"a{i}")


async def test_payments(t):
    """Deduction, memo, key: the same key twice is one payment; the list has them, newest first."""
    await t.account("acme", "10")
    await t.books.pay("acme", "-2.5", memo="correction", kind="deduction")
    one = await t.books.pay("acme", "7", request_key="wire-4711")
    two = await t.ctl.ask("account.recharge", id="acme", amount="7", request_key="wire-4711")
    assert one["id"] == two["id"]
    rows = await t.ctl.ask("payment.list", account="acme")
    assert [money(r["amount"]) for r in rows] == [7, Fraction(-5, 2), 10]
    assert money(rows[0]["balance"]) == Fraction(29, 2) and rows[1]["memo"] == "correction"
    for bad in ("0", "abc", "", "1e3", "0.000000001", "99999999999999999999"):
        try:
            await t.ctl.ask("account.recharge", id="acme", amount=bad)
        except Refused:
            continue
        raise AssertionError(f"a payment of {bad!r} was booked")


async def test_payments_survive_a_kill(t):
    """A payment that was answered is there after SIGKILL."""
    await t.account("acme")
    for i in range(20):
        await t.books.pay("acme", f"0.{i + 1:08d}")
    t.switch.kill()
    await t.switch.start()
    await t.books.check()


async def test_currencies_do_not_mix(t):
    await t.rates("euro", {"880": SELL}, currency="EUR")
    try:
        await t.account("acme", currency="USD", rate_group="euro")
    except Refused as e:
        assert "EUR" in str(e) or "currency" in str(e), e
    else:
        raise AssertionError("an account in USD took rates in EUR")


async def test_a_running_call_when_its_account_is_locked(t):
    """The lock acts on new calls; the one that is up ends by itself and is charged."""
    caller, carrier = await stage(t)
    call = caller.invite("88017")
    await call.expect(200)
    await t.ctl.ask("account.set", id="acme", status="locked")
    await t.refused(caller.invite("88018"), 403, "AccountLocked")
    assert not call.bye_seen
    await call.hang_up()
    await t.billed(call, carrier.legs[0], CENT)


@scene(idle=True)
async def test_cut_off_at_the_last_affordable_second(t):
    """Money for three seconds, admission by the first increment: the call is ended after them with
    BalanceCutOff, three seconds are charged and nothing is left or owed."""
    caller, carrier = await stage(t, pay="0.03", cut_off=True)
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 0)
    call = caller.invite("88017")
    await call.expect(200)
    await call.ended_by_peer()
    leg = carrier.legs[0]
    await leg.ended_by_peer()
    cdr = await t.billed(call, leg, CENT, reason="BalanceCutOff", hangup_side="switch", sip_code=200)
    assert cdr["billed_s"] == 3, cdr
    assert await t.books.balance("acme") == 0
    await t.refused(caller.invite("88018"), 403, "AccountLocked")


@scene(idle=True, within=120)
async def test_the_hold_grows_with_the_call(t):
    """A call of more than a minute: the hold is extended before it is used up."""
    caller, carrier = await stage(t)
    call = caller.invite("88017")
    await call.expect(200)

    async def holds():
        return money((await account(t))["holds"])
    while not call.over and await holds() == hold_for(CENT, 60):
        took = asyncio.get_running_loop().time() - t.wire.began
        assert took < 90, "the hold was never extended"
        await asyncio.sleep(0.5)  # the talk itself
    assert await holds() >= hold_for(CENT, 61)
    await call.hang_up()
    await t.billed(call, carrier.legs[0], CENT)


async def test_failed_calls_give_their_hold_back(t):
    """Busy, no answer from any vendor, cancelled: the money is free again for the next call."""
    caller, carrier = await stage(t, pay="0.6")
    for i, plan in enumerate([plans.reject(486), plans.reject(503), plans.reject(404)] * 3):
        carrier.plan = plan
        answer = await caller.invite(f"88017{i}").final()
        assert answer.code in (486, 503, 404), answer.start_line()
    carrier.plan = plans.silent_after(180)
    for i in range(3):
        call = caller.invite(f"88018{i}")
        await call.rings()
        call.cancel()
        await call.expect(487)
    carrier.plan = plans.answer()
    await caller.place("88019")


async def test_currencies_do_not_mix_later_either(t):
    """A group's currency stays while an account in another is charged by it; an account's while it has money."""
    await t.rates("usd", {"880": SELL})
    await t.account("acme", "5", rate_group="usd")
    for method, key, name, wrong in (("rate-group.set", "name", "usd", "acme"), ("account.set", "id", "acme", "5 USD")):
        try:
            await t.ctl.ask(method, **{key: name, "currency": "EUR"})
        except Refused as e:
            assert wrong in str(e) and e.data["field"] == "currency", e
            continue
        raise AssertionError(f"{method} made a mix of currencies")
    await t.books.pay("acme", "-5", kind="deduction")
    await t.ctl.ask("account.set", id="acme", rate_group=None, currency="EUR")
    await t.ctl.ask("rate-group.set", name="usd", currency="EUR")
    await t.ctl.ask("account.set", id="acme", rate_group="usd")


async def test_free_numbers_pass_the_automatic_lock_only(t):
    """An account without money may call what is free; the operator's lock stops that too."""
    caller, _carrier = await stage(t, pay=None)
    await t.set("SERVER_BILLING_FREE_E164S", "880112")
    await t.refused(caller.invite("880113"), 403, "AccountLocked")
    await caller.place("880112")
    await t.ctl.ask("account.set", id="acme", status="locked")
    await t.refused(caller.invite("880112"), 403, "AccountLocked")


@scene(idle=True)
async def test_free_numbers_are_not_limited_in_time(t):
    caller, _carrier = await stage(t)
    await t.set("SERVER_BILLING_FREE_E164S", "880112")
    await t.set("SS_MAXCALLDURATION", 1)
    await t.cdr(await caller.place("880112", hold=2.5), reason="CallerHangup")


async def test_the_vendors_money_is_held_too(t):
    """With SERVER_VERIFY_CLEARING_CUSTOMER, money for one minute at the vendor is one call at a time."""
    caller, _carrier = await stage(t)
    await t.books.pay("vendor-acc", "0.0071")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER", "On")
    call = caller.invite("88017")
    await call.expect(200)
    assert money((await account(t, "vendor-acc"))["holds"]) == hold_for(BUY, 60) == Fraction("0.0071")
    await t.refused(caller.invite("88018"), 503, "AccountBalanceNotEnough")
    await call.hang_up()


async def test_unlocking_by_hand_asks_for_an_allowance(t):
    """Without money or an allowance the next call would lock it again: refused, saying what would do."""
    caller, _carrier = await stage(t, pay=None)
    try:
        await t.ctl.ask("account.set", id="acme", status="normal")
    except Refused as e:
        assert e.data["field"] == "status" and "overdraft" in e.data["accepted"], e
    else:
        raise AssertionError("unlocked with nothing to call on")
    await t.ctl.ask("account.set", id="acme", status="normal", overdraft="1", overdraft_until="2099-01-01T00:00:00Z")
    await caller.place("88017")
    log = str(await t.ctl.ask("log.list", limit=1))
    assert "overdraft" in log and "acme" in log, log
