"""Which refused INVITEs leave a record, and how many: strangers', floods', and what of it is in the files."""

import os

from harness import plans
from harness.scene import live, scene
from harness.watch import poll


async def unknown(t, count):
    """The records of strangers, once there are so many."""
    async def rows():
        found = await t.ctl.ask("cdr.list", reason="UnknownSource")
        return (found or True) if len(found) == count else None
    found = await poll(rows, f"{count} record(s) of strangers")
    return [] if found is True else found


async def counted(t, least):
    async def enough():
        return (await t.status())["unknown_sources"] >= least
    await poll(enough, f"{least} messages of strangers")


@live("SERVER_BILLING_RECORD_ILLEGAL_CALL")
@scene(idle=True)
async def test_an_illegal_call_is_recorded_once(t):
    """The first INVITE of a stranger leaves a record, with its numbers and address and nobody's account; the others of the
    same minute only count, as does what is no INVITE. Off: none. It is in no report of customers, and the books are right."""
    caller, _carrier = await t.plain()
    stranger = await t.caller("stranger", last=9)
    other = await t.caller("other", last=10)
    stranger.invite("88017", caller="4711")
    row, = await unknown(t, 1)
    assert (row["caller_in"], row["callee_in"], row["caller_ip"]) == ("4711", "88017", stranger.ip), row
    assert row["account"] is None and row["fee"] == "0" and row["answer"] is None and row["sip_code"] is None
    for n in range(5):
        stranger.invite(f"8801{n}")
        other.ask("OPTIONS")
    await counted(t, 11)
    await t.set("SERVER_BILLING_RECORD_ILLEGAL_CALL", "Off")
    other.invite("88017")
    await counted(t, 12)
    await caller.place("88017")
    await unknown(t, 1)


@live("CDR_REFUSED_MAX")
@scene(idle=True)
async def test_a_flood_of_refused_calls_is_summed_up(t):
    """Of one source as many records a minute as the parameter says, then an alarm with the count of the rest; another
    source's, and answered calls, are recorded all the same. 0: no bound."""
    caller, _carrier = await t.plain()
    second = await t.caller("second", last=9)
    await t.gateway_in("acme", "second-in", address=[second.ip])

    async def flood(who, count):
        for _ in range(count):
            call = who.invite("7700")  # no rate
            assert (await call.final()).code == 403
    await flood(caller, 4)
    await t.set("CDR_REFUSED_MAX", 7)
    await flood(caller, 9)
    await flood(second, 1)
    good = await caller.place("88017")
    await t.cdr(good)

    async def recorded():
        rows = await t.ctl.ask("cdr.list", reason="NoRate")
        return [len([r for r in rows if r["mapping_gateway"] == name]) for name in ("acme-in", "second-in")]

    async def sum_is_right():
        alarms = [(a["object"], a["value"]) for a in await t.ctl.ask("alarm.list") if a["type"] == "cdr_flood"]
        mine, others = await recorded()
        return others == 1 and alarms == [("acme-in", 13 - mine)] and mine
    mine = await poll(sum_is_right, "13 in all, recorded or counted")
    assert 7 <= mine <= 11, mine  # a minute may begin in between
    await t.set("CDR_REFUSED_MAX", 0)
    await flood(caller, 9)

    async def all_of_them():
        return (await recorded())[0] == mine + 9
    await poll(all_of_them, "a record for each")


@live("SS_CDR_RECORD_NONCONNECT")
@scene(idle=True)
async def test_unanswered_calls_in_the_files(t):
    """On: they are in the text files. Off: only answered ones are; the records are kept all the same."""
    caller, carrier = await t.plain()
    await t.set("SS_CDR_RECORD_TO_FILE", "On")

    async def placed(callee, reject):
        carrier.plan = plans.reject(486) if reject else plans.answer()
        call = caller.invite(callee)
        await call.expect(486 if reject else 200)
        if not reject:
            await call.hang_up()
        return (await t.cdr(call))["id"]

    def text():
        folder = os.path.join(t.switch.data, "cdr")
        names = [n for n in os.listdir(folder) if ".txt" in n]
        return "".join(open(os.path.join(folder, n), encoding="utf-8").read() for n in names)

    async def written(record):
        async def found():
            return record in text()
        await poll(found, "the record in a file")
    await written(await placed("88011", True))
    await t.set("SS_CDR_RECORD_NONCONNECT", "Off")
    left_out = await placed("88012", True)
    await written(await placed("88013", False))
    assert left_out not in text()
