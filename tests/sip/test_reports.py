"""Reports: what they say is what the records and the balances say, to the last digit; the sums they are made of are checked against
the records; the nights leave files; a statement adds up."""

import csv
import io
import time
from collections import Counter
from fractions import Fraction

from harness import plans
from harness.books import check_fee
from harness.oracle import Terms, half_up, money
from harness.scene import scene
from harness.watch import poll

QUARTER = 900


async def moved(t):
    """No record waits in the outbox, so that what is read is the sums."""
    async def empty():
        return (await t.status())["ledger"]["outbox"] == 0
    await poll(empty, "an empty outbox")


def span(**more):
    now = int(time.time()) // QUARTER * QUARTER
    iso = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (now - 4 * QUARTER, now + 4 * QUARTER)]
    return {"from": iso[0], "to": iso[1], **more}


async def traffic(t):
    """Two customers over one vendor: answered, refused by the vendor, and refused by us."""
    caller, other, carrier = await t.caller(), await t.caller("other", last=4), await t.carrier()
    await t.customer(caller)
    await t.customer(other, name="bravo")
    await t.vendor(carrier)
    await t.ctl.ask("rate.set", key="acme-sell/880", area="Bangladesh")
    carrier.on("880104", plans.reject(486))
    for customer, number in ((caller, "880101"), (caller, "880102"), (other, "880103")):
        await t.cdr(await customer.place(number, hold=0.1))
    await t.refused(caller.invite("880104"), 486, "UserBusy")
    refused = caller.invite("777")
    await refused.final()
    await t.cdr(refused)
    return caller, other, carrier


async def records(t):
    return await t.ctl.ask("cdr.list", limit=1000)


def total(rows, column):
    return sum((money(r[column]) for r in rows), Fraction(0))


@scene()
async def test_reports_say_what_the_records_say(t):
    """Revenue, vendor and profit by account equal the sums over cdr.list; the balance report equals the balances; all of it before and
    after the records have left the outbox, and after a restart."""
    await traffic(t)
    cdrs = await records(t)
    for again in range(3):
        revenue = await t.ctl.ask("report.revenue", **span())
        by_account = Counter()
        for r in revenue["rows"]:
            by_account[r["account"]] += money(r["charge"])
        for name in ("acme", "bravo"):
            mine = [c for c in cdrs if c["account"] == name]
            assert by_account[name] == total(mine, "fee") + total(mine, "tax"), (by_account, mine)
        assert {r["area"] for r in revenue["rows"] if r["account"] == "acme"} == {"", "Bangladesh"}, revenue["rows"]
        assert {r["area"] for r in revenue["rows"] if r["account"] == "bravo"} == {"880"}, revenue["rows"]
        assert len(revenue["totals"]) == 1 and money(revenue["totals"][0]["charge"]) == sum(by_account.values())
        vendor = await t.ctl.ask("report.vendor", **span())
        assert [money(r["cost"]) for r in vendor["rows"]] == [total(cdrs, "cost")], vendor["rows"]
        profit = await t.ctl.ask("report.profit", account="acme", **span())
        mine = [c for c in cdrs if c["account"] == "acme"]
        assert money(profit["rows"][0]["profit"]) == total(mine, "fee") + total(mine, "tax") - total(mine, "cost")
        for r in (await t.ctl.ask("report.balance", **span()))["rows"]:
            assert money(r["closing"]) == await t.books.balance(r["account"]), r
            assert money(r["closing"]) == (money(r["opening"]) + money(r["payments"]) - money(r["charges"])
                                           - money(r["costs"]) + money(r["other"])), r
        verdict = await t.ctl.ask("report.verify")
        assert verdict["differences"] == [], verdict
        if again == 0:
            await moved(t)
        if again == 1:
            await t.switch.restart()
    assert verdict["records"] == len(cdrs), verdict


@scene()
async def test_parts_of_a_day(t):
    """by=hour in a zone of half hours: parts add up to the whole, and each begins on that zone's hour."""
    await traffic(t)
    whole = await t.ctl.ask("report.customer", **span())
    parts = await t.ctl.ask("report.customer", **span(by="hour", zone="+05:30"))
    assert total(parts["rows"], "charge") == total(whole["rows"], "charge")
    assert {r["time"][-2:] for r in parts["rows"]} <= {"00", "15", "30", "45"}, parts["rows"]
    for bad, field in ({"zone": "Nowhere/Town"}, "zone"), ({"by": "week"}, "by"), ({"format": "pdf"}, "format"):
        try:
            await t.ctl.ask("report.customer", **bad)
        except Exception as e:
            assert field in str(e), e
        else:
            raise AssertionError(f"{bad} was taken")
    try:
        await t.ctl.ask("report.customer", **{"from": "2026-11-01T00:07:00Z"})
    except Exception as e:
        assert "quarter" in str(e), e
    else:
        raise AssertionError("a span that the sums cannot tell was taken")


@scene()
async def test_report_files(t):
    """CSV has the rows; HTML escapes names and is whole; a statement opens, adds up and says how it was rounded."""
    await traffic(t)
    await t.ctl.ask("account.set", id="acme", name="<b>Acme & Sons</b>")
    await t.books.pay("acme", "2.5", memo="wire <4711>")
    rows = (await t.ctl.ask("report.customer", **span()))["rows"]
    table = list(csv.DictReader(io.StringIO(await t.ctl.ask("report.customer", format="csv", **span()))))
    assert [r["account"] for r in table] == [r["account"] for r in rows]
    assert [r["charge"] for r in table] == [r["charge"] for r in rows]
    page = await t.ctl.ask("report.statement", account="acme", format="html", **span())
    assert page.startswith("<!DOCTYPE html>") and "&lt;b&gt;Acme &amp; Sons&lt;/b&gt;" in page and "<b>" not in page
    assert "wire &lt;4711&gt;" in page and "rounded once, half up" in page
    # It says once whose it is; the points of a column stand below each other; times are those of the zone's wall.
    assert page.count("&lt;b&gt;Acme") == 1 and "<td class=n>2.50</td>" in page and "<td class=n>100.00</td>" in page
    assert "T00:00:00.000Z" not in page.split("<dl>")[0] and page.count("<th class=n>Charge</th>") == 1
    doc = await t.ctl.ask("report.statement", account="acme", **span())
    balance, payments, calls = doc["sections"]
    assert total(payments["rows"], "amount") == money(balance["rows"][0]["payments"]) == money("102.5")
    assert money(balance["rows"][0]["charges"]) == total(calls["rows"], "charge") > 0
    assert money(balance["rows"][0]["closing"]) == await t.books.balance("acme")


async def taxed(t, **group):
    """Three calls of a fee whose tax, 7.7 %, has more decimals than are shown, by a group with these settings: (records, terms, the
    sections of the statement by name, its notes)."""
    terms = Terms(price="0.7", fee_precision=3, tax_percent="7.7")
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, rates={"880": terms})
    await t.vendor(carrier)
    await t.ctl.ask("rate-group.set", name="acme-sell", **group)
    cdrs = [await t.cdr(await caller.place("88017", hold=0.1)) for _ in range(3)]
    doc = await t.ctl.ask("report.statement", account="acme", **span())
    return cdrs, terms, {s["report"]: s["rows"] for s in doc["sections"]}, " ".join(doc["notes"])


async def test_tax_of_each_call_has_its_own_precision(t):
    cdrs, terms, sections, notes = await taxed(t, tax_precision=4)
    for cdr in cdrs:
        check_fee(cdr, terms.but(tax_unit="0.0001"))
    assert "tax" not in sections and "rounded, half up, to 4 decimal places" in notes, notes


async def test_tax_of_an_invoice_is_rounded_once(t):
    """Each call has its exact part, the statement their sum rounded once; a quote, the audits and the balance agree."""
    cdrs, terms, sections, notes = await taxed(t, tax_per="invoice", tax_precision=2)
    for cdr in cdrs:
        check_fee(cdr, terms.but(tax_unit="0.00000001"))
    fee, tax = (sum(money(c[k]) for c in cdrs) for k in ("fee", "tax"))
    rounded = half_up(tax, money("0.01"))
    assert tax != rounded and [money(r["amount"]) for r in sections["tax"]] == [fee, tax, rounded, fee + rounded], sections
    assert "rounded once, half up, to 2 decimal places" in notes, notes
    assert await t.books.balance("acme") == 100 - fee - tax
    quote = await t.ctl.ask("rate.quote", price="0.7", fee_precision=3, tax_percent="7.7", tax_precision=8, hold_ms=cdrs[0]["hold_ms"])
    assert (quote["fee"], quote["tax"]) == (cdrs[0]["fee"], cdrs[0]["tax"]), quote
