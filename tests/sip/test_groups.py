"""Gateway groups with reserved lines, time plans, limits of a day."""

from harness.control import Refused
from harness.plans import answer
from test_policies import agree, order, skipped, vendors


async def refused(ask, word):
    try:
        await ask
    except Refused as e:
        assert word in str(e), e
        return
    raise AssertionError(f"taken, though {word}")


async def test_customers_are_kept_to_their_groups(t):
    for name in ("gold", "silver", "empty"):
        await t.ctl.ask("gateway-group.add", name=name)
    caller, carriers = await vendors(t, {
        "g": dict(groups=["gold"], priority=1), "s": dict(groups=["silver"], priority=2),
        "both": dict(groups=["gold", "silver"], priority=3), "none": dict(priority=4)})
    await agree(t, caller, carriers, ["g", "s", "both", "none"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", groups=["silver"])
    await agree(t, caller, carriers, ["s", "both"])
    assert "in no gateway group" in (await skipped(t))["g"]
    await t.ctl.ask("mapping-gateway.set", name="acme-in", groups=["gold", "silver"])
    await agree(t, caller, carriers, ["g", "s", "both"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", groups=["empty"])
    await t.refused(caller.invite("88017"), 503, "NoAvailableRouter")
    await refused(t.ctl.ask("mapping-gateway.set", name="acme-in", groups=["bronze"]), "no such gateway group")
    await refused(t.ctl.ask("gateway-group.del", name="silver"), "no such gateway group")
    await refused(t.ctl.ask("routing-gateway.set", name="none", groups=["gold", "silver", "empty", "gold", "gold"]), "more than 4")


async def test_reserved_lines(t):
    """Two gateways of two lines, two of the four reserved: the others get two, the group's own all four; what is
    given back serves again."""
    await t.ctl.ask("gateway-group.add", name="gold", reserved=2)
    caller, carriers = await vendors(t, {n: dict(groups=["gold"], line_limit=2) for n in ("a", "b")})
    for carrier in carriers.values():
        carrier.plan = answer()
    own = await t.caller("own", last=20)
    await t.gateway_in("acme", "own-in", address=[own.ip], groups=["gold"])
    held = []

    async def up(who):
        call = who.invite("88017")
        await call.expect(200)
        held.append(call)
    for _ in range(2):
        await up(caller)
    await t.refused(caller.invite("88017"), 503, "AllGatewayBusy")
    assert "gateway group gold, 2 of 4 lines in use, 2 kept" in (await skipped(t))["b"]
    for _ in range(2):
        await up(own)
    await t.refused(own.invite("88017"), 503, "AllGatewayBusy")
    assert (await t.ctl.ask("gateway-group.show", name="gold"))["calls"] == 4
    for call in held[2:]:
        await call.hang_up()
        await t.cdr(call)
    await t.refused(caller.invite("88017"), 503, "AllGatewayBusy")
    await t.ctl.ask("gateway-group.set", name="gold", reserved=0)
    await up(caller)
    await t.ctl.ask("gateway-group.set", name="gold", line_limit=3)
    await t.refused(own.invite("88017"), 503, "AllGatewayBusy")
    for call in held[:2] + held[4:]:
        await call.hang_up()
        await t.cdr(call)
    assert (await t.ctl.ask("gateway-group.show", name="gold"))["calls"] == 0


async def test_time_plans(t):
    """Deny, allow and change, for the next call after each change, and at any moment in explain."""
    caller, carriers = await vendors(t, {"a": dict(priority=1), "b": dict(priority=2)})
    await t.ctl.ask("route-plan.add", name="p", days=["mon-fri"], **{"from": "22:00", "to": "06:00"}, zone="+05:30")
    await t.ctl.ask("routing-gateway.set", name="a", plans=["p"])
    monday = "2030-01-07T"
    assert await order(t, at=monday + "16:30:00Z") == ["b"] == await order(t, at="2030-01-08T00:29:59Z")
    assert await order(t, at=monday + "16:29:59Z") == ["a", "b"] == await order(t, at="2030-01-08T00:30:00Z")
    await t.ctl.ask("route-plan.set", name="p", days=[], **{"from": None, "to": None})
    await agree(t, caller, carriers, ["b"])
    assert (await skipped(t))["a"] == "NoAvailableRouter: time plan p"
    await t.ctl.ask("route-plan.set", name="p", callee=["8802"])
    await agree(t, caller, carriers, ["a", "b"])
    await agree(t, caller, carriers, ["b"], "88027")
    await t.ctl.ask("route-plan.set", name="p", callee=[], caller=["1002"])
    await agree(t, caller, carriers, ["a", "b"])
    await t.ctl.ask("route-plan.set", name="p", caller=[], action="allow", last="2020-01-01")
    await agree(t, caller, carriers, ["b"])
    await t.ctl.ask("routing-gateway.set", name="b", plans=["p"])
    await t.refused(caller.invite("88017"), 503, "NoAvailableRouter")
    await t.ctl.ask("route-plan.set", name="p", last=None)
    await agree(t, caller, carriers, ["a", "b"])
    await t.ctl.ask("route-plan.add", name="late", action="change", priority=9)
    await t.ctl.ask("routing-gateway.set", name="a", plans=["late"])
    await agree(t, caller, carriers, ["b", "a"])
    await t.ctl.ask("route-plan.set", name="late", priority=None, line_limit=0)
    await agree(t, caller, carriers, ["a", "b"])
    await refused(t.ctl.ask("route-plan.del", name="late"), "no such time plan")
    await refused(t.ctl.ask("route-plan.set", name="late", days=["noday"]), "days")
    await refused(t.ctl.ask("routing-gateway.set", name="a", plans=["never"]), "no such time plan")


async def test_limits_of_a_day(t):
    """Calls are those sent; money is what ended calls have cost; each is named when it is used up."""
    caller, carriers = await vendors(t, {"a": dict(day_calls=2, priority=1), "b": dict(priority=2)})
    await agree(t, caller, carriers, ["a", "b"])
    await agree(t, caller, carriers, ["a", "b"])
    await agree(t, caller, carriers, ["b"])
    assert "day_calls used up: 2 calls, 0 minutes" in (await skipped(t))["a"]
    assert await order(t, at="2090-01-01T00:00:00Z") == ["a", "b"], "another day"
    await t.ctl.ask("routing-gateway.set", name="a", day_calls=0, day_money="0.0001")
    for carrier in carriers.values():
        carrier.plan = answer()
    await t.cdr(await caller.place("88017", hold=0.1), routing_gateway="a")
    await t.cdr(await caller.place("88017"), routing_gateway="b", tries=1)
    assert "day_money used up" in (await skipped(t))["a"]
    await refused(t.ctl.ask("routing-gateway.set", name="a", day_zone="Nowhere"), "day_zone")
