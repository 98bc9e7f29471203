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
        await c.go(["tab", "02071234567", "f2"], "442071234567")
        await c.go(["enter"], "Nothing is changed")
        await c.go(["f2"], "442071234567")
        await c.go(["enter"], "Nothing is changed")
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
        await c.go(["esc"], "Tandem  Number lists")
        await c.go("p", "Tandem  Number pairs", "There is nothing here yet")
        await c.go("a", "New number-pair", "caller_in", "callee_out")
        await c.go(["8001", "tab", "442071", "f2"], "saved", "442071")
        await c.go(["esc"], "Tandem  Number lists")
        await c.go("o", "Whose numbers?", "section")
        await c.go(["4420", "f2"], "number-pair", "442071")
    assert (await t.ctl.ask("number-pair.show", number="8001"))["caller_in"] == "442071"
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
        await c.go(["enter"], "Why the call went as it did")
        await c.go(["esc"], "Calls that failed")
        await c.go("b", "by routing_gateway,reason", "vendor")
        await c.go("b", "by mapping_gateway,reason", "acme-in")
        await c.go("b", "by area,reason", "880")
        await c.go("b", "by hour,reason", ":00:00")
        await c.go("b", "by reason,sip_code", "486")
    assert (await t.ctl.ask("gateway-group.show", name="east"))["name"] == "east"


async def test_who_is_knocking(t):
    """A stranger gets no answer and stands on the page with what he dialled; one key makes him a customer, and his calls come in."""
    caller, _carrier = await t.plain()
    newcomer = await t.caller("newcomer", last=9)
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("3", "Tandem  Who is knocking", "There is nothing here yet")
        newcomer.invite("8801712345678", caller="4420123")
        await c.see(newcomer.ip, "INVITE", "4420123", "8801712345678")
        assert t.wire.bytes_to("newcomer") == b""
        await c.go("m", "New mapping-gateway", newcomer.ip)
        await c.go(["newcomer", "tab", "acme", "f2"], "mapping-gateway newcomer: saved")
        await c.see(newcomer.ip, "newcomer")
        call = await newcomer.place("8801712345678")
    await t.cdr(call, mapping_gateway="newcomer", account="acme")


async def test_what_would_be_if(t):
    """A route is explained with a change that is assumed, and the calls of a gateway are seen from its line in the status."""
    caller, _carrier = await t.plain()
    other = await t.carrier("other", last=7)
    await t.vendor(other, "other", priority=20)
    call = caller.invite("8801712345678")
    await call.expect(200)
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("e", "Explain a route", "assumed")
        c.press("acme-in", "tab", "4420", "tab", "8801712345678", "tab", "tab", "tab")
        await c.go(["routing-gateway vendor down, routing-gateway other prefix=880,881", "f2"], "down, as was assumed", "choice 1")
        await c.go(["esc"], "Explain a route", "are assumed")
        await c.go(["esc"], "Tandem  Console")
        await c.go("s", "Gateway status", "free_lines", "vendor")
        await c.go(["down", "down", "enter"], "Calls in progress", "gateway vendor", "8801712345678")
        await c.go(["esc"], "Gateway status")
        await c.go(["up", "enter"], "Calls in progress", "gateway other", "There is nothing here yet")
    await call.hang_up()


async def test_a_route_is_explained_with_a_change(t):
    """What only the answer is to take for so: two changes with a comma between, typed into the form; and one that makes no sense."""
    await t.plain()
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("e", "Explain a route", "are assumed")
        c.press("acme-in", "tab", "tab", "8801712345678", "tab", "tab", "tab")
        await c.go(["nonsense", "f2"], "! nothing of that kind can be changed here")
        c.press(*["backspace"] * 8)
        await c.go(["routing-gateway vendor down,account acme status=normal", "f2"], "verdict: AllGatewayBusy", "down, as was assumed")
        await c.go(["esc"], "Explain a route", "routing-gateway vendor down")


async def test_a_replay_and_who_registers(t):
    """Past calls routed again with a change, from the page of records; what a REGISTER would be told, from that of phones."""
    caller, _carrier = await t.plain()
    await t.cdr(await caller.place("8801712345678"))
    await t.ctl.ask("phone.add", number="1001", account="acme", status="locked")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("d", "Tandem  Call records", "8801712345678")
        await c.go("y", "Replay calls", "No key acts")
        await c.go(["f2"], "reproduced", "not_reproduced")
        await c.go(["enter"], "e Explain")
        await c.go(["esc"], "Calls in progress")
        await c.go("f", "Tandem  Phones", "1001")
        await c.go("w", "Would it register?", "address")
        await c.go(["tab", "203.0.113.5:5060", "f2"], "refused", "its status is locked")
