#!/usr/bin/env python3
"""Are these charges right? Asked by test_oracle.c, answered by the exact fractions of the SIP tests.

    check.py < LINES    each "TERMS <tab> hold_ms free_s free_money hold_s billed_s fee tax budget reach_ms"
    check.py CASES.tsv  does the oracle itself come to what rating-cases.tsv says?

Says what is wrong on stderr and exits with 1. A charge that does not fit in int64 is four times "-".
"""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sip" / "harness"))
from oracle import Terms, charge, money, text  # noqa: E402

MOST = money("92233720368.54775807")  # int64 of 1e-8
REACH_MAX_MS = 86400000
ENDLESS = 2 ** 63 - 1


def sections(words):
    pairs = [] if words in ("", "-") else words.replace(";", ",").split(",")
    return tuple((int(start), price) for start, price in (p.split(":") for p in pairs))


def parse_terms(line):
    part = dict(word.split("=") for word in line.split(" "))
    return Terms(price=part["price"], unit=int(part["unit"]), first=int(part["first"]),
                 step=int(part["step"]), setup_fee=part["setup"],
                 sections=sections(part["sections"]), tax_percent=part["tax"],
                 fee_precision=int(part["precision"]), fee_unit=part["fee_unit"],
                 hold_time_precision_ms=int(part["hold"]), free_time_s=int(part["free"]),
                 of_talk=part.get("talk") == "1", tax_unit=part.get("tax_unit", "0"))


def words_of(made):
    return [str(made.hold_s), str(made.billed_s), text(made.fee), text(made.tax)]


def covers(terms, given, budget, hold_ms):
    return charge(terms, hold_ms, *given).total <= budget


def reach_is_right(terms, given, budget, reach):
    if budget < 0:
        return reach == -1
    if reach == ENDLESS:
        return covers(terms, given, budget, REACH_MAX_MS)
    return (0 <= reach < REACH_MAX_MS and covers(terms, given, budget, reach)
            and not covers(terms, given, budget, reach + 1))


def faults(line):
    terms_text, numbers = line.rstrip("\n").split("\t")
    terms = parse_terms(terms_text)
    hold_ms, free_s, free_money, *got, budget, reach = numbers.split(" ")
    given = (int(free_s), money(free_money))
    made = charge(terms, int(hold_ms), *given)
    expected = ["-"] * 4 if made.total > MOST else words_of(made)
    if got != expected:
        yield f"{line}  charge is {got}, should be {expected}"
    if not reach_is_right(terms, given, money(budget), int(reach)):
        yield f"{line}  reach of {budget} is wrong: {reach}"


def faults_of_oracle(path):
    with open(path, newline="", encoding="ascii") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            terms = Terms(price=row["price"], unit=int(row["unit_s"]), first=int(row["first_s"]),
                          step=int(row["step_s"]), setup_fee=row["setup_fee"],
                          sections=sections(row["sections"]), tax_percent=row["tax_percent"],
                          fee_precision=int(row["fee_precision"]), fee_unit=row["fee_unit"],
                          hold_time_precision_ms=int(row["hold_time_precision_ms"]),
                          free_time_s=int(row["free_time_s"]))
            expected = [row["hold_s"], row["billed_s"], row["fee"], row["tax"]]
            got = words_of(charge(terms, int(row["hold_ms"])))
            if got != expected:
                yield f"case {row['case']}: the oracle says {got}, the table {expected}"


def main():
    if len(sys.argv) > 1:
        found = list(faults_of_oracle(sys.argv[1]))
    else:
        found = [fault for line in sys.stdin for fault in faults(line)]
    print("\n".join(found[:10]), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


sys.exit(main())
