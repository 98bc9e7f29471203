"""Agents above customers: each is charged by its own rates for the same talk, and earns what is left of what the one below was
charged; it is booked with the call, whatever happens."""

import asyncio
import glob
import json
import sqlite3
from collections import Counter
from fractions import Fraction

from harness import plans
from harness.books import every
from harness.control import Refused
from harness.oracle import Terms, charge, money
from harness.scene import scene
from harness.stage import BUY, SELL
from test_kill import OPEN, Storm, both_ends_hear, cut_down
from test_reports import moved, span

WEST = Terms(price="0.0049", first=2, step=2, tax_percent="5")  # what each agent is charged
NORTH = Terms(price="0.0021", first=3, step=1, setup_fee="0.00000001")
UNIT = 10 ** 8


async def agent(t, name, terms=None, **fields):
    """An agent by the rates NAME-own; without terms it has none."""
    if terms:
        await t.rates(f"{name}-own", {"880": terms})
        fields["rate_group"] = f"{name}-own"
    await t.account(name, kind="agent", **fields)


async def tree(t, **gateway):
    """acme below west below hub (without rates) below north: (caller, carrier)."""
    caller, carrier = await t.caller(), await t.carrier()
    await agent(t, "north", NORTH)
    await agent(t, "hub", agent="north")
    await agent(t, "west", WEST, agent="hub")
    await t.customer(caller, account={"agent": "west"}, **gateway)
    await t.vendor(carrier)
    return caller, carrier


def earned(hold_ms, sell=SELL):
    """{agent: its income} for a talk, by the oracle."""
    paid, west, north = (charge(x, hold_ms).total for x in (sell, WEST, NORTH))
    return {"west": paid - west, "hub": Fraction(0), "north": west - north}


def agrees(cdr):
    """The record's agents are what the oracle makes of its hold time; returns {agent: income}."""
    shares, want = json.loads(cdr["agents"]), earned(cdr["hold_ms"])
    assert {s["agent"]: Fraction(s["income"], UNIT) for s in shares} == want, (shares, want)
    assert cdr["agent"] == "west" and money(cdr["agent_fee"]) == charge(WEST, cdr["hold_ms"]).total, cdr
    assert money(cdr["agent_income"]) == sum(want.values())
    return want


async def account(t, name):
    return await t.ctl.ask("account.show", id=name)


async def test_accounts_are_listed_by_agent_kind_and_balance(t):
    """The accounts of an agent, with all below it; of a kind; with the least money first. A page of what is sorted there is not."""
    await tree(t)
    await t.account("poor", "0.5", agent="hub")

    async def ids(**asked):
        return [row["id"] for row in await t.ctl.ask("account.list", **asked)]
    everybody = await ids()
    assert everybody == sorted(everybody) == ["acme", "hub", "north", "poor", "vendor-acc", "west"]
    assert await ids(agent="hub") == ["poor", "west"] and await ids(agent="north") == ["hub"]
    assert await ids(agent="north", below=True) == ["acme", "hub", "poor", "west"]
    assert await ids(agent="west", below=True) == ["acme"]
    assert await ids(kind="agent") == ["hub", "north", "west"] and await ids(kind="clearing") == ["vendor-acc"]
    assert await ids(kind="customer", sort="balance") == ["poor", "acme"]
    assert (await ids(sort="balance"))[-2:] == ["poor", "acme"] and await ids(sort="available", limit=1) != ["acme"]
    assert await ids(limit=2) == everybody[:2] and await ids(limit=2, after="hub") == ["north", "poor"]
    for asked, field in (({"sort": "name"}, "sort"), ({"kind": "vendor"}, "kind"), ({"agent": "acme"}, "agent"),
                         ({"below": True}, "agent"), ({"sort": "balance", "after": "acme"}, "after")):
        await refuses(ids(**asked), f'"field": "{field}"')


async def refuses(call, *words):
    try:
        await call
    except Refused as e:
        assert all(w in str(e) for w in words), e
        return
    raise AssertionError(f"was taken, and should have been refused for {words}")


async def test_every_level_earns_by_its_own_rates(t):
    """Three agents in a row, one without rates: balances, records, entries, reports and a statement say the same, before and after a
    restart and a payment that settles the income."""
    caller, carrier = await tree(t)
    sums = Counter()
    for i, hold in enumerate((0.05, 1.2)):
        call = await caller.place(f"88017{i}", hold=hold)
        cdr = await t.billed(call, await carrier.leg(f"88017{i}"), SELL, BUY)
        sums.update(agrees(cdr))
    assert sums["hub"] == 0 < sums["north"], sums
    shown = await t.ctl.ask("cdr.show", id=cdr["id"])
    assert [(a["agent"], a["price"] and a["price"]["prefix"]) for a in shown["agents"]] == [
        ("west", "880"), ("hub", None), ("north", "880")], shown["agents"]
    for name in ("west", "hub", "north"):
        one = await account(t, name)
        assert money(one["balance"]) == money(one["income"]) == money(one["available"]) == sums[name], one
        assert one["lock_auto"] is False, one
    for again in range(2):
        report = await t.ctl.ask("report.agent", **span())
        rows = {r["agent"]: r for r in report["rows"]}
        assert {k: money(r["income"]) for k, r in rows.items()} == sums, rows
        assert {(r["account"], r["calls"]) for r in report["rows"]} == {("acme", 2)}
        assert money(rows["west"]["sold"]) - money(rows["west"]["own"]) == sums["west"]
        alone = await t.ctl.ask("report.agent", agent="north", account="acme", **span())
        assert [money(r["income"]) for r in alone["rows"]] == [sums["north"]], alone["rows"]
        profit = (await t.ctl.ask("report.profit", account="acme", **span()))["rows"][0]
        cdrs = await every(t.ctl, "cdr")
        took = sum(money(c["fee"]) + money(c["tax"]) - money(c["cost"]) for c in cdrs)
        assert money(profit["profit"]) == took - sum(sums.values()), profit
        assert (await t.ctl.ask("report.verify"))["differences"] == []
        if not again:
            await moved(t)
            await t.switch.restart()
    await t.books.pay("west", "-0.00000001", kind="deduction", memo="income of November")
    books = {r["account"]: r for r in (await t.ctl.ask("report.balance", **span()))["rows"]}
    assert money(books["west"]["income"]) == sums["west"] and money(books["west"]["other"]) == 0, books["west"]
    assert money(books["west"]["closing"]) == sums["west"] - Fraction(1, UNIT) == await t.books.balance("west")
    assert money((await account(t, "west"))["income"]) == sums["west"], "a payment is no income"


async def test_what_the_tree_refuses(t):
    """Only agents have accounts below them; no ring, at most five in a row, one currency; said by its field when it is entered."""
    for i in range(5):
        await agent(t, f"a{i}", **({"agent": f"a{i - 1}"} if i else {}))
    await t.account("acme", agent="a4")
    await agent(t, "b")
    await refuses(t.ctl.ask("account.set", id="a0", agent="b"), "agent", "more than 5")
    await refuses(t.account("deep", kind="agent", agent="acme"), "agent", "not an agent")
    await refuses(t.ctl.ask("account.set", id="b", agent="b"), "agent", "above itself")
    await refuses(t.ctl.ask("account.set", id="a0", agent="a3"), "agent", "above itself")
    await refuses(t.ctl.ask("account.set", id="b", agent="nobody"), "agent")
    await refuses(t.account("euro", agent="b", currency="EUR"), "agent", "EUR", "USD")
    await refuses(t.ctl.ask("account.set", id="a4", kind="customer"), "kind", "acme")
    await refuses(t.account("vend", kind="clearing", agent="b"), "agent", "clearing")
    await refuses(t.ctl.ask("account.del", id="a4"), "acme")
    await t.ctl.ask("account.set", id="acme", agent="b")
    await t.ctl.ask("account.set", id="a4", kind="customer")


async def test_an_agent_that_may_not_sell(t):
    """Locked, not valid any more, in debt, or without a rate for the number: its customers' calls are refused, and say why."""
    caller, carrier = await tree(t)
    for fields, reason in (({"status": "locked"}, "AccountLocked"), ({"valid_until": "2020-01-01T00:00:00Z"}, "AccountExpired")):
        before = {k: (await account(t, "north"))[k] for k in fields}
        await t.ctl.ask("account.set", id="north", **fields)
        call = caller.invite("88017")
        cdr = await t.refused(call, 403, reason)
        assert "north" in str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
        await t.ctl.ask("account.set", id="north", **before)
    await t.ctl.ask("rate.set", key="west-own/880", status="locked")
    cdr = await t.refused(caller.invite("88018"), 403, "NoRate")
    assert "west" in str(await t.ctl.ask("cdr.explain", id=cdr["id"])) and cdr["agents"] is None
    await t.ctl.ask("rate.set", key="west-own/880", status="normal")
    assert not carrier.legs
    await t.books.pay("west", "-0.00000001", kind="deduction")
    assert (await account(t, "west"))["lock_auto"] is True
    await t.refused(caller.invite("88019"), 403, "AccountLocked")
    await t.books.pay("west", "0.00000001")
    assert (await account(t, "west"))["lock_auto"] is False, "nothing is owed any more"
    await caller.place("88020")


async def test_an_agent_that_sells_below_its_own_rates(t):
    """The difference is taken from it, and a debt locks it like any other."""
    caller, carrier = await t.caller(), await t.carrier()
    await agent(t, "west", SELL.but(price="9"), limit_money="0.1")
    await t.customer(caller, account={"agent": "west"})
    await t.vendor(carrier)
    cdr = await t.cdr(await caller.place("88017", hold=1.1))
    loss = charge(SELL, cdr["hold_ms"]).total - charge(SELL.but(price="9"), cdr["hold_ms"]).total
    shown = await account(t, "west")
    assert money(shown["balance"]) == money(shown["income"]) == loss < -Fraction(1, 10), shown
    assert shown["lock_auto"] is True
    await t.refused(caller.invite("88018"), 403, "AccountLocked")


async def test_the_rates_of_the_answer_count(t):
    """A new price and another agent while it rings are those of the call; a change while it is up is not."""
    caller, carrier = await tree(t)
    answers = asyncio.Event()
    carrier.on("88017", plans.answer_when(answers))
    call = caller.invite("88017")
    await call.rings()
    await t.ctl.ask("account.set", id="west", agent="north")
    answers.set()
    await call.expect(200)
    await t.ctl.ask("account.set", id="acme", agent=None)
    await call.hang_up()
    cdr = await t.cdr(call)
    assert [s["agent"] for s in json.loads(cdr["agents"])] == ["west", "north"], cdr["agents"]
    cdr = await t.cdr(await caller.place("88018"))
    assert cdr["agent"] is None and cdr["agents"] is None and money(cdr["agent_income"]) == 0


async def test_a_free_number_earns_nothing(t):
    await t.set("SERVER_BILLING_FREE_E164S", "88017")
    caller, _carrier = await tree(t)
    cdr = await t.cdr(await caller.place("88017", hold=0.1))
    assert cdr["agents"] is None and await t.books.balance("west") == 0


@scene(settings=OPEN, heavy=True, within=120)
async def test_income_survives_kills(t):
    """SIGKILL under load: what agents have earned is the sum over the records, cut calls among them, each once."""
    caller, carrier = await tree(t)
    await t.books.pay("acme", "1000")
    storm, sums = Storm(t, caller, carrier, rate=40), Counter()
    for _ in range(10 if t.long else 2):
        cut = await cut_down(storm, t.random.uniform(0.5, 1.2))
        await t.switch.start()
        await both_ends_hear(t, storm, cut)
        for leg in carrier.legs:
            leg.stop()
    await t.books.settled()
    rows = [r for r in await every(t.ctl, "cdr") if r["agents"]]
    for row in rows:
        sums.update(agrees(row))
    assert any(r["reason"] == "SwitchRestarted" for r in rows) and len(rows) == len({r["call_id"] for r in rows})
    for name in ("west", "hub", "north"):
        one = await account(t, name)
        assert money(one["balance"]) == money(one["income"]) == sums[name], (one, sums)


async def test_the_audits_find_a_changed_income(t):
    """An amount changed behind the switch's back is named: in an entry by ledger verify, in a record by cdr verify."""
    caller, _carrier = await tree(t)
    cdr = await t.cdr(await caller.place("88017", hold=0.1))
    await moved(t)
    await t.switch.stop()
    month = glob.glob(f"{t.switch.data}/cdr/*.db")[0]
    with sqlite3.connect(f"{t.switch.data}/ledger.db") as db:
        db.execute("UPDATE entry SET amount = amount + 1 WHERE kind = 'income' AND account = 'north'")
    with sqlite3.connect(month) as db:
        db.execute("UPDATE cdr SET agent_income = agent_income + 1")
    await t.switch.start()
    ledger = await t.ctl.ask("ledger.verify")
    assert {d["account"] for d in ledger["differences"]} == {"north"}, ledger
    records = await t.ctl.ask("cdr.verify")
    assert [(d["id"], d["field"]) for d in records["differences"]] == [(cdr["id"], "agent_income")], records
    t.audit = False
