"""Backups: taken under calls, proved, taken away, put back; cut, changed and on a full disk."""

import asyncio
import gzip
import hashlib
import json
import os
import sqlite3
import subprocess
import tarfile
import tempfile
import time

from harness.scene import scene
from harness.watch import poll
from test_store import private_disk


def folder(t, *parts):
    return os.path.join(t.switch.data, "backup", *parts)


async def fails(t, *ask, word, **fields):
    try:
        await t.ctl.ask(*ask, **fields)
    except Exception as e:
        assert word in str(e), e
        return str(e)
    raise AssertionError(f"{ask} {fields} was done")


@scene(within=120)
async def test_a_backup_under_calls_is_right_and_comes_back(t):
    """Made while a call is up and others come and go: its books are right by themselves. Payments and calls that came after it
    are gone when it is put back, what was there is kept, and calls pass again."""
    caller, carrier = await t.plain()
    up = caller.invite("880100")
    await up.expect(200)
    making = asyncio.create_task(t.ctl.ask("backup.make", within=60))
    for n in range(3):
        await t.cdr(await caller.place(f"88020{n}", hold=0.1))
    made = await making
    assert {"switch.db", "ledger.db"} <= {f["name"] for f in made["files"]}, made
    verdict = await t.ctl.ask("backup.verify", name=made["name"], within=60)
    assert verdict["differences"] == [], verdict
    assert [b["name"] for b in await t.ctl.ask("backup.list")] == [made["name"]]
    away = os.path.join(t.folder, "away.tar.gz")
    status, _out, err = await t.switch.cli("backup", "fetch", made["name"], f"file={away}")
    assert status == 0, err
    with tarfile.open(away) as tar:
        assert {m.name for m in tar.getmembers()} >= {"switch.db", "ledger.db", "MANIFEST.json"}

    await up.hang_up()
    await carrier.legs[0].ended_by_peer()
    await t.cdr(up)
    before = await t.books.balance("acme")
    await t.ctl.ask("account.recharge", id="acme", amount="7")
    assert await t.books.balance("acme") == before + 7
    await t.ctl.ask("backup.restore", name=made["name"])
    await t.switch.restart()
    rows = {r["callee"]: r["reason"] for r in await t.ctl.ask("cdr.list")}
    assert rows["880100"] == "SwitchRestarted", rows  # it was up when the backup was made
    assert os.path.exists(os.path.join(t.switch.data, "before-restore", "ledger.db"))
    assert (await t.ctl.ask("report.verify"))["differences"] == []
    await t.cdr(await caller.place("880300", hold=0.1))
    t.excused.append("BYE")  # both ends of the call that the backup thinks is up hear one

    await t.switch.stop()
    command = [os.path.join(t.binaries, "switchd"), "--data", t.switch.data, "--control", t.switch.path]
    done = subprocess.run(command + ["--restore", away], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    await t.switch.start()
    await fails(t, "cdr.show", id="0", word="id")
    assert "880300" not in {r["callee"] for r in await t.ctl.ask("cdr.list")}
    running = subprocess.run(command + ["--restore", away], capture_output=True, check=False, timeout=60)
    assert running.returncode != 0 and b"running" in running.stderr, running


@scene()
async def test_a_damaged_backup_is_found_and_changes_nothing(t):
    """Cut, a byte changed, another database inside, no backup at all: verify says so, and one that is ordered all the same is not
    put in place."""
    caller, _carrier = await t.plain()
    await t.cdr(await caller.place("880100", hold=0.1))
    name = (await t.ctl.ask("backup.make", within=60))["name"]
    with open(folder(t, name), "rb") as f:
        whole = f.read()
    content = bytearray(gzip.decompress(whole))
    content[content.index(b"SQLite format 3") + 3000] ^= 1
    bad = {"cut": whole[:-20], "changed": whole[:-6] + bytes([whole[-6] ^ 4]) + whole[-5:], "empty": b"",
           "no gzip": b"hello" * 1000, "other content": gzip.compress(bytes(content), 1)}
    for what, data in bad.items():
        with open(folder(t, name), "wb") as f:
            f.write(data)
        await fails(t, "backup.verify", name=name, word="cut, changed, or no backup", within=60)
        if what == "cut":
            await t.ctl.ask("backup.restore", name=name)
            balance = await t.books.balance("acme")
            await t.switch.restart()
            assert await t.books.balance("acme") == balance
    for other in "../ledger.db", "nothing", "20260101T000000Z.tar.gz", "":
        for op in "backup.verify", "backup.restore", "backup.fetch", "backup.del":
            await fails(t, op, name=other, word="name")
    assert not os.path.exists(folder(t, "verify")), "what was unpacked for the proof is still there"


def aged(path):
    """Makes the backup one of a program that knew nothing of agents and of rating again."""
    with tempfile.TemporaryDirectory() as inside:
        with tarfile.open(path) as tar:
            names = [m.name for m in tar.getmembers()]
            tar.extractall(inside, filter="data")
        ledger = os.path.join(inside, "ledger.db")
        with sqlite3.connect(ledger) as db:
            db.executescript("DROP TABLE rerating; DROP TABLE share; ALTER TABLE purse DROP COLUMN income;"
                             "CREATE TABLE old (id INTEGER PRIMARY KEY, account TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT"
                             " NOT NULL CHECK (kind IN ('payment', 'charge', 'cost')), amount INTEGER NOT NULL, payment INTEGER,"
                             " cdr INTEGER) STRICT; INSERT INTO old SELECT * FROM entry; DROP TABLE entry;"
                             "ALTER TABLE old RENAME TO entry; PRAGMA user_version = 1")
        manifest = os.path.join(inside, "MANIFEST.json")
        with open(manifest, encoding="utf-8") as f:
            content = json.load(f)
        with open(ledger, "rb") as f:
            whole = f.read()
        for entry in content["files"]:
            if entry["name"] == "ledger.db":
                entry["sha256"] = hashlib.sha256(whole).hexdigest()
                if "bytes" in entry:
                    entry["bytes"] = len(whole)
        with open(manifest, "w", encoding="utf-8") as f:
            json.dump(content, f)
        with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as tar:
            for name in names:
                tar.add(os.path.join(inside, name), name, recursive=False)


@scene()
async def test_a_backup_of_an_older_program_is_proved_and_comes_back(t):
    """Its books are right, and what is booked after it is back is, too."""
    caller, _carrier = await t.plain()
    await t.cdr(await caller.place("880100", hold=0.1))
    before = await t.books.balance("acme")
    name = (await t.ctl.ask("backup.make", within=60))["name"]
    aged(folder(t, name))
    verdict = await t.ctl.ask("backup.verify", name=name, within=60)
    assert verdict["differences"] == [] and verdict["records"] == 1, verdict
    await t.ctl.ask("backup.restore", name=name)
    await t.switch.restart()
    assert await t.books.balance("acme") == before
    await t.cdr(await caller.place("880101", hold=0.1))


@scene(start=False, within=120)
async def test_a_full_disk_stops_the_backup_and_no_call(t):
    private_disk(t, 12)
    await t.switch.start()
    caller, _carrier = await t.plain()
    await t.cdr(await caller.place("880100"))
    up = caller.invite("880101")
    await up.expect(200)
    inside = f"/proc/{t.switch.process.pid}/root{t.switch.data}"
    with open(os.path.join(inside, "filler"), "wb") as f:
        try:
            while True:
                f.write(b"x" * 65536)
                f.flush()
                if os.statvfs(inside).f_bavail * 4096 < 140000:
                    break
        except OSError:
            pass
    await fails(t, "backup.make", word="no backup was made", within=60)

    async def alarmed():
        return "backup_failed" in str(await t.ctl.ask("alarm.list"))
    await poll(alarmed, "the alarm")
    await up.hang_up()  # new calls are refused by now: the room is kept for those that are up
    os.unlink(os.path.join(inside, "filler"))
    await t.cdr(up)
    assert os.listdir(os.path.join(inside, "backup")) == []
    await t.ctl.ask("backup.make", within=60)

    async def quiet():
        return not await alarmed()
    await poll(quiet, "the end of the alarm", within=30)


def old_one(t, hours):
    """A file that looks like a backup of so many hours ago."""
    os.makedirs(folder(t), exist_ok=True)
    at = time.gmtime(time.time() - hours * 3600)
    name = time.strftime("%Y%m%dT%H%M%SZ.tar.gz", at)
    with open(folder(t, name), "wb"):
        return name
