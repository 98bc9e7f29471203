"""What is drawn for each call: the caller out of a vendor's pool, the routing prefix of a customer's split; and what a refusal is
taken for by its code and cause."""

import asyncio
from collections import Counter

from harness.control import Refused
from harness.plans import answer, reject, silent_after


async def refusal(t, entity, **fields):
    try:
        await t.ctl.ask(f"{entity}.set", **fields)
    except Refused as e:
        return e.data
    raise AssertionError(f"{fields} was taken")


async def explained(t, callee="88017", gateway="acme-in", **asked):
    return (await t.ctl.ask("route.explain", gateway=gateway, callee=callee, **asked))["steps"]


def candidates(steps):
    return [s["step"] for s in steps if s["verdict"] == "candidate"]


async def pool(t, name, *numbers):
    await t.ctl.ask("number-list.add", name=name)
    await t.ctl.ask("number-list.import", name=name, content="number\n" + "\n".join(numbers) + "\n")


async def test_callers_are_drawn_one_after_the_other(t):
    """In the order of the list, whatever the customer sent and the vendor's own rules make; `route explain` shows whose turn it is and
    takes none; the record has what was sent. A change of the list holds from the next call on."""
    caller, carrier = await t.plain()
    await pool(t, "p", "441", "442", "443")
    await t.ctl.ask("routing-gateway.set", name="vendor", caller_pool="p", caller_rules=[":99"])
    for want in ("441", "442", "443", "441"):
        steps = await explained(t, caller="1001")
        assert f"as {want} of p" in steps[-1]["detail"], steps[-1]
        call = await caller.place("88017")
        assert carrier.legs[-1].caller == want
        await t.cdr(call, caller="1001", caller_out=want)
    await t.ctl.ask("number-list.import", name="p", content="number\n551\n", mode="replace")
    await caller.place("88017")
    assert carrier.legs[-1].caller == "551"
    await caller.place("88017", caller="anonymous")
    assert carrier.legs[-1].caller == "anonymous", "who asks for privacy has it"
    assert (await refusal(t, "routing-gateway", name="vendor", caller_pool="none"))["field"] == "caller_pool"
    await t.ctl.ask("routing-gateway.set", name="vendor", caller_pool=None)
    await caller.place("88017")
    assert carrier.legs[-1].caller == "991001"


async def test_callers_are_drawn_at_random(t):
    caller, carrier = await t.plain()
    numbers = [f"44{n}" for n in range(5)]
    await pool(t, "p", *numbers)
    await t.ctl.ask("routing-gateway.set", name="vendor", caller_pool="p", caller_pool_order="random")
    assert "one of 5 callers of p" in (await explained(t))[-1]["detail"]
    await asyncio.gather(*[caller.place(f"8801{n:03}") for n in range(60)])
    drawn = Counter(leg.caller for leg in carrier.legs)
    assert set(drawn) == set(numbers), drawn  # one of them is missed once in 130,000 runs


async def test_a_number_of_a_pool_has_its_limit(t):
    """The next free one is taken; when all are in use the vendor is passed over; a line comes back with the end of the try."""
    caller, carrier = await t.plain()
    other = await t.carrier("other", last=4)
    await t.vendor(other, priority=99)
    await pool(t, "p", "441", "442")
    await t.ctl.ask("routing-gateway.set", name="vendor", caller_pool="p", caller_pool_lines=1, priority=1)
    carrier.plan = silent_after(180)
    held = [caller.invite("88011"), caller.invite("88012")]
    for call in held:
        await call.rings()
    assert sorted(leg.caller for leg in carrier.legs) == ["441", "442"]
    skipped = [s for s in await explained(t) if s["step"] == "vendor"]
    assert "the 2 numbers of the caller pool p are all in as many calls as may be (1)" in skipped[0]["detail"], skipped
    await t.cdr(await caller.place("88013"), routing_gateway="other", tries=1)
    held[0].cancel()
    await held[0].expect(487)
    await t.cdr(held[0])
    carrier.plan = reject(503)  # a try that fails gives its number back, too
    for n in range(3):
        await t.cdr(await caller.place(f"8802{n}"), routing_gateway="other", tries=2)
    given_back, = [leg.caller for leg in carrier.legs if leg.callee == "88011"]
    assert {leg.caller for leg in carrier.legs[2:]} == {given_back}
    held[1].cancel()
    await held[1].expect(487)


async def split_stage(t, split):
    """Vendors a and b are reached by the routing prefixes 71 and 72, c by the number alone."""
    caller = await t.caller()
    await t.customer(caller, split=split)
    carriers = {}
    for i, (name, prefix) in enumerate((("a", "71880"), ("b", "72880"), ("c", "880"))):
        carriers[name] = await t.carrier(name, last=3 + i)
        await t.vendor(carriers[name], prefix=[prefix])
    return caller, carriers


async def test_calls_are_split_by_percent(t):
    """Exactly, in a hundred calls; what is left goes by the number alone. The prefix is neither billed nor sent. `route explain` shows
    the turn of the next call and takes none."""
    caller, carriers = await split_stage(t, ["71:30", "72:60"])
    await t.set("SS_MAX_CALL_PER_SECOND", 1000)
    for n in range(3):
        told = candidates(await explained(t))
        assert told == candidates(await explained(t))
        cdr = await t.cdr(await caller.place(f"8801{n}"))
        assert [cdr["routing_gateway"]] == told
    await asyncio.gather(*[caller.place(f"8802{n:02}") for n in range(97)])
    assert {name: len(c.legs) for name, c in carriers.items()} == {"a": 30, "b": 60, "c": 10}
    assert all(leg.callee.startswith("880") for c in carriers.values() for leg in c.legs)
    assert cdr["callee"] == cdr["callee_out"] == "88012" and cdr["rate_prefix"] == "880"
    steps = (await t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"]
    assert [s for s in steps if s["step"] == "split"], steps


async def test_a_split_without_routes(t):
    """Another part's vendors are no way out; the price decides among those of the part; a change holds for the next call."""
    caller, carriers = await split_stage(t, ["79:100"])
    await t.refused(caller.invite("88017"), 503, "NoAvailableRouter")
    await t.ctl.ask("mapping-gateway.set", name="acme-in", split=["72:100"], policy="cost")
    await t.cdr(await caller.place("88017"), routing_gateway="b")
    await t.ctl.ask("routing-gateway.set", name="c", prefix=["72"])
    await t.ctl.ask("rate.set", key="c-buy/880", price="0.001")
    assert candidates(await explained(t)) == ["c", "b"]
    await t.cdr(await caller.place("88017"), routing_gateway="c")
    for bad in (["71:0"], ["71:101"], ["71:60", "72:41"], ["71:1", "71:2"], ["x:5"], ["71"], ["123456789:5"]):
        assert (await refusal(t, "mapping-gateway", name="acme-in", split=bad))["field"] == "split", bad


def with_cause(code, cause, **more):
    return reject(code, headers=[("Reason", f'Q.850;cause={cause};text="x"')], **more)


async def test_what_a_refusal_is_taken_for(t):
    """By its cause, else by its code: whether the hunt goes on, and what the customer hears; the record keeps the original."""
    caller, carrier = await t.plain()
    other = await t.carrier("other", last=4)
    await t.vendor(other, priority=99)
    await t.ctl.ask("routing-gateway.set", name="vendor", failure_codes=["404:503", "480:486", "500:404"],
                    failure_causes=["1:404", "34:503", "17:486"])
    cases = [(reject(404), "other", 200, 404), (reject(500), "vendor", 404, 500), (reject(480), "vendor", 486, 480),
             (with_cause(404, 1), "vendor", 404, 404), (with_cause(500, 17), "vendor", 486, 500),
             (with_cause(486, 34), "other", 200, 486), (with_cause(404, 99), "other", 200, 404),
             (with_cause(500, 200), "vendor", 404, 500)]
    for plan, gateway, heard, vendor_code in cases:
        carrier.plan = plan
        call = caller.invite("88017")
        got = await call.final()
        assert got.code == heard, (got.code, heard, vendor_code)
        if heard == 200:
            await call.hang_up()
        cdr = await t.cdr(call, routing_gateway=gateway)
        if heard != 200:
            assert cdr["vendor_code"] == vendor_code and cdr["sip_code"] == heard, cdr
        steps = (await t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"]
        replaced = [s["detail"] for s in steps if s["verdict"] == "replace"]
        assert (replaced == []) == (heard == vendor_code), (steps, heard)
    for field, bad in (("failure_codes", "404:401"), ("failure_codes", "302:503"), ("failure_causes", "128:503"),
                       ("failure_causes", "1:200"), ("failure_causes", "1:404,1:503")):
        data = await refusal(t, "routing-gateway", name="vendor", **{field: bad.split(",")})
        assert data["field"] == field, data


async def test_the_cause_that_a_customer_is_told(t):
    """Only if its gateway asks: the vendor's own where its refusal is passed on, that of the reason or code else; replaced by the map;
    no text of a vendor; none for a CANCEL."""
    caller, carrier = await t.plain()
    carrier.plan = with_cause(404, 3)
    assert (await caller.invite("88017").expect(404)).all("Reason") == []
    await t.ctl.ask("mapping-gateway.set", name="acme-in", reason_header=True, failure_causes=["34:42", "88:0"])
    for plan, code, cause in ((with_cause(404, 3), 404, 3), (reject(404), 404, 1), (reject(486), 486, 17),
                              (reject(603), 603, 21), (with_cause(503, 34), 503, 42), (reject(488), 488, 88)):
        carrier.plan = plan
        got = await caller.invite("88017").expect(code)
        assert got.all("Reason") == [f"Q.850;cause={cause}"], (got.all("Reason"), cause)
    got = await caller.invite("99").expect(403)  # no rate: our own refusal
    assert got.all("Reason") == ["Q.850;cause=21"], got.all("Reason")
    carrier.plan = silent_after(180)
    call = caller.invite("88018")
    await call.rings()
    call.cancel()
    got = await call.expect(487)
    assert got.all("Reason") == []
    carrier.plan = answer()
    await caller.place("88017")
    assert (await refusal(t, "mapping-gateway", name="acme-in", failure_causes=["0:128"]))["field"] == "failure_causes"
