"""In which order vendors are tried: by priority, price, quality and share; and which are left out for their price.
Every order is asked of `route explain` and then taken by calls."""

from datetime import datetime, timedelta, timezone

from harness.oracle import Terms
from harness.plans import answer, reject


async def order(t, callee="88017", gateway="acme-in", **asked):
    """The vendors that would be tried, in order."""
    explained = await t.ctl.ask("route.explain", gateway=gateway, callee=callee, **asked)
    return [s["step"] for s in explained["steps"] if s["verdict"] == "candidate"]


async def skipped(t, callee="88017", gateway="acme-in"):
    explained = await t.ctl.ask("route.explain", gateway=gateway, callee=callee)
    return {s["step"]: s["detail"] for s in explained["steps"] if s["verdict"] == "skip"}


async def vendors(t, fields, **customer):
    """{name: gateway fields}, rates among them; all but the last one refuse, so a call shows the whole order."""
    caller = await t.caller()
    await t.customer(caller, **customer)
    carriers = {}
    for i, (name, own) in enumerate(fields.items()):
        carrier = carriers[name] = await t.carrier(name, last=3 + i)
        carrier.plan = reject(503)
        await t.vendor(carrier, **own)
    return caller, carriers


async def walked(t, caller, carriers, callee="88017"):
    """The vendors that a call was sent to, in order; none of them takes it."""
    before = {name: len(c.legs) for name, c in carriers.items()}
    call = caller.invite(callee)
    await call.final()
    cdr = await t.cdr(call)
    steps = (await t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"]
    names = [s["step"] for s in steps if s["verdict"] == "sent"]
    for name, carrier in carriers.items():
        assert len(carrier.legs) - before[name] == names.count(name), (name, names)
    return names


def per_minute(price, first=1, step=1, **more):
    return Terms(price=price, unit=60, first=first, step=step, **more)


async def agree(t, caller, carriers, want, callee="88017"):
    assert await order(t, callee) == want
    assert await walked(t, caller, carriers, callee) == want


async def test_least_cost(t):
    """The vendor's own rate of this very number, with its increments and set-up fee; equal ones by priority; prefix
    length does not rank; protected ones last, whatever they cost."""
    caller, carriers = await vendors(t, {
        "dear": dict(rates={"880": per_minute("0.009")}, priority=1, prefix=["8801"]),
        "cheap": dict(rates={"880": per_minute("0.003"), "8802": per_minute("0.5")}, priority=9),
        "middle": dict(rates={"880": per_minute("0.004")}, priority=5),
        "setup": dict(rates={"880": per_minute("0.001", setup_fee="0.005")}, priority=5),
        "spare": dict(rates={"880": per_minute("0.0001")}, protect=True)}, policy="cost")
    await agree(t, caller, carriers, ["cheap", "middle", "setup", "dear", "spare"])
    await agree(t, caller, carriers, ["middle", "setup", "cheap", "spare"], "88027")
    await t.ctl.ask("rate.set", key="dear-buy/880", price="0.002")
    await agree(t, caller, carriers, ["dear", "cheap", "middle", "setup", "spare"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", policy="priority")
    await agree(t, caller, carriers, ["dear", "middle", "setup", "cheap", "spare"])


async def test_increments_decide_at_the_length_that_is_compared(t):
    """By 60 s a full minute at 0.006 is dearer than seconds at 0.005; by 3 s it costs 24 times as much as they do."""
    caller, carriers = await vendors(t, {
        "minutes": dict(rates={"880": per_minute("0.004", 60, 60)}, priority=2),
        "seconds": dict(rates={"880": per_minute("0.005")}, priority=1)}, policy="cost")
    await agree(t, caller, carriers, ["minutes", "seconds"])
    await t.set("SERVER_GATEWAY_ROUTE_FEE_RATE", 3)
    await agree(t, caller, carriers, ["seconds", "minutes"])


async def test_the_number_as_sent_is_the_one_that_is_priced(t):
    caller, carriers = await vendors(t, {
        "tech": dict(rates={"880": per_minute("0.001"), "99": per_minute("0.009")}, callee_rules=["880:99880"]),
        "plain": dict(rates={"880": per_minute("0.005")})}, policy="cost")
    await agree(t, caller, carriers, ["plain", "tech"])
    await t.ctl.ask("routing-gateway.set", name="tech", cost_number="before")
    await agree(t, caller, carriers, ["tech", "plain"])


async def test_profit_is_protected(t):
    """No loss: the dear vendor is left out, with the figures; a negative least profit lets it in again; as a
    percentage; and a vendor's own cap. With nobody left the caller hears 503, MarginTooLow."""
    caller, carriers = await vendors(t, {
        "dear": dict(rates={"880": per_minute("0.02")}, priority=1),
        "fair": dict(rates={"880": per_minute("0.01")}, priority=2)})
    await agree(t, caller, carriers, ["dear", "fair"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", min_profit="0")
    await agree(t, caller, carriers, ["fair"])
    assert (await skipped(t))["dear"] == "MarginTooLow: min_profit 0, sells at 0.0123, costs 0.02 for 60 s"
    await t.ctl.ask("mapping-gateway.set", name="acme-in", min_profit="-0.0077")
    await agree(t, caller, carriers, ["dear", "fair"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", min_profit="-0.0076", min_profit_percent="18")
    await agree(t, caller, carriers, ["fair"])  # (0.0123 - 0.01) / 0.0123 = 18.7 %
    await t.ctl.ask("mapping-gateway.set", name="acme-in", min_profit_percent="19")
    await t.refused(caller.invite("88017"), 503, "MarginTooLow", tries=0)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", min_profit=None, min_profit_percent=None)
    await t.ctl.ask("routing-gateway.set", name="fair", price_cap="0.0099")
    await agree(t, caller, carriers, ["dear"])
    await t.ctl.ask("routing-gateway.set", name="fair", price_cap="0.01")
    await agree(t, caller, carriers, ["dear", "fair"])


async def test_quality(t):
    """Thirty calls make a rank: before, priority decides. A vendor that answers stands before one that nobody
    knows, and that one before one that fails; what is measured is shown; Off, it decides nothing."""
    await t.set("SS_GATEWAY_ASR_CALCULATE", "On")
    caller, carriers = await vendors(t, {"poor": dict(priority=1), "good": dict(priority=2), "new": dict(priority=3)},
                                     policy="quality")
    carriers["good"].plan = answer()
    assert await order(t) == ["poor", "good", "new"]
    for part in range(3):
        calls = [caller.invite(f"88017{i}") for i in range(9 if part < 2 else 11)]
        for call in calls:
            await call.expect(200)
        for call in calls:
            await call.hang_up()
            await t.cdr(call, routing_gateway="good", tries=2)
    assert await order(t) == ["poor", "good", "new"], "29 are not enough"
    await t.cdr(await caller.place("88017"), routing_gateway="good", tries=2)
    assert await order(t) == ["good", "new", "poor"]
    explained = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017")
    said = next(s["detail"] for s in explained["steps"] if s["step"] == "order")
    assert "good 100% of 30, 0 s" in said and "poor 0% of 30" in said and "new 0% of 0" in said, said
    await t.cdr(await caller.place("88017"), routing_gateway="good", tries=1)
    await t.set("SS_GATEWAY_ASR_CALCULATE", "Off")
    assert await order(t) == ["poor", "good", "new"]


async def test_shares_by_weight_are_exact(t):
    """3 : 1 over eight calls is 6 and 2, whoever is asked first; priority stands above shares; explain says whose
    turn it is."""
    caller, carriers = await vendors(t, {
        "big": dict(weight=30, priority=2), "small": dict(weight=10, priority=2),
        "backup": dict(weight=1000, priority=5)}, policy="weight")
    first = []
    for _ in range(8):
        want = await order(t)
        assert await walked(t, caller, carriers) == want
        assert want[2] == "backup", want
        first.append(want[0])
    assert first.count("big") == 6 and first.count("small") == 2, first


async def test_the_most_free_lines(t):
    caller, carriers = await vendors(t, {
        "few": dict(line_limit=3), "many": dict(line_limit=4)}, policy="free_lines")
    for carrier in carriers.values():
        carrier.plan = answer()
    held = []
    for want in ("many", "few", "many", "few", "many", "few", "many"):
        assert (await order(t))[0] == want
        call = caller.invite("88017")
        await call.expect(200)
        held.append(call)
    await t.refused(caller.invite("88017"), 503, "AllGatewayBusy")
    for call in held:
        await call.hang_up()
    for call in held:
        await t.cdr(call)


async def test_other_currencies_are_not_compared(t):
    """A price in another currency says nothing about profit: with a guard on it is left out, without one it comes last."""
    caller, carriers = await vendors(t, {"home": dict(rates={"880": per_minute("0.01")})}, policy="cost")
    abroad = carriers["abroad"] = await t.carrier("abroad", last=9)
    abroad.plan = reject(503)
    await t.rates("abroad-buy", {"880": per_minute("0.001")}, currency="EUR")
    await t.account("abroad-acc", kind="clearing", rate_group="abroad-buy", currency="EUR")
    await t.ctl.ask("routing-gateway.add", name="abroad", account="abroad-acc", address=[abroad.address], priority=1)
    await agree(t, caller, carriers, ["home", "abroad"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", min_profit="-1000")
    await agree(t, caller, carriers, ["home"])


async def test_transforms_are_priced_too(t):
    """The price that orders vendors is that of the number as sent, by a transform with a name as by the gateway's rules."""
    await t.ctl.ask("transform.add", name="tech", rules=["880:99880"])
    caller, carriers = await vendors(t, {
        "tech": dict(rates={"880": per_minute("0.001"), "99": per_minute("0.009")}, callee_transform="tech"),
        "plain": dict(rates={"880": per_minute("0.005")})}, policy="cost")
    await agree(t, caller, carriers, ["plain", "tech"])
    await t.ctl.ask("routing-gateway.set", name="tech", callee_transform=None)
    await agree(t, caller, carriers, ["tech", "plain"])


async def test_kept_lists_end_with_the_rates(t):
    """Price lists are kept from call to call (call/prices.c): one that was used a moment ago is not used when a rate that takes effect by
    itself, or a change, makes another order."""
    caller, carriers = await vendors(t, {"a": dict(rates={"880": per_minute("0.003")}), "b": dict(rates={"880": per_minute("0.004")})},
                                     policy="cost")
    await t.set("SS_MAX_CALL_PER_SECOND", 10000)
    for n in range(3):
        assert await walked(t, caller, carriers, f"88017{n}") == ["a", "b"]
    await t.ctl.ask("rate.set", key="a-buy/880", price="0.005")
    await agree(t, caller, carriers, ["b", "a"])
    at = datetime.now(timezone.utc) + timedelta(seconds=1)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as the switch will be told
    await t.ctl.ask("rate.add", group="a-buy", prefix="880", effective=at.isoformat(timespec="milliseconds"),
                    price="0.001", unit=60, first=1, step=1)
    orders = []
    while datetime.now(timezone.utc) < at + timedelta(milliseconds=300):
        began, order_now = datetime.now(timezone.utc), await walked(t, caller, carriers)
        if began >= at:
            orders.append(order_now)
        elif datetime.now(timezone.utc) < at:
            assert order_now == ["b", "a"], order_now
    assert orders and all(o == ["a", "b"] for o in orders), orders
    await agree(t, caller, carriers, ["a", "b"])
