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


async def test_a_table_in_a_box_is_not_wrapped(t):
    """A statement is wider than the box: its tables stay tables, and Right and Left move them; what is said in words is wrapped.
    Decisions of a record are a table, too."""
    caller, _ = await t.plain()
    await t.cdr(await caller.place("8801712345678"))
    await t.ctl.ask("account.set", id="acme", name="The Acme Telecommunications Company Ltd.")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("r", "Tandem  Reports", "revenue")
        await c.go("s", "Statement of account", "zone")
        await c.go(["acme", "f2"], "Balance", "opening", "more: PgDn, Right")
        await c.hides("closing")
        await c.go(["right"] * 10, "closing")
        await c.go(["left"] * 10, "Account:  acme", "account  name")
        await c.go(["end"], "rounded once, half up", "A call lasts from its answer")
        await c.go(["esc", "esc"], "Tandem  Console")
        await c.go("d", "Tandem  Call records", "8801712345678")
        await c.go(["enter"], "Call record")
        await c.go(["pagedown"] * 3, "  step     verdict       detail", "  numbers  ok", "attempts:")
