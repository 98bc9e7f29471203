"""The live parameters of billing, as test_live.py has the others."""

from harness import plans
from harness.books import check_fee
from harness.oracle import Terms, charge, money
from harness.plans import reject
from harness.stage import BUY, SELL
from harness.scene import live, scene


async def held_call(t, caller, seconds, number="88017"):
    call = await caller.place(number, hold=seconds)
    return await t.cdr(call)


@live("SERVER_BILLING_FEE_PRECISION")
async def test_fee_precision(t):
    """0.0123 a minute for a second is 0.000205: whole at 0, 0.0002 at 4."""
    caller, _carrier = await t.plain()
    check_fee(await held_call(t, caller, 0.1), SELL)
    await t.set("SERVER_BILLING_FEE_PRECISION", 4)
    cdr = await held_call(t, caller, 0.1)
    check_fee(cdr, SELL.but(fee_precision=4))
    assert money(cdr["fee"]) == money("0.0002")


@live("SERVER_BILLING_FEE_UNIT")
async def test_fee_unit(t):
    """The fee of a call is rounded up to whole units of 5."""
    caller, _carrier = await t.plain(rates={"880": Terms(price="60", unit=60, first=7)})
    check_fee(await held_call(t, caller, 0.1), Terms(price="60", first=7))
    await t.set("SERVER_BILLING_FEE_UNIT", "5")
    cdr = await held_call(t, caller, 0.1)
    assert money(cdr["fee"]) == 5, cdr


@live("SERVER_BILLING_FREE_E164S")
async def test_free_numbers(t):
    """A listed number costs nothing, and passes even where a paid one is refused for want of money."""
    caller, _carrier = await t.plain(pay="0.02")
    await t.set("SERVER_BILLING_FREE_E164S", "880112")
    free = await held_call(t, caller, 0.1, "880112")
    paid = await held_call(t, caller, 0.1, "880113")
    assert money(free["fee"]) == 0 < money(paid["fee"])


@live("SERVER_BILLING_FREE_TIME")
async def test_free_time(t):
    """Taken off for the customer, never off the vendor's cost."""
    caller, _carrier = await t.plain()
    check_fee(await held_call(t, caller, 0.1), SELL, BUY)
    await t.set("SERVER_BILLING_FREE_TIME", 6)
    cdr = await held_call(t, caller, 0.1)
    check_fee(cdr, SELL.but(free_time_s=6), BUY)
    assert money(cdr["fee"]) == 0 < money(cdr["cost"])


@live("SERVER_BILLING_GATEWAY_ROUTE_PREFIX")
async def test_route_prefix(t):
    """A vendor's cost is that of the prefix and the number, also once the number is rewritten on its way out; the customer's rate and
    what is sent are as before, and a vendor without such a rate gets nothing."""
    caller, carrier = await t.caller(), await t.carrier()
    dear = BUY.but(price="0.0713")
    await t.customer(caller)
    await t.vendor(carrier, rates={"880": BUY, "7788": dear}, callee_rules=["88017:88018"])
    check_fee(await held_call(t, caller, 0.1), SELL, BUY)
    await t.set("SERVER_BILLING_GATEWAY_ROUTE_PREFIX", "77")
    cdr = await held_call(t, caller, 0.1)
    check_fee(cdr, SELL, dear)
    assert (cdr["cost_prefix"], cdr["callee_out"], cdr["rated_number"]) == ("7788", "88018", None), cdr
    await t.set("SERVER_BILLING_GATEWAY_ROUTE_PREFIX", "76")
    await t.refused(caller.invite("88017"), 503, "NoAvailableRouter")


@live("SERVER_BILLING_HOLD_TIME_PRECISION")
async def test_hold_time_precision(t):
    """The rest of a call of some 0.3 s counts as a second at 50 ms, and is dropped at 1000."""
    caller, _carrier = await t.plain(rates={"880": SELL.but(hold_time_precision_ms=0)})
    assert (await held_call(t, caller, 0.3))["billed_s"] == 1
    await t.set("SERVER_BILLING_HOLD_TIME_PRECISION", 1000)
    cdr = await held_call(t, caller, 0.3)
    check_fee(cdr, SELL.but(hold_time_precision_ms=1000))
    assert cdr["hold_ms"] >= 1000 or cdr["billed_s"] == 0


@live("SERVER_BILLING_NO_CDR_E164S")
async def test_hidden_numbers(t):
    """Booked and in `ledger verify`, but in no list and no export."""
    caller, _carrier = await t.plain()
    await t.set("SERVER_BILLING_NO_CDR_E164S", "880110")
    shown, hidden = await caller.place("88017", hold=0.1), await caller.place("880110", hold=0.1)
    await t.books.settled()
    assert len(await t.ctl.ask("cdr.list", call_id=shown.call_id)) == 1
    assert not await t.ctl.ask("cdr.list", call_id=hidden.call_id)
    exported = await t.exported(format="csv")
    assert shown.call_id in exported and hidden.call_id not in exported
    assert await t.books.balance("acme") == 100 - 2 * charge(SELL, 1000).total
    await t.books.verify()
    t.audit = False


@live("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME")
async def test_advance_time(t):
    """0.03 covers two minutes at 0.0123 and not three."""
    caller, _carrier = await t.plain(pay="0.03")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 2)
    await caller.place("88017")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 3)
    await t.refused(caller.invite("88018"), 403, "CustomerBalanceNotEnough")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 0)
    await caller.place("88019")


@live("SERVER_BILLING_RECORD_ZERO_HOLD_TIME")
async def test_record_of_unanswered_calls(t):
    """On, a busy call has its record; off, it has none, and answered ones still have."""
    caller, carrier = await t.plain()
    carrier.plan = reject(486)
    await t.refused(caller.invite("88017"), 486, "UserBusy")
    await t.set("SERVER_BILLING_RECORD_ZERO_HOLD_TIME", "Off")
    call = caller.invite("88018")
    await call.expect(486)
    carrier.plan = plans.answer()
    await t.cdr(await caller.place("88019"))
    assert not await t.ctl.ask("cdr.list", call_id=call.call_id)


@live("SERVER_VERIFY_CLEARING_CUSTOMER", "SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT")
async def test_clearing_balance(t):
    """A vendor whose account has less than the limit is passed over, when the check is on."""
    caller, _carrier = await t.plain()
    await t.books.pay("vendor-acc", "50")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT", "100")
    await caller.place("88017")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER", "On")
    await t.refused(caller.invite("88018"), 503, "AccountBalanceNotEnough")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT", "40")
    await caller.place("88019")


@live("SERVER_DISPLAY_MONEY_PRECISION")
async def test_decimals_on_screens(t):
    """Lists show amounts with so many decimals and say where that is not all; prices, single records and JSON stay whole."""
    caller, _carrier = await t.plain()
    cdr = await held_call(t, caller, 0.1)

    async def shown(*words):
        status, out, err = await t.switch.cli(*words)
        assert status == 0, err
        return out.split()

    assert cdr["fee"] == "0.000205" and cdr["tax"] == "0", cdr
    for decimals, fee, tax, balance in ((None, "~0.000", "0.000", "~100.000"), (2, "~0.00", "0.00", "~100.00"),
                                        (6, "0.000205", "0.000000", "99.999795"), (5, "~0.00021", "0.00000", "~99.99980")):
        if decimals is not None:
            await t.set("SERVER_DISPLAY_MONEY_PRECISION", decimals)
        assert {fee, tax} <= set(await shown("cdr", "list")), decimals
        assert balance in await shown("account", "list", "fields=id,balance"), decimals
        assert SELL.price in await shown("rate", "list", "group=acme-sell")
        assert "99.999795" in await shown("account", "show", "acme")
        assert '"99.999795",' in await shown("--json", "account", "list")
        assert "0.000205" in await shown("cdr", "show", cdr["id"])
        assert "0.000205" in await shown("report", "revenue")


@scene(idle=True)
@live("SERVER_BILLING_LATE_ANSWER_COST")
async def test_what_a_late_answer_costs(t):
    """Off: the vendor that answers a try after the caller gave up gets nothing, and the books agree; On: its first increment."""
    caller, carrier = await t.plain()
    carrier.plan = plans.answer_when_cancelled()

    async def late(number):
        call = caller.invite(number)
        await call.rings()
        call.cancel()
        await call.expect(487)
        leg = carrier.legs[-1]
        await leg.ack()
        await leg.ended_by_peer()
        await t.books.settled()
        (row,) = [r for r in await t.ctl.ask("cdr.list", call_id=call.call_id) if r["reason"] == "LateAnswer"]
        return row
    await t.set("SERVER_BILLING_LATE_ANSWER_COST", "Off")
    row = await late("88017")
    assert row["cost_prefix"] is None and money(row["cost"] or "0") == 0, row
    assert await t.books.balance("vendor-acc") == 0
    await t.set("SERVER_BILLING_LATE_ANSWER_COST", "On")
    row = await late("88018")
    assert money(row["cost"]) == charge(BUY, 1000).total, row
    assert await t.books.balance("vendor-acc") == -charge(BUY, 1000).total
    await t.books.verify()
