"""switch-audit in the booted machine: what only a running one shows."""

import asyncio
import json

from harness.watch import poll

# This boot has a root shell for the tests, and no guards that would slow an emulated processor: two
# doors that the boot loader never opens. The audit has to see both, and nothing else.
OPENED = {"BOOT-2"}
OPENED_WITHOUT_KVM = {"BOOT-3"}


async def guest(site, command):
    return await asyncio.to_thread(site.switch.machine.sh, command, 300)


async def check(site, *words):
    status, text = await guest(site, f"switch-audit --json {' '.join(words)}")
    return status, {row["id"]: row for row in json.loads(text)}


async def test_the_audit_finds_nothing_but_our_own_doors(site):
    """Every control, after set-up, with calls' daemons running; no control is passed over but for a reason."""
    status, rows = await check(site, "check")
    faults = {i: r["found"] for i, r in rows.items() if r["state"] in ("failed", "unknown")}
    assert OPENED <= set(faults) <= OPENED | OPENED_WITHOUT_KVM, "\n".join(f"{i}: {f}" for i, f in faults.items())
    assert status == 1
    skipped = {i: r["found"] for i, r in rows.items() if r["state"] == "skipped"}
    print(f"     {len(rows)} controls, skipped: {skipped}")
    assert not any("running machine" in why for why in skipped.values()), skipped


async def test_the_nightly_unit_sees_what_root_sees(site):
    """From inside its sandbox: the same controls, the same two doors; and the journal says so."""
    status, _ = await guest(site, "systemctl start switch-audit")
    assert status != 0
    _, text = await guest(site, "journalctl -b -u switch-audit --no-pager -o cat")
    failed = {line.split()[0] for line in text.splitlines() if " failed: " in line or " unknown: " in line}
    assert OPENED <= failed <= OPENED | OPENED_WITHOUT_KVM, text
    status, text = await guest(site, "systemctl list-timers --no-pager --no-legend switch-audit.timer")
    assert "switch-audit.service" in text, text
    await guest(site, "systemctl reset-failed switch-audit")


async def test_an_operator_asks_for_it(site):
    """switchctl, which is all that an administrator has over SSH: the last result, and a new one."""
    _, text = await guest(site, "switchctl --json audit show")
    before = json.loads(text)
    assert before["passed"] > 90 and {f["id"] for f in before["faults"]} >= OPENED, before
    await guest(site, "echo 1 > /proc/sys/net/ipv4/ip_forward")
    status, text = await guest(site, "switchctl --json audit run")
    assert status == 0 and json.loads(text) == {"started": True}, text

    async def again():
        _, shown = await guest(site, "switchctl --json audit show")
        return json.loads(shown) if json.loads(shown)["time"] != before["time"] else None
    after = await poll(again, "a new result", 120, 1)
    assert "NET-1" in {f["id"] for f in after["faults"]}, after
    await guest(site, "switch-audit --fix check NET-1; systemctl reset-failed switch-audit")


async def test_what_is_opened_is_seen_and_mended(site):
    """Doors of every sort that can be mended are opened by hand, seen, and closed by --fix."""
    for line in ("echo 1 > /proc/sys/net/ipv4/ip_forward", "chmod 644 /etc/shadow",
                 "mount -o remount,exec /tmp"):
        status, text = await guest(site, line)
        assert status == 0, f"{line}: {text}"
    status, rows = await check(site, "check", "NET-1", "FILE-2", "MOUNT-1")
    assert status == 1 and {r["state"] for r in rows.values()} == {"failed"}, rows
    status, rows = await check(site, "--fix", "check", "NET-1", "FILE-2", "MOUNT-1")
    assert status == 0 and {r["state"] for r in rows.values()} == {"fixed"}, rows
    status, rows = await check(site, "check", "NET-1", "FILE-2", "MOUNT-1")
    assert status == 0 and {r["state"] for r in rows.values()} == {"passed"}, rows
