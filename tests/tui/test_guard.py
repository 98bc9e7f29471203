"""The pages of spend rules and of the dynamic blacklist."""

from harness.watch import poll
from terminal import console


async def test_spend_rules_and_what_they_counted(t):
    caller, _ = await t.plain()
    await t.ctl.ask("spend-rule.add", name="night", day_calls=2)
    await t.ctl.ask("security-profile.add", name="evenings", callee_allow=["44"])
    for _ in range(2):
        await caller.place("8801712345678")

    async def blocked():
        return (await t.ctl.ask("spend-rule.show", name="night"))["over"]
    await poll(blocked, "the block")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("j", "Tandem  Spend rules", "night", "block")
        await c.go("c", "What was spent", "acme", "blocked")
        await c.go("x", "Let acme of rule night begin anew?")
        await c.go(["tab", "enter"], "acme begins anew")
        await c.go(["esc"], "Tandem  Spend rules")
        await c.go("a", "hour_money", "callee_not")
        await c.go(["esc"], "Tandem  Spend rules")
        await c.go("p", "Security profiles", "evenings", "named")
        await c.go(["enter"], "callee_allow: 44")
        await c.go(["esc"], "Security profiles")
        await c.go(["esc"], "Tandem  Spend rules")
    assert not (await t.ctl.ask("spend-rule.show", name="night"))["over"]
    await caller.place("8801712345678")


async def test_the_dynamic_blacklist(t):
    await t.ctl.ask("blacklist.add", side="caller", number="4412345", until="2027-01-01")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("z", "Dynamic blacklist", "4412345", "manual")
        await c.go("x", "delete it?")
        await c.go(["tab", "enter"], "There is nothing here yet")
    assert not await t.ctl.ask("blacklist.list")
