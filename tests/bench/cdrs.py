#!/usr/bin/env python3
"""How fast records are found and reports made: a month file of N million records, the first page of many questions, every report.

    tests/bench/cdrs.py --bin build/bin [--millions 3] [--dir DIR] [--keep]

Builds the file with the schema that switchd makes, in a new folder below DIR, lets a switchd sum it up for the reports, asks it, cold
(the kernel's cache of the file dropped) and warm, and removes the folder. Needs some 0.9 GB of disk a million. Exits 1 if a first page
took over 200 ms warm.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
import time

from bench import Switch

QUESTIONS = (
    ("newest", {}),
    ("older than a middle one", {"after": "MIDDLE"}),
    ("an account", {"account": "acc3"}),
    ("a rare account", {"account": "rare"}),
    ("an account and a rare reason", {"account": "acc3", "reason": "CodecMismatch"}),
    ("a number", {"callee": "NUMBER"}),
    ("a number that is not there", {"callee": "99"}),
    ("a wide prefix", {"callee": "8801*"}),
    ("a narrow prefix", {"callee": "88017123*"}),
    ("a caller's prefix", {"caller": "1001*"}),
    ("a gateway out", {"routing_gateway": "out7"}),
    ("a gateway in, unanswered", {"mapping_gateway": "in2", "answered": False}),
    ("a common reason", {"reason": "CallerHangup"}),
    ("a rare reason", {"reason": "CodecMismatch"}),
    ("a code", {"sip_code": 488}),
    ("longer than ten minutes", {"min_s": 600}),
    ("a prefix, a gateway, answered, a minute", {"callee": "880*", "routing_gateway": "out7", "answered": True,
                                                 "min_s": 60}),
    ("a day of the middle", {"from": "DAY", "to": "NEXT"}),
    ("a Call-ID", {"call_id": "CALL"}),
)

# Numbers of 11 digits, 10 customers, 20 vendors, a third answered; what is rare is one in 100,000.
FILL = """
INSERT INTO cdr (id, call_id, call_id_out, account, vendor_account, caller, callee, caller_in, callee_in, caller_out,
  callee_out, mapping_gateway, routing_gateway, caller_ip, callee_ip, start, answer, end, hold_ms, billed_s, fee, cost,
  reason, sip_code, hangup_side, rate_prefix, rate_version, rate_terms, cost_terms, tries, codec, decisions)
SELECT ((:first + i * :gap) << 20) + (i & 1048575), 'call-' || i || '@198.51.100.7', 'out-' || i,
  CASE WHEN i % 100000 = 7 THEN 'rare' ELSE 'acc' || (h % 10) END, 'vend' || (h % 20), '1001' || (h % 100000),
  '8801' || (1000000 + h % 9000000), '1001' || (h % 100000), '8801' || (1000000 + h % 9000000), '1001' || (h % 100000),
  '8801' || (1000000 + h % 9000000), 'in' || (h % 10), 'out' || (h % 20), '198.51.100.7', '203.0.113.9',
  :first + i * :gap, CASE WHEN h % 3 = 0 THEN :first + i * :gap + 4000 END, :first + i * :gap + 90000,
  CASE WHEN h % 3 = 0 THEN h % 700000 ELSE 0 END, h % 700, h % 100000, h % 90000,
  CASE WHEN i % 100000 = 9 THEN 'CodecMismatch' WHEN h % 3 = 0 THEN 'CallerHangup' ELSE 'NoAnswer' END,
  CASE WHEN i % 100000 = 9 THEN 488 WHEN h % 3 = 0 THEN 200 ELSE 480 END, 'caller', '880', 1,
  'price=0.0123 unit=60 first=1 step=1 setup=0 sections=- tax=0 precision=4 fee_unit=0 hold=50 free=0',
  'price=0.0071 unit=60 first=6 step=6 setup=0 sections=- tax=0 precision=4 fee_unit=0 hold=50 free=0', 1, 'PCMA',
  '[{"step":"rate","verdict":"ok","detail":"880 at 0.0123"}]'
FROM (SELECT i, (i * 2654435761 >> 7) & 2147483647 AS h FROM
  (WITH RECURSIVE n (i) AS (SELECT :from UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :to) SELECT i FROM n))
"""
CHUNK = 100000
SPAN = ("SERVER_QUERY_CDR_MAX_DAY_INTERVAL=3660",)
REPORTS = ("revenue", "customer", "gateway", "clearing", "vendor", "asr-acd", "quality", "profit", "profit-area", "ending", "refusals")


def make_schema(binaries, data):
    """switchd makes the month file's tables when it moves a record there: one is put into the outbox."""
    Switch(binaries, data, *SPAN).stop()
    first = int(time.mktime(time.strptime(time.strftime("%Y-%m-01"), "%Y-%m-%d"))) * 1000
    db = sqlite3.connect(os.path.join(data, "ledger.db"))
    db.execute("INSERT INTO outbox (id, callee, start) VALUES (?, '0', ?)", (first << 20, first))
    db.commit()
    db.close()
    Switch(binaries, data, *SPAN).stop()
    return first


def fill(path, first, count):
    """Rows in the order of time; the indexes are made when all are there, which is an hour sooner than to keep them up, and
    leaves them denser than a month's calls do."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    # A month, or up to now, whichever is shorter.
    gap = max(1, int(min(28 * 86400, time.time() - first / 1000) * 1000 / count))
    begun = time.monotonic()
    indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall()
    for name, _ in indexes:
        db.execute(f'DROP INDEX "{name}"')
    for at in range(1, count, CHUNK):
        db.execute(FILL, {"first": first, "gap": gap, "from": at, "to": min(at + CHUNK, count + 1)})
    print(f"{count} records in {time.monotonic() - begun:.0f} s", flush=True)
    for _, sql in indexes:
        db.execute(sql)
    print(f"{len(indexes)} indexes after {time.monotonic() - begun:.0f} s, {os.path.getsize(path) >> 20} MB", flush=True)
    db.close()
    return gap


def forget_sums(data):
    """switchd sums everything anew at its next start, as after a program that knew no sums."""
    db = sqlite3.connect(os.path.join(data, "ledger.db"))
    db.execute("DELETE FROM summed")
    db.commit()
    db.close()


def forget(path):
    """The kernel's cache of the file."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def measure(switch, path, names):
    slow = []
    for title, question in QUESTIONS:
        question = {k: names.get(v, v) if isinstance(v, str) else v for k, v in question.items()}
        forget(path)
        times = []
        for _ in range(4):
            begun = time.perf_counter()
            rows = switch.ask("cdr.list", **question)
            times.append((time.perf_counter() - begun) * 1000)
        print(f"{title:42} {len(rows):4} rows  cold {times[0]:8.1f} ms  warm {min(times[1:]):8.1f} ms", flush=True)
        if min(times[1:]) > 200:
            slow.append(title)
    return slow


def measure_reports(switch, first):
    """Of the whole month, and of each of its days."""
    month = {"from": iso(first // 1000), "to": iso((time.time() // 86400 + 1) * 86400)}
    for name in REPORTS:
        for title, span in (("the month", month), ("by day", dict(month, by="day"))):
            begun = time.perf_counter()
            rows = switch.ask(f"report.{name}", **span)["rows"]
            print(f"report {name:14} {title:10} {len(rows):5} rows {(time.perf_counter() - begun) * 1000:8.1f} ms", flush=True)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True)
    p.add_argument("--millions", type=float, default=3)
    p.add_argument("--dir", default=None)
    p.add_argument("--keep", action="store_true")
    o = p.parse_args()
    data = tempfile.mkdtemp(prefix="cdrs-", dir=o.dir)
    try:
        count = int(o.millions * 1000000)
        first = make_schema(o.bin, data)
        path = os.path.join(data, "cdr", time.strftime("%Y-%m.db", time.gmtime(first / 1000)))
        gap = fill(path, first, count)
        middle = first + count // 2 * gap
        number = int("8801" + str(1000000 + (((count // 3) * 2654435761 >> 7) & 2147483647) % 9000000))
        names = {"MIDDLE": f"{middle << 20:016x}", "NUMBER": str(number),
                 "DAY": iso(middle // 1000),
                 "NEXT": iso(middle // 1000 + 86400),
                 "CALL": f"call-{count // 5}@198.51.100.7"}
        forget_sums(data)
        begun = time.monotonic()
        switch = Switch(o.bin, data, *SPAN)
        try:
            print(f"summed up in {time.monotonic() - begun:.0f} s", flush=True)
            slow = measure(switch, path, names)
            measure_reports(switch, first)
        finally:
            switch.stop()
    finally:
        if not o.keep:
            shutil.rmtree(data)
    print("over 200 ms: " + (", ".join(slow) or "none"))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
