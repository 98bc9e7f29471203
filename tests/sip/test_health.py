"""Whether a vendor is there: OPTIONS to each of its addresses, and what follows for calls, screens and alarms."""

from harness.control import Refused
from harness.scene import scene
from harness.sip import Message, token
from harness.stage import BUY
from harness.watch import poll
from test_digest import Guard, vendor_with_password

FAST = {"SS_SIP_OPTIONS_CHECK_PERIOD": 5}


async def health(t, name):
    rows = await t.ctl.ask("gateway.status")
    return next(r for r in rows if r["name"] == name)


async def becomes(t, name, state, within=30):
    async def ask():
        row = await health(t, name)
        return row if row["health"] == state else None
    return await poll(ask, f"{name} {state}", within=within)


async def alarms(t, kind):
    return [a["object"] for a in await t.ctl.ask("alarm.list") if a["type"] == kind]


async def vendor(t, name, last, priority, **fields):
    carrier = await t.carrier(name, last=last)
    await t.vendor(carrier, priority=priority, **fields)
    return carrier


@scene(idle=True, settings=FAST)
async def test_a_vendor_that_goes_and_comes_back(t):
    """Up by any answer but 503, down by two 503 in a row: no call goes there, everybody can see why;
    an answer (404 will do) brings it back and ends the alarm."""
    caller = await t.caller()
    await t.customer(caller)
    first, second = await vendor(t, "v1", 3, 1), await vendor(t, "v2", 4, 2)
    await becomes(t, "v1", "up")
    await t.cdr(await caller.place("88017"), routing_gateway="v1")
    first.options_code = 503
    row = await becomes(t, "v1", "down")
    assert row["since"] and row["addresses"] == [f"{first.address} down"], row
    assert (await t.ctl.ask("routing-gateway.show", name="v1"))["health"] == "down"
    assert await alarms(t, "gateway_down") == ["v1"]
    explained = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017")
    assert any(s["step"] == "v1" and "down since" in s["detail"] for s in explained["steps"]), explained
    for i in range(4):  # whichever worker has it
        await t.cdr(await caller.place(f"88018{i}"), routing_gateway="v2", tries=1)
    assert len(first.legs) == 1 and len(second.legs) == 4
    await t.ctl.ask("routing-gateway.set", name="v2", status="locked")
    await t.refused(caller.invite("88019"), 503, "AllGatewayBusy")
    first.options_code = 404
    await becomes(t, "v1", "up")
    assert not await alarms(t, "gateway_down")
    await t.cdr(await caller.place("88017"), routing_gateway="v1")


@scene(idle=True, settings=FAST)
async def test_the_other_address_of_the_same_vendor(t):
    """One of two addresses falls silent: calls go to the other at once. Both gone: the next vendor."""
    caller = await t.caller()
    await t.customer(caller)
    near, far = await t.carrier("near", last=3), await t.carrier("far", last=4)
    await t.vendor(near, name="pair", address=[near.address, far.address], priority=1)
    spare = await vendor(t, "spare", 5, 2)
    await near.until(lambda: near.options, "OPTIONS")
    await becomes(t, "pair", "up")
    await t.cdr(await caller.place("88017"), routing_gateway="pair")
    assert len(near.legs) == 1
    near.options_code = None

    async def gone():
        return f"{near.address} down" in (await health(t, "pair"))["addresses"]
    await poll(gone, "the near address down", within=30)
    assert (await health(t, "pair"))["health"] == "up"
    assert await alarms(t, "gateway_address_down") == [f"pair {near.address}"]
    await t.cdr(await caller.place("88018"), routing_gateway="pair", tries=1)
    assert len(near.legs) == 1 and len(far.legs) == 1
    far.options_code = 503
    await becomes(t, "pair", "down")
    await t.cdr(await caller.place("88019"), routing_gateway="spare", tries=1)
    assert len(spare.legs) == 1


@scene(idle=True, settings=FAST)
async def test_deaf_and_unasked_vendors(t):
    """One that never answers OPTIONS stays in service, with an alarm that says so; one that is not to be
    asked is not; a probe is a whole request, and over TCP too."""
    caller = await t.caller()
    await t.customer(caller)
    deaf = await t.carrier("deaf", last=3)
    deaf.options_code = None
    await t.vendor(deaf, priority=1)
    unasked = await vendor(t, "unasked", 4, 2, options_check=False)
    tcp = await vendor(t, "tcp", 5, 3, transport="tcp")
    await becomes(t, "tcp", "up")
    probe = tcp.options[0]
    assert probe.uri == f"sip:{tcp.address};transport=tcp" and not probe.to_tag
    assert probe.get("Accept") == "application/sdp" and probe.contact

    async def warned():
        return await alarms(t, "gateway_unprobed") == [f"deaf {deaf.address}"]
    await poll(warned, "the alarm of a deaf vendor", within=30)
    assert (await health(t, "deaf"))["health"] == (await health(t, "unasked"))["health"] == "unprobed"
    await t.cdr(await caller.place("88017"), routing_gateway="deaf")
    await t.ctl.ask("routing-gateway.set", name="deaf", status="locked")
    await t.cdr(await caller.place("88017"), routing_gateway="unasked")
    assert not unasked.options and len(deaf.options) > 1
    await t.ctl.ask("routing-gateway.set", name="deaf", options_check=False)

    async def over():
        return not await alarms(t, "gateway_unprobed")
    await poll(over, "the end of the alarm")


async def test_each_gateway_has_its_own_probe(t):
    """Twenty gateways at one address: each is asked by itself."""
    carrier = await t.carrier()
    await t.rates("buy", {"880": BUY})
    await t.account("acc", kind="clearing", rate_group="buy")
    for i in range(20):
        await t.ctl.ask("routing-gateway.add", name=f"g{i:02}", account="acc", prefix=["880"],
                        address=[carrier.address])
    await carrier.until(lambda: len(carrier.options) >= 20, "twenty probes")
    assert len({m.call_id for m in carrier.options}) == len(carrier.options) == 20


async def test_we_answer_options_of_those_we_know(t):
    """200 with what we take; strangers hear nothing, and a vendor may ask as well as a customer."""
    caller, carrier = await t.plain()
    stranger = await t.caller("stranger", last=9)
    silent = stranger.ask("OPTIONS")
    for peer in (caller, carrier):
        answer = await ask_options(peer, peer.udp.to(t.address))
        assert answer.code == 200, answer.start_line()
        allow = [m.strip() for m in answer.get("Allow").split(",")]
        assert {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"} <= set(allow), allow
        assert answer.get("Accept") == "application/sdp" and answer.get("Supported") is not None
    assert not silent.responses
    silent.stop()


async def ask_options(peer, flow):
    uri = f"sip:{flow.peer[0]}:{flow.peer[1]}"
    msg = Message("OPTIONS", uri, headers=[
        ("Via", peer.via(flow)), ("Max-Forwards", 70), ("From", f"<sip:ping@{peer.ip}>;tag={token()}"),
        ("To", f"<{uri}>"), ("Call-ID", f"{token()}@{peer.ip}"), ("CSeq", "1 OPTIONS"),
        ("Contact", peer.contact(flow))])
    return await peer.request(msg, flow).response()


@scene(idle=True)
async def test_an_alarm_that_counts_ends_when_it_is_acknowledged(t):
    """A vendor's changed realm: acknowledged, it is over; another change raises it again. One about how
    things are stays until they are better, and says who looks after it."""
    caller, carrier = await vendor_with_password(t)
    for realm in ("old.example", "new.example"):
        carrier.plan = Guard(realm)
        await caller.place("88017")
    assert await alarms(t, "vendor_realm") == ["vendor"]
    code, out, err = await t.switch.cli("alarm", "ack", "vendor_realm", "object=vendor")
    assert code == 0, (out, err)
    assert not await alarms(t, "vendor_realm")
    carrier.plan = Guard("third.example")
    await caller.place("88018")
    (row,) = [a for a in await t.ctl.ask("alarm.list") if a["type"] == "vendor_realm"]
    assert row["value"] == 1 and row["acked"] is None, row
    carrier.options_code = 503
    await t.set("SS_SIP_OPTIONS_CHECK_PERIOD", 5)
    await becomes(t, "vendor", "down")
    (acked,) = await t.ctl.ask("alarm.ack", type="gateway_down")
    assert acked["acked"] and acked["acked_by"] and await alarms(t, "gateway_down") == ["vendor"]
    try:
        await t.ctl.ask("alarm.ack", type="nothing")
        raise AssertionError("an alarm that does not stand was acknowledged")
    except Refused as e:
        assert e.data["code"] == "not_found" and e.data["field"] == "type", e.error
    carrier.options_code = 200
    await becomes(t, "vendor", "up")
    assert not await alarms(t, "gateway_down")
