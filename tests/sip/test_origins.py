"""Rates by origin: what a call costs by where its caller is from; for customers, their agents and vendors, through sheets, records and
rating again."""

import os
import sqlite3

from harness.books import clean
from harness.control import Refused
from harness.oracle import Terms, charge, money
from harness.scene import scene
from harness.stage import BUY, SELL, rate_fields
from test_sheets import exported, facts, rows, take

NEAR = Terms(price="0.1", unit=1, tax_percent="10")
FAR = Terms(price="0.7", unit=1, first=30, step=6)
DEAR = BUY.but(price="0.9")
HEADER = "prefix,price,unit,first,step,setup_fee,sections,tax,area,effective,end,action,origin\n"


async def refuses(t, method, field, **params):
    try:
        await t.ctl.ask(method, **params)
    except Refused as e:
        assert e.data["field"] == field, e.data
        return e
    raise AssertionError(f"{method} {params} was taken")


async def groups(t):
    await t.ctl.ask("origin-group.add", name="near", prefixes=["49", "331"])
    await t.ctl.ask("origin-group.add", name="mobile", prefixes=["4915"])
    await t.ctl.ask("origin-group.add", name="dark", withheld=True)


async def by_origin(t, group, origin, terms, prefix="880"):
    await t.ctl.ask("rate.add", group=group, prefix=prefix, origin=origin, **rate_fields(terms))


async def fee(t, caller, number, of="88017"):
    cdr = await t.cdr(await caller.place(of, caller=number, hold=0.1))
    return cdr, (money(cdr["fee"]), cdr["rate_prefix"], cdr["rate_origin"])


async def test_the_caller_decides_among_rates_of_the_longest_prefix(t):
    """In the group; in a more special one; in none; without a number. A longer prefix for others comes first, whoever calls."""
    caller, _ = await t.plain()
    await groups(t)
    await by_origin(t, "acme-sell", "near", NEAR)
    await by_origin(t, "acme-sell", "dark", FAR)
    await by_origin(t, "acme-sell", "mobile", FAR, prefix="8801")
    for number, origin, prefix, terms in (("4930123", "near", "880", NEAR), ("3315", "near", "880", NEAR),
                                          ("4915999", "mobile", "8801", FAR), ("332", None, "880", SELL),
                                          ("anonymous", "dark", "880", FAR), ("1001", None, "880", SELL)):
        cdr, got = await fee(t, caller, number)
        want = charge(terms, cdr["hold_ms"])
        assert got == (want.fee, prefix, origin), (number, got, want)
        assert money(cdr["tax"]) == want.tax and cdr["billed_s"] == want.billed_s, cdr
    dark = (await t.ctl.ask("cdr.list", caller="anonymous"))[0]
    shown = await t.ctl.ask("cdr.show", id=dark["id"])
    assert (shown["price"]["origin"], shown["expense"]["origin"]) == ("dark", None), shown
    trail = await t.ctl.ask("route.explain", gateway="acme-in", caller="4915999", callee="88017")
    assert "for callers of mobile" in str(trail), trail
    assert clean(await t.ctl.ask("cdr.verify"))


async def test_a_group_may_be_dearer_or_closed(t):
    """A locked rate closes the number to these callers alone; the prefixes of the group change what the next call costs."""
    caller, _ = await t.plain()
    await groups(t)
    await by_origin(t, "acme-sell", "near", NEAR)
    await t.ctl.ask("rate.set", key="acme-sell/880/near", status="locked")
    await t.refused(caller.invite("88017", caller="49301"), 403, "NoRate")
    cdr, got = await fee(t, caller, "1001")
    assert got[1:] == ("880", None), got
    await t.ctl.ask("origin-group.set", name="near", prefixes=["331"])
    cdr, got = await fee(t, caller, "49301")
    assert got == (charge(SELL, cdr["hold_ms"]).fee, "880", None), got
    await t.ctl.ask("rate.set", key="acme-sell/880/near", status="normal")
    cdr, got = await fee(t, caller, "3311")
    assert got == (charge(NEAR, cdr["hold_ms"]).fee, "880", "near"), got


async def test_a_vendor_asks_by_the_caller_that_it_sees(t):
    """Its cost and so the order of vendors; cost_number says whether the caller counts as billed or as sent."""
    caller, first, second = await t.caller(), await t.carrier("first"), await t.carrier("second")
    await t.customer(caller, policy="cost")
    await groups(t)
    await t.vendor(first, rates={"880": BUY}, caller_rules=["0:49"])
    await t.vendor(second, rates={"880": BUY.but(price="0.5")}, cost_number="before")
    await by_origin(t, "first-buy", "near", DEAR)
    await by_origin(t, "second-buy", "near", BUY)
    for number, gateway, origin, terms in (("1001", "first", None, BUY), ("49301", "second", "near", BUY),
                                           ("030123", "first", "near", DEAR), ("1002", "first", None, BUY)):
        cdr, _ = await fee(t, caller, number)
        assert (cdr["routing_gateway"], cdr["cost_origin"]) == (gateway, origin), (number, cdr)
        assert money(cdr["cost"]) == charge(terms, cdr["hold_ms"]).total, (number, cdr)
    assert clean(await t.ctl.ask("cdr.verify"))


async def test_agents_are_charged_by_origin_too(t):
    caller, carrier = await t.caller(), await t.carrier()
    await groups(t)
    await t.rates("west-own", {"880": BUY})
    await by_origin(t, "west-own", "near", NEAR)
    await t.account("west", "100", kind="agent", rate_group="west-own")
    await t.customer(caller, account={"agent": "west"})
    await t.vendor(carrier)
    for number, terms in (("49301", NEAR), ("1001", BUY)):
        cdr, _ = await fee(t, caller, number)
        assert money(cdr["agent_fee"]) == charge(terms, cdr["hold_ms"]).total, cdr


async def test_what_makes_no_sense_is_refused(t):
    await groups(t)
    await t.rates("g", {"880": SELL})
    await refuses(t, "rate.add", "origin", group="g", prefix="880", origin="nowhere", price="1")
    for bad in ("+49", "4a", "49*,x"):
        await refuses(t, "origin-group.add", "prefixes", name="bad", prefixes=[bad])
    await refuses(t, "origin-group.add", "prefixes", name="bad", prefixes=["49", "49"])
    for bad in ("4949", "a/b", "*1"):
        await refuses(t, "origin-group.add", "name", name=bad, prefixes=["49"])
    await by_origin(t, "g", "near", NEAR)
    await refuses(t, "origin-group.del", "name", name="near")
    await refuses(t, "rate.set", "origin", key="g/880/near", origin="mobile")
    await refuses(t, "rate.show", None, key="g/880/mobile")
    assert (await t.ctl.ask("rate.show", key="g/880"))["origin"] is None
    assert (await t.ctl.ask("rate.show", key="g/880/near"))["price"] == "0.1"
    await t.ctl.ask("rate.del", key="g/880/near")
    assert (await t.ctl.ask("rate.show", key="g/880"))["price"] == SELL.price
    await t.ctl.ask("origin-group.del", name="mobile")


async def test_a_rate_to_come_goes_without_those_that_were(t):
    """What rated calls stays to be looked up when the one that was to follow it is taken back."""
    await t.rates("g", {"880": SELL})
    await t.ctl.ask("rate.del", key="g/880")
    await t.ctl.ask("rate.add", group="g", prefix="880", price="1", effective="2099-01-01T00:00:00Z")
    await t.ctl.ask("rate.del", key="g/880")
    assert [r["price"] for r in await t.ctl.ask("rate.list", group="g")] == [SELL.price]


@scene()
async def test_a_sheet_with_a_column_for_it(t):
    """Its lines rate the callers of the group; without the column a sheet, even one that replaces all, leaves such rates alone; what is
    exported comes back; undone in one step; a group that there is not is named with its line."""
    caller, _ = await t.plain()
    await groups(t)
    sheet = "prefix,origin,price,unit\n880,,0.3,1\n880,near,0.1,1\n8801,near,0.2,1\n881,dark,1,1\n"
    doc = await take(t, sheet, group="acme-sell")
    assert facts(doc, "added", "raised", "lowered", "changed") == (3, 1, 0, 0), doc
    assert (await fee(t, caller, "49301"))[1] == (money("0.2"), "8801", "near")
    assert (await fee(t, caller, "1001"))[1] == (money("0.3"), "880", None)
    doc = await take(t, "prefix,price,unit\n880,0.4,1\n", "mode=replace", group="acme-sell")
    assert facts(doc, "raised", "removed") == (1, 0), doc
    assert (await fee(t, caller, "49301"))[1] == (money("0.2"), "8801", "near")
    text = await exported(t, "acme-sell")
    assert text.startswith(HEADER) and text.splitlines()[1].endswith(",,,"), text
    assert sorted(line.rsplit(",", 1)[1] for line in text.splitlines()[1:]) == ["", "dark", "near", "near"], text
    await t.ctl.ask("rate-group.add", name="b")
    await take(t, text, group="b")
    assert await exported(t, "b") == text
    doc = await take(t, "prefix,price,unit,origin\n880,0.4,1,\n880,0.15,1,near\n", "mode=replace", "--dry-run", group="acme-sell")
    assert {(r["prefix"], r["origin"]): (r["change"], r["calls"]) for r in rows(doc, "changes")} == {
        ("880", "near"): ("raised", 2), ("8801", "near"): ("removed", 0), ("881", "dark"): ("removed", 0)}, doc
    await take(t, "prefix,price,unit,origin\n880,0.4,1,\n880,0.15,1,near\n", "mode=replace", group="acme-sell")
    assert (await fee(t, caller, "49301"))[1] == (money("0.15"), "880", "near")
    status, _, err = await t.switch.cli("rate", "undo", "acme-sell")
    assert status == 0, err
    assert (await fee(t, caller, "49301"))[1] == (money("0.2"), "8801", "near")
    doc = await take(t, "prefix,price,origin\n880,0.4,nowhere\n", group="acme-sell", status=1) or {}
    path = os.path.join(t.folder, "plain.csv")
    assert "nowhere" in str(doc), doc
    assert not os.path.exists(path)


async def test_calls_are_rated_again_by_their_callers(t):
    """cdr.rerate finds the rate of each record's caller; cdr.verify replays what was booked."""
    caller, _ = await t.plain()
    await groups(t)
    near, far = [(await fee(t, caller, n))[0] for n in ("49301", "1001")]
    await t.ctl.ask("rate.add", group="acme-sell", prefix="880", origin="near",
                    **{**rate_fields(NEAR), "effective": "2020-01-01T00:00:00Z"})
    t.audit = False
    done = await t.ctl.ask("cdr.rerate", account="acme")
    assert (done["checked"], done["changed"], done["unchanged"]) == (2, 1, 1), done
    again = await t.ctl.ask("cdr.rerate", account="acme")
    assert (again["changed"], again["unchanged"]) == (0, 2), again
    want = charge(NEAR, near["hold_ms"])
    assert money(done["changes"][0]["after"]) == want.total and done["changes"][0]["id"] == near["id"], done
    assert far["rate_origin"] is None
    for method in ("cdr.verify", "ledger.verify"):
        assert clean(await t.ctl.ask(method)), method


async def test_a_group_that_comes_after_its_rates(t):
    """A database of before there were such groups may have rates that name one: they count as soon as it is there, not by accident later."""
    caller, _ = await t.plain()
    await t.ctl.ask("origin-group.add", name="near", prefixes=["49"])
    await by_origin(t, "acme-sell", "near", NEAR)
    await t.switch.stop()
    with sqlite3.connect(f"{t.switch.data}/switch.db") as db:
        db.execute("DELETE FROM origin_group")
    await t.switch.start()
    _, got = await fee(t, caller, "4930")
    assert got[2] is None, got
    await t.ctl.ask("origin-group.add", name="near", prefixes=["49"])
    cdr, got = await fee(t, caller, "4930")
    assert got == (charge(NEAR, cdr["hold_ms"]).fee, "880", "near"), got
