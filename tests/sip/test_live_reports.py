"""The live parameters of reports, as test_live.py has the others."""

import os
import time
from fractions import Fraction

from harness.control import Refused
from harness.oracle import money
from harness.scene import live, scene
from harness.watch import poll
from test_agents import tree
from test_backup import old_one
from test_reports import span, traffic

NIGHTLY = {
    "SERVER_REPORT_CUSTOMER_FEE": {"revenue", "customer"}, "SERVER_REPORT_PHONE_FEE": {"phone"},
    "SERVER_REPORT_GATEWAY_FEE": {"gateway"}, "SERVER_REPORT_CLEARING_CUSTOMER_FEE": {"clearing", "vendor"},
    "SERVER_REPORT_AGENT_INCOME": {"agent"}, "SERVER_REPORT_GATEWAY_ROUTING_LOCATION_ASR_ACD": {"asr-acd"},
}


@scene()
@live("SERVER_REPORT_CUSTOMER_FEE")
@live("SERVER_REPORT_PHONE_FEE")
@live("SERVER_REPORT_GATEWAY_FEE")
@live("SERVER_REPORT_CLEARING_CUSTOMER_FEE")
@live("SERVER_REPORT_AGENT_INCOME")
@live("SERVER_REPORT_GATEWAY_ROUTING_LOCATION_ASR_ACD")
async def test_nightly_reports(t):
    """Off: that report is not among those of the night; On: it is. What the night leaves is fetched whole."""
    today = time.strftime("%Y-%m-%d")
    await traffic(t)
    for value in ("Off", "On"):
        for name in NIGHTLY:
            await t.set(name, value)
            made = await t.ctl.ask("report.make", day=today)
            there = {f.split(".")[0] for f in made["files"]}
            assert (NIGHTLY[name] <= there) == (value == "On"), (name, value, made)
    kept = {r["key"] for r in await t.ctl.ask("report.kept")}
    assert {f"{today}/revenue.csv", f"{today}/asr-acd.html"} <= kept, kept
    status, out, err = await t.switch.cli("report", "fetch", f"{today}/revenue.csv", "file=-")
    assert status == 0 and out.startswith("account,name,area,currency,"), (out, err)
    for bad in ("../../ledger.db", f"{today}/../../ledger.db", f"{today}/nothing.csv", ".", ""):
        try:
            await t.ctl.ask("report.fetch", key=bad)
        except Exception:
            continue
        raise AssertionError(f"{bad} was given out")


@live("REPORT_KEEP_DAYS")
async def test_nights_that_are_kept(t):
    """Files of 500 and 100 days ago, and what is none: at 0 and 1000 all stay, at 400 and at 50 the older ones go, and nothing else."""
    folder = os.path.join(t.switch.data, "reports")

    def day(ago):
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() - ago * 86400))
    mine = {day(500), day(100), day(0), "2001", "mine-2001-0"}  # beside those of last night
    await t.set("REPORT_KEEP_DAYS", 0)
    for name in mine:
        os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, name, "revenue.csv"), "w", encoding="utf-8"):
            pass
    await t.set("REPORT_KEEP_DAYS", 1000)
    await t.ctl.ask("report.make", day=day(0))  # the clerk does one thing after the other
    assert mine <= set(os.listdir(folder))
    for days, gone in ((400, {day(500)}), (50, {day(500), day(100)})):
        await t.set("REPORT_KEEP_DAYS", days)

        async def is_gone(names=gone):
            return not names & set(os.listdir(folder))
        await poll(is_gone, f"the end of {gone}")
        assert mine & set(os.listdir(folder)) == mine - gone


@scene()
@live("SERVER_BACKUP_INTERVAL")
async def test_backups_by_themselves(t):
    """Every 720 hours: one of 30 hours ago is good enough; every 24: another is made at once; 0: never."""
    await t.set("SERVER_BACKUP_INTERVAL", 720)
    old = old_one(t, 30)
    for hours in 720, 0:
        await t.set("SERVER_BACKUP_INTERVAL", hours)
        assert [b["name"] for b in await t.ctl.ask("backup.list")] == [old]
    await t.set("SERVER_BACKUP_INTERVAL", 24)

    async def made():
        return len(await t.ctl.ask("backup.list")) == 2
    await poll(made, "a backup", within=30)


@scene()
@live("SERVER_BACKUP_KEEP")
async def test_backups_kept(t):
    """Two: the oldest two of three go when the new one comes; four: they stay."""
    await t.set("SERVER_BACKUP_INTERVAL", 0)
    for keep in 2, 4:
        for b in await t.ctl.ask("backup.list"):
            await t.ctl.ask("backup.del", name=b["name"])
        old = [old_one(t, hours) for hours in (30, 60, 90)]
        await t.set("SERVER_BACKUP_KEEP", keep)
        await t.set("SERVER_BACKUP_INTERVAL", 24)

        async def settled():
            names = [b["name"] for b in await t.ctl.ask("backup.list")]
            return names if names[0] != old[0] and len(names) == keep else None
        names = await poll(settled, f"{keep} backups", within=30)
        assert names[1:] == old[:keep - 1], names
        await t.set("SERVER_BACKUP_INTERVAL", 0)


@scene()
@live("SERVER_BILLING_PROFIT_CALCULATE")
async def test_what_a_profit_is(t):
    """The formula in an operator's words is what the columns profit and margin are; one that means nothing is refused."""
    caller, _carrier = await tree(t)
    cdr = await t.cdr(await caller.place("88017", hold=0.1))
    fee, tax, cost, sub = (money(cdr[k]) for k in ("fee", "tax", "cost", "agent_income"))
    assert 0 not in (fee, cost, sub), cdr
    for value, want in (("call charge - sub - call expense", fee + tax - sub - cost), ("Call Fee-call expense", fee - cost),
                        ("-tax + call charge", fee), ("sub", sub)):
        await t.set("SERVER_BILLING_PROFIT_CALCULATE", value)
        row = (await t.ctl.ask("report.profit", account="acme", **span()))["rows"][0]
        assert money(row["profit"]) == want, (value, row, cdr)
        assert abs(money(row["margin"]) - want / (fee + tax) * 100) <= Fraction(1, 200), (value, row)
    for bad in ("", "profit", "call charge *", "call charge - - tax", "tax" + "+tax" * 8):
        try:
            await t.set("SERVER_BILLING_PROFIT_CALCULATE", bad)
        except Refused as e:
            assert "call expense" in str(e), e
            continue
        raise AssertionError(f"{bad!r} was taken for a profit")
