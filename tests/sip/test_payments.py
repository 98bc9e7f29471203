"""Payments of every kind, how one is taken back, and the alarm of accounts that run low."""

import asyncio

from harness.control import Refused
from harness.oracle import money
from harness.watch import poll
from harness.scene import live


async def refused(asked, *words):
    """The operation is refused, and the error says these words."""
    try:
        answer = await asked
    except Refused as e:
        assert all(w in str(e) for w in words), e
        return
    raise AssertionError(f"not refused: {answer}")


async def amounts(t, **filters):
    return [money(r["amount"]) for r in await t.ctl.ask("payment.list", **filters)]


async def test_kinds_of_payments(t):
    """Each kind goes its own way and no other; a reset makes the balance 0, and there must be one."""
    await t.account("acme")
    for kind, amount in (("opening", "10"), ("refund", "1"), ("rent", "-2"), ("shortfall", "-0.5"),
                         ("deduction", "-0.25")):
        wrong = amount[1:] if amount[0] == "-" else f"-{amount}"
        await refused(t.ctl.ask("account.recharge", id="acme", amount=wrong, kind=kind), "amount")
        await t.books.pay("acme", amount, kind=kind, mode="cash")
    await refused(t.ctl.ask("account.recharge", id="acme"), "amount")
    await refused(t.ctl.ask("account.recharge", id="acme", amount="1", kind="correction"), "payment correct")
    await refused(t.ctl.ask("account.recharge", id="acme", amount="1", kind="reset"), "amount")
    row = await t.ctl.ask("account.recharge", id="acme", kind="reset", amount="0", request_key="month end")
    assert money(row["amount"]) == money("-8.25") and money(row["balance"]) == 0, row
    again = await t.ctl.ask("account.recharge", id="acme", kind="reset", amount="0", request_key="month end")
    assert (again["id"], again["amount"]) == (row["id"], row["amount"])
    await refused(t.ctl.ask("account.recharge", id="acme", kind="reset", amount="0"), "balance is 0")
    t.books.paid["acme"] += money(row["amount"])
    assert await amounts(t, account="acme", kind="rent") == [-2]
    await t.ctl.ask("account.del", id="acme")
    await refused(t.ctl.ask("account.recharge", id="acme", amount="1"), "no such account")


async def test_a_payment_is_taken_back_once(t):
    """A correction names the payment and has its amount the other way; a second one, one of a correction and one of
    nothing are refused; repeated with its key, also after SIGKILL, it is the same one."""
    await t.account("acme")
    wrong = await t.books.pay("acme", "100", memo="typed twice")
    await t.books.pay("acme", "10", memo="meant")
    back = await t.ctl.ask("payment.correct", id=wrong["id"], memo="should be 10", request_key="c1")
    assert (back["kind"], back["reverses"], back["account"]) == ("correction", wrong["id"], "acme")
    assert money(back["amount"]) == -100 and money(back["balance"]) == 10
    await refused(t.ctl.ask("payment.correct", id=wrong["id"]), "taken back already")
    await refused(t.ctl.ask("payment.correct", id=back["id"]), "takes back payment")
    await refused(t.ctl.ask("payment.correct", id="4711"), "no such payment")
    await refused(t.ctl.ask("payment.correct", id="x"), "id")
    t.switch.kill()
    await t.switch.start()
    again = await t.ctl.ask("payment.correct", id=wrong["id"], memo="should be 10", request_key="c1")
    assert again["id"] == back["id"]
    await refused(t.ctl.ask("account.recharge", id="acme", amount="5", request_key="c1"), "key")
    assert (await t.ctl.ask("payment.show", id=wrong["id"])) == wrong, "a payment has changed"
    t.books.paid["acme"] -= 100
    status, out, _err = await t.switch.cli("payment", "show", str(back["id"]))
    assert status == 0 and "should be 10" in out


async def test_a_hundred_corrections_at_once(t):
    """Of many that race for one payment, one is booked."""
    await t.account("acme")
    wrong = await t.books.pay("acme", "100")
    done = await asyncio.gather(*(t.ctl.ask("payment.correct", id=wrong["id"]) for _ in range(100)),
                                return_exceptions=True)
    assert sum(isinstance(d, dict) for d in done) == 1, done[:3]
    t.books.paid["acme"] -= 100
    assert await t.books.balance("acme") == 0


async def test_finding_payments(t):
    """By account, kind, time and text, page by page."""
    for name in ("acme", "other"):
        await t.account(name)
    rows = [await t.books.pay("acme" if i % 2 else "other", f"{i + 1}", memo=f"wire {i}") for i in range(6)]
    assert await amounts(t, account="acme") == [6, 4, 2]
    assert await amounts(t, text="wire 3") == [4]
    assert await amounts(t, to=rows[0]["at"]) == []
    assert len(await amounts(t, **{"from": rows[0]["at"]})) == 6
    assert await amounts(t, limit=2, after=rows[5]["id"]) == [5, 4]
    await refused(t.ctl.ask("payment.list", kind="gift"), "kind", "recharge")
    await refused(t.ctl.ask("payment.list", **{"from": "yesterday"}), "from")


async def low(t):
    return sorted(a["object"] for a in await t.ctl.ask("alarm.list") if a["type"].startswith("low_balance"))


@live("SS_CLIENT_LOW_BALANCE_ALARM", "SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE")
async def test_accounts_that_run_low(t):
    """Below the parameter a customer raises an alarm and a payment ends it; an account's own threshold wins; so
    many may have one, and so many alarms stand. What is left of a credit line is what counts for postpaid."""
    await t.account("rich", "100")
    await t.account("poor", "4")
    await t.account("credit", limit_money="10", billing="postpaid")
    await t.account("vendor", kind="clearing")
    assert await low(t) == []
    await t.set("SS_CLIENT_LOW_BALANCE_ALARM", 5)
    assert await low(t) == ["poor"]
    await t.set("SS_CLIENT_LOW_BALANCE_ALARM", "10.5")
    assert await low(t) == ["credit", "poor"]
    await t.set("SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE", 1)
    assert len(await low(t)) == 2 and "accounts" in await low(t)
    await t.ctl.ask("account.set", id="rich", low_balance="200")
    await refused(t.ctl.ask("account.set", id="vendor", low_balance="0.5"), "low_balance", "alarm of their own")
    await t.set("SERVER_ALARM_CUSTOMER_BALANCE_MAX_SIZE", 1000)
    await t.ctl.ask("account.set", id="vendor", low_balance="0.5")
    assert await low(t) == ["credit", "poor", "rich", "vendor"]
    await t.books.pay("poor", "96")
    await t.ctl.ask("account.set", id="rich", low_balance=None)

    async def two():
        return await low(t) == ["credit", "vendor"]
    await poll(two, "the end of two alarms")
    await t.set("SS_CLIENT_LOW_BALANCE_ALARM", "")
    assert await low(t) == ["vendor"]
