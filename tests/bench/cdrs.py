#!/usr/bin/env python3
"""How fast records are found and reports made: N million records over some months, the first page of many questions, every report.

    tests/bench/cdrs.py --bin build/bin [--millions 3] [--months 1] [--dir DIR] [--keep | --use FOLDER]

Builds the months' files with the schema that switchd makes, in a new folder below DIR, lets a switchd sum them up for the reports, asks
it, cold (the kernel's cache of the files dropped) and warm, has each charge of a day replayed (cdr verify), lets the oldest month
go (CDR_KEEP_MONTHS), and removes the folder. Needs some 0.75 GB of disk a million. --keep leaves the folder, which --use asks again
without making it. Exits 1 if a first page took over 200 ms, warm or cold, if a charge differs, or if the month is still there.
"""

import argparse
import calendar
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
  callee_out, mapping_gateway, routing_gateway, caller_ip, callee_ip, start, answer, end, hold_ms, billed_s, fee, cost, cost_billed_s,
  reason, sip_code, hangup_side, rate_prefix, rate_version, rate_terms, cost_terms, tries, codec, decisions)
SELECT ((:first + i * :gap) << 20) + (i & 1048575), 'call-' || i || '@198.51.100.7', 'out-' || i,
  CASE WHEN i % 100000 = 7 THEN 'rare' ELSE 'acc' || (h % 10) END, 'vend' || (h % 20), '1001' || (h % 100000),
  '8801' || (1000000 + h % 9000000), '1001' || (h % 100000), '8801' || (1000000 + h % 9000000), '1001' || (h % 100000),
  '8801' || (1000000 + h % 9000000), 'in' || (h % 10), 'out' || (h % 20), '198.51.100.7', '203.0.113.9',
  :first + i * :gap, CASE WHEN h % 3 = 0 THEN :first + i * :gap + 4000 END, :first + i * :gap + 90000,
  hold_ms, hold_s, (hold_s * 20500 + 5000) / 10000 * 10000, ((hold_s + 5) / 6 * 71000 + 5000) / 10000 * 10000,
  (hold_s + 5) / 6 * 6,
  CASE WHEN i % 100000 = 9 THEN 'CodecMismatch' WHEN h % 3 = 0 THEN 'CallerHangup' ELSE 'NoAnswer' END,
  CASE WHEN i % 100000 = 9 THEN 488 WHEN h % 3 = 0 THEN 200 ELSE 480 END, 'caller', '880', 1,
  'price=0.0123 unit=60 first=1 step=1 setup=0 sections=- tax=0 precision=4 fee_unit=0 hold=50 free=0',
  'price=0.0071 unit=60 first=6 step=6 setup=0 sections=- tax=0 precision=4 fee_unit=0 hold=50 free=0', 1, 'PCMA',
  '[{"step":"rate","verdict":"ok","detail":"880 at 0.0123"}]'
FROM (SELECT i, h, hold_ms, (hold_ms + 950) / 1000 AS hold_s
  FROM (SELECT i, h, CASE WHEN h % 3 = 0 AND i % 100000 <> 9 THEN h % 700000 ELSE 0 END AS hold_ms
    FROM (SELECT i, (i * 2654435761 >> 7) & 2147483647 AS h FROM
      (WITH RECURSIVE n (i) AS (SELECT :from UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :to) SELECT i FROM n))))
"""
CHUNK = 100000
SPAN = ("SERVER_QUERY_CDR_MAX_DAY_INTERVAL=3660",)
REPORTS = ("revenue", "customer", "gateway", "clearing", "vendor", "asr-acd", "quality", "profit", "profit-area", "ending", "refusals")


def month_starts(months):
    """The first milliseconds of so many months (UTC), this one the last, and the one after it."""
    year, month = time.gmtime()[:2]
    back = [year * 12 + month - 1 - i for i in range(months - 1, -2, -1)]
    return [calendar.timegm((n // 12, n % 12 + 1, 1, 0, 0, 0)) * 1000 for n in back]


def path_of(data, start):
    return os.path.join(data, "cdr", time.strftime("%Y-%m.db", time.gmtime(start / 1000)))


def make_schema(binaries, data, starts):
    """switchd makes a month file's tables when it moves a record there: one of each month is put into the outbox."""
    Switch(binaries, data, *SPAN).stop()
    db = sqlite3.connect(os.path.join(data, "ledger.db"))
    for start in starts:
        db.execute("INSERT INTO outbox (id, callee, start) VALUES (?, '0', ?)", (start << 20, start))
    db.commit()
    db.close()
    switch = Switch(binaries, data, *SPAN)
    while switch.ask("status.show")["ledger"]["outbox"]:
        time.sleep(0.1)
    switch.stop()


def gap_of(start, end, count):
    """Milliseconds from one record to the next: a month, or up to now, whichever is shorter."""
    return max(1, int((min(end, time.time() * 1000) - start) / (count + 1)))


def fill(path, first, count, gap):
    """Rows in the order of time; the indexes are made when all are there, which is an hour sooner than to keep them up, and
    leaves them denser than a month's calls do."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    begun = time.monotonic()
    indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall()
    for name, _ in indexes:
        db.execute(f'DROP INDEX "{name}"')
    for at in range(1, count, CHUNK):
        db.execute(FILL, {"first": first, "gap": gap, "from": at, "to": min(at + CHUNK, count + 1)})
    print(f"{os.path.basename(path)}: {count} records in {time.monotonic() - begun:.0f} s", flush=True)
    for _, sql in indexes:
        db.execute(sql)
    db.execute("PRAGMA journal_mode = WAL")
    print(f"{len(indexes)} indexes after {time.monotonic() - begun:.0f} s, {os.path.getsize(path) >> 20} MB", flush=True)
    db.close()


def forget_sums(data):
    """switchd sums everything anew at its next start, as after a program that knew no sums."""
    db = sqlite3.connect(os.path.join(data, "ledger.db"))
    db.execute("DELETE FROM summed")
    db.commit()
    db.close()


def forget(data):
    """The kernel's cache of every file."""
    for folder, _, names in os.walk(data):
        for name in names:
            if name.endswith(".db"):
                fd = os.open(os.path.join(folder, name), os.O_RDONLY)
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)


def timed(switch, method, **params):
    """(answer, milliseconds)"""
    begun = time.perf_counter()
    answer = switch.ask(method, **params)
    return answer, (time.perf_counter() - begun) * 1000


def measure(switch, data, names):
    slow = []
    for title, question in QUESTIONS:
        question = {k: names.get(v, v) if isinstance(v, str) else v for k, v in question.items()}
        forget(data)
        times = []
        for _ in range(4):
            rows, took = timed(switch, "cdr.list", **question)
            times.append(took)
        print(f"{title:42} {len(rows):4} rows  cold {times[0]:8.1f} ms  warm {min(times[1:]):8.1f} ms", flush=True)
        if max(times[0], min(times[1:])) > 200:
            slow.append(title)
    return slow


def measure_reports(switch, span):
    """Of a whole month, and of each of its days."""
    month = {"from": iso(span[0] // 1000), "to": iso(span[1] // 1000)}
    for name in REPORTS:
        for title, question in (("the month", month), ("by day", dict(month, by="day"))):
            made, took = timed(switch, f"report.{name}", **question)
            print(f"report {name:14} {title:10} {len(made['rows']):5} rows {took:8.1f} ms", flush=True)


def verify(switch, day):
    """Every charge of a day replayed. How many differ."""
    found, took = timed(switch, "cdr.verify", **day)
    print(f"cdr verify: {found['checked']} records of a day in {took / 1000:.1f} s, {found['checked'] / took * 1000:.0f} a second, "
          f"{found['found']} differ", flush=True)
    return found["found"]


def let_go(binaries, data, path, months):
    """The oldest month's file goes with the next start. Is it gone?"""
    begun = time.monotonic()
    size = os.path.getsize(path) >> 20
    switch = Switch(binaries, data, *SPAN, f"CDR_KEEP_MONTHS={months - 2}")
    started = time.monotonic() - begun
    try:
        while os.path.exists(path) and time.monotonic() - begun < 120:
            time.sleep(0.02)
    finally:
        switch.stop()
    print(f"start {started:.2f} s; the oldest month, {size} MB, gone {time.monotonic() - begun:.2f} s after it", flush=True)
    return not os.path.exists(path)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def make(binaries, data, starts, each):
    make_schema(binaries, data, starts[:-1])
    for start, end in zip(starts, starts[1:]):
        fill(path_of(data, start), start, each, gap_of(start, end, each))
    forget_sums(data)


def ask_all(o, data, starts, each):
    """What went wrong."""
    first, end = (starts[-3], starts[-2]) if o.months > 1 else (starts[-2], starts[-1])
    middle = first + each // 2 * gap_of(first, end, each)
    number = int("8801" + str(1000000 + (((each // 3) * 2654435761 >> 7) & 2147483647) % 9000000))
    day = {"from": iso(middle // 1000), "to": iso(middle // 1000 + 86400)}
    names = {"MIDDLE": f"{middle << 20:016x}", "NUMBER": str(number), "DAY": day["from"], "NEXT": day["to"],
             "CALL": f"call-{each // 5}@198.51.100.7"}
    begun = time.monotonic()
    switch = Switch(o.bin, data, *SPAN)
    try:
        print(f"started, summed up: {time.monotonic() - begun:.0f} s", flush=True)
        wrong = [f"over 200 ms: {t}" for t in measure(switch, data, names)]
        measure_reports(switch, (first, end))
        if verify(switch, day):
            wrong.append("charges differ")
    finally:
        switch.stop()
    if o.months > 1 and not let_go(o.bin, data, path_of(data, starts[0]), o.months):
        wrong.append("the oldest month is still there")
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True)
    p.add_argument("--millions", type=float, default=3)
    p.add_argument("--months", type=int, default=1)
    p.add_argument("--dir", default=None)
    p.add_argument("--keep", action="store_true")
    p.add_argument("--use", default=None)
    o = p.parse_args()
    data = o.use or tempfile.mkdtemp(prefix="cdrs-", dir=o.dir)
    each, starts = int(o.millions * 1000000) // o.months, month_starts(o.months)
    try:
        if not o.use:
            make(o.bin, data, starts, each)
        wrong = ask_all(o, data, starts, each)
    finally:
        if not (o.keep or o.use):
            shutil.rmtree(data)
    print("; ".join(wrong) or "all as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
