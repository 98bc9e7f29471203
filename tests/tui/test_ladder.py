"""The debug trace from the console."""

from harness.watch import poll
from terminal import console


async def kept(t, call):
    async def look():
        return [r for r in await t.ctl.ask("trace.list") if r["call_id"] == call.call_id and r["messages"] >= 13]
    return await poll(look, "trace")


async def test_a_trace_is_started_and_a_calls_ladder_is_seen(t):
    """Started by keys for one number; the call's ladder from the trace's page and from its record."""
    caller, _ = await t.plain()
    before = await caller.place("88019")
    await t.cdr(before)
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("c", "Tandem  Calls in progress")
        await c.go("d", "Tandem  Trace", "There is nothing")
        await c.go("a", "Start a trace", "number")
        c.press("tab")
        await c.go(["88*0", "f2"], "! ", "8801*")
        await c.go(["clear", "8801*", "f2"], "The trace runs")
        call = await caller.place("88017")
        await t.cdr(call)
        await kept(t, call)
        await c.go("r", "88017", "200 OK BYE")
        await c.go(["enter"], "Ladder", "caller    udp", "INVITE +SDP", "100 Trying")
        c.press("esc")
        await c.hides("100 Trying")
        await c.go("x", "The trace has ended")
        c.press("esc")
        await c.see("Tandem  Calls in progress")
        await c.go(["esc"], "Tandem  Console")
        await c.go("d", "Tandem  Call records", "88017", "88019")
        await c.go("t", "Ladder", "vendor 1  udp", "INVITE +SDP")
        c.press("esc")
        await c.hides("INVITE +SDP")
        await c.go(["down", "t"], "no message of such a call was kept")
