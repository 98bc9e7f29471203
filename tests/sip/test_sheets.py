"""Rate sheets: taken whole or not at all, at a moment, undone in one step; calls are rated by one version throughout."""

import asyncio
import calendar
import json
import os
import time

from harness.books import check_fee
from harness.oracle import Terms, charge, money
from harness.scene import scene
from harness.stage import BUY, SELL
from harness.watch import poll
from test_store import fill, inside, private_disk

HEADER = "prefix,price,unit,first,step,setup_fee,sections,tax,area,effective,end,action\n"
NEW = Terms(price="0.5", unit=60, first=30, step=6, setup_fee="0.01")
GROUP = "acme-sell"


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def seconds_of(text):
    """A moment of an answer, as time.time() has it."""
    whole, rest = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + rest)


def write(t, text, name="sheet.csv"):
    path = os.path.join(t.folder, name)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


async def take(t, text, *words, group=GROUP, status=0):
    """`switchctl --json rate import`: its answer."""
    return await take_file(t, write(t, text), *words, group=group, status=status)


async def take_file(t, path, *words, group=GROUP, status=0):
    got, out, err = await t.switch.cli("--json", "rate", "import", f"group={group}", f"file={path}", *words, within=60)
    assert got == status, (got, out, err)
    return json.loads(out) if out else err


def facts(doc, *names):
    return tuple(doc["facts"].get(n) for n in names)


def rows(doc, name):
    return next((s["rows"] for s in doc["sections"] if s["report"] == name), [])


async def exported(t, group=GROUP, *words):
    path = os.path.join(t.folder, "out.csv")
    status, _, err = await t.switch.cli("rate", "export", f"group={group}", f"file={path}", *words)
    assert status == 0, err
    with open(path, encoding="utf-8") as f:
        return f.read().replace("\r\n", "\n")


async def rates(t, group=GROUP):
    """What stands in the store, all versions."""
    return await t.ctl.ask("rate.list", group=group, limit=100000)


async def goes_on(t, caller, terms):
    cdr = await t.cdr(await caller.place("88020", hold=0.1))
    check_fee(cdr, terms, BUY)


async def whole_or_not(t, taking, before):
    """Refused for want of room, with nothing of it there; or, it was that quick, taken: is it?"""
    status, out, err = await taking
    count = len(await rates(t))
    assert (status == 1 and "disk" in err and count == before) or (status == 0 and count > before + 50000), (out, err, count)
    assert len(await t.ctl.ask("rate-sheet.list")) == (status == 0)
    return status == 0


async def sent(t, size):
    """switchd has all of the file: nameless, in its folder."""
    def whole(fd):
        try:
            return "(deleted)" in os.readlink(fd.path) and os.stat(fd.path).st_size == size
        except OSError:
            return False

    async def seen():
        with os.scandir(f"/proc/{t.switch.process.pid}/fd") as fds:
            return any(map(whole, fds))
    await poll(seen, "the whole file at switchd", within=60, every=0.002)


@scene(start=False, idle=True, within=120)
async def test_the_disk_fills_up_while_a_sheet_is_taken(t):
    """Too little room: it is refused before it takes what calls need. Filled up in the middle: nothing of it stays, and as soon as there
    is room again calls are rated as before, and the sheet is taken."""
    private_disk(t, 60)
    await t.switch.start()
    caller, _carrier = await t.plain()
    before, filler = len(await rates(t)), inside(t, "filler")
    path = write(t, HEADER + "880,0.5,60,30,6,0.01,,,,,,\n" + "".join(
        f"44{n},0.7,,,,,,,,,,\n" for n in range(100000, 160000)))
    words = ("rate", "import", f"group={GROUP}", f"file={path}")
    fill(filler)
    os.truncate(filler, os.path.getsize(filler) - (12 << 20))
    assert not await whole_or_not(t, t.switch.cli(*words, within=60), before), "it took what calls need"
    await goes_on(t, caller, SELL)
    os.unlink(filler)
    taking = asyncio.create_task(t.switch.cli(*words, within=60))
    await sent(t, os.path.getsize(path))
    fill(filler)
    is_taken = await whole_or_not(t, taking, before)
    os.unlink(filler)

    async def passes():
        call = caller.invite("88021")
        if (await call.final(within=30)).code != 200:
            return False
        await call.hang_up()
        return True
    await poll(passes, "a call that passes again", within=60, every=0.2)
    if not is_taken:  # else it may come into force at any moment
        await goes_on(t, caller, SELL)
    moment = (await take_file(t, path))["facts"]["effective"]

    async def in_force():
        return time.time() > calendar.timegm(time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S")) + 1
    await poll(in_force, "the moment of the sheet", within=60)
    await goes_on(t, caller, NEW)


@scene()
async def test_a_sheet_rates_the_next_call_and_is_undone(t):
    """Previewed, nothing changes; taken, the next call costs what it says; undone, the one after it what it cost before."""
    caller, carrier = await t.plain()
    await t.ctl.ask("rate.add", group=GROUP, prefix="44", price="0.2")
    sheet = HEADER + "880,0.5,60,30,6,0.01,,,Bangladesh,,,\n8801,0.0123,,,,,,,Bangladesh mobile,,,add\n44,,,,,,,,,,,delete\n"
    before = await rates(t)
    seen = await take(t, sheet, "--dry-run")
    assert facts(seen, "state", "added", "raised", "removed", "sheet") == ("checked", 1, 1, 1, None), seen
    assert [(r["prefix"], r["change"], r["old_price"], r["price"]) for r in rows(seen, "changes")] == [
        ("44", "removed", "0.2", None), ("880", "raised", "0.0123", "0.5"), ("8801", "added", None, "0.0123")], seen
    assert await rates(t) == before, "a preview changed something"
    doc = await take(t, sheet)
    assert facts(doc, "state", "added", "raised", "removed", "lines") == ("applied", 1, 1, 1, 3), doc
    cdr = await t.cdr(await caller.place("88020", hold=0.1))
    check_fee(cdr, NEW, BUY)
    assert cdr["rate_prefix"] == "880"
    call = caller.invite("44123")
    assert (await call.final()).code != 200, "a prefix that was deleted is still rated"
    sheets = await t.ctl.ask("rate-sheet.list")
    assert [(s["id"], s["group"], s["state"], s["raised"], s["who"]) for s in sheets] == [
        (doc["sheet"], GROUP, "applied", 1, "root")], sheets
    undone = await t.ctl.ask("rate.undo", group=GROUP)
    assert (undone["sheet"], undone["ended"], undone["restored"], undone["kept"]) == (doc["sheet"], 2, 2, 0), undone
    cdr = await t.cdr(await caller.place("88020", hold=0.1))
    check_fee(cdr, SELL, BUY)
    assert cdr["rate_version"] not in {r["version"] for r in before}, "the version that had ended rated a call again"
    live = {r["prefix"]: r["price"] for r in await rates(t) if r["end"] is None}
    assert live == {"880": "0.0123", "44": "0.2"}, live
    status, _, err = await t.switch.cli("rate", "undo", GROUP)
    assert status == 1 and "no sheet" in err, err
    log = [r["operation"] for r in await t.ctl.ask("log.list", limit=5)]
    assert log.count("rate.import") == 1 and log.count("rate.undo") == 1, log


@scene()
async def test_what_is_wrong_is_named_and_nothing_changes(t):
    """Every kind of bad line by line, column and reason; a good line beside it is not taken either."""
    await t.plain()
    before = await rates(t)
    good = "881,0.1,60,1,1,0,,0,Good,,,\n"
    bad = (("882,-0.1,60,1,1,0,,0,,,,\n", "price", "negative"), ("882,NaN,60,1,1,0,,0,,,,\n", "price", "not an amount"),
           ("882,1e5,60,1,1,0,,0,,,,\n", "price", "not an amount"),
           ("882,123456789012345678901234567890,60,1,1,0,,0,,,,\n", "price", "too large"),
           ("882,0.012300000000001,60,1,1,0,,0,,,,\n", "price", "8 decimals"),
           ("882,,60,1,1,0,,0,,,,\n", "price", "missing"), (",0.1,60,1,1,0,,0,,,,\n", "prefix", "missing"),
           ("88a,0.1,60,1,1,0,,0,,,,\n", "prefix", "not a prefix"), ("882,0.1,0,1,1,0,,0,,,,\n", "unit", "seconds"),
           ("882,0.1,60,1,1,0,9,0,,,,\n", "sections", "start:price"), ("882,0.1,60,1,1,0,,0,,2001-02-03,,\n", "effective", "past"),
           ("882,0.1,60,1,1,0,,0,,2031-02-29,,\n", "effective", "not a date"),
           ("882,0.1,60,1,1,0,,0,,2031-03-30 02:30,,\n", "effective", "clocks go forward"),
           ("882,0.1,60,1,1,0,,0,,2031-03-01,2031-02-01,\n", "end", "never"),
           ("882,0.1,60,1,1,0,,0,,,,perhaps\n", "action", "neither"), ("881,0.2,60,1,1,0,,0,,,,\n", "prefix", "twice"),
           ("882,0.1,60\n", "", "cells"), ('882,0.1,60,1,1,0,,0,"Bang\n', "", "quote"),
           ("882,0.1,60,1,1,0,,0,B", "", "cells"), ("882,0.1,60,1,1,0,,0,,,,", "", "cut off"),
           (b"882,0.1,60,1,1,0,,0,\xff\xfe,,,\n", "area", "UTF-8"))
    for line, column, reason in bad:
        line = line if isinstance(line, bytes) else line.encode()
        doc = await take(t, (HEADER + good).encode() + line, "zone=Europe/Berlin", status=1)
        found = rows(doc, "problems")
        assert doc["state"] == "refused" and (3, column) == (found[0]["line"], found[0]["column"]), (line, doc)
        assert reason in found[0]["reason"], (line, found)
        assert facts(doc, "lines") == (2,), doc  # of the file, not those that were good
    for text, word in (("", "empty"), ("prefix,cost per hour\n1,2\n", "no column for the price"), (HEADER, "no rate"),
                       ("\n\n", "no first line")):
        assert word in await take(t, text, status=1), text
    for words, word in ((("mode=all",), "mode"), (("effective=2001-01-01",), "past"), (("zone=Nowhere/Land",), "zone"),
                        (("columns=Rate=prize",), "columns"), (("decimal=,",), "decimal")):
        assert word in await take(t, HEADER + good, *words, status=1), words
    assert await rates(t) == before, "a refused sheet changed something"
    assert await t.ctl.ask("rate-sheet.list") == []
    doc = await take(t, HEADER + "882,0.012300000000001,60,1,1,0,,0,,,,\n", "round=8")
    assert rows(doc, "rounded")[0]["line"] == 2 and facts(doc, "added") == (1,), doc
    assert [r["price"] for r in await rates(t) if r["prefix"] == "882"] == ["0.0123"]


@scene(switch=True)
async def test_what_is_exported_comes_back(t):
    """All kinds of rows, one to come among them; the same sheet again changes nothing, in its group or as another's."""
    await t.ctl.ask("rate-group.add", name="a")
    await t.ctl.ask("rate-group.add", name="b")
    later = iso(90000)
    sheet = HEADER + (f'1,0.5,60,30,6,0.01,"60:0.01,120:0.005",7.5,"North, ""America""",,,\n1,0.6,60,30,6,0,,0,North,{later},,\n'
                      f"*44#,0,1,1,1,0,,0,-minus,,{later},\n+49,12.00000001,60,60,60,0,,0,Österreich?,,,\n")
    assert facts(await take(t, sheet, group="a"), "added", "raised") == (3, 1)
    text = await exported(t, "a")
    assert text.startswith(HEADER) and len(text.splitlines()) == 5, text
    again = await take(t, text, "mode=replace", group="a")
    assert facts(again, "unchanged", "added", "raised", "lowered", "changed", "removed") == (4, 0, 0, 0, 0, 0), again
    assert facts(await take(t, text, group="b"), "added", "raised") == (3, 1)
    assert await exported(t, "b") == text
    assert await exported(t, "a", f"at={iso(100000)}") == text.replace(
        '1,0.5,60,30,6,0.01,"60:0.01,120:0.005",7.5,"North, ""America""",,' + later.replace("Z", ".000Z") + ",\n", ""
    ).replace("".join(l + "\n" for l in text.splitlines() if l.startswith("*44#")), "").replace(later.replace("Z", ".000Z"), "")


@scene()
async def test_what_last_week_s_calls_would_have_cost(t):
    """The preview names, for the group and for each change, calls, money before and after; the calls that lose their rate, too.
    The vendor's group is weighed by what the vendor rates."""
    caller, carrier = await t.plain()
    await t.ctl.ask("rate.add", group=GROUP, prefix="8809", price="0.06")
    cdrs = [await t.cdr(await caller.place(n, hold=0.1)) for n in ("88020", "88021", "88030", "88090")]
    await t.ctl.ask("cdr.list", limit=1)
    new = Terms(price="0.6")
    doc = await take(t, "prefix,price\n8802,0.6\n8803,0.0123\n8809,0.03\n881,1\n", "mode=replace", "--dry-run")
    before = [money(c["fee"]) for c in cdrs]
    fees = {p: sum(charge(new, c["hold_ms"]).fee for c in cdrs if c["callee"].startswith(p)) for p in ("8802",)}
    assert facts(doc, "week_calls", "week_unrated") == (4, 0), doc
    assert money(doc["facts"]["week_before"]) == sum(before), doc
    first, *rest = rows(doc, "changes")
    assert (first["prefix"], first["change"], first["calls"], money(first["before"]), money(first["after"])) == (
        "8802", "added", 2, before[0] + before[1], fees["8802"]), first
    assert {r["prefix"]: (r["change"], r["calls"]) for r in rest} == {
        "8803": ("added", 1), "8809": ("lowered", 1), "881": ("added", 0), "880": ("removed", 0)}, rest
    half = money(rest[0]["before"]) - money(rest[0]["after"])
    assert rest[0]["prefix"] == "8809" and half > 0, rest
    doc = await take(t, "prefix,price\n8809,0.06\n", "mode=replace", "--dry-run")
    assert facts(doc, "week_calls", "week_unrated", "removed") == (4, 3, 1), doc
    assert money(doc["facts"]["week_after"]) == before[3] and rows(doc, "changes")[0]["calls"] == 3, doc
    doc = await take(t, "prefix,price\n880,0.71\n", "--dry-run", group="vendor-buy")
    assert facts(doc, "week_calls", "raised") == (4, 1), doc
    assert money(doc["facts"]["week_before"]) == sum(money(c["cost"]) for c in cdrs), doc
    assert money(doc["facts"]["week_after"]) == sum(charge(BUY.but(price="0.71"), c["hold_ms"]).fee for c in cdrs), doc


@scene()
async def test_replace_at_a_moment_and_undo_before_and_after(t):
    """What a sheet does not name ends at its moment. Before that it is undone without a trace; two sheets go newest first."""
    await t.plain()
    await t.ctl.ask("rate.add", group=GROUP, prefix="44", price="0.2")
    before = await rates(t)
    moment = iso(3600)
    first = await take(t, "prefix,price\n880,0.0123\n", "mode=replace", f"effective={moment}")
    assert facts(first, "unchanged", "removed", "effective") == (1, 1, moment.replace("Z", ".000Z")), first
    ends = {r["prefix"]: r["end"] for r in await rates(t)}
    assert ends == {"880": None, "44": moment.replace("Z", ".000Z")}, ends
    second = await take(t, "prefix,price\n880,0.04\n49,1\n", "mode=replace", f"effective={iso(1800)}")
    third = await take(t, "prefix,price\n880,0.05\n49,1.1\n", f"effective={moment}")
    status, _, err = await t.switch.cli("rate", "undo", GROUP, f"sheet={first['sheet']}")
    assert status == 1 and str(third["sheet"]) in err, err
    for doc in (third, second, first):
        undone = await t.ctl.ask("rate.undo", group=GROUP)
        assert undone["sheet"] == doc["sheet"], (undone, doc)
    assert await rates(t) == before, "undone, and not as it was"
    assert {s["state"] for s in await t.ctl.ask("rate-sheet.list")} == {"undone"}


@scene()
async def test_another_maker_s_sheet(t):
    """Headers by name and by map, a comma for decimals, the day first, a zone; remembered for the next one; what is changed by
    hand since stays when the sheet is undone."""
    await t.plain()
    doc = await take(t, "Dial Code;Land;Preis;Billing Increment;Valid from;Remark\n49;Deutschland;0,0250;60/1;31.03.2031 00:00;x\n"
                     "880;Bangladesch;0,0123;1/1;;\n",
                     "columns=Preis=price,Land=area", "decimal=comma", "dates=dmy", "zone=Europe/Berlin")
    assert facts(doc, "added", "changed", "ignored_columns") == (1, 1, "Remark"), doc
    rate = next(r for r in await rates(t) if r["prefix"] == "49")
    assert (rate["price"], rate["first"], rate["step"], rate["effective"]) == ("0.025", 60, 1, "2031-03-30T22:00:00.000Z"), rate
    group = await t.ctl.ask("rate-group.show", name=GROUP)
    assert (group["sheet_columns"], group["sheet_decimal"], group["sheet_dates"], group["sheet_zone"]) == (
        "Preis=price,Land=area", "comma", "dmy", "Europe/Berlin"), group
    doc = await take(t, "Dial Code;Land;Preis\n880;Bangladesch;0,0124\n")
    assert facts(doc, "raised") == (1,), doc
    await t.ctl.ask("rate.set", key=f"{GROUP}/880", price="0.0125")
    undone = await t.ctl.ask("rate.undo", group=GROUP)
    assert (undone["restored"], undone["kept"]) == (0, 1), undone
    assert [r["price"] for r in await rates(t) if r["prefix"] == "880" and r["end"] is None] == ["0.0125"]
    await t.ctl.ask("account.set", id="acme", rate_group=None)
    await t.ctl.ask("rate-group.del", name=GROUP)


@scene(settings={"SS_MAX_CALL_PER_SECOND": "10000"})
async def test_calls_while_a_sheet_is_taken(t):
    """Calls go on while thousands of rates are replaced: each costs what one version says, the old one or the new, and none is
    rated by the new one before one by the old. A change that comes in between waits and is made."""
    caller, carrier = await t.plain()
    body = "".join(f"880{n},0.5,60,30,6,0.01,,,,,,\n" for n in range(1000, 9000))
    sheet = HEADER + "880,0.5,60,30,6,0.01,,,,,,\n" + body
    taking = asyncio.create_task(take(t, sheet))
    calls, moment, answered = [], None, ""
    while moment is None or answered < moment:  # until one was answered after the sheet's moment
        calls.append(await caller.place("88020", hold=0.0))
        answered = (await t.cdr(calls[-1]))["answer"]
        if len(calls) == 2:
            await t.ctl.ask("account.set", id="acme", memo="in between")
        if taking.done() and moment is None:
            assert facts(await taking, "state", "added") == ("applied", 8000)
            moment = (await taking)["facts"]["effective"]
    assert (await t.ctl.ask("account.show", id="acme"))["memo"] == "in between"
    seen = []
    for call in calls:
        cdr = await t.cdr(call)
        is_new = "price=0.5 " in cdr["rate_terms"]
        check_fee(cdr, NEW if is_new else SELL, BUY)
        assert is_new == (cdr["answer"] >= moment), (cdr["answer"], moment, cdr["rate_terms"])
        seen.append(is_new)
    assert seen == sorted(seen) and not seen[0] and seen[-1], seen


async def rated_by_one(t, caller, taking, is_undo=False):
    """Calls one after the other until one was answered after the sheet's moment, or that of its undoing: each costs what the rates say of
    the moment of its answer, and who asked is not answered before that moment."""
    calls = []
    while not taking.done():
        calls.append(await caller.place("88020", hold=0.0))
    doc, told = await taking, time.time()
    moment = doc["undone_at"] if is_undo else doc["facts"]["effective"]
    assert told >= seconds_of(moment), (told, moment)
    calls.append(await caller.place("88020", hold=0.0))
    cdrs = [await t.cdr(call) for call in calls]
    for cdr in cdrs:
        is_new = "price=0.5 " in cdr["rate_terms"]
        assert is_new == ((cdr["answer"] < moment) if is_undo else (cdr["answer"] >= moment)), (cdr["answer"], moment, cdr["rate_terms"])
        check_fee(cdr, NEW if is_new else SELL, BUY)
    assert cdrs[-1]["answer"] >= moment, (moment, cdrs[-1])


@scene(settings={"SS_MAX_CALL_PER_SECOND": "10000"}, within=120)
async def test_applied_means_in_force(t):
    """A sheet of more rows than two seconds are enough for, and one of a single row for a group that has as many: who is told that it is
    applied may rely on it with the next call."""
    caller, _carrier = await t.plain()
    body = "".join(f"880{n},0.5,60,30,6,0.01,,,,,,\n" for n in range(100000, 145000))
    await rated_by_one(t, caller, asyncio.create_task(take(t, HEADER + "880,0.5,60,30,6,0.01,,,,,,\n" + body)))
    back = HEADER + f"880,{SELL.price},{SELL.unit},{SELL.first},{SELL.step},,,,,,,\n"
    await take(t, back)
    await rated_by_one(t, caller, asyncio.create_task(take(t, HEADER + "880,0.5,60,30,6,0.01,,,,,,\n")))


@scene(settings={"SS_MAX_CALL_PER_SECOND": "10000"}, within=120)
async def test_undone_means_from_one_moment_on(t):
    """A sheet of many rows is taken back while calls go on: until the moment that the undo names they are rated by the sheet, from then on
    as before it, and that is what the rates say."""
    caller, _carrier = await t.plain()
    body = "".join(f"880{n},0.5,60,30,6,0.01,,,,,,\n" for n in range(100000, 145000))
    await take(t, HEADER + "880,0.5,60,30,6,0.01,,,,,,\n" + body)
    undoing = asyncio.create_task(t.ctl.ask("rate.undo", group=GROUP))
    await rated_by_one(t, caller, undoing, is_undo=True)
    moment = (await undoing)["undone_at"]
    versions = [r for r in await t.ctl.ask("rate.list", group=GROUP, prefix="880", limit=10) if r["prefix"] == "880"]
    assert [r["price"] for r in versions if r["end"] == moment] == ["0.5"], versions
    assert [r["price"] for r in versions if r["effective"] == moment] == [SELL.price], versions
    (sheet,) = await t.ctl.ask("rate-sheet.list")
    assert (sheet["state"], sheet["undone_at"]) == ("undone", moment), (sheet, moment)


async def test_a_change_while_an_undo_waits_for_its_moment(t):
    """It comes after it: what it changes is the rate that holds from then on, and nothing changes it back."""
    await t.plain()
    await take(t, HEADER + "880,0.5,60,30,6,0.01,,,,,,\n")
    undoing = asyncio.create_task(t.ctl.ask("rate.undo", group=GROUP))
    status, _, err = await t.switch.cli("rate", "set", f"{GROUP}/880", "price=0.25")
    assert status == 0, err
    await undoing
    last = [r for r in await rates(t) if r["prefix"] == "880" and r["end"] is None]
    assert [r["price"] for r in last] == ["0.25"], last


@scene()
async def test_a_sheet_survives_a_crash_whole(t):
    """SIGKILL right after the answer: the sheet is there. Killed while it is taken: it is there whole or not at all."""
    await t.plain()
    await take(t, HEADER + "880,0.5,60,30,6,0.01,,,,,,\n")
    t.switch.kill()
    await t.switch.start()
    assert [r["price"] for r in await rates(t) if r["end"] is None] == ["0.5"]
    body = "".join(f"880{n},0.7,,,,,,,,,,\n" for n in range(10000, 30000))
    taking = asyncio.create_task(t.switch.cli("rate", "import", f"group={GROUP}", f"file={write(t, HEADER + body)}"))
    await asyncio.sleep(t.random.random() * 0.6)  # somewhere on its way
    t.switch.kill()
    await taking
    await t.switch.start()
    sheets = await t.ctl.ask("rate-sheet.list")
    assert len(await rates(t)) == (20002 if len(sheets) == 2 else 2), len(sheets)
