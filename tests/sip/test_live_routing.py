"""The live parameters of the order of vendors."""

from harness.plans import answer
from harness.scene import live
from test_policies import agree, order, per_minute, vendors


async def calls(t, caller, n, **want):
    for _ in range(n):
        await t.cdr(await caller.place("88017"), **want)


@live("SERVER_GATEWAY_ROUTE_FEE_RATE")
async def test_length_that_prices_are_compared_by(t):
    """Of 60 s a set-up fee is little; of 1 s it is all."""
    caller, carriers = await vendors(t, {
        "setup": dict(rates={"880": per_minute("0.001", setup_fee="0.002")}),
        "plain": dict(rates={"880": per_minute("0.006")})}, policy="cost")
    await agree(t, caller, carriers, ["setup", "plain"])
    await t.set("SERVER_GATEWAY_ROUTE_FEE_RATE", 1)
    await agree(t, caller, carriers, ["plain", "setup"])


async def ranked(t, **fields):
    """Two vendors: the first by priority is dear and knows 30 failures, the other is good."""
    await t.set("SS_GATEWAY_ASR_CALCULATE", "On")
    caller, carriers = await vendors(t, {
        "dear": dict(rates={"880": per_minute("0.009")}, priority=1),
        "good": dict(rates={"880": per_minute("0.003")}, priority=2)}, **fields)
    carriers["good"].plan = answer()
    for _ in range(3):
        held = [caller.invite(f"88017{i}") for i in range(10)]
        for call in held:
            await call.expect(200)
        for call in held:
            await call.hang_up()
            await t.cdr(call, routing_gateway="good")
    return caller, carriers


@live("SS_GATEWAY_ASR_CALCULATE", "SS_GATEWAY_ASR_ROUTE_SORT_CONFIG", "SS_GATEWAY_ASR_RESERVE_TIME")
async def test_quality_orders_routes(t):
    """Measured but in no place: priority. In a place: quality. Another window begins empty; switched off: nothing."""
    await ranked(t)
    assert await order(t) == ["dear", "good"]
    await t.set("SS_GATEWAY_ASR_ROUTE_SORT_CONFIG", 1)
    assert await order(t) == ["good", "dear"]
    await t.set("SS_GATEWAY_ASR_CALCULATE", "Off")
    assert await order(t) == ["dear", "good"]
    await t.set("SS_GATEWAY_ASR_CALCULATE", "On")
    assert await order(t) == ["good", "dear"]
    await t.set("SS_GATEWAY_ASR_RESERVE_TIME", 900)
    assert await order(t) == ["dear", "good"], "a window of another length begins empty"


@live("SS_GATEWAY_ASR_RESERVE_SEPARATE")
async def test_parts_of_the_window(t):
    """The order is by what the parts of the window hold; with other parts it begins anew."""
    await ranked(t)
    await t.set("SS_GATEWAY_ASR_ROUTE_SORT_CONFIG", 1)
    assert await order(t) == ["good", "dear"]
    await t.set("SS_GATEWAY_ASR_RESERVE_SEPARATE", 10)
    assert await order(t) == ["dear", "good"], "a window of other parts begins empty"


@live("SS_GATEWAY_FEE_RATE_ROUTE_SORT_CONFIG", "SS_GATEWAY_FEE_RATE_ROUTE_BEFORE_ASR")
async def test_price_and_quality_in_their_places(t):
    """`cheap` is cheapest and unknown, `good` is dearer and has a rank, `dear` neither."""
    caller, carriers = await ranked(t)
    cheap = carriers["cheap"] = await t.carrier("cheap", last=8)
    cheap.plan = answer()
    await t.vendor(cheap, rates={"880": per_minute("0.001")}, priority=9)
    assert await order(t) == ["dear", "good", "cheap"]
    await t.set("SS_GATEWAY_FEE_RATE_ROUTE_SORT_CONFIG", 2)
    assert await order(t) == ["cheap", "good", "dear"]
    await t.set("SS_GATEWAY_ASR_ROUTE_SORT_CONFIG", 1)
    assert await order(t) == ["good", "cheap", "dear"]
    await t.set("SS_GATEWAY_ASR_ROUTE_SORT_CONFIG", 2)
    assert await order(t) == ["good", "cheap", "dear"], "at the same place quality comes first"
    await t.set("SS_GATEWAY_FEE_RATE_ROUTE_BEFORE_ASR", "On")
    assert await order(t) == ["cheap", "good", "dear"]
    await calls(t, caller, 1, routing_gateway="cheap", tries=1)
