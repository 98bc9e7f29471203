"""When the ledger cannot be written: new calls 503, running ones booked when it is back, an alarm."""

import asyncio
import os
import sqlite3
import subprocess

from harness.oracle import money
from harness.scene import scene
from harness.watch import poll


async def up(t):
    caller, carrier = await t.plain()
    call = caller.invite("88010")
    await call.expect(200)
    await carrier.legs[0].ack()
    return caller, carrier, call


async def alarmed(t):
    """An alarm that speaks of the ledger stands."""
    async def ask():
        text = str(await t.ctl.ask("alarm.list")).lower()
        return "ledger" in text or "store" in text
    await poll(ask, "an alarm about the ledger")


async def quiet_again(t):
    async def ask():
        text = str(await t.ctl.ask("alarm.list")).lower()
        return "ledger" not in text and "store" not in text
    await poll(ask, "the end of the alarm", within=30)


@scene(idle=True, within=120)
async def test_a_locked_ledger(t):
    """Another program holds the write lock of ledger.db. A call that is being answered gets 503 within
    the 2 s, its vendor BYE; then new calls are refused at once; a running call is ended with 200 and
    booked, once, when the lock is gone; and calls pass again."""
    caller, carrier, running = await up(t)
    lock = sqlite3.connect(os.path.join(t.switch.data, "ledger.db"), timeout=30, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    call = caller.invite("88011")
    await call.expect(503, within=30)
    leg = await carrier.leg("88011")
    await leg.ended_by_peer()
    assert leg.acked, "the vendor's 200 was not acknowledged"
    await alarmed(t)
    refused = caller.invite("88012")
    await refused.expect(503)
    await running.hang_up()
    await carrier.legs[0].ended_by_peer()
    lock.execute("ROLLBACK")
    lock.close()

    async def passes():
        again = caller.invite("88013")
        if (await again.final()).code != 200:
            return False
        await again.hang_up()
        return True
    await poll(passes, "a call that passes again", within=30, every=0.2)
    await t.billed(running, carrier.legs[0], reason="CallerHangup")
    for bad in (call, refused):
        cdr = await t.cdr(bad, sip_code=503, reason="StoreUnavailable")
        assert money(cdr["fee"]) == 0, cdr
    await quiet_again(t)


@scene(idle=True, within=120)
async def test_a_bye_is_answered_though_the_ledger_is_locked(t):
    """The other leg's BYE goes at once; the 200 waits at most 300 ms for the commit, then leaves."""
    _caller, carrier, running = await up(t)
    lock = sqlite3.connect(os.path.join(t.switch.data, "ledger.db"), timeout=30, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    await running.hang_up(within=30)
    await carrier.legs[0].ended_by_peer()
    assert await t.ctl.ask("cdr.list", call_id=running.call_id) == []
    lock.execute("ROLLBACK")
    lock.close()
    await t.billed(running, carrier.legs[0], reason="CallerHangup")


@scene(idle=True, within=120)
async def test_a_payment_on_a_locked_ledger_is_never_half_done(t):
    """It is refused, or answered once it is durable; then the balance says the same."""
    await t.account("acme", "1")
    lock = sqlite3.connect(os.path.join(t.switch.data, "ledger.db"), timeout=30, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    payment = asyncio.create_task(t.ctl.ask("account.recharge", id="acme", amount="5", within=60))
    await asyncio.wait([payment], timeout=3)
    lock.execute("ROLLBACK")
    lock.close()
    try:
        await payment
        t.books.paid["acme"] += 5
    except Exception as e:
        assert "store" in str(e).lower(), e
    await t.books.check()


def private_disk(t, megabytes):
    """switchd in a mount namespace of its own whose data directory is a small disk."""
    unshare = ["unshare", "--mount", "--propagation", "private"]
    if os.getuid():
        unshare += ["--user", "--map-root-user"]
    probe = subprocess.run(unshare + ["mount", "-t", "tmpfs", "none", t.switch.data],
                           capture_output=True, check=False)
    if probe.returncode:
        raise AssertionError("no mount namespaces here: " + probe.stderr.decode().strip())
    t.switch.wrapper = unshare + ["sh", "-c", f'mount -t tmpfs -o size={megabytes}m none "$0" && exec "$@"',
                                  t.switch.data]


def inside(t, *parts):
    """A path as switchd sees it."""
    return f"/proc/{t.switch.process.pid}/root" + os.path.join(t.switch.data, *parts)


def fill(path):
    """Writes until the disk has not one block left."""
    with open(path, "wb", buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b"\0" * size)
            except OSError:
                continue


@scene(start=False, idle=True, within=150)
async def test_a_full_disk(t):
    """The disk fills up under a running call: new calls end in 503 StoreUnavailable, never in a call
    without a record; the running call is ended and booked when there is room again."""
    private_disk(t, 64)
    await t.switch.start()
    caller, carrier, running = await up(t)
    fill(inside(t, "filler"))

    async def refused():
        call = caller.invite(f"8802{len(caller.calls):05d}")
        answer = await call.final(within=30)
        if answer.code == 200:
            await call.hang_up(within=30)
        return answer.code == 503
    await poll(refused, "a call that is refused on a full disk", within=60, every=0)
    await alarmed(t)
    await running.hang_up(within=30)
    os.unlink(inside(t, "filler"))

    async def passes():
        return not await refused()
    await poll(passes, "a call that passes again", within=30, every=0.2)
    await t.billed(running, carrier.legs[0], reason="CallerHangup")
    await t.books.settled()
    cdrs = {c["call_id"]: c for c in await t.books.check()}
    for call in caller.calls:
        # The last room is not for calls that were refused (test_live_cdrs.py).
        if call.answer.code == 503 and call.call_id not in cdrs:
            continue
        assert call.call_id in cdrs, f"no record of {call} ({call.answer.code})"
        assert (cdrs[call.call_id]["reason"] == "StoreUnavailable") == (call.answer.code == 503)


@scene(start=False)
async def test_a_newer_schema_is_refused(t):
    """A database of a newer program: switchd says so and does not start; nothing is changed."""
    await t.switch.start()
    await t.switch.stop()
    path = os.path.join(t.switch.data, "ledger.db")
    db = sqlite3.connect(path)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {version + 1000}")
    db.commit()
    db.close()
    try:
        await t.switch.start()
    except AssertionError as e:
        assert "newer" in str(e).lower() or "version" in str(e).lower(), e
    else:
        raise AssertionError("started on a database of a newer version")
    t.audit = False


async def test_the_database_is_not_for_others(t):
    """Data files are readable by their owner and group at most."""
    caller, _carrier = await t.plain()
    await caller.place("88017")
    for folder, _dirs, files in os.walk(t.switch.data):
        for name in files:
            mode = os.stat(os.path.join(folder, name)).st_mode & 0o777
            assert mode & 0o007 == 0, (name, oct(mode))
