"""`route explain` with changes that only its answer knows, and at another moment."""

from harness.control import Refused
from test_policies import order, per_minute, vendors


async def refused(t, wish, word):
    try:
        await order(t, **{"with": [wish]})
    except Refused as e:
        assert word in str(e) and "with" in str(e), e
        return
    raise AssertionError(f"{wish} was taken")


async def test_changes_that_are_not_saved(t):
    """A vendor down, or up again; another price, priority, status, policy, parameter: each seen by the answer alone."""
    caller, carriers = await vendors(t, {
        "a": dict(rates={"880": per_minute("0.001")}, priority=1),
        "b": dict(rates={"880": per_minute("0.002")}, priority=2),
        "c": dict(rates={"880": per_minute("0.003")}, priority=3)})

    async def with_(*wishes):
        return await order(t, **{"with": list(wishes)})
    before = await t.ctl.ask("log.list")
    assert await with_("routing-gateway a down") == ["b", "c"]
    assert await with_("routing-gateway a down", "routing-gateway b down") == ["c"]
    assert await with_("routing-gateway c priority=1", "routing-gateway a priority 9") == ["c", "b", "a"]
    assert await with_("routing-gateway b status=locked") == ["a", "c"]
    assert await with_("mapping-gateway acme-in policy=cost") == ["a", "b", "c"]
    assert await with_("mapping-gateway acme-in policy=cost", "routing-gateway c price 0.0001") == ["c", "a", "b"]
    assert await with_("mapping-gateway acme-in min_profit=0", "routing-gateway a price=0.02") == ["b", "c"]
    assert await with_("parameter SS_GATEWAY_FEE_RATE_ROUTE_SORT_CONFIG 1", "routing-gateway c price 0") == ["c", "a", "b"]
    assert await with_("account b-acc status=locked") == ["a", "c"]
    assert await order(t) == ["a", "b", "c"], "nothing was saved"
    assert await t.ctl.ask("log.list") == before
    await t.ctl.ask("routing-gateway.set", name="a", status="locked")
    assert await with_("routing-gateway a status=normal") == ["a", "b", "c"]
    assert await order(t) == ["b", "c"]


async def test_how_long_a_call_could_last(t):
    """By the money that there is; nothing of the kind for who is not held to it."""
    caller, _carriers = await vendors(t, {"a": {}})
    balance = (await t.ctl.ask("account.show", id="acme"))["available"]

    async def money_steps():
        told = await t.ctl.ask("route.explain", gateway="acme-in", callee="8801712345678")
        return [s["detail"] for s in told["steps"] if s["step"] == "money"]
    price = (await t.ctl.ask("rate.list", group="acme-sell"))[0]
    await t.ctl.ask("rate.set", key=f"acme-sell/{price['prefix']}", price="60", unit=60, first=1, step=1)
    assert f"enough for a call of {int(float(balance))} s" in await money_steps(), await money_steps()
    await t.ctl.ask("account.set", id="acme", anti_overdraft=False)
    assert not await money_steps()


async def test_what_makes_no_sense_is_named(t):
    await vendors(t, {"a": {}})
    await refused(t, "routing-gateway nobody down", "no such routing gateway")
    await refused(t, "routing-gateway a price cheap", "not a price")
    await refused(t, "routing-gateway a down now", "a word too many")
    await refused(t, "rate-group a-buy fee_unit=1", "nothing of that kind")
    await refused(t, "routing-gateway a", "does not say what")
    await refused(t, "parameter SS_NOTHING 1", "no such parameter")
    for wish, word in (("routing-gateway a priority=-1", "priority"), ("routing-gateway nobody priority=1", "nobody"),
                       ("parameter SS_GATEWAY_SWITCH_LIMIT many", "SS_GATEWAY_SWITCH_LIMIT")):
        try:
            await order(t, **{"with": [wish]})
        except Refused as e:
            assert word in str(e), e
        else:
            raise AssertionError(f"{wish} was taken")
    assert await order(t) == ["a"]
    await t.ctl.ask("routing-gateway.set", name="a", priority=3)  # the transaction was ended each time


async def test_at_another_moment(t):
    """A price that takes over tomorrow turns the order round tomorrow."""
    await vendors(t, {"a": dict(rates={"880": per_minute("0.001")}), "b": dict(rates={"880": per_minute("0.002")})},
                  policy="cost")
    await t.ctl.ask("rate.add", group="a-buy", prefix="880", price="0.005", unit=60, effective="2090-01-01T00:00:00Z")
    assert await order(t) == ["a", "b"]
    assert await order(t, at="2090-01-01T00:00:00Z") == ["b", "a"]
    assert await order(t, at="2089-12-31T23:59:59Z") == ["a", "b"]
