"""What an operator asks: explain, quote, verify, lists of calls, gateways, status, the log."""

import asyncio
import csv
import os

from harness import plans
from harness.books import every
from harness.control import Refused
from harness.oracle import Terms, money
from harness.stage import SELL, rate_fields
from harness.watch import poll

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rating-cases.tsv")


async def test_rate_quote_gives_every_worked_case(t):
    """All of rating-cases.tsv, digit for digit."""
    with open(CASES, encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    wrong = []
    for row in rows:
        sections = [] if row["sections"] == "-" else row["sections"].split(";")
        got = await t.ctl.ask(
            "rate.quote", price=row["price"], unit=int(row["unit_s"]), first=int(row["first_s"]),
            step=int(row["step_s"]), setup_fee=row["setup_fee"], sections=sections,
            tax_percent=row["tax_percent"], fee_precision=int(row["fee_precision"]),
            fee_unit=row["fee_unit"], hold_time_precision_ms=int(row["hold_time_precision_ms"]),
            free_time_s=int(row["free_time_s"]), hold_ms=int(row["hold_ms"]))
        is_ = (got["hold_s"], got["billed_s"], money(got["fee"]), money(got["tax"]))
        want = (int(row["hold_s"]), int(row["billed_s"]), money(row["fee"]), money(row["tax"]))
        if is_ != want:
            wrong.append((row["case"], is_, want))
    assert len(rows) > 150 and not wrong, wrong


async def test_route_explain_says_what_a_call_gets(t):
    """The same verdict as the call that follows, naming each vendor and why it is used or passed over."""
    caller, _first = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=20)
    await t.ctl.ask("routing-gateway.set", name="vendor", status="locked")
    told = str(await t.ctl.ask("route.explain", gateway="acme-in", caller="1001", callee="8801712"))
    assert "second" in told and "vendor" in told and "locked" in told.lower(), told
    call = await caller.place("8801712")
    await t.cdr(call, routing_gateway="second")
    for callee, reason in (("4420", "NoRate"), ("8801712", None)):
        told = str(await t.ctl.ask("route.explain", gateway="acme-in", caller="1001", callee=callee))
        assert reason is None or reason in told, told
    await t.ctl.ask("account.set", id="acme", status="locked")
    told = str(await t.ctl.ask("route.explain", gateway="acme-in", caller="1001", callee="8801712"))
    assert "AccountLocked" in told, told
    assert len(second.legs) == 1, "explain must not call anybody"
    assert (await t.ctl.ask("account.show", id="acme"))["holds"] in ("0", "0.00000000"), "nor hold money"


async def test_explain_of_an_unknown_gateway_is_refused(t):
    await t.plain()
    try:
        await t.ctl.ask("route.explain", gateway="nobody", caller="1", callee="8801")
    except Refused as e:
        assert e.data["code"] == "not_found" and e.data["field"], e.error
    else:
        raise AssertionError("explained a gateway that does not exist")


async def test_calls_in_progress(t):
    """list and show name the call while it lasts; hangup ends both sides with OperatorHangup."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    listed = await t.ctl.ask("call.list")
    assert len(listed) == 1 and "88017" in str(listed[0]) and "acme" in str(listed[0])
    shown = await t.ctl.ask("call.show", id=listed[0]["id"])
    assert shown["id"] == listed[0]["id"]
    await t.ctl.ask("call.hangup", id=listed[0]["id"])
    await call.ended_by_peer()
    await leg.ended_by_peer()
    await t.billed(call, leg, reason="OperatorHangup", hangup_side="switch", sip_code=200)
    assert await t.ctl.ask("call.list") == []
    for verb in ("show", "hangup"):
        try:
            await t.ctl.ask(f"call.{verb}", id=listed[0]["id"])
        except Refused as e:
            assert e.data["code"] == "not_found"
            continue
        raise AssertionError(f"call.{verb} of a call that is over")


async def test_hangup_while_it_rings(t):
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    await call.rings()
    listed = await t.ctl.ask("call.list")
    await t.ctl.ask("call.hangup", id=listed[0]["id"])
    answer = await call.final()
    assert answer.code >= 400
    await carrier.legs[0].cancel()
    await t.cdr(call, reason="OperatorHangup", hold_ms=0)


async def test_many_calls_in_the_list(t):
    """Every worker's calls are in the list."""
    caller, carrier = await t.plain()
    carrier.plan = plans.answer(ring=False)
    calls = [caller.invite(f"88017{i:02d}") for i in range(30)]
    for call in calls:
        await call.expect(200)
    assert len(await t.ctl.ask("call.list", limit=100)) == 30
    await asyncio.gather(*(c.hang_up() for c in calls))


async def test_cdr_list_filters_and_pages(t):
    """Newest first; account, callee, reason and limit choose; after= pages without gap or repeat."""
    caller, carrier = await t.plain()
    for i in range(25):
        carrier.plan = plans.reject(486) if i % 5 == 0 else plans.answer()
        if i % 5 == 0:
            await caller.invite(f"88017{i:02d}").expect(486)
        else:
            await caller.place(f"88017{i:02d}")
    await t.books.settled()
    rows = await t.ctl.ask("cdr.list")
    assert [r["callee"] for r in rows] == [f"88017{i:02d}" for i in reversed(range(25))]
    assert len(await t.ctl.ask("cdr.list", reason="UserBusy")) == 5
    assert len(await t.ctl.ask("cdr.list", callee="8801703")) == 1
    assert await t.ctl.ask("cdr.list", account="nobody") == []
    paged, after = [], None
    while True:
        page = await t.ctl.ask("cdr.list", limit=7, **({"after": str(after)} if after else {}))
        paged += page
        if len(page) < 7:
            break
        after = page[-1]["id"]
    assert [r["id"] for r in paged] == [r["id"] for r in rows]
    future = await t.ctl.ask("cdr.list", **{"from": "2099-01-01T00:00:00Z"})
    assert future == [], "from= in the future"
    middle = rows[10]["start"]
    assert len(await t.ctl.ask("cdr.list", **{"from": middle, "to": "2099-01-01T00:00:00Z"})) in (11, 10, 12)


async def test_cdr_export(t):
    caller, _carrier = await t.plain()
    calls = [await caller.place(f"88017{i}") for i in range(3)]
    text = await t.exported(format="csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert {r["call_id"] for r in rows} == {c.call_id for c in calls}
    for row in rows:
        cdr = await t.cdr_of(row["call_id"])
        assert money(row["fee"].strip("'")) == money(cdr["fee"]) and row["reason"] == cdr["reason"]


async def test_decisions_are_kept(t):
    """cdr explain answers what was decided, also after the rate and the gateway are gone."""
    caller, _carrier = await t.plain()
    call = await caller.place("88017", hold=0.1)
    cdr = await t.cdr(call)
    before = await t.ctl.ask("cdr.explain", id=cdr["id"])
    assert "vendor" in str(before)
    await t.ctl.ask("rate.del", key="acme-sell/880")
    await t.ctl.ask("routing-gateway.del", name="vendor")
    assert await t.ctl.ask("cdr.explain", id=cdr["id"]) == before
    await t.books.verify()


async def test_a_new_rate_version_leaves_old_charges_alone(t):
    """The rate in force at the answer rates the whole call; every charge can be replayed."""
    caller, carrier = await t.plain()
    first = await caller.place("88017", hold=0.1)
    call = caller.invite("88018")
    await call.expect(200)
    await t.ctl.ask("rate.set", key="acme-sell/880", price="5")
    await call.hang_up()
    last = await caller.place("88019", hold=0.1)
    legs = carrier.legs
    one, two, three = (await t.billed(first, legs[0]), await t.billed(call, legs[1]),
                       await t.billed(last, legs[2], SELL.but(price="5")))
    assert one["rate_version"] == two["rate_version"] != three["rate_version"]
    verdict = await t.ctl.ask("cdr.verify")
    assert verdict["differences"] == [] and verdict["checked"] >= 3, verdict


async def test_a_rate_for_later(t):
    """effective in the future does not act yet; end in the past acts no more."""
    caller, carrier = await t.plain()
    dear = rate_fields(Terms(price="9"))
    await t.ctl.ask("rate.add", group="acme-sell", prefix="8801", effective="2099-01-01T00:00:00Z", **dear)
    await t.billed(await caller.place("88017", hold=0.1), carrier.legs[0])


async def test_gateway_status(t):
    caller, carrier = await t.plain(line_limit=7)
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    await call.rings()
    rows = {r["name"]: r for r in await t.ctl.ask("gateway.status")}
    assert {"acme-in", "vendor"} <= set(rows)
    assert rows["acme-in"]["calls"] == rows["vendor"]["calls"] == 1, rows
    assert (rows["acme-in"]["free_lines"], rows["vendor"]["free_lines"]) == (6, None), rows
    for asked, count in (({"gateway": "vendor"}, 1), ({"gateway": "acme-in", "account": "acme"}, 1), ({"gateway": "nobody"}, 0),
                         ({"account": "vendor-acc"}, 0)):
        assert len(await t.ctl.ask("call.list", **asked)) == count, asked
    addresses = str(await t.ctl.ask("gateway.addresses"))
    assert caller.ip in addresses and carrier.ip in addresses
    call.cancel()
    await call.expect(487)


async def test_status(t):
    """Version, uptime, calls; the counts move with the calls."""
    caller, _carrier = await t.plain()
    before = await t.status()
    assert before["version"] and "calls" in str(before)
    call = caller.invite("88017")
    await call.expect(200)

    async def one_call():
        return (await t.status())["calls"] == 1
    await poll(one_call, "a call in status")
    await call.hang_up()


async def entered(t, entity):
    """Every row as it is stored: without what the switch finds out about a vendor by itself."""
    rows = await every(t.ctl, entity, "id" if entity == "account" else "name")
    return [{k: v for k, v in row.items() if k != "health"} for row in rows]


async def test_entities_survive_and_are_refused_with_reasons(t):
    """Round trip of every entity; del of what is used; a second of the same name; a broken reference."""
    await t.plain()
    before = {e: await entered(t, e) for e in ("account", "rate-group", "mapping-gateway", "routing-gateway")}
    await t.switch.restart()
    for entity, rows in before.items():
        assert await entered(t, entity) == rows, entity
    for method, params, code in (
            ("account.add", {"id": "acme", "limit_money": "0"}, "exists"),
            ("account.add", {"id": "new"}, "missing_field"),
            ("account.add", {"id": "new", "limit_money": "0", "colour": "red"}, "unknown_field"),
            ("account.add", {"id": "new", "limit_money": "0.000000001"}, "bad_value"),
            ("account.add", {"id": "new", "limit_money": 0.1}, "bad_value"),
            ("account.add", {"id": "new", "limit_money": "0", "rate_group": "none"}, None),
            ("account.del", {"id": "acme"}, "in_use"), ("rate-group.del", {"name": "acme-sell"}, "in_use"),
            ("account.show", {"id": "none"}, "not_found"), ("account.set", {"id": "none", "name": "x"}, "not_found"),
            ("rate.add", {"group": "acme-sell", "prefix": "88a", "price": "1"}, "bad_value"),
            ("rate.add", {"group": "acme-sell", "prefix": "881", "price": "0.123456789"}, "bad_value"),
            ("rate.add", {"group": "acme-sell", "prefix": "881", "price": "1", "unit": 0}, "bad_value"),
            ("mapping-gateway.add", {"name": "x", "account": "acme", "address": ["300.1.1.1"]}, "bad_value"),
            ("mapping-gateway.add", {"name": "x", "account": "acme", "address": ["10.0.0.0/33"]}, "bad_value"),
            ("routing-gateway.add", {"name": "x", "address": ["127.0.0.1:99999"]}, "bad_value"),
            ("account.recharge", {"id": "acme", "amount": "1e2"}, "bad_value"),
            ("account.recharge", {"id": "acme", "amount": "92233720368.54775808"}, "bad_value")):
        try:
            await t.ctl.ask(method, **params)
        except Refused as e:
            assert code is None or e.data.get("code") == code, (method, params, e.error)
            continue
        raise AssertionError(f"{method} took {params}")
    for entity, rows in before.items():
        assert await entered(t, entity) == rows, entity
