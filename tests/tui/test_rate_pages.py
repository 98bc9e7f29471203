"""Rates by origin, by keys; and amounts as lists show them."""

from test_console import console


async def test_origin_groups_and_their_rates(t):
    """Made, used by a rate, which is changed and ended without the one for any caller."""
    await t.ctl.ask("rate-group.add", name="wholesale")
    await t.ctl.ask("rate.add", group="wholesale", prefix="880", price="0.0123")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("t", "Tandem  Rate groups", "wholesale")
        await c.go("o", "Tandem  Origin groups")
        await c.go("a", "Add", "prefixes")
        await c.go(["eea", "tab", "49,33", "f2"], "origin-group eea: saved", "49,33")
        await c.go("a", "Add", "prefixes")
        await c.go(["9", "tab", "1", "f2"], "! ", "name")
        c.press("esc", "y")
        await c.see("Tandem  Origin groups")
        await c.go(["esc"], "Tandem  Rate groups")
        await c.go(["enter"], "Tandem  Rates", "880")
        await t.ctl.ask("rate.add", group="wholesale", prefix="880", origin="eea", price="0.5")
        await c.go("r", "eea")
        await c.go(["down", "e"], "Change rate wholesale/880/eea")
        await c.go(["esc"], "Tandem  Rates")
        await c.go("x", "rate wholesale/880/eea: end it now?")
        await c.go(["tab", "enter"], "rate wholesale/880/eea: deleted")
    assert (await t.ctl.ask("rate.show", key="wholesale/880"))["price"] == "0.0123"


async def test_amounts_are_rounded_in_lists_alone(t):
    await t.account("acme", "98.76543")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("a", "acme", "~98.765")
        await t.set("SERVER_DISPLAY_MONEY_PRECISION", 5)
        await c.go("r", "98.76543")
        assert "~" not in c.line_with("acme  "), c.text
        await t.set("SERVER_DISPLAY_MONEY_PRECISION", 0)
        await c.go("r", "~99")
        await c.go(["enter"], "balance:        98.76543")
