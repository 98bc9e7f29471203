"""The live parameters of records, as test_live.py has the others."""

import os
import sqlite3
import time

from harness.control import Refused
from harness.scene import live, scene
from harness.watch import poll
from test_cdrs import numbers, refused
from test_store import inside, private_disk


@live("SERVER_QUERY_CDR_DENY_TIME")
async def test_hours_without_queries(t):
    """This hour and the next: lists and exports are refused, one record is not. Other hours: they are answered."""
    caller, _carrier = await t.plain()
    cdr = await t.cdr(await caller.place("88017"))
    now = time.localtime().tm_hour
    await t.set("SERVER_QUERY_CDR_DENY_TIME", f"{now},{(now + 1) % 24}")
    await refused(t, "cdr.list", None, "forbidden")
    await refused(t, "cdr.export", None, "forbidden")
    assert (await t.ctl.ask("cdr.show", id=cdr["id"]))["callee"] == "88017"
    await t.set("SERVER_QUERY_CDR_DENY_TIME", f"{(now + 5) % 24},{(now + 6) % 24}")
    assert await numbers(t) == ["88017"]


@live("SERVER_QUERY_CDR_MAX_DAY_INTERVAL")
async def test_days_of_a_query(t):
    """Ten days in one query, or not; without `from` as many as are allowed."""
    caller, _carrier = await t.plain()
    await t.cdr(await caller.place("88017"))
    ten = {"from": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 9 * 86400))}
    assert await numbers(t, **ten) == ["88017"]
    await t.set("SERVER_QUERY_CDR_MAX_DAY_INTERVAL", 3)
    await refused(t, "cdr.list", "from", **ten)
    assert await numbers(t) == ["88017"]
    assert await numbers(t, to="2026-01-01") == []
    await t.set("SERVER_QUERY_CDR_MAX_DAY_INTERVAL", 10)
    assert await numbers(t, **ten) == ["88017"]


@live("SERVER_QUERY_MAX_SIZE", "SERVER_QUERY_ONE_PAGE_SIZE")
async def test_rows_of_a_query(t):
    """A page has no more rows than one says, an export no more than the other; it is refused, not cut."""
    caller, _carrier = await t.plain()
    for i in range(4):
        await t.cdr(await caller.place(f"8801{i}"))
    await t.set("SERVER_QUERY_ONE_PAGE_SIZE", 3)
    assert len(await numbers(t)) == 3
    await refused(t, "cdr.list", "limit", limit=4)
    assert len((await t.exported()).splitlines()) == 5
    await t.set("SERVER_QUERY_ONE_PAGE_SIZE", 1000)
    assert len(await numbers(t, limit=1000)) == 4
    await t.set("SERVER_QUERY_MAX_SIZE", 3)
    await refused(t, "cdr.list", "limit", limit=4)
    try:
        await t.exported()
    except Refused as e:
        assert "3 records" in str(e), e
    else:
        raise AssertionError("an export of more rows than are allowed")
    assert len((await t.exported(limit=3)).splitlines()) == 4
    await t.set("SERVER_QUERY_MAX_SIZE", 4)
    assert len((await t.exported()).splitlines()) == 5
    await t.ctl.ask("parameter.reset", name="SERVER_QUERY_MAX_SIZE")


@live("CDR_KEEP_MONTHS")
async def test_months_of_records(t):
    """0: all stay. 24: what is older goes, with the files beside it; payments do not."""
    caller, _carrier = await t.plain()
    await t.set("CDR_KEEP_MONTHS", 0)
    await t.cdr(await caller.place("88017"))
    folder = os.path.join(t.switch.data, "cdr")
    year = time.gmtime().tm_year
    for name in (f"{year - 3}-01.db", f"{year - 3}-01.db-wal", f"{year - 3}-02.db", f"{year - 1}-01.db", "2001.txt"):
        with open(os.path.join(folder, name), "w", encoding="utf-8"):
            pass
    await t.set("CDR_KEEP_MONTHS", 1200)
    await t.books.settled()
    assert f"{year - 3}-01.db" in os.listdir(folder)
    await t.set("CDR_KEEP_MONTHS", 24)

    async def gone():
        return not any(name.startswith(f"{year - 3}-") for name in os.listdir(folder))
    await poll(gone, "the end of old months")
    assert {f"{year - 1}-01.db", "2001.txt"} <= set(os.listdir(folder))
    os.unlink(os.path.join(folder, f"{year - 1}-01.db"))
    assert await numbers(t) == ["88017"] and len(await t.ctl.ask("payment.list")) == 1


@live("LOG_KEEP_DAYS")
async def test_days_of_the_log(t):
    """Lines of a hundred days ago stay at 1000 and go at 90; those of today stay."""
    await t.set("LOG_KEEP_DAYS", 1000)

    def count(sql):
        db = sqlite3.connect(os.path.join(t.switch.data, "switch.db"), timeout=30, isolation_level=None)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows
    ago = int((time.time() - 100 * 86400) * 1000)
    count("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO system_log"
          f" (at, who, operation) SELECT {ago} + i, 'me', 'account.set' FROM n")
    await t.set("LOG_KEEP_DAYS", 999)
    await poll(lambda: t.status(), "a look")
    assert count("SELECT count(*) FROM system_log")[0][0] > 2500
    await t.set("LOG_KEEP_DAYS", 90)

    async def gone():
        return count(f"SELECT count(*) FROM system_log WHERE at < {ago + 5000}")[0][0] == 0
    await poll(gone, "the end of old lines")
    assert count("SELECT count(*) FROM system_log")[0][0] >= 3


@live("ALARM_KEEP_DAYS")
async def test_days_of_alarms_that_are_over(t):
    """An alarm that is over is in the history, with who looked after it, over a restart; one of a hundred days ago stays at 101 and goes
    at 99."""
    async def history(**asked):
        return [(a["type"], a["object"], a["acked_by"]) for a in await t.ctl.ask("alarm.history", **asked)]
    name = "SS_SIP_NAT_KEEP_ALIVE_PERIOD"
    await t.set(name, 200)
    await t.ctl.ask("alarm.ack", type="nat_keep_alive")
    assert await history() == []
    await t.set(name, 30)
    assert "nat_keep_alive" not in str(await t.ctl.ask("alarm.list"))
    rows = await t.ctl.ask("alarm.history")
    who = rows[0]["acked_by"]
    assert who and rows[0]["begin"] <= rows[0]["acked"] <= rows[0]["over"] and rows[0]["value"] == 200, rows
    await t.switch.restart()
    assert await history() == [("nat_keep_alive", name, who)] == await history(type="nat_keep_alive", object=name)
    assert await history(type="disk") == [] == await history(to=rows[0]["begin"]) == await history(after=rows[0]["id"])
    db = sqlite3.connect(os.path.join(t.switch.data, "switch.db"), timeout=30, isolation_level=None)
    ago = int((time.time() - 100 * 86400) * 1000)
    db.execute("INSERT INTO alarm (name, object, level, begin, last, cleared) VALUES ('disk', 'x', 'major', ?1, ?1, ?1)", (ago,))
    db.close()
    await t.set("ALARM_KEEP_DAYS", 101)
    assert len(await history()) == 2
    await t.set("ALARM_KEEP_DAYS", 99)

    async def gone():
        return await history() == [("nat_keep_alive", name, who)]
    await poll(gone, "the end of the old one")


@scene(start=False, idle=True)
@live("DISK_RESERVE_MB")
async def test_room_that_is_kept(t):
    """A small disk all but full: no new call, a critical alarm; one that is up is booked at once. With a smaller reserve
    calls pass again."""
    private_disk(t, 64)
    await t.switch.start()
    caller, carrier = await t.plain()
    running = caller.invite("88010")
    await running.expect(200)
    await carrier.legs[0].ack()
    with open(inside(t, "filler"), "wb", buffering=0) as f:
        def room():
            s = os.statvfs(inside(t))
            return s.f_bavail * s.f_frsize
        while room() > (5 << 19):
            f.write(b"\0" * 65536)

    async def critical():
        return [a for a in await t.ctl.ask("alarm.list") if a["type"] == "disk" and a["level"] == "critical"]
    await poll(critical, "the alarm")
    await t.refused(caller.invite("88011"), 503, "StoreUnavailable")
    await running.hang_up()
    await t.billed(running, carrier.legs[0], reason="CallerHangup")
    await t.set("DISK_RESERVE_MB", 1)

    async def over():
        return not await critical() or not (await critical())[0]["info"].count("no new calls")
    await poll(over, "room")
    await caller.place("88012")


@scene(start=False, idle=True)
async def test_a_broken_half_of_a_mirror_is_an_alarm(t):
    """What Linux says of its mirrors, as files in their place: one works, of another a disk is gone until it was replaced."""
    private_disk(t, 64)
    arrays = {"md126": "0\n", "md127": "1\n"}
    made = "".join(f"mkdir -p /sys/block/{a}/md; printf '{n}' >/sys/block/{a}/md/degraded; " for a, n in arrays.items())
    t.switch.wrapper[-2] = f"mount -t tmpfs none /sys/block; {made} {t.switch.wrapper[-2]}"
    await t.switch.start()

    async def alarms():
        return [(a["object"], a["level"], a["value"]) for a in await t.ctl.ask("alarm.list") if a["type"] == "mirror"]
    assert await alarms() == [("md127", "major", 1)]
    with open(f"/proc/{t.switch.process.pid}/root/sys/block/md127/md/degraded", "w", encoding="ascii") as f:
        f.write("0\n")

    async def over():
        return not await alarms()
    await poll(over, "the end of the alarm")


@scene(start=False, idle=True)
async def test_refused_calls_do_not_fill_the_disk(t):
    """Alarms at 80, 90 and 95 per cent. When half of what is kept for calls that are up is used, refused calls leave no record,
    however many come, but are counted; the call that is up gets its exact one."""
    private_disk(t, 64)
    await t.switch.start()
    await t.set("DISK_RESERVE_MB", 3)
    caller, carrier = await t.plain()
    running = caller.invite("88010")
    await running.expect(200)
    await carrier.legs[0].ack()

    async def alarm(name, *levels):
        return [a for a in await t.ctl.ask("alarm.list") if a["type"] == name and (not levels or a["level"] in levels)]

    def room():
        s = os.statvfs(inside(t))
        return s.f_bavail * s.f_frsize
    with open(inside(t, "filler"), "wb", buffering=0) as f:
        for percent, level in ((82, "minor"), (92, "major"), (96, "critical")):
            while room() > (64 << 20) * (100 - percent) // 100:
                f.write(b"\0" * 65536)
            await poll(lambda level=level: alarm("disk", level), f"the alarm at {percent} %")
        while room() > (5 << 18):
            f.write(b"\0" * 65536)

    async def counted():
        call = caller.invite("88011")
        await call.expect(503)
        return await alarm("cdr_flood")
    await poll(counted, "refused calls that are only counted", every=0)
    records, before = len(await t.ctl.ask("cdr.list", limit=1000)), room()
    for _ in range(50):
        await caller.invite("88012").expect(503)
    assert len(await t.ctl.ask("cdr.list", limit=1000)) == records
    assert before - room() < 1 << 18, f"{before - room()} bytes for calls that were refused"
    await running.hang_up()
    await t.billed(running, carrier.legs[0], reason="CallerHangup")
    os.unlink(inside(t, "filler"))

    async def takes():
        call = caller.invite("88013")
        if (await call.final()).code != 200:
            return False
        await call.hang_up()
        return True
    await poll(takes, "calls that are taken again")
