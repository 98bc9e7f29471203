"""Records that leave the switch: files of lines, and HTTP. None is missing, whatever stops when."""

import asyncio
import glob
import os
import sqlite3

from harness import plans
from harness.receiver import Receiver
from harness.scene import live, scene
from harness.watch import poll
from test_cdrs import refused


async def receiver(t, last=9):
    return t.keep(await Receiver(t.net.ip(last)).open())


def files(t, suffix=".txt"):
    return sorted(glob.glob(os.path.join(t.switch.data, "cdr", "2*" + suffix)))


def lines(t, suffix=".txt*"):
    text = "".join(open(name, encoding="utf-8").read() for name in files(t, suffix))
    return [line.split("|") for line in text.splitlines()]


async def written(t, *calls, suffix=".txt*"):
    """The lines of the files, once they are those of these calls: each once, and no other."""
    want = sorted([(await t.cdr_of(c.call_id))["id"] for c in calls])

    async def ask():
        found = sorted(line[17] for line in lines(t, suffix))
        assert len(found) == len(set(found)), "a record is in the files twice"
        return found == want
    await poll(ask, f"{len(want)} records in the files")
    return {line[17]: line for line in lines(t, suffix)}


async def arrived(to, *calls):
    async def ask():
        return {c.call_id for c in calls} <= {r["call_id"] for r in to.records()}
    await poll(ask, f"{len(calls)} records", within=40)


async def posted(t, n):
    """Until so many records wait to be delivered."""
    async def ask():
        db = sqlite3.connect(os.path.join(t.switch.data, "ledger.db"), timeout=30)
        count = db.execute("SELECT count(*) FROM posting").fetchone()[0]
        db.close()
        return count == n
    await poll(ask, f"{n} records that wait")


async def alarms(t, kind):
    return [a for a in await t.ctl.ask("alarm.list") if a["type"] == kind]


@live("SS_CDR_RECORD_TO_FILE")
async def test_hourly_files(t):
    """Off: none. On: 18 filled fields a record, in a part that gets its name when files are switched off."""
    caller, carrier = await t.plain()
    await caller.place("88010")
    await posted(t, 0)
    assert not files(t, ".txt*")
    await t.set("SS_CDR_RECORD_TO_FILE", "On")
    answered = await caller.place("88017", hold=1.1)
    carrier.plan = plans.reject(486)
    busy = caller.invite("88018")
    await busy.expect(486)
    cdr = await t.cdr(answered)
    rows = await written(t, answered, busy, suffix=".txt.part")
    assert not files(t)
    line = rows[cdr["id"]]
    assert len(line) == 18 and all(line), line
    assert line[:2] == [cdr["caller"], "88017"] and line[4:9] == ["1", "CallerHangup", "0", "acme-in", "vendor"]
    assert line[9:11] == [caller.ip, carrier.ip] and line[15:17] == ["0", "1"], line
    assert rows[(await t.cdr(busy))["id"]][16] == "-1"
    await t.set("SS_CDR_RECORD_TO_FILE", "Off")
    await written(t, answered, busy, suffix=".txt")
    (name,) = files(t)
    assert len(os.path.basename(name)) == len("2026112612.txt") and not files(t, ".part")


@live("SERVER_CDR_FILE_WRITE_INTERVAL", "SERVER_CDR_FILE_WRITE_MAX")
async def test_intervals_and_number_of_files(t):
    """A time of their own: names to the second. The oldest beyond the number kept go."""
    caller, _carrier = await t.plain()
    for i in range(13):
        with open(os.path.join(t.switch.data, "cdr", f"20200101{i:02d}.txt"), "w", encoding="utf-8"):
            pass
    await t.set("SERVER_CDR_FILE_WRITE_INTERVAL", 86400)
    await t.set("SERVER_CDR_FILE_WRITE_MAX", 12)
    await caller.place("88017")

    async def begun():
        return files(t, ".part")
    (part,) = await poll(begun, "a file")
    assert os.path.basename(part)[8:] == "000000.txt.part", part
    await t.set("SERVER_CDR_FILE_WRITE_INTERVAL", "None")

    async def left(n):
        return not files(t, ".part") and len(files(t)) == n
    await poll(lambda: left(12), "12 files")
    assert "2020010102.txt" in files(t)[0]
    await t.set("SERVER_CDR_FILE_WRITE_INTERVAL", 86400)
    await t.set("SERVER_CDR_FILE_WRITE_MAX", 10)
    await caller.place("88018")
    await poll(begun, "a file")
    await t.set("SERVER_CDR_FILE_WRITE_INTERVAL", 60)
    await poll(lambda: left(10), "10 files")


@live("EXTERNAL_SEND_CDR", "SERVER_CDR_REAL_TIME_REPORT_SERVER")
async def test_two_receivers(t):
    """JSON for one, lines for the other; hidden numbers for none; addresses that make no sense are refused."""
    caller, _carrier = await t.plain()
    await caller.place("88010")
    await posted(t, 0)
    web, collector = await receiver(t), await receiver(t, 10)
    await t.set("EXTERNAL_SEND_CDR", f"http://{web.address}/cdr?key=1")
    await t.set("SERVER_CDR_REAL_TIME_REPORT_SERVER", collector.address)
    await t.set("SERVER_BILLING_NO_CDR_E164S", "880110")
    await caller.place("880110")
    calls = [await caller.place(f"88017{i}") for i in range(3)]
    await arrived(web, *calls)
    await poll(lambda: asyncio.sleep(0, len(collector.lines()) >= 3), "the lines")
    assert {path for path, _, _ in web.bodies} == {"/cdr?key=1"}
    shown = {r["id"]: r for r in await t.ctl.ask("cdr.list")}
    for r in web.records():
        assert r == shown[r["id"]] and r["callee"] != "880110"
    assert [line.split("|")[1] for line in collector.lines()][-3:] == [c.callee for c in calls]
    assert "88010" not in {r["callee"] for r in web.records()}
    for bad in ("https://x/", "ftp://x", "http://a b/"):
        await refused(t, "parameter.set", "EXTERNAL_SEND_CDR", value=bad, name="EXTERNAL_SEND_CDR")
    await t.set("EXTERNAL_SEND_CDR", "")
    await t.set("SERVER_BILLING_NO_CDR_E164S", "")
    had = len(web.records())
    await caller.place("88019")
    await poll(lambda: asyncio.sleep(0, len(collector.lines()) >= 4), "another line")
    assert len(web.records()) == had
    t.audit = False


@scene(idle=True, within=120)
async def test_a_receiver_that_is_away_or_refuses(t):
    """Calls go on, an alarm stands; when it is back it gets all of it."""
    caller, _carrier = await t.plain()
    web = await receiver(t)
    web.status = 503
    await t.set("EXTERNAL_SEND_CDR", f"http://{web.address}/")
    calls = [await caller.place("88011")]
    await poll(lambda: alarms(t, "cdr_feed"), "the alarm")
    await web.shut()
    calls += [await caller.place(f"88012{i}") for i in range(3)]
    web.status = 200
    await web.open()
    await arrived(web, *calls)
    assert [r["call_id"] for r in web.records()] == [c.call_id for c in calls]

    async def over():
        return not await alarms(t, "cdr_feed")
    await poll(over, "the end of the alarm")


@scene(settings={"SS_CDR_RECORD_TO_FILE": "On"}, within=120)
async def test_files_and_feed_across_kills(t):
    """SIGKILL at any moment: every record is in the files once, and with the receiver at least once."""
    caller, _carrier = await t.plain()
    web = await receiver(t)
    await t.set("EXTERNAL_SEND_CDR", f"http://{web.address}/")
    ended = []
    for n in range(3):
        ended += await asyncio.gather(*(caller.place(f"8801{n}{i}") for i in range(8)))
        await asyncio.sleep(t.random.random() * 0.05)
        t.switch.kill()
        for name in files(t, ".part"):
            if t.random.random() < 0.5:  # what a turn wrote that got no further
                with open(name, "a", encoding="utf-8") as f:
                    f.write("8801|half a li")
        await t.switch.start()
    ended.append(await caller.place("88019"))
    await arrived(web, *ended)
    await written(t, *ended)


@live("SERVER_MAX_CDR_PENDING_LIST_LENGTH")
async def test_records_that_wait(t):
    """11,000 that no receiver takes: an alarm at 10,000, none at 20,000."""
    caller, _carrier = await t.plain()
    await t.set("EXTERNAL_SEND_CDR", f"http://{t.net.ip(9)}:9/")
    await t.set("SERVER_MAX_CDR_PENDING_LIST_LENGTH", 10000)
    await caller.place("88017")
    await posted(t, 1)
    with sqlite3.connect(os.path.join(t.switch.data, "ledger.db"), timeout=30) as db:
        db.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000)"
                   " INSERT INTO posting (cdr) SELECT i FROM n")
    db.close()
    await poll(lambda: alarms(t, "pending_cdrs"), "the alarm")
    await t.set("SERVER_MAX_CDR_PENDING_LIST_LENGTH", 20000)

    async def over():
        return not await alarms(t, "pending_cdrs")
    await poll(over, "the end of the alarm")
