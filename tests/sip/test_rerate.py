"""Rated again: a price that was wrong is put right for the calls there were. Records stay as they are; what differs is reversed and
booked anew, once, whatever happens in between."""

import asyncio
import glob
import json
import sqlite3
from fractions import Fraction

from harness.books import clean
from harness.control import Refused
from harness.oracle import charge, money
from harness.scene import scene
from harness.stage import SELL, rate_fields
from harness.watch import poll
from test_agents import NORTH, WEST, tree
from test_reports import moved, span

RIGHT, BUYS = SELL.but(price="0.6", tax_percent="10"), WEST.but(price="0.3")
PAST = "2020-01-01T00:00:00Z"


async def balances(t, *names):
    return {n: await t.books.balance(n) for n in names}


async def audits(t):
    for method in ("ledger.verify", "cdr.verify", "report.verify"):
        verdict = await t.ctl.ask(method)
        assert clean(verdict), (method, verdict)


async def rated_wrongly(t, calls=3):
    """(records, what each account has) after calls by prices that are put right then."""
    caller, _carrier = await tree(t)
    cdrs = [await t.cdr(await caller.place(f"88017{i}", hold=0.1)) for i in range(calls)]
    had = await balances(t, "acme", "west", "hub", "north", "vendor-acc")
    await t.ctl.ask("rate.add", group="acme-sell", prefix="88017", **{**rate_fields(RIGHT), "effective": PAST})
    await t.ctl.ask("rate.add", group="west-own", prefix="88017", **{**rate_fields(BUYS), "effective": PAST})
    t.audit = False  # its own reckoning is by the records, which stay
    return cdrs, had


def moves(cdrs):
    """{account: what rating again changes of its balance}"""
    total = {"acme": Fraction(0), "west": Fraction(0), "hub": Fraction(0), "north": Fraction(0), "vendor-acc": Fraction(0)}
    for c in cdrs:
        old, new, own, buys, north = (charge(x, c["hold_ms"]).total for x in (SELL, RIGHT, WEST, BUYS, NORTH))
        total["acme"] += old - new
        total["west"] += new - buys - (old - own)
        total["north"] += buys - north - (own - north)
    return total


def plus(a, b):
    return {k: a[k] + b[k] for k in a}


async def test_a_wrong_price_is_put_right_once(t):
    """A dry run says what would be and changes nothing; the run books it for the account and its agents; another one finds nothing left;
    records, audits, reports and a restart agree."""
    cdrs, had = await rated_wrongly(t)
    names, want = had.keys(), plus(had, moves(cdrs))
    dry = await t.ctl.ask("cdr.rerate", account="acme", dry_run=True)
    assert (dry["checked"], dry["changed"], dry["booked"]) == (3, 3, 0), dry
    assert money(dry["difference"]) == had["acme"] - want["acme"] and await balances(t, *names) == had
    assert {c["id"] for c in dry["changes"]} == {c["id"] for c in cdrs} and dry["changes"][0]["prefix"] == "88017"
    done = await t.ctl.ask("cdr.rerate", account="acme")
    assert (done["booked"], done["difference"], done["dry_run"]) == (3, dry["difference"], False), done
    assert await balances(t, *names) == want
    shown = await t.ctl.ask("account.show", id="acme")
    assert money(shown["available"]) == want["acme"] and money(shown["holds"]) == 0, shown
    assert money((await t.ctl.ask("account.show", id="west"))["income"]) == want["west"]
    again = await t.ctl.ask("cdr.rerate", account="acme")
    assert (again["unchanged"], again["changed"], again["booked"]) == (3, 0, 0), again
    for restart in False, True:
        if restart:
            await moved(t)
            await t.switch.restart()
        assert await balances(t, *names) == want
        one = await t.ctl.ask("cdr.show", id=cdrs[0]["id"])
        assert {k: one[k] for k in ("fee", "tax", "rate_prefix", "rate_version")} == {
            k: cdrs[0][k] for k in ("fee", "tax", "rate_prefix", "rate_version")}, "the record stays"
        new = charge(RIGHT, cdrs[0]["hold_ms"])
        assert [(money(x["fee"]), money(x["tax"]), x["prefix"]) for x in one["rerated"]] == [(new.fee, new.tax, "88017")]
        revenue = (await t.ctl.ask("report.customer", account="acme", **span()))["rows"]
        assert [(r["calls"], money(r["charge"])) for r in revenue] == [(3, t.books.paid["acme"] - want["acme"])], revenue
        income = {r["agent"]: (r["calls"], money(r["income"])) for r in (await t.ctl.ask("report.agent", **span()))["rows"]}
        assert income == {n: (3, want[n]) for n in ("west", "hub", "north")}, income
        await audits(t)


async def test_twice_and_back_again(t):
    """Each time the facts in force are what is reversed; back at the first price everybody has what he had."""
    cdrs, had = await rated_wrongly(t, calls=2)
    await t.ctl.ask("cdr.rerate", account="acme")
    await t.ctl.ask("rate.add", group="acme-sell", prefix="880170", **{**rate_fields(SELL), "effective": PAST})
    await t.ctl.ask("rate.add", group="west-own", prefix="880170", **{**rate_fields(WEST), "effective": PAST})
    half = await t.ctl.ask("cdr.rerate", account="acme")
    assert (half["changed"], half["unchanged"]) == (1, 1), half
    assert await balances(t, *had) == plus(had, moves(cdrs[1:]))
    assert [s["charge"] for s in json.loads(cdrs[0]["agents"])][0] == int(charge(WEST, cdrs[0]["hold_ms"]).total * 10 ** 8)
    await audits(t)


async def test_what_is_not_rated_again(t):
    """Free numbers, calls out of the span, numbers without a rate; vendors, strangers and accounts without rates are refused."""
    await t.set("SERVER_BILLING_FREE_E164S", "880999")
    caller, _carrier = await t.plain()
    await t.cdr(await caller.place("880999", hold=0.05))
    await t.cdr(await caller.place("88017", hold=0.05))
    none = await t.ctl.ask("cdr.rerate", account="acme", to=PAST)
    assert none["checked"] == 0, none
    await t.ctl.ask("rate.add", group="acme-sell", prefix="8801", **{**rate_fields(SELL), "effective": PAST, "status": "locked"})
    done = await t.ctl.ask("cdr.rerate", account="acme")
    assert (done["checked"], done["not_rated"], done["without_rate"], done["changed"]) == (2, 1, 1, 0), done
    await t.account("bare")
    for account, word in (("vendor-acc", "vendor"), ("nobody", "no such"), ("bare", "rate_group")):
        try:
            await t.ctl.ask("cdr.rerate", account=account)
        except Refused as e:
            assert word in str(e), e
            continue
        raise AssertionError(f"{account} was rated again")
    logged = await t.ctl.ask("log.list", limit=50)
    assert any(x["operation"] == "cdr.rerate" and x["key"] == "acme" for x in logged), logged


async def test_a_forwarded_call_is_rated_again_by_its_own_prefix(t):
    """The part behind a phone is charged by SERVER_BILLING_FORWARD_PREFIX and the number: the record says by which, and rated again it
    finds the rate of that number, whatever the parameter says by then."""
    await t.set("SERVER_BILLING_FORWARD_PREFIX", "9")
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, rates={"1": SELL})
    await t.phones_account("beta", rates={"880": SELL, "9": SELL})
    phone = await t.phone("1001", 11, account="beta", forward_always="88017")
    await phone.register()
    await t.vendor(carrier)
    call = await caller.place("1001", hold=0.1)
    async def behind():
        return await t.ctl.ask("cdr.list", account="beta", call_id=call.call_id)
    [cdr] = await poll(behind, "the phone's record")
    assert (cdr["rated_number"], cdr["rate_prefix"], cdr["callee"]) == ("988017", "9", "88017"), cdr
    await t.set("SERVER_BILLING_FORWARD_PREFIX", "")
    await t.ctl.ask("rate.add", group="beta-sell", prefix="98", **{**rate_fields(RIGHT), "effective": PAST})
    t.audit = False
    done = await t.ctl.ask("cdr.rerate", account="beta")
    assert (done["booked"], done["changes"][0]["prefix"], money(done["after"])) == (
        1, "98", charge(RIGHT, cdr["hold_ms"]).total), done
    await audits(t)


async def test_money_that_comes_back_lifts_the_lock(t):
    """A call that was far too dear locked its account; rated again, it is open and has its money."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay="1", rates={"880": SELL.but(setup_fee="0.9877", first=60, step=60)}, account={"limit_money": "0"})
    await t.vendor(carrier)
    await t.cdr(await caller.place("88017", hold=0.1))
    await t.books.settled()
    assert (await t.ctl.ask("account.show", id="acme"))["lock_auto"] is True
    await t.refused(caller.invite("88018"), 403, "AccountLocked")
    await t.ctl.ask("rate.add", group="acme-sell", prefix="8801", **{**rate_fields(SELL), "effective": PAST})
    t.audit = False
    assert (await t.ctl.ask("cdr.rerate", account="acme"))["booked"] == 1
    assert (await t.ctl.ask("account.show", id="acme"))["lock_auto"] is False
    await caller.place("88019")
    await audits(t)


async def books_are_right(t):
    for method in ("ledger.verify", "cdr.verify"):
        verdict = await t.ctl.ask(method)
        assert clean(verdict), (method, str(verdict)[:1000])


async def multiply(t, cdr, times):
    """So many further records like this one, with all that was booked for it, into the files of a switch that is stopped."""
    number = int(cdr["id"], 16)
    await t.switch.stop()
    with sqlite3.connect(glob.glob(f"{t.switch.data}/cdr/*.db")[0]) as db:
        columns = ",".join(f'"{r[1]}"' for r in db.execute("PRAGMA table_info(cdr)") if r[1] != "id")
        db.executemany(f"INSERT INTO cdr (id, {columns}) SELECT id + ?2, {columns} FROM cdr WHERE id = ?1",
                       [(number, i) for i in range(1, times + 1)])
    with sqlite3.connect(f"{t.switch.data}/ledger.db") as db:
        db.execute("UPDATE purse SET balance = balance + ?1 * (SELECT coalesce(sum(amount), 0) FROM entry e WHERE e.account ="
                   " purse.account AND cdr = ?2), income = income + ?1 * (SELECT coalesce(sum(amount), 0) FROM entry e"
                   " WHERE e.account = purse.account AND cdr = ?2 AND kind = 'income')", (times, number))
        db.executemany("INSERT INTO entry (account, at, kind, amount, cdr) SELECT account, at, kind, amount, cdr + ?2"
                       " FROM entry WHERE cdr = ?1", [(number, i) for i in range(1, times + 1)])


@scene(heavy=True, within=120)
async def test_a_kill_while_it_runs(t):
    """SIGKILL at any moment of a run: what is there afterwards are whole bookings, and the next run does the rest."""
    cdrs, had = await rated_wrongly(t, calls=1)
    await moved(t)
    many = 1500
    await multiply(t, cdrs[0], many)
    await t.switch.start()
    had = await balances(t, *had)
    await books_are_right(t)
    run = asyncio.ensure_future(t.ctl.ask("cdr.rerate", account="acme", within=60))
    await asyncio.sleep(t.random.uniform(0.0, 0.3))  # the moment of the kill
    t.switch.kill()
    run.cancel()
    await t.switch.start()
    await books_are_right(t)
    rest = await t.ctl.ask("cdr.rerate", account="acme", within=60)
    assert rest["checked"] == many + 1 == rest["unchanged"] + rest["booked"], rest
    assert await balances(t, *had) == plus(had, {k: v * (many + 1) for k, v in moves(cdrs).items()})
    await books_are_right(t)
