#!/usr/bin/env python3
"""A rate sheet of a million rows is taken while 200 calls a second are rated by that group.

    tests/bench/sheet.py --bin build/bin [--rows 1000000] [--rate 200] [--dir DIR]

Takes the sheet twice: into an empty group without calls, and with another price for each row while the calls go on; then it is undone.
Says how long each took until it was in force, the most memory, and what became of the calls (sipblast). Exits 1 if a call failed,
if one was charged by other terms than those in force at the moment of its answer, or if the second import took 20 s or more.
"""

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from bench import Switch

HERE = os.path.dirname(os.path.abspath(__file__))
DIALLED = "1212555"  # sipblast puts four digits behind it
LIMIT_S, AFTER_S, LONGEST_S = 20, 5, 1200
OPEN = ("SS_MAX_CALL_PER_SECOND=20000", "SS_MAX_CONCURRENT_CALL=50000")
TERMS = {"0.5": "price=0.5 unit=60 first=30 step=6 setup=0.01", "0.6": "price=0.6 unit=60 first=60 step=60 setup=0.02"}


def write_sheet(path, rows, price, first, step, setup_fee):
    """Prefixes of seven digits from 1200000 on, so that the number that is dialled has one of its own."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("prefix,price,unit,first,step,setup_fee,sections,tax,area,effective,end,action\n")
        for i in range(rows):
            f.write(f"{1200000 + i},{price},60,{first},{step},{setup_fee},,,Area {i % 500},,,\n")


def stage(switch):
    switch.ask("rate-group.add", name="sell")
    switch.ask("account.add", id="customer", limit_money="0", rate_group="sell")
    switch.ask("account.recharge", id="customer", amount="1000000")
    switch.ask("mapping-gateway.add", name="in", account="customer", address=["127.0.0.1"], media_relay="off")
    switch.ask("routing-gateway.add", name="out", address=["127.0.0.1:15080"], prefix=["1"], media_relay="off")


def take(binaries, switch, path):
    """(seconds until it was in force and answered, the moment that it names)"""
    begun = time.monotonic()
    out = subprocess.run([os.path.join(binaries, "switchctl"), "-s", switch.path, "--json", "rate", "import", "group=sell", f"file={path}"],
                         capture_output=True, text=True, check=True).stdout
    facts = json.loads(out)["facts"]
    assert facts["state"] == "applied", out
    return time.monotonic() - begun, facts["effective"]


def blast(folder, switch, rate):
    """Calls until it is told to stop."""
    program = os.path.join(folder, "sipblast")
    subprocess.run(["cc", "-O2", "-o", program, os.path.join(HERE, "sipblast.c")], check=True)
    return subprocess.Popen([program, "-c", "127.0.0.1:15090", "-u", "127.0.0.1:15080", "-t", switch.address, "-p", DIALLED, "-g", "20",
                             "-d", "100", "-r", str(rate), "-n", str(rate * LONGEST_S)], stdout=subprocess.PIPE, text=True)


def undo(switch):
    begun = time.monotonic()
    moment = switch.ask("rate.undo", group="sell")["undone_at"]
    return time.monotonic() - begun, moment


def memory(switch):
    """Megabytes: the most there ever were."""
    with open(f"/proc/{switch.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) >> 10 for line in f if line.startswith("VmHWM"))


def judge(binaries, switch, folder, taken, undone):
    """How many calls were charged before the second sheet, by it, and after its undoing; and those that were charged wrongly."""
    path = os.path.join(folder, "cdrs.csv")
    subprocess.run([os.path.join(binaries, "switchctl"), "-s", switch.path, "cdr", "export", f"file={path}", "format=csv"],
                   check=True, capture_output=True)
    counts, wrong = [0, 0, 0], []
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            if not row["answer"]:
                continue
            part = (row["answer"] >= taken) + (row["answer"] >= undone)
            counts[part] += 1
            if not row["rate_terms"].startswith(TERMS["0.6" if part == 1 else "0.5"]) or row["rate_prefix"] != DIALLED:
                wrong.append((row["answer"], row["rate_terms"]))
    return counts, wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True)
    p.add_argument("--rows", type=int, default=1000000)
    p.add_argument("--rate", type=int, default=200)
    p.add_argument("--dir", default=None)
    o = p.parse_args()
    folder = tempfile.mkdtemp(prefix="sheet-", dir=o.dir)
    switch = Switch(o.bin, folder, *OPEN)
    try:
        sheet = os.path.join(folder, "sheet.csv")
        stage(switch)
        write_sheet(sheet, o.rows, "0.5", 30, 6, "0.01")
        took, _ = take(o.bin, switch, sheet)
        print(f"{o.rows} rows, new, no calls: in force after {took:.1f} s", flush=True)
        write_sheet(sheet, o.rows, "0.6", 60, 60, "0.02")
        calls = blast(folder, switch, o.rate)
        took, taken = take(o.bin, switch, sheet)
        print(f"{o.rows} rows, each with another price, {o.rate} calls a second: in force after {took:.1f} s", flush=True)
        time.sleep(AFTER_S)  # calls by the new sheet
        back, undone = undo(switch)
        print(f"undone after {back:.1f} s; at most {memory(switch)} MB", flush=True)
        time.sleep(AFTER_S)
        calls.send_signal(signal.SIGINT)
        out = calls.communicate()[0].strip()
        print(out, flush=True)
        while switch.ask("status.show")["ledger"]["outbox"]:
            time.sleep(0.2)
        counts, wrong = judge(o.bin, switch, folder, taken, undone)
    finally:
        switch.stop()
        shutil.rmtree(folder)
    print(f"answered before the new sheet's moment: {counts[0]}; by it: {counts[1]}; after its undoing: {counts[2]}; "
          f"charged otherwise than then in force: {len(wrong)} {wrong[:2] if wrong else ''}")
    failed = dict(w.split("=") for w in out.split() if "=" in w)["fail"] != "0"
    return 1 if wrong or failed or took >= LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
