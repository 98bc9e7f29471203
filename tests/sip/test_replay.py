"""`route replay`: yesterday's calls routed again, by the configuration as it is and with changes."""

import asyncio
from fractions import Fraction

from harness.control import Refused
from harness.oracle import Terms, charge
from harness.plans import answer, dead, reject
from harness.scene import scene
from harness.watch import poll

PRICES = {"a": Terms(price="0.001"), "b": Terms(price="0.002", first=30, step=6), "c": Terms(price="0.004", first=60, step=60)}


async def three_vendors(t, **customer):
    caller = await t.caller()
    await t.customer(caller, **customer)
    carriers = {}
    for i, (name, terms) in enumerate(PRICES.items()):
        carriers[name] = await t.carrier(name, last=3 + i)
        await t.vendor(carriers[name], name, priority=i + 1, rates={"880": terms}, options_check=False)
    return caller, carriers


async def replay(t, *wishes, **asked):
    return await t.ctl.ask("route.replay", within=60, **asked, **({"with": list(wishes)} if wishes else {}))


async def booked(t, n):
    async def there():
        found = await t.ctl.ask("cdr.list", limit=1000)
        return found if len(found) >= n else None
    return await poll(there, f"{n} records")


async def some_traffic(t, caller, carriers):
    """Answered at the first, after a failure, refused by all, refused by a verdict, by us, and to nobody."""
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    calls = []
    for callee, plans in (("88011", ()), ("88012", (reject(503),)), ("88013", (reject(503), dead())),
                          ("88014", (reject(500), reject(503), reject(480))), ("88015", (reject(404),)), ("88016", ())):
        for name, plan in zip(carriers, plans + (answer(),) * (3 - len(plans))):
            carriers[name].on(callee, plan)
        call = caller.invite(callee)
        if (await call.final(within=30)).code == 200:
            await call.hang_up()
        calls.append(await t.cdr(call))
    nobody = caller.invite("999")
    await nobody.final()
    return calls + [await t.cdr(nobody)]


async def test_the_configuration_as_it_is_reproduces_every_call(t):
    """Whatever the vendors did: each call's vendors are found again in their order. What is not compared is said."""
    caller, carriers = await three_vendors(t)
    calls = await some_traffic(t, caller, carriers)
    assert [c["tries"] for c in calls] == [1, 2, 3, 3, 1, 1, 0]
    got = await replay(t)
    assert (got["records"], got["routed"], got["reproduced"], got["not_reproduced"]) == (7, 6, 6, 0), got
    assert (got["refused_before"], got["to_phones"], got["by_turn"], got["caller_gone"]) == (1, 0, 0, 0), got
    assert "moves" not in got and got["examples"] == []
    assert (await replay(t, account="nobody"))["records"] == 0
    assert (await replay(t, gateway="acme-in"))["records"] == 7
    assert (await replay(t, records=3))["records"] == 3
    assert (await replay(t, to="2020-01-01T00:00:00Z", **{"from": "2019-01-01T00:00:00Z"}))["records"] == 0


async def test_a_vendor_that_was_full_is_taken_to_be_full(t):
    """Its lines were in use then; that the configuration alone would choose it is no difference. So with one that was down."""
    caller, carriers = await three_vendors(t)
    await t.ctl.ask("routing-gateway.set", name="a", line_limit=1)
    first = caller.invite("88011")
    await first.expect(200)
    second = await caller.place("88012")
    assert (await t.cdr(second))["routing_gateway"] == "b"
    await first.hang_up()
    await t.cdr(first, routing_gateway="a")
    got = await replay(t, "routing-gateway a priority=2")
    assert (got["routed"], got["reproduced"], got["moved"]) == (2, 2, 0), got
    got = await replay(t, "routing-gateway b down")
    assert [(m["from"], m["to"], m["calls"]) for m in got["moves"]] == [("b", "c", 1)], got
    await t.ctl.ask("routing-gateway.set", name="a", status="locked")
    got = await replay(t)
    assert (got["reproduced"], got["not_reproduced"], len(got["examples"])) == (1, 1, 1), got
    assert got["examples"] == [(await t.cdr_of(first.call_id))["id"]], got


async def test_changes_move_calls_and_margins(t):
    """Exactly the calls that the changed configuration routes otherwise, with the exact charge of the other vendor for their length. A call
    with the changes made in earnest goes where the replay said; nothing of the switch has changed meanwhile."""
    caller, carriers = await three_vendors(t)
    calls = await some_traffic(t, caller, carriers)
    answered = [c for c in calls if c["answer"]]
    before = (await t.ctl.ask("log.list"), await t.ctl.ask("ledger.verify"))
    got = await replay(t, "routing-gateway a down")
    # The first and the last went to a; of those that b and c answered, a had failed anyway. Unanswered ones count by their first vendor.
    assert {(m["from"], m["to"], m["calls"], m["answered"]) for m in got["moves"]} == {("a", "b", 4, 2)}, got
    assert (got["routed"], got["reproduced"], got["moved"], got["without_route"], got["newly_routed"]) == (6, 6, 4, 0, 0), got
    moved = [c for c in answered if c["routing_gateway"] == "a"]
    cost = {name: sum(charge(PRICES[name], c["hold_ms"]).total for c in moved) for name in "ab"}
    (move,) = got["moves"]
    assert Fraction(move["cost_before"]) == sum(Fraction(c["cost"]) for c in moved) == cost["a"], (move, cost)
    assert Fraction(move["cost_after"]) == cost["b"], (move, cost)
    (usd,) = got["currencies"]
    assert Fraction(usd["income_before"]) == Fraction(usd["income_after"]) == sum(Fraction(c["fee"]) for c in answered), usd
    assert Fraction(usd["cost_before"]) == sum(Fraction(c["cost"]) for c in answered), usd
    assert Fraction(usd["margin_change"]) == cost["a"] - cost["b"], usd
    by_name = {v["routing_gateway"]: v for v in got["vendors"]}
    assert by_name["a"]["calls_after"] == 0 and by_name["b"]["calls_after"] == by_name["b"]["calls_before"] + 4, by_name

    got = await replay(t, "mapping-gateway acme-in min_profit=0.012")
    assert (got["moved"], got["without_route"]) == (0, 6), got
    assert (await replay(t, "account acme status=locked"))["without_route"] == 0, "accounts' locks are not replayed"
    got = await replay(t, "mapping-gateway acme-in policy=cost", "routing-gateway c price 0.0000001")
    assert {(m["from"], m["to"]) for m in got["moves"]} <= {("a", "c"), ("b", "c")} and got["moves"], got
    assert (await t.ctl.ask("log.list"), await t.ctl.ask("ledger.verify")) == before
    explained = await t.ctl.ask("route.explain", gateway="acme-in", callee="88011")
    assert [s["step"] for s in explained["steps"] if s["verdict"] == "candidate"] == ["a", "b", "c"]
    await t.ctl.ask("routing-gateway.set", name="a", status="locked")
    assert (await t.cdr(await caller.place("88016")))["routing_gateway"] == "b"


async def test_what_is_by_turn_is_not_compared(t):
    """Shares and quality hang on more than the configuration."""
    caller, carriers = await three_vendors(t, policy="weight")
    await t.cdr(await caller.place("88011"))
    got = await replay(t)
    assert (got["records"], got["by_turn"], got["routed"]) == (1, 1, 0), got
    await t.ctl.ask("mapping-gateway.del", name="acme-in")
    assert (await replay(t))["caller_gone"] == 1


async def test_wishes_that_make_no_sense(t):
    caller, carriers = await three_vendors(t)
    for wish, word in (("routing-gateway nobody down", "no such routing gateway"), ("routing-gateway a price x", "price"),
                       ("mapping-gateway nobody policy=cost", "none of that name"), ("rate sell/880 price=1", "kind"),
                       ("parameter NOBODY 1", "no such parameter"), ("mapping-gateway acme-in policy=dice", "policy"),
                       ("parameter SS_GATEWAY_SWITCH_LIMIT x", "SS_GATEWAY_SWITCH_LIMIT")):
        try:
            await replay(t, wish)
        except Refused as e:
            assert word in str(e) + str(e.data), (wish, e, e.data)
        else:
            raise AssertionError(f"{wish} was taken")
    assert (await replay(t))["records"] == 0


@scene(heavy=True, within=180)
async def test_calls_go_on_while_many_are_replayed(t):
    """In the background: calls and changes meanwhile are served."""
    caller, carriers = await three_vendors(t, rate_limit=0)
    await t.set("SS_MAX_CALL_PER_SECOND", 1000)
    for carrier in carriers.values():
        carrier.plan = reject(404)
    for _ in range(10):
        many = [caller.invite(f"88017{n:03}") for n in range(40)]
        for call in many:
            await call.final(within=30)
    await booked(t, 400)
    carriers["a"].plan = answer()
    going = [asyncio.create_task(replay(t, "routing-gateway a down")) for _ in range(2)]
    await t.ctl.ask("routing-gateway.set", name="a", memo="changed meanwhile")
    call = await caller.place("88011")
    await t.cdr(call, routing_gateway="a")
    done = await asyncio.gather(*going)
    for got in done:
        assert got["records"] in (400, 401) and got["reproduced"] == got["moved"] == got["records"], got
    assert (await replay(t))["records"] == 401
