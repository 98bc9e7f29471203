"""Taking over a VOS3000 system: tried out, taken whole or not at all, and its calls rated beside."""

import json
import os
import sqlite3

from harness.books import check_fee
from harness.oracle import Terms, money
from harness.scene import scene
from harness.voses import archive, csv, dump, row
from harness.watch import poll

PERIOD = Terms(price="0.0123", unit=60, first=60, step=60)
COST = Terms(price="0.0071", unit=6, first=6, step=6)


def system(t, carrier_port):
    """A customer with a gateway and a phone, a vendor with one, one rate group, and calls of last month."""
    return [
        row("e_feerategroup"), row("e_feerategroup", id=2, name="cost, of 'a'"),
        row("e_customer", money=12.5), row("e_customer", id=2, account="carrier", name="Carrier\nA", type=2,
                                           feerategroup_id=2, money=-3.25),
        row("e_feerate"), row("e_feerate", id=2, feerategroup_id=2, fee=7.1e-3, period=6, areacode=None),
        row("e_gatewaymapping", remoteips=t.net.ip(2)), row("e_gatewaymappingsetting"),
        row("e_gatewayrouting", remoteips=t.net.ip(3), signalport=carrier_port), row("e_gatewayroutingsetting"),
        row("e_phone"),
        row("e_cdr_20261001"), row("e_cdr_20261001", flowno=2, feetime=120, holdtime=61, fee=0.0246),
    ]


async def take(t, what, data, *words, status=0, verb="apply"):
    path = os.path.join(t.folder, "theirs")
    with open(path, "wb") as f:
        f.write(data)
    got, out, err = await t.switch.cli("--json", "migrate", verb, f"file={path}", *words, within=60)
    doc = json.loads(out) if out else err
    refused = out and doc["state"] == "refused"     # said in full, and by the exit status
    assert got == (1 if refused else status), (what, got, out, err)
    if not status and doc["state"] == "applied":
        for payment in await t.ctl.ask("payment.list"):
            t.books.paid[payment["account"]] += money(payment["amount"])
    return doc


def rows(doc, name):
    return next((s["rows"] for s in doc["sections"] if s["report"] == name), [])


async def everything(t):
    kinds = ("account", "rate-group", "rate", "mapping-gateway", "routing-gateway", "phone", "payment")
    return {k: await t.ctl.ask(f"{k}.list") for k in kinds}


@scene()
async def test_a_dump_is_tried_out_and_then_taken(t):
    """A check changes nothing and says the same; applied, the next call of their customer is charged as it was there."""
    caller, carrier = await t.caller(), await t.carrier()
    data = dump(system(t, carrier.port))
    before = await everything(t)
    seen = await take(t, "check", data, verb="check")
    assert (seen["state"], seen["facts"]["account"], seen["facts"]["problems"]) == ("checked", 2, 0), seen
    assert await everything(t) == before, "a check changed something"
    doc = await take(t, "apply", data)
    facts = doc["facts"]
    assert (doc["state"], facts["rate"], facts["phone"], facts["openings_booked"], facts["opening_sum"]) == (
        "applied", 2, 1, 2, "9.25"), doc
    assert (facts["calls"], facts["calls_same"]) == (2, 2), doc
    account = await t.ctl.ask("account.show", id="1001")
    assert (account["balance"], account["rate_group"], account["limit_money"]) == ("12.5", "gold", "0"), account
    vendor = await t.ctl.ask("account.show", id="carrier")
    assert (vendor["balance"], vendor["kind"], vendor["rate_group"]) == ("-3.25", "clearing", "cost, of 'a'"), vendor
    gateway = await t.ctl.ask("routing-gateway.show", name="carrier-a")
    assert (gateway["account"], gateway["stop_codes"], gateway["switch_preset"], gateway["prefix"]) == (
        "carrier", ["486", "603"], "vos", ["880"]), gateway
    inward = await t.ctl.ask("mapping-gateway.show", name="acme-in")
    assert (inward["rate_limit"], inward["line_limit"], inward["address"]) == (20, 30, [t.net.ip(2)]), inward
    phone = await t.ctl.ask("phone.show", number="3001")
    assert (phone["account"], phone["line_limit_out"]) == ("1001", 2), phone
    cdr = await t.cdr(await caller.place("88017", hold=0.1))
    check_fee(cdr, PERIOD, COST)
    log = await t.ctl.ask("log.list", limit=1)
    assert (log[0]["operation"], log[0]["who"]) == ("migrate.apply", "root"), log


@scene()
async def test_what_is_wrong_is_named_and_nothing_is_taken(t):
    """Each bad row by its table and line; H.323 and phone cards are left out and named; nothing stays, not even the good rows."""
    theirs = system(t, 5060) + [
        row("e_customer", id=3, account="1003", limitmoney=None),
        row("e_customer", id=4, account="1001"),
        row("e_customer", id=5, account="1005", money="1.000000001"),
        row("e_customer", id=6, account="1006", type=1),
        row("e_feerate", id=3, feeprefix="88x"), row("e_feerate", id=4), row("e_feerate", id=5, feeprefix="44", fee=-1),
        row("e_gatewayrouting", id=2, name="old", protocol=0),
        row("e_gatewaymapping", id=2, name="lost", customer_id=77), row("e_phone", id=2, e164="3002", password=None)]
    before = await everything(t)
    doc = await take(t, "apply", dump(theirs))
    assert doc["state"] == "refused", doc
    found = {(p["table"], p["column"]) for p in rows(doc, "problems")}
    for want in (("e_customer", "limit_money"), ("e_customer", "money"), ("e_customer", "id"), ("e_feerate", "feeprefix"),
                 ("e_feerate", "fee"), ("e_gatewaymapping", "account"), ("e_phone", "password")):
        assert want in found, (want, found)
    assert all(p["line"] for p in rows(doc, "problems")), doc
    assert {(p["table"], p["given"]) for p in rows(doc, "left_out") if p["line"]} == {
        ("e_customer", "1"), ("e_gatewayrouting", "0")}, doc
    assert await everything(t) == before, "something stayed"
    doc = await take(t, "rounded", dump(theirs[:13] + [theirs[15]]), "round=8", verb="check")
    assert (doc["state"], [r["given"] for r in rows(doc, "rounded")]) == ("checked", ["1.000000001"]), doc


@scene()
async def test_a_tax_of_their_rates(t):
    """A column for it becomes the tax of the rate; without one, as above, there is none."""
    theirs = [row("e_feerategroup"), row("e_feerate", tax=7.5)]
    assert (await take(t, "apply", dump(theirs)))["state"] == "applied"
    assert [r["tax_percent"] for r in await t.ctl.ask("rate.list")] == ["7.5"]


@scene()
async def test_each_difference_of_a_charge_has_its_cause(t):
    """Their calls by our rates: the same, other increments, rounded, another price, tax, no rate, no account, a package."""
    cases = {
        "same": {}, "account": dict(customeraccount="nobody"), "rate": dict(calleee164="33123"),
        "package": dict(fee=0, suitefeetime=60), "increments": dict(feetime=59, fee=0.0121),
        "rounding": dict(fee=0.01), "tax": dict(tax=0.002), "price": dict(fee=0.02)}
    other_price = row("e_cdr_20261001", flowno=50, feetime=59, fee=0.9)  # other seconds, which do not explain it
    calls = [row("e_cdr_20261001", flowno=i, **fields) for i, fields in enumerate(cases.values(), 1)]
    unanswered = row("e_cdr_20261001", flowno=99, holdtime=0, feetime=0, fee=0)
    await take(t, "apply", dump(system(t, 5060)[:11]))
    doc = await take(t, "compare", dump(calls + [unanswered, other_price]), verb="compare")
    assert {r["cause"]: r["calls"] for r in rows(doc, "causes")} == {c: 2 if c == "price" else 1 for c in cases}, doc
    assert {r["id"]: r["cause"] for r in rows(doc, "differences")} == {
        "50": "price", **{str(i): c for i, c in enumerate(cases, 1) if c != "same"}}, doc
    price = next(r for r in rows(doc, "differences") if r["cause"] == "price" and r["id"] != "50")
    assert (price["theirs"], price["ours"], price["billed_s"]) == ("0.02", "0.0123", 60), price
    doc = await take(t, "csv", csv([f for _, f in calls]), "table=e_cdr", verb="compare")
    assert doc["facts"]["calls"] == len(cases), doc


@scene()
async def test_csv_files_and_a_map_of_the_operators_own(t):
    """A tar of CSV files is taken like a dump; the map that comes with the switch can be saved, edited and given back."""
    theirs = system(t, 5060)
    path = os.path.join(t.folder, "map.tsv")
    status, _, err = await t.switch.cli("migrate", "mapping", f"file={path}")
    assert status == 0, err
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("e_customer\tmemo", "e_customer\tcomment") + "account\te_customer\t=5\tlow_balance\t\t\t\n")
    theirs = [(table, {("comment" if k == "memo" and table == "e_customer" else k): v for k, v in fields.items()})
              for table, fields in theirs]
    theirs[2][1]["comment"] = 'pays "late"; always'
    doc = await take(t, "apply", archive(theirs), f"map={path}")
    assert (doc["state"], doc["facts"]["openings_booked"]) == ("applied", 2), doc
    account = await t.ctl.ask("account.show", id="1001")
    assert (account["memo"], account["low_balance"], account["balance"]) == ('pays "late"; always', "5", "12.5"), account
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "account\te_customer\tname\tnickname\ttext\t\t\n")
    err = await take(t, "bad map", archive(theirs), f"map={path}", status=1)
    assert "no such field" in err and "nickname" in err, err


@scene()
async def test_a_file_that_is_cut_off_or_something_else_is_refused(t):
    """Cut in the middle of a row: the row is named; no tables at all: said so; the switch goes on."""
    data = dump(system(t, 5060)[:4])
    doc = await take(t, "cut", data[:data.rindex(b"Carrier") + 3])
    assert (doc["state"], [p["reason"] for p in rows(doc, "problems")][:1]) == (
        "refused", ["the file ends in the middle of it"]), doc
    for what in (b"hello", b"\x1f\x8b\x08\x00junk"):
        err = await take(t, "other", what, status=1)
        assert "there is no table in it" in err, err
    assert await t.ctl.ask("account.list") == []


@scene()
async def test_a_balance_that_a_crash_left_unbooked_is_booked_once(t):
    """Killed when the accounts are stored and the ledger has not heard of their money: the next start books it, and no other does."""
    await take(t, "apply", dump(system(t, 5060)[:5]))
    t.switch.kill()
    with sqlite3.connect(os.path.join(t.switch.data, "switch.db")) as db:
        db.execute("INSERT INTO opening_due (request_key, account, amount) VALUES ('migrate 1 1001', '1001', 700000000)")
    db.close()
    t.books.paid["1001"] += money("7")

    async def booked():
        return (await t.ctl.ask("account.show", id="1001"))["balance"] == "19.5"
    for _ in range(2):
        await t.switch.start()
        await poll(booked, "the rest of the balance")
        t.switch.kill()
    await t.switch.start()
    assert len(await t.ctl.ask("payment.list", account="1001")) == 2
