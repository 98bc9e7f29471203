"""Call records on the console: asked for by what they say, and seen with every vendor tried."""

from harness import plans
from terminal import console


async def test_records_are_filtered_and_seen_whole(t):
    caller, first = await t.plain()
    first.plan = plans.reject(503)
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=100)
    await t.cdr(await caller.place("88017"), tries=2)
    second.plan = plans.reject(486)
    await t.refused(caller.invite("88028"), 486, "UserBusy")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("d", "Tandem  Call records", "88017", "88028", "1 of 2")
        await c.go("f", "Which records", "callee", "answered")
        c.press("tab", "tab", "tab", "tab")
        await c.go(["8801*", "f2"], "Tandem  Call records", "88017", "1 of 1")
        assert "88028" not in c.text, c.text
        await c.go(["enter"], "Call record", "callee")
        await c.go(["end"], "expense:", "prefix")
        await c.go(["pageup"], "attempts", "failed, next", "answered", "second")
