"""Records: what can be asked of them, what they say, and what leaves the switch."""

import asyncio
import csv
import json
import socket

from harness import plans
from harness.control import Refused
from harness.stage import SELL


async def refused(t, operation, field, code="bad_value", **question):
    try:
        await t.ctl.ask(operation, **question)
    except Refused as e:
        assert e.data["code"] == code and e.data["field"] == field, e.data
        assert e.data["accepted"], e.data
        return e.data
    raise AssertionError(f"{operation} {question} was not refused")


async def numbers(t, **question):
    return [r["callee"] for r in await t.ctl.ask("cdr.list", **question)]


async def test_every_filter(t):
    """Numbers whole and by their beginning, gateways, codes, answered or not, how long; and several at once."""
    caller, _carrier = await t.plain()
    other = await t.carrier("other", last=4)
    await t.vendor(other, rates={"8809": SELL}, prefix=["8809"])
    other.plan = plans.reject(486)
    await caller.place("88017", hold=1.1)
    await caller.place("88018")
    await t.refused(caller.invite("88091"), 486, "UserBusy")
    assert await numbers(t) == ["88091", "88018", "88017"]
    for question, callees in (
            ({"callee": "8801*"}, ["88018", "88017"]), ({"callee": "88018"}, ["88018"]),
            ({"callee": "*"}, ["88091", "88018", "88017"]), ({"callee": "8802*"}, []),
            ({"callee": "8801"}, []), ({"caller": "1*"}, ["88091", "88018", "88017"]),
            ({"caller": "9*"}, []), ({"routing_gateway": "other"}, ["88091"]),
            ({"mapping_gateway": "acme-in"}, ["88091", "88018", "88017"]),
            ({"mapping_gateway": "nobody"}, []), ({"sip_code": 486}, ["88091"]),
            ({"answered": True}, ["88018", "88017"]), ({"answered": False}, ["88091"]),
            ({"min_s": 1}, ["88017"]), ({"below_s": 1}, ["88091", "88018"]),
            ({"min_s": 1, "callee": "88018"}, []), ({"reason": "UserBusy", "callee": "88*"}, ["88091"]),
            ({"account": "acme", "answered": True, "callee": "880*", "below_s": 1}, ["88018"])):
        assert await numbers(t, **question) == callees, question
    await refused(t, "cdr.list", "callee", callee="8*1")
    await refused(t, "cdr.list", "answered", answered="perhaps")
    await refused(t, "cdr.list", "sip_code", sip_code=7)
    await refused(t, "cdr.list", "after", after="zz")
    await refused(t, "cdr.export", "after", after="0000000000000001")
    await refused(t, "cdr.export", "format", format="xml")


async def test_pages_of_an_export(t):
    """As many pages as there are; every record once, in CSV and in JSON; a limit ends it."""
    caller, _carrier = await t.plain()
    calls = await asyncio.gather(*(caller.place(f"880{i}") for i in range(7)))
    await t.books.settled()
    await t.set("SERVER_QUERY_ONE_PAGE_SIZE", 2)
    rows = list(csv.DictReader((await t.exported(format="csv")).splitlines()))
    assert sorted(r["call_id"] for r in rows) == sorted(c.call_id for c in calls)
    lines = [json.loads(line) for line in (await t.exported(format="json")).splitlines()]
    assert [r["id"] for r in lines] == [r["id"] for r in rows]
    shown = await t.ctl.ask("cdr.show", id=lines[0]["id"])
    assert {k: shown[k] for k in lines[0]} == lines[0]
    assert len(list(csv.DictReader((await t.exported(limit=5)).splitlines()))) == 5
    code, out, err = await t.switch.cli("cdr", "export", "-", "callee=8803", "format=json")
    await t.ctl.ask("parameter.reset", name="SERVER_QUERY_ONE_PAGE_SIZE")
    assert code == 0 and [json.loads(x)["callee"] for x in out.splitlines()] == ["8803"], (out, err)


async def test_attempts_and_charges_of_a_record(t):
    """cdr show: each vendor tried, when, its code and what came of it; and the price steps of both sides."""
    caller, first = await t.plain()
    first.plan = plans.reject(503)
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=100)
    cdr = await t.cdr(await caller.place("88017", hold=0.2), tries=2)
    shown = await t.ctl.ask("cdr.show", id=cdr["id"])
    one, two = shown["attempts"]
    assert (one["try"], one["gateway"], one["code"], one["result"]) == (1, "vendor", 503, "failed, next"), one
    assert (two["try"], two["gateway"], two["code"], two["result"]) == (2, "second", 200, "answered"), two
    assert one["reason"] and one["after_ms"] <= two["after_ms"] and cdr["start"] <= one["sent"] <= two["sent"]
    price = shown["price"]
    assert price["fee"] == cdr["fee"] and price["version"] == cdr["rate_version"] and price["billed_s"] == 1
    assert price["steps"] == [{"from_s": 0, "seconds": 1, "price": "0.0123", "unit_s": 60}], price
    assert shown["expense"]["billed_s"] == cdr["cost_billed_s"] and shown["expense"]["fee"] == cdr["cost"]
    given_up = caller.invite("88018")
    second.plan = plans.silent_after(180)
    await given_up.rings()
    given_up.cancel()
    await given_up.expect(487)
    cdr = await t.cdr(given_up)
    shown = await t.ctl.ask("cdr.show", id=cdr["id"])
    assert [a["result"] for a in shown["attempts"]] == ["failed, next", "given up"] and "price" not in shown


async def test_a_client_that_leaves_is_no_harm(t):
    """Questions whose client has gone are given up; others are answered meanwhile."""
    await t.plain()
    for _ in range(20):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(t.switch.path)
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ledger.verify","params":{}}\n')
    assert await t.ctl.ask("cdr.list") == []
    assert (await t.status())["version"]
