"""Who is calling: address, network, port, transport, tech prefix; and who gets nothing at all."""

from harness import net, plans, sip
from harness.control import Refused
from harness.oracle import Terms
from harness.stage import count_in
from harness.watch import poll


async def unknown_count(t):
    return count_in(await t.status(), "unknown") or 0


async def test_an_unknown_source_gets_nothing(t):
    """Not one byte to INVITE, OPTIONS, REGISTER or rubbish; each is counted; the others are served."""
    caller, carrier = await t.plain()
    stranger = await t.caller("stranger", last=9)
    before = await unknown_count(t)
    stranger.invite("88017")
    for method in ("OPTIONS", "REGISTER", "BYE", "FOO"):
        stranger.ask(method)
    stranger.udp.to(stranger.switch).send(b"hello\r\n\r\n")

    async def counted():
        return (await unknown_count(t)) >= before + 5
    await poll(counted, "count of at least 5 requests of unknown sources")
    await caller.place("88017")
    assert t.wire.bytes_to("stranger") == b"", "the stranger got an answer"
    assert len(carrier.legs) == 1


async def test_an_unknown_source_gets_nothing_over_tcp(t):
    caller, _carrier = await t.plain()
    stranger = await t.caller("stranger", last=9)
    before = await unknown_count(t)
    flow = await stranger.tcp_flow()
    stranger.invite("88017", flow=flow)

    async def counted():
        return (await unknown_count(t)) > before or flow.closed.done()
    await poll(counted, "count of a request of an unknown source")
    await caller.place("88017")
    assert flow.received == 0


async def test_a_vendor_address_is_no_customer(t):
    """A call from a vendor's address, with no mapping gateway for it, is of an unknown source."""
    caller, carrier = await t.plain()
    before = await unknown_count(t)
    outsider = await t.caller("vendor-as-caller", last=3)
    outsider.invite("88017")

    async def counted():
        return (await unknown_count(t)) > before
    await poll(counted, "count of the vendor's INVITE")
    assert t.wire.bytes_to("vendor-as-caller") == b""
    await caller.place("88017")
    assert len(carrier.legs) == 1


async def test_one_address_is_customer_and_vendor_at_once(t):
    caller, carrier = await t.plain()
    await t.account("two-way", "10", rate_group="acme-sell")
    await t.gateway_in("two-way", "two-way-in", address=[carrier.ip])
    both = await t.caller("vendor-as-caller", last=3)
    call = await both.place("880555")
    await t.cdr(call, mapping_gateway="two-way-in", routing_gateway="vendor", account="two-way")
    await caller.place("880556")


async def test_a_vendors_account_is_no_customers(t):
    """Calls are charged to customers and agents, vendors are paid by clearing accounts; whoever is both has two. Refused from either
    end, by the field at fault."""
    await t.plain()
    await t.account("idle", kind="clearing")
    for method, field, words, fields in (
            ("mapping-gateway.add", "account", "vendor's", dict(name="x", account="vendor-acc", address=["127.9.9.9"])),
            ("phone.add", "account", "vendor's", dict(number="1077", account="vendor-acc")),
            ("mapping-gateway.set", "account", "vendor's", dict(name="acme-in", account="vendor-acc")),
            ("routing-gateway.add", "account", "no vendor's", dict(name="x", account="acme", address=["127.9.9.9:5060"])),
            ("account.set", "kind", "acme-in", dict(id="acme", kind="clearing")),
            ("account.set", "kind", "vendor", dict(id="vendor-acc", kind="customer"))):
        try:
            await t.ctl.ask(method, **fields)
        except Refused as e:
            assert e.data["code"] == "conflict" and e.data["field"] == field and words in e.message, e.error
        else:
            raise AssertionError((method, fields))
    await t.ctl.ask("account.set", id="idle", kind="agent")
    await t.ctl.ask("mapping-gateway.add", name="x", account="idle", address=["127.9.9.9"])


async def test_networks_and_several_addresses(t):
    """A gateway is a list of networks; the narrowest match decides between two gateways."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, address=[t.net.cidr])
    await t.vendor(carrier)
    await t.account("special", "10", rate_group="acme-sell")
    special = await t.caller("special", last=77)
    other = await t.caller("other", last=78)
    await t.gateway_in("special", "special-in", address=[f"{special.ip}/32", "192.0.2.0/24"])
    await t.cdr(await special.place("880111"), mapping_gateway="special-in", account="special")
    await t.cdr(await other.place("880112"), mapping_gateway="acme-in", account="acme")


async def test_a_change_of_address_acts_on_the_next_call(t):
    caller, _carrier = await t.plain()
    moved = await t.caller("moved", last=20)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", address=[moved.ip])
    await moved.place("88017")
    before = await unknown_count(t)
    caller.invite("88018")

    async def counted():
        return (await unknown_count(t)) > before
    await poll(counted, "the old address to be unknown")


async def test_ip_and_port(t):
    """auth=ip_port: the right address with another source port is unknown."""
    port = net.free_port(t.net.ip(2))
    caller, carrier = await t.caller(port=port), await t.carrier()
    await t.customer(caller, auth="ip_port", address=[f"{caller.ip}:{port}"])
    await t.vendor(carrier)
    await t.cdr(await caller.place("88017"), mapping_gateway="acme-in")
    other = await t.caller("wrong-port")
    before = await unknown_count(t)
    other.invite("88018")

    async def counted():
        return (await unknown_count(t)) > before
    await poll(counted, "count of the wrong port")
    assert t.wire.bytes_to("wrong-port") == b"" and len(carrier.legs) == 1


async def test_transport_of_a_gateway(t):
    """transport=tcp: the same call over UDP is of an unknown source."""
    caller, carrier = await t.plain(transport="tcp")
    await caller.place("88017", flow=await caller.tcp_flow())
    before = await unknown_count(t)
    caller.invite("88018")

    async def counted():
        return (await unknown_count(t)) > before
    await poll(counted, "count of the UDP call")
    assert len(carrier.legs) == 1


async def test_tech_prefix_tells_gateways_apart(t):
    """Three customers behind one address: longest prefix decides, it is taken off before rating,
    and the CDR keeps the number as received. # and * are legal."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.vendor(carrier)
    await t.rates("sell", {"880": Terms(price="0.01")})
    for name, prefix in (("one", ["11#"]), ("two", ["11#*9"]), ("three", [])):
        await t.account(name, "10", rate_group="sell")
        more = {"tech_prefix": prefix} if prefix else {}
        await t.gateway_in(name, f"{name}-in", address=[caller.ip], **more)
    for dialled, account in (("11#880171", "one"), ("11#*9880172", "two"), ("880173", "three")):
        call = caller.invite(dialled, uri=f"sip:{dialled.replace('#', '%23')}@{t.switch.ip}",
                             to=f"<sip:{dialled.replace('#', '%23')}@{t.switch.ip}>")
        await call.expect(200)
        await call.hang_up()
        plain = dialled[-6:]
        cdr = await t.cdr(call, account=account, mapping_gateway=f"{account}-in", callee=plain,
                          callee_in=dialled, callee_out=plain)
        assert (await carrier.leg(plain)).callee == plain, cdr


async def test_ambiguous_gateways_are_refused_when_entered(t):
    caller, _carrier = await t.plain()
    for fields in ({"address": [caller.ip]}, {"address": [f"{caller.ip}/32"], "tech_prefix": []}):
        try:
            await t.gateway_in("acme", "again", **fields)
        except Exception as e:
            assert "acme-in" in str(e) or "address" in str(e), e
            continue
        raise AssertionError(f"an ambiguous pair was taken: {fields}")
    await t.gateway_in("acme", "told-apart", address=[caller.ip], tech_prefix=["77"])


async def test_callee_from_to_or_request_uri(t):
    """To by default; request_uri where the gateway says so."""
    caller, carrier = await t.plain()

    async def dial(ruri, to):
        call = caller.invite(to, uri=f"sip:{ruri}@{t.switch.ip}", to=f"<sip:{to}@{t.switch.ip}>")
        await call.expect(200)
        await call.hang_up()
        return (await t.cdr(call))["callee"]
    assert await dial("880111", "880222") == "880222"
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_from="request_uri")
    assert await dial("880333", "880444") == "880333"
    assert [leg.callee for leg in carrier.legs] == ["880222", "880333"]


async def test_caller_from(t):
    """From, display name, P-Asserted-Identity, Remote-Party-ID, P-Preferred-Identity."""
    caller, carrier = await t.plain()
    headers = [("P-Asserted-Identity", "<sip:3003@x.invalid>"), ("Remote-Party-ID", "<sip:4004@x.invalid>"),
               ("P-Preferred-Identity", "<sip:5005@x.invalid>")]
    for source, number in (("from", "1001"), ("display", "2002"), ("pai", "3003"), ("rpid", "4004"),
                           ("ppi", "5005")):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", caller_from=source)
        call = await caller.place("88017", from_value=f'"2002" <sip:1001@{caller.ip}>', headers=headers)
        await t.cdr(call, caller=number, caller_in=number)
        assert carrier.legs[-1].caller == number, source


async def test_numbers_are_normalised(t):
    """A leading +, visual separators and URI parameters go, nothing else; 00 stays."""
    caller, carrier = await t.plain()
    await t.ctl.ask("rate.add", group="acme-sell", prefix="00880", price="1")
    await t.ctl.ask("rate.add", group="vendor-buy", prefix="00880", price="1")
    await t.ctl.ask("routing-gateway.set", name="vendor", prefix=[])
    for user, plain in (("+880171", "880171"), ("880-17.(2)", "880172"), ("880173;phone-context=x", "880173"),
                        ("00880174", "00880174"), ("%38%38%30175", "880175")):
        call = caller.invite(user, uri=f"sip:{user}@{t.switch.ip}", to=f"<sip:{user}@{t.switch.ip};user=phone>")
        await call.expect(200)
        await call.hang_up()
        await t.cdr(call, callee=plain)
        assert carrier.legs[-1].callee == plain, (user, carrier.legs[-1].callee)
    call = caller.invite("880176", uri="tel:+880-176", to="<tel:+880-176>")
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, callee="880176")


async def test_a_number_that_is_none(t):
    """No digits at all: refused as a number (484) or for want of a rate; the vendor hears nothing."""
    caller, carrier = await t.plain()
    for user in ("anonymous", "abc"):
        call = caller.invite(user)
        assert (await call.final()).code in (403, 404, 484)
        assert (await t.cdr(call))["reason"] in ("NumberInvalid", "NoRate")
    assert not carrier.legs


async def test_a_locked_gateway_takes_no_calls(t):
    caller, carrier = await t.plain()
    await t.ctl.ask("mapping-gateway.set", name="acme-in", status="locked")
    await caller.invite("88017").expect(403)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", status="normal")
    await caller.place("88018")
    await t.ctl.ask("routing-gateway.set", name="vendor", status="locked")
    answer = await caller.invite("88019").final()
    assert answer.code == 503, answer.start_line()
    assert len(carrier.legs) == 1


async def test_number_rules(t):
    """The mapping gateway's rules act before rating, the routing gateway's after; the CDR has all three."""
    caller, carrier = await t.plain(callee_rules=["0:880"], caller_rules=["10:4420"])
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_rules=["880:#9880"], caller_rules=["44:+44"],
                    cost_number="before")
    call = await caller.place("0171", caller="1001")
    cdr = await t.cdr(call, callee_in="0171", callee="880171", caller_in="1001", caller="442001")
    leg = carrier.legs[0]
    assert cdr["callee_out"] == "#9880171" and cdr["caller_out"] == "+442001"
    assert leg.callee.replace("%23", "#") == "#9880171" and leg.caller == "+442001"


async def test_cost_number_before_or_after(t):
    """The vendor is rated by the number before or after its own rules, as the gateway says."""
    caller, carrier = await t.plain()
    await t.ctl.ask("rate.add", group="vendor-buy", prefix="99880", price="5")
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_rules=["880:99880"], cost_number="after")
    carrier.plan = plans.answer()
    after = await t.cdr(await caller.place("880171", hold=0.1))
    await t.ctl.ask("routing-gateway.set", name="vendor", cost_number="before")
    before = await t.cdr(await caller.place("880172", hold=0.1))
    assert (after["cost_prefix"], before["cost_prefix"]) == ("99880", "880")
    assert sip.user_of(carrier.legs[1].invite.uri) == "99880172"


METHODS = ("OPTIONS", "BYE", "FOO", "MESSAGE", "INFO", "REGISTER")


async def strangers_hear_nothing(t, stranger, methods=METHODS):
    """Every method but INVITE and ACK, and requests into a dialog that only looks like one of ours."""
    before = await unknown_count(t)
    for method in methods:
        stranger.ask(method)
    ours = (await stranger_knows(t)).to_tag
    stranger.ask("BYE", headers=[("To", f"<sip:1@{t.switch.ip}>;tag={ours}")])

    async def counted():
        return (await unknown_count(t)) >= before + len(methods) + 1
    await poll(counted, "count of the stranger's requests")
    assert t.wire.bytes_to("stranger") == b"", "the stranger got an answer"


async def stranger_knows(t):
    """A tag as the switch makes them, of a call that is over."""
    caller = next(p for p in t.peers if p.name == "customer")
    return (await caller.place("880100", credentials=("u", "a pass word 9", "MD5"))).answer


async def test_strangers_beside_a_gateway_with_a_password(t):
    """Its networks are listed: from elsewhere not even an INVITE is challenged."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, auth="password", address=[caller.ip], user="u", password="a pass word 9")
    await t.vendor(carrier)
    stranger = await t.caller("stranger", last=9)
    before = await unknown_count(t)
    stranger.invite("88017")
    await strangers_hear_nothing(t, stranger)
    assert await unknown_count(t) >= before + len(METHODS) + 2


async def test_strangers_beside_a_gateway_that_may_be_anywhere(t):
    """Known by its password alone: INVITE and REGISTER of anybody are challenged, nothing else is answered."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, auth="password", address=[], user="u", password="a pass word 9")
    await t.vendor(carrier)
    stranger = await t.caller("stranger", last=9)
    await strangers_hear_nothing(t, stranger, METHODS[:-1])
    await stranger.invite("88017").expect(401)
    assert (await stranger.ask("REGISTER").response()).code == 401


async def test_to_and_request_uri_that_differ_are_counted(t):
    caller, _carrier = await t.plain()
    before = (await t.status())["to_differs"]
    call = caller.invite("880222", uri=f"sip:880111@{t.switch.ip}", to=f"<sip:880222@{t.switch.ip}>")
    await call.expect(200)
    await call.hang_up()
    await caller.place("880333")
    assert (await t.status())["to_differs"] == before + 1
