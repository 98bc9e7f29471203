"""A partner's list of calls against our records: every cause by name, its sums, and what is no list."""

import calendar
import os
import time

from harness.oracle import Terms, money
from harness.scene import scene


def line(cdr, start=0, seconds=0, amount="0", number=None):
    """A row as a partner would have it, off by so much."""
    at = time.strptime(cdr["answer"][:19], "%Y-%m-%dT%H:%M:%S")
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(calendar.timegm(at) + start))
    fee = money(cdr["cost"]) + money(amount)
    return f"+{number or cdr['callee_out']};{moment};{cdr['cost_billed_s'] + seconds};{float(fee):.8f}"


@scene()
async def test_differences_are_named_by_cause(t):
    """Six calls; the vendor's list has two right, one by another clock, one longer, one dearer, one not at all, and one too many."""
    caller, carrier = await t.plain()
    cdrs = [await t.cdr(await caller.place(f"88010{n}", hold=0.1)) for n in range(6)]
    rows = ["Called;Start Time;Duration;Amount", line(cdrs[0]), line(cdrs[1]), line(cdrs[2], start=5 * 3600 + 1800),
            line(cdrs[3], seconds=60, amount="0.0071"), line(cdrs[4], amount="0.001"),
            line(cdrs[0], number="4912345"), "+88010;yesterday;1;1"]
    path = os.path.join(t.folder, "list.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\r\n".join(rows) + "\r\n")
    with open(path, encoding="utf-8") as f:
        content = f.read()
    ask = {"file": content, "account": "vendor-acc", "map": "number:Called"}
    doc = await t.ctl.ask("reconcile.run", **ask)
    causes = {r["cause"]: r["calls"] for r in doc["sections"][0]["rows"]}
    assert causes == {"missing_here": 1, "missing_there": 1, "zone": 1, "duration": 1, "rounding": 0, "tax": 0,
                      "rate": 1}, doc
    assert doc["facts"] == {"account": "vendor-acc", "calls_there": 6, "records_here": 6, "matched": 5,
                            "unreadable": 1}, doc["facts"]
    found = {r["cause"]: r for r in doc["sections"][1]["rows"]}
    assert found["zone"]["shift_s"] in (19800, 19799, 19801) and found["zone"]["id"] == cdrs[2]["id"], found
    assert (found["missing_there"]["id"], found["missing_there"]["number"]) == (cdrs[5]["id"], cdrs[5]["callee_out"]), found
    assert found["missing_here"]["number"] == "4912345"
    assert money(found["rate"]["amount_there"]) - money(found["rate"]["amount_here"]) == money("0.001")
    assert any("line 8" in n for n in doc["notes"]), doc["notes"]
    status, out, err = await t.switch.cli("reconcile", "run", path, "vendor-acc", "map=number:Called", "format=csv")
    assert status == 0 and len(out.splitlines()) == 1 + sum(causes.values()), (out, err)
    local = await t.ctl.ask("reconcile.run", zone="+05:30", **ask)
    assert {r["cause"]: r["calls"] for r in local["sections"][0]["rows"]}["zone"] == 3, local


@scene()
async def test_a_customers_list_without_tax(t):
    """Amounts that are ours but for the tax differ by that alone."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, rates={"880": Terms(price="0.7", first=60, step=60, tax_percent="7.5")})
    await t.vendor(carrier)
    cdrs = [await t.cdr(await caller.place(f"88010{n}", hold=0.1)) for n in range(2)]
    both = [money(c["fee"]) + money(c["tax"]) * n for n, c in enumerate(cdrs)]
    rows = [f"{c['callee']},{c['answer']},{c['billed_s']},{float(m):.8f}" for c, m in zip(cdrs, both)]
    doc = await t.ctl.ask("reconcile.run", file="\n".join(["callee,start,duration,fee", *rows, ""]), account="acme")
    assert {r["cause"]: r["calls"] for r in doc["sections"][0]["rows"] if r["calls"]} == {"tax": 1}, doc
    assert [r["id"] for r in doc["sections"][1]["rows"]] == [cdrs[0]["id"]], doc


@scene()
async def test_what_is_no_list_is_refused(t):
    await t.plain()
    for content, word in ("", "no first line"), ("a,b\n1,2\n", "no column for number"), \
            ("callee,start,duration\n", "no call in it"), ("callee,start,duration\n880,now,5\n", "line 2"), \
            ('callee,start,duration\n"880,5', "line 2"):
        try:
            await t.ctl.ask("reconcile.run", file=content, account="vendor-acc")
        except Exception as e:
            assert word in str(e), (content, e)
        else:
            raise AssertionError(f"{content!r} was taken")
