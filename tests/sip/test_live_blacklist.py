"""The dynamic blacklist: its parameters, live, and what is never on it."""

import asyncio

from harness import plans
from harness.watch import poll
from harness.scene import live


async def listed(t, number, side="caller"):
    rows = await t.ctl.ask("blacklist.list")
    return next((r for r in rows if (r["side"], r["number"]) == (side, number)), None)


async def gone(t, number, side="caller"):
    async def away():
        return not await listed(t, number, side)
    await poll(away, f"the end of the entry of {number}")


@live("SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT", "SS_BLACK_LIST_CALLER_MALICIOUS_CALL_CHECK_INTERVAL",
      "SS_BLACK_LIST_CALLER_MALICIOUS_CALL_EXPIRE")
async def test_too_many_calls_of_one_number(t):
    """Off per gateway until asked for; then the limit-th call in the interval is refused; the entry outlives a
    restart and goes by itself; white, empty and anonymous callers are passed over."""
    caller, carrier = await t.plain()
    await t.set("SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT", 3)
    for _ in range(4):
        await caller.place("88017", caller="55")
    await t.ctl.ask("mapping-gateway.set", name="acme-in", blacklist=True)
    for _ in range(4):
        await caller.place("88017", caller="55")     # no interval: not watched
    await t.set("SS_BLACK_LIST_CALLER_MALICIOUS_CALL_CHECK_INTERVAL", 600)
    await t.ctl.ask("whitelist.add", number="66")
    for _ in range(2):
        await caller.place("88017", caller="55")
        await caller.place("88017", caller="66")
        await caller.place("88017", caller="anonymous")
    await t.refused(caller.invite("88017", caller="55"), 403, "Blacklisted")
    for who in ("66", "anonymous", "66", "anonymous", "56"):
        await caller.place("88017", caller=who)
    row = await listed(t, "55")
    assert row["type"] == "malicious" and not await listed(t, "66"), row
    assert row["refused"] == 1 and row["last_call"] is not None, row
    await t.refused(caller.invite("88017", caller="55"), 403, "Blacklisted")
    assert (await listed(t, "55"))["refused"] == 2 and (await listed(t, "55"))["last_call"] >= row["last_call"]
    told = await t.ctl.ask("route.explain", gateway="acme-in", caller="55", callee="88017")
    assert told["verdict"] == "Blacklisted" and "dynamic blacklist" in str(told["steps"]), told
    await t.switch.stop()
    await t.switch.start()
    await t.refused(caller.invite("88018", caller="55"), 403, "Blacklisted")
    await t.ctl.ask("blacklist.del", key="caller/55")
    await caller.place("88017", caller="55")
    await t.set("SS_BLACK_LIST_CALLER_MALICIOUS_CALL_EXPIRE", 1)
    await t.set("SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT", 1)
    await t.refused(caller.invite("88018", caller="77"), 403, "Blacklisted")
    await t.set("SS_BLACK_LIST_CALLER_MALICIOUS_CALL_LIMIT", 1000)
    await gone(t, "77")
    await asyncio.sleep(1)  # whole seconds
    await caller.place("88017", caller="77")


@live("SS_BLACK_LIST_CALLER_CONCURRENT", "SS_BLACK_LIST_CALLER_CONCURRENT_EXPIRE")
async def test_too_many_calls_at_once(t):
    """One call more than the number of calls at once puts the caller on the list, for as long as is set."""
    caller, carrier = await t.plain(blacklist=True)
    await t.set("SS_BLACK_LIST_CALLER_CONCURRENT_EXPIRE", 1)
    await t.set("SS_BLACK_LIST_CALLER_CONCURRENT", 2)
    up = []
    for _ in range(2):
        call = caller.invite("88017", caller="55")
        await call.expect(200)
        up.append(call)
    await t.refused(caller.invite("88017", caller="55"), 403, "Blacklisted")
    assert (await listed(t, "55"))["type"] == "concurrent"
    for call in up:
        await call.hang_up()
    await gone(t, "55")
    await asyncio.sleep(1)  # whole seconds
    await caller.place("88017", caller="55")
    await t.set("SS_BLACK_LIST_CALLER_CONCURRENT", 1)
    call = caller.invite("88017", caller="55")
    await call.expect(200)
    await t.refused(caller.invite("88017", caller="55"), 403, "Blacklisted")
    await call.hang_up()


@live("SS_BLACK_LIST_NO_ANSWER_LIMIT", "SS_BLACK_LIST_NO_ANSWER_EXPIRE", "SS_BLACK_LIST_NO_ANSWER_PERIODS",
      "SS_BLACK_LIST_NO_ANSWER_BLOCK")
async def test_numbers_that_do_not_answer(t):
    """In a row: an answer begins anew, a busy one says nothing; the callee by default, the caller by setting."""
    caller, carrier = await t.plain(blacklist=True)
    await t.set("SS_BLACK_LIST_NO_ANSWER_LIMIT", 2)
    await t.set("SS_BLACK_LIST_NO_ANSWER_EXPIRE", 1)

    async def given_up(callee, **options):
        call = caller.invite(callee, **options)
        await call.rings()
        call.cancel()
        await t.refused(call, 487, "CallerCancel")

    async def ring(leg):
        leg.reply(180)
    carrier.on("88011", ring)
    carrier.on("88012", plans.reject(486))
    await given_up("88011")
    await given_up("88011")
    await given_up("88011")                            # no period: not watched
    await t.set("SS_BLACK_LIST_NO_ANSWER_PERIODS", 600)
    for _ in range(3):
        await t.refused(caller.invite("88012"), 486, "UserBusy")
    await given_up("88011")
    await given_up("88011")
    assert (await listed(t, "88011", "callee"))["type"] == "no_answer"
    await t.set("SS_BLACK_LIST_NO_ANSWER_BLOCK", "caller")
    await t.set("SS_BLACK_LIST_NO_ANSWER_EXPIRE", 600)
    carrier.on("88013", ring)
    await given_up("88013", caller="55")
    await caller.place("88014", caller="55")           # an answer in between
    await given_up("88013", caller="55")
    assert not await listed(t, "55")
    await given_up("88013", caller="55")
    await t.refused(caller.invite("88014", caller="55"), 403, "Blacklisted")
    await caller.place("88014", caller="56")


async def test_an_operator_keeps_numbers_out(t):
    caller, carrier = await t.plain(blacklist=True)
    await t.ctl.ask("blacklist.add", side="callee", number="88017", until="2027-01-01")
    await t.refused(caller.invite("88017"), 403, "Blacklisted")
    await caller.place("88018")
    await t.ctl.ask("blacklist.del", key="callee/88017")
    await caller.place("88017")
