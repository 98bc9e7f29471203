"""Numbers as nobody should dial them, and files as nobody should load them: what comes of each is defined, and `route explain` says it
beforehand."""

import asyncio

from harness.control import Refused

NINES = "9" * 30

# The gateway's rules: overlapping, leading to each other, leaving nothing, growing, national forms, single digits.
RULES = ["7:8", "70:880", "8:7", "701?:8801", "66:", f"55:{NINES}", "0:880", "00:", "44*:880*", "33*:8809"]

# dialled → the billed number; None: refused as NumberInvalid.
CASES = {
    "88017": "78017",               # rules that lead to each other turn once
    "70175": "88015",               # of those that overlap the longest acts: 701? -> 8801
    "7027": "88027",                # ... where it does not fit, the next one: 70 -> 880
    "7117": "8117",
    "66": None,                     # nothing is left
    "6612": "12",
    "55" + "1" * 10: NINES + "1" * 10,
    "55" + "1" * 11: None,          # 41 characters
    "0171": "880171",               # national and international forms
    "0044171": "44171",
    "44171": "880171",
    "331234567": "8809",
    "9" * 33: "9" * 33,             # over 32 digits are numbers as any, to 40
    "9" * 40: "9" * 40,
    "9" * 41: None,
    "+9171": "9171",                # a plus in front is taken off
    "9-1(7).1": "9171",             # so are separators
    "+": None,
    "99*1#": "99*1#",
    "alice": "alice",               # a name is no number: no rule touches it
    "70alice": "70alice",
    "99%2b1": None,                 # a plus in the middle, escaped
    "9;x=1": "9",
    "%00": None,
}
# What is no URI at all never becomes a call.
NO_URI = {"%00"}


async def test_numbers_that_are_hard(t):
    """By calls: what was billed is what the table says, or the call was refused for its number, in the caller's hearing and in the
    record; then by `route explain`, which says the same."""
    caller = await t.caller()
    carrier = await t.carrier()
    await t.customer(caller, callee_rules=RULES)
    for prefix in "87149":
        await t.ctl.ask("rate.add", group="acme-sell", prefix=prefix, price="0.01", unit=60, first=1, step=1)
    await t.vendor(carrier, prefix=[])
    faults = []
    for dialled, billed in CASES.items():
        if dialled in NO_URI:
            continue
        call = caller.invite(dialled)
        code = (await call.final()).code
        if code == 200:
            await call.hang_up()
        cdr = await t.cdr(call)
        is_invalid = cdr["reason"] == "NumberInvalid"
        if billed is None and not (is_invalid and code == 484):
            faults.append(f"{dialled}: {code}, {cdr['reason']}, {cdr['callee']}")
        if billed is not None and (is_invalid or cdr["callee"] != billed):
            faults.append(f"{dialled}: {code}, {cdr['reason']}, {cdr['callee']}, not {billed}")
    for dialled, billed in CASES.items():
        if dialled in NO_URI:
            continue
        told = await t.ctl.ask("route.explain", gateway="acme-in", callee=dialled)
        if billed is None and told["verdict"] != "NumberInvalid":
            faults.append(f"{dialled}: explain says {told['verdict']}, {told['callee']}")
        if billed is not None and told["callee"] != billed:
            faults.append(f"{dialled}: explain says {told['callee']}, not {billed}")
    assert not faults, "\n  ".join(["", *faults])


async def test_a_million_lines_and_a_bad_one(t):
    """The line is named, nothing of the file acts, and calls go on meanwhile; without it all of the file does. A fifth of a million,
    where time is short."""
    caller, carrier = await t.plain()
    await t.ctl.ask("area.add", prefix="880", name="before")
    lines = [f"{n},area {n % 1000}" for n in range(1000000, 2000000 if t.long else 1200000)]
    lines[177776] = "11777x6,area"
    loading = asyncio.ensure_future(t.ctl.ask("area.import", content="\n".join(lines), mode="replace", within=60))
    try:
        await caller.place("88017")
        raise AssertionError(f"it was taken: {await loading}")
    except Refused as e:
        assert "line 177777" in str(e) and "11777x6" in str(e), e
    assert (await t.ctl.ask("area.find", number="88017"))["area"] == "before"
    lines[177776] = "1177776,area"
    await t.ctl.ask("area.import", content="\n".join(lines[177000:178000]), mode="merge", within=60)
    assert (await t.ctl.ask("area.find", number="1177776001"))["area"] == "area"
    assert (await t.ctl.ask("area.find", number="88017"))["area"] == "before"
