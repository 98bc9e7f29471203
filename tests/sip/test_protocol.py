"""SIP around the call: OPTIONS, methods, extensions, hops, merged and looping requests."""

from harness import plans, sip

METHODS = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"}


def listed(value):
    return {x.strip() for x in (value or "").split(",")}


async def test_options_is_answered_to_known_peers(t):
    """A customer's and a vendor's keep-alive: 200 with what we can do; no record is written."""
    caller, _carrier = await t.plain()
    answer = await caller.ask("OPTIONS").response()
    assert answer.code == 200 and METHODS <= listed(answer.get("Allow")), answer.headers
    vendor = await t.caller("vendor-pinging", last=3)
    assert (await vendor.ask("OPTIONS").response()).code == 200
    flow = await caller.tcp_flow()
    assert (await caller.ask("OPTIONS", flow=flow).response()).code == 200
    await caller.place("88017")
    await t.books.settled()
    assert len(await t.ctl.ask("cdr.list")) == 1


async def test_unknown_methods_are_refused_with_allow(t):
    caller, _carrier = await t.plain()
    for method in ("FOO", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER"):
        answer = await caller.ask(method).response()
        assert answer.code in (405, 603), answer.start_line()
        if answer.code == 405:
            assert METHODS <= listed(answer.get("Allow")), f"405 without Allow: {answer.headers}"


async def test_required_extensions_are_named_back(t):
    caller, carrier = await t.plain()
    call = caller.invite("88017", headers=[("Require", "100rel, noSuchThing")])
    answer = await call.expect(420)
    assert "noSuchThing" in listed(answer.get("Unsupported")), answer.headers
    assert not carrier.legs


async def test_max_forwards(t):
    """0 is 483 and goes nowhere; a call that has hops left loses one, so that loops end."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", headers=[("Max-Forwards", "0")])
    await call.expect(483)
    assert not carrier.legs
    call = caller.invite("88018", headers=[("Max-Forwards", "10")])
    await call.expect(200)
    assert int(carrier.legs[0].invite.get("Max-Forwards")) < 10
    await call.hang_up()


async def test_the_same_call_by_two_ways_is_merged(t):
    """RFC 3261 §8.2.2.2: same From tag, Call-ID and CSeq with another branch: 482, one call only."""
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    await call.rings()
    again = sip.parse(call.txn.msg.encode())
    again.set("Via", caller.via(call.flow))
    answer = await caller.request(again, call.flow).response()
    assert answer.code == 482, answer.start_line()
    call.cancel()
    await call.expect(487)
    assert len(carrier.legs) == 1


async def test_a_call_that_comes_back_to_us(t):
    """A vendor that is ourselves: the loop ends by itself with an error, and nothing is charged."""
    caller, _carrier = await t.plain()
    own = f"{t.switch.ip}:{t.switch.port}"
    try:
        await t.ctl.ask("routing-gateway.set", name="vendor", address=[own])
        await t.gateway_in("acme", "ourselves", address=[t.switch.ip])
    except Exception as e:
        assert "own" in str(e) or "address" in str(e), e
        return
    answer = await caller.invite("88017").final(within=40)
    assert answer.code in (482, 483, 503), answer.start_line()
    await t.books.settled()
    assert await t.books.balance("acme") == 100


async def test_rport_and_received(t):
    """RFC 3581: the answer goes to the source and says where that was, whatever Via claims."""
    caller, _carrier = await t.plain()
    lie = f"SIP/2.0/UDP 192.0.2.7:9;rport;branch={sip.COOKIE}{sip.token()}"
    answer = await caller.ask("OPTIONS", headers=[("Via", lie)]).response()
    via = sip.split_params(answer.get("Via"))[1]
    assert via["received"] == caller.ip and via["rport"] == str(caller.port), answer.get("Via")


async def test_every_request_has_its_own_branch_and_the_hops_match(t):
    """ACK of a 200 and BYE have new branches; CANCEL and ACK of a refusal repeat the INVITE's."""
    caller, carrier = await t.plain()
    await caller.place("88017")
    leg = carrier.legs[0]
    branches = [leg.invite.branch, leg.acks[0].branch, leg.requests[-1].branch]
    assert len(set(branches)) == 3, branches
    assert leg.acks[0].cseq == (leg.invite.cseq[0], "ACK")
    assert leg.requests[-1].cseq[0] > leg.invite.cseq[0]


async def test_record_route_of_a_vendors_proxy_is_followed(t):
    """Route set and remote target are two things: ACK and BYE carry the Route and the Contact's URI."""
    caller, carrier = await t.plain()
    proxy = f"<sip:{carrier.address};lr>"

    async def plan(leg):
        leg.first.msg.headers.append(("Record-Route", proxy))
        leg.accept()
    carrier.plan = plan
    await caller.place("88017")
    leg = carrier.legs[0]
    assert leg.acks[0].get("Route") == proxy and leg.acks[0].uri == f"sip:peer@{carrier.address}"
    assert leg.requests[-1].get("Route") == proxy


async def test_the_last_hop_is_not_spent_on_a_vendor(t):
    """Max-Forwards 1 leaves none for the vendor: 482 LoopDetected, written down."""
    caller, carrier = await t.plain()
    await t.refused(caller.invite("88017", headers=[("Max-Forwards", "1")]), 482, "LoopDetected")
    assert not carrier.legs
