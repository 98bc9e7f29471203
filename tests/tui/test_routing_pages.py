"""The pages of what routes go by: number lists, transforms, areas, the white list, time plans, groups, and the calls that failed."""

from harness import plans
from terminal import console


async def test_numbers(t):
    """A list and a number in it, a transform that is tried, an area and a white number: made, seen and deleted by keys."""
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("n", "Tandem  Number lists", "There is nothing here yet")
        await c.go("a", "New number-list", "honeypot", "memo")
        await c.go(["vip", "f2"], "number-list vip: saved")
        await c.go(["enter"], "Numbers of a list")
        await c.go("a", "New listed-number", "number ")
        await c.go(["tab", "8801712345678", "f2"], "saved", "8801712345678")
        await c.go(["esc"], "Tandem  Number lists")
        await c.go("t", "Tandem  Transforms", "There is nothing here yet")
        await c.go("a", "New transform", "expressions", "position")
        c.press("uk", "tab", "tab", "tab")
        await c.go(["0:44", "f2"], "transform uk: saved", "0:44")
        await c.go("t", "Try a transform", "Nothing is changed")
        await c.go(["esc"], "Tandem  Transforms")
        await c.go(["esc"], "Tandem  Number lists")
        await c.go("g", "Tandem  Areas", "There is nothing here yet")
        await c.go("a", "New area", "prefix")
        await c.go(["880", "tab", "Bangladesh", "f2"], "saved", "Bangladesh")
        await c.go(["esc"], "Tandem  Number lists")
        await c.go("w", "System white list", "There is nothing here yet")
        await c.go("a", "New whitelist", "number")
        await c.go(["112", "f2"], "saved", "112")
        await c.go("x", "delete it?")
        await c.go(["tab", "enter"], "There is nothing here yet")
    assert [x["number"] for x in await t.ctl.ask("listed-number.list", list="vip")] == ["8801712345678"]
    assert (await t.ctl.ask("transform.show", name="uk"))["rules"] == ["0:44"]
    assert (await t.ctl.ask("area.show", prefix="880"))["name"] == "Bangladesh"


async def test_time_plans_groups_and_failed_calls(t):
    """A plan and a group are made by keys and named by a vendor; a call that failed by them is counted, by each of the ways."""
    caller, carrier = await t.plain()
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("h", "Tandem  Time plans", "There is nothing here yet")
        await c.go("a", "New route-plan", "zone", "days")
        await c.go(["never", "f2"], "route-plan never: saved", "deny")
        await c.go(["esc"], "Tandem  Console")
        await c.go("g", "Gateway groups", "There is nothing here yet")
        await c.go("a", "New gateway-group", "reserved")
        await c.go(["east", "f2"], "gateway-group east: saved")
        await c.go(["esc"], "Tandem  Console")
        carrier.plan = plans.reject(486)
        call = caller.invite("8801712345678")
        await call.expect(486)
        await t.ctl.ask("routing-gateway.set", name="vendor", plans=["never"], groups=["east"])
        call = caller.invite("8801712345678")
        await call.expect(503)
        await t.cdr(call)
        await c.go("x", "Calls that failed", "UserBusy", "NoAvailableRouter")
        await c.go("b", "vendor")
        await c.go("b", "acme-in")
    assert (await t.ctl.ask("gateway-group.show", name="east"))["name"] == "east"


async def test_a_route_is_explained_with_a_change(t):
    """What only the answer is to take for so: two changes with a comma between, typed into the form; and one that makes no sense."""
    await t.plain()
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("e", "Explain a route", "with: what this answer alone")
        c.press("acme-in", "tab", "tab", "8801712345678", "tab", "tab", "tab")
        await c.go(["nonsense", "f2"], "! nothing of that kind can be changed here")
        c.press(*["backspace"] * 8)
        await c.go(["routing-gateway vendor down,account acme status=normal", "f2"], "verdict: AllGatewayBusy", "down, as was assumed")
        await c.go(["esc"], "Explain a route", "routing-gateway vendor down")
