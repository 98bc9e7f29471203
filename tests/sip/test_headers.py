"""Numbers and identity: where they are read, what a vendor is told about the caller, and what passes."""

import asyncio

from harness import net, plans, sip
from harness.control import Refused
from harness.rtp import Media
from harness.sip import Sdp

STIR = ";".join([".".join(["eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZX" * 40,
                           "eyJhdHRlc3QiOiJBIiwiZGVzdCI6eyJ0biI6WyI4ODAxNyJdfX0" * 20, "aB-_9" * 18]),
                 "info=<https://cert.example.org/a.pem>", "alg=ES256", "ppt=shaken"])


async def told(t, number="88017", headers=(), **options):
    """One call, and the INVITE that the vendor got for it."""
    caller, carrier = t.peers[0], t.peers[1]
    call = await caller.place(number, headers=headers, **options)
    leg = carrier.legs[-1]
    assert leg.callee.endswith(number[-4:]), (leg.callee, number)
    return call, leg.invite


async def all_told(t, *cases):
    """The same for many at once: each case is the options of a call."""
    caller, carrier = t.peers[0], t.peers[1]
    first = 8801000 + 100 * len(carrier.legs)
    calls = await asyncio.gather(*[caller.place(str(first + i), **case) for i, case in enumerate(cases)])
    return [(call, (await carrier.leg(call.callee)).invite) for call in calls]


async def customer_is(t, **fields):
    await t.ctl.ask("mapping-gateway.set", name="acme-in", **fields)


async def vendor_is(t, **fields):
    await t.ctl.ask("routing-gateway.set", name="vendor", **fields)


async def refusal(t, entity, **fields):
    try:
        await t.ctl.ask(f"{entity}.set", **fields)
    except Refused as e:
        return e.data
    raise AssertionError(f"{fields} was taken")


IDENTITY = ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy", "Diversion",
            "History-Info", "Identity")


def identity_of(invite):
    """{header: its values} of those that tell who calls."""
    return {n: invite.all(n) for n in IDENTITY if invite.get(n)}


# -- numbers ------------------------------------------------------------------------------------------


async def test_the_callee_from_each_place(t):
    """To, Request-URI, Diversion with To where there is none; in every form of URI; the tech prefix is
    looked for in the same place. What is not To is said in the decisions."""
    caller, _carrier = await t.plain()
    places = {"To": "880111", "Request-URI": "880222", "Diversion": "880333"}
    forms = ("<sip:{}@h.invalid;user=phone>", "<tel:+{};phone-context=example.org>", "<sip:+{}@h.invalid>;reason=x",
             '"a <b>, c" <sip:{}@h.invalid>;counter=1, <sip:1@h.invalid>')
    for setting, place in (("to", "To"), ("request_uri", "Request-URI"), ("diversion", "Diversion")):
        await customer_is(t, callee_from=setting)
        calls = await asyncio.gather(*[
            caller.place("880222", to=f"<sip:880111@{t.switch.ip}>", headers=[("Diversion", form.format("880333"))])
            for form in forms])
        for call in calls:
            cdr = await t.cdr(call, callee=places[place], callee_in=places[place])
            why = str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
            assert (place in why) == (place != "To"), (place, why)
    await t.cdr(await caller.place("880444"), callee="880444")  # diversion is asked for and is not there
    await t.account("tech", "10", rate_group="acme-sell")
    await t.gateway_in("tech", "tech-in", address=[caller.ip], tech_prefix=["77"], callee_from="diversion")
    call = await caller.place("880111", headers=[("Diversion", "<sip:77880555@h.invalid>")])
    await t.cdr(call, mapping_gateway="tech-in", callee="880555", callee_in="77880555")


async def test_the_caller_from_each_place(t):
    """In every form; a header that is missing or no number leaves it to From; names are no numbers."""
    caller, _carrier = await t.plain()

    async def are(cases):
        """cases: (options of a call, the caller that it has)"""
        for (call, _invite), (options, number) in zip(await all_told(t, *[o for o, _ in cases]), cases):
            cdr = await t.cdr(call)
            assert (cdr["caller"] or "") == number == (cdr["caller_in"] or ""), (options, cdr["caller"])
        return str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    forms = ("<sip:{}@h.invalid>", "<tel:+{}>", '"B > < ob" <sip:+{}@h.invalid;user=phone>;party=calling',
             "sip:{}@h.invalid", "<tel:{};phone-context=+44>", "<sip:{};cpc=ordinary@h.invalid>, <tel:+1>")
    for setting, name in (("pai", "P-Asserted-Identity"), ("ppi", "P-Preferred-Identity"),
                          ("rpid", "Remote-Party-ID")):
        await customer_is(t, caller_from=setting)
        assert name in await are([({"headers": [(name, form.format("442071"))]}, "442071") for form in forms])
        assert name not in await are([({"headers": [(name, bad)] if bad else ()}, "1001") for bad in (
            "<sip:a b@h.invalid>", "<http://h.invalid/>", "<sip:>", "%%", "")])
    await customer_is(t, caller_from="display")
    await are([({"from_value": f"{display} <sip:1001@{caller.ip}>".strip()}, number) for display, number in (
        ('"+44 20-71"', "442071"), ("442072", "442072"), ('"Bob"', "1001"), ('"44a"', "1001"), ("", "1001"),
        ('"' + "4" * 60 + '"', "1001"), ('"4 * #"', "4*#"))])
    await customer_is(t, caller_from="from")
    await are([({"from_value": value}, number) for value, number in (
        ("<tel:+44-20.(73)>", "442073"), ("<sip:+442074;tag2=x@h.invalid>", "442074"),
        ("<tel:2075;phone-context=example.org>", "2075"), ("<sip:h.invalid>", ""))])


async def test_an_anonymous_caller_of_a_believed_gateway(t):
    """From says nobody: P-Asserted-Identity says who it is to us, if the gateway is believed."""
    caller, carrier = await t.plain()
    headers = [("P-Asserted-Identity", "<sip:+442071@h.invalid>")]
    anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>'
    for is_believed, number in ((False, "anonymous"), (True, "442071")):
        await customer_is(t, trust_identity=is_believed)
        call = await caller.place("88017", from_value=anonymous, headers=headers)
        await t.cdr(call, caller=number, caller_out="anonymous")
        assert carrier.legs[-1].invite.get("From").startswith(anonymous)


async def test_keys_in_a_number_are_escaped(t):
    """'#' has no place in the user of a URI: it goes out as %23, in Request-URI, To and From."""
    caller, carrier = await t.plain(caller_rules=["10:#10"])
    await vendor_is(t, callee_rules=["880:#880"], cost_number="before")
    await caller.place("88017")
    invite = carrier.legs[0].invite
    assert [sip.user_of(u) for u in (invite.uri, sip.uri_of(invite.get("To")), sip.uri_of(invite.get("From")))] == [
        "%2388017", "%2388017", "%231001"], invite.encode()


# -- what the vendor is told --------------------------------------------------------------------------


async def test_nothing_is_told_by_default(t):
    await t.plain(trust_identity=True)
    _call, invite = await told(t, headers=[(n, "<sip:5@h.invalid>") for n in IDENTITY[:3]] + [
        ("Diversion", "<sip:6@h.invalid>"), ("History-Info", "<sip:7@h.invalid>;index=1"), ("Identity", STIR),
        ("Date", "Thu, 26 Nov 2026 06:30:00 GMT")])
    assert identity_of(invite) == {}, identity_of(invite)
    assert invite.get("From").startswith("<sip:1001@") and not invite.get("Date")


async def test_identity_headers_with_the_callers_number(t):
    """P-Asserted-Identity, P-Preferred-Identity, Remote-Party-ID: the number as sent, at our address."""
    caller, carrier = await t.plain()
    await vendor_is(t, pai="caller", ppi="caller", rpid="caller", caller_rules=["10:+4420"])
    call, invite = await told(t)
    uri = f"<sip:+442001@{t.switch.ip}:{t.switch.port}>"
    assert identity_of(invite) == {"P-Asserted-Identity": [uri], "P-Preferred-Identity": [uri],
                                   "Remote-Party-ID": [f"{uri};party=calling;privacy=off"]}
    await t.cdr(call, caller_out="+442001")
    _call, invite = await told(t, from_value="<sip:anonymous@anonymous.invalid>")
    assert identity_of(invite) == {}, "nobody has no identity"
    # The second INVITE, which answers a challenge, says the same.
    await vendor_is(t, user="u", password="secret-1", caller_rules=[])

    async def challenge(leg):
        if leg.invite.get("Authorization") or leg.invite.get("Proxy-Authorization"):
            leg.accept()
        else:
            leg.reply(407, headers=[("Proxy-Authenticate", 'Digest realm="v", nonce="n", algorithm=MD5')])
    carrier.plan = challenge
    before = len(carrier.legs)
    await caller.place("88019")
    assert len(carrier.legs) == before + 2
    assert identity_of(carrier.legs[-1].invite) == identity_of(carrier.legs[-2].invite) != {}


async def test_identity_headers_are_passed_for_a_believed_customer(t):
    """With our address in place of his, listed parameters only; of others nothing but a preference."""
    await t.plain()
    await vendor_is(t, pai="pass", ppi="pass", rpid="pass")
    sent = [("P-Asserted-Identity", '"A \\"x\\"" <sip:+442071@zz.invalid;user=phone;x=zz>, <tel:+442072>'),
            ("P-Preferred-Identity", "<sip:alice@zz.invalid>"),
            ("Remote-Party-ID", "<sip:3@zz.invalid>;party=calling;x=zz;screen=yes;privacy=off")]
    here = f"{t.switch.ip}:{t.switch.port}"
    for is_believed in (False, True):
        await customer_is(t, trust_identity=is_believed)
        _call, invite = await told(t, headers=sent)
        want = {"P-Preferred-Identity": [f"<sip:alice@{here}>"]}
        if is_believed:
            want["P-Asserted-Identity"] = [f'"A \\"x\\"" <sip:+442071@{here};user=phone>', "<tel:+442072>"]
            want["Remote-Party-ID"] = [f"<sip:3@{here}>;party=calling;screen=yes;privacy=off"]
        assert identity_of(invite) == want, identity_of(invite)
        assert b"zz" not in invite.encode()


async def test_privacy_is_honoured(t):
    """From says nobody; the identity goes to a trusted vendor alone, and then with Privacy: id."""
    await t.plain(trust_identity=True)
    await vendor_is(t, pai="caller", rpid="pass", ppi="pass", pass_headers=["Identity"])
    sent = [("Remote-Party-ID", "<sip:2@h.invalid>"), ("P-Preferred-Identity", "<sip:3@h.invalid>"), ("Identity", STIR)]
    asserted = f"<sip:1001@{t.switch.ip}:{t.switch.port}>"
    cases = [{"headers": sent + [("Privacy", wish)]} for wish in ("id", "user;critical", "header", "session, id")]
    cases.append({"headers": sent + [("P-Asserted-Identity", "<sip:1001@h.invalid>")],
                  "from_value": "<sip:anonymous@anonymous.invalid>"})
    for is_trusted in (False, True):
        await vendor_is(t, trust_identity=is_trusted)
        for call, invite in await all_told(t, *cases):
            got = identity_of(invite)
            assert invite.get("From").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag='), invite.get("From")
            assert b":1001@" not in invite.encode() or is_trusted, invite.encode()
            assert (got.get("Privacy"), got.get("P-Asserted-Identity")) == (
                (["id"], [asserted]) if is_trusted else (None, None)), got
            assert set(got) == (set(IDENTITY) - {"Diversion", "History-Info"} if is_trusted else set()), got
            await t.cdr(call, caller="1001", caller_out="anonymous")


async def test_each_vendor_of_a_hunt_is_told_its_own(t):
    """An old Remote-Party-ID asks for privacy as well; the first vendor is not trusted, the second is."""
    caller, first = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=90, pai="caller", trust_identity=True, caller_rules=["10:99"])
    await vendor_is(t, pai="caller")
    first.plan = plans.reject(503)
    call = await caller.place("88017", headers=[("Remote-Party-ID", "<sip:1001@h.invalid>;privacy=full")])
    assert identity_of(first.legs[0].invite) == {}
    assert identity_of(second.legs[0].invite) == {
        "P-Asserted-Identity": [f"<sip:9901@{t.switch.ip}:{t.switch.port}>"], "Privacy": ["id"]}
    for leg in (first.legs[0], second.legs[0]):
        assert leg.invite.get("From").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>')
    await t.cdr(call, caller_out="anonymous", routing_gateway="second")


async def test_privacy_that_is_not_wished_or_not_honoured(t):
    await t.plain()
    await vendor_is(t, pai="caller")
    for honour, privacy in ((True, "none"), (True, "session"), (True, "nonsense"), (False, "id"), (False, "user;header")):
        await customer_is(t, honour_privacy=honour)
        call, invite = await told(t, headers=[("Privacy", privacy)])
        assert invite.get("From").startswith("<sip:1001@"), invite.get("From")
        assert set(identity_of(invite)) == {"P-Asserted-Identity"}
        await t.cdr(call, caller_out="1001")


async def test_the_privacy_header_of_a_vendor(t):
    """off, as received (known words only), id, none; a hidden caller is never called public."""
    await t.plain()
    for setting, wish, want in (("off", "id", None), ("pass", "history;id;x-y;critical", "id;history;critical"),
                                ("pass", None, None), ("id", None, "id"), ("none", None, "none"), ("none", "id", None),
                                ("pass", "none", "none")):
        await vendor_is(t, privacy=setting)
        _call, invite = await told(t, headers=[("Privacy", wish)] if wish else ())
        assert invite.get("Privacy") == want, (setting, wish, invite.get("Privacy"))


async def test_the_display_name_of_a_gateway_beats_the_systems(t):
    caller, _carrier = await t.plain()
    await t.set("SS_SIP_E164_DISPLAY_FROM", "Caller")
    from_value = f'"Bob \\"B\\" Ünïcode" <sip:1001@{caller.ip}>'
    for setting, want in (("none", "<sip:"), ("pass", '"Bob \\"B\\" Ünïcode" <sip:1001@'), ("system", '"1001" <sip:1001@'),
                          ("caller", '"1001" <sip:1001@')):
        await vendor_is(t, display_name=setting)
        _call, invite = await told(t, from_value=from_value)
        assert invite.get("From").startswith(want), (setting, invite.get("From"))


# -- what passes --------------------------------------------------------------------------------------


async def test_identity_passes_byte_for_byte(t):
    """A signed Identity of several kilobytes, two of them, the compact name too, and the Date that it is
    over; over UDP and TCP."""
    caller, _carrier = await t.plain()
    await vendor_is(t, pass_headers=["Identity"])
    other, date = STIR.replace("shaken", "div"), "Thu, 26 Nov 2026 06:30:00 GMT"
    for flow in (None, await caller.tcp_flow()):
        _call, invite = await told(t, headers=[("Identity", STIR), ("Date", date), ("Y", other)], flow=flow)
        assert invite.all("Identity") == [STIR, other] and invite.all("Date") == [date]
        assert len(STIR) > 4000 and set(identity_of(invite)) == {"Identity"}


async def test_diversion_and_history_pass_without_their_hosts(t):
    """In order, with listed parameters; a name-addr that is none stays behind."""
    await t.plain()
    await vendor_is(t, pass_headers=["Diversion", "History-Info"])
    here = f"{t.switch.ip}:{t.switch.port}"
    sent = [("Diversion", '"zz" <sip:+442071@zz.invalid>;reason=user-busy;counter=1;x-zz=1'),
            ("Diversion", "<tel:+442072>;reason=no-answer, <tel:2073;phone-context=zz.invalid>"), ("Diversion", "<zz>"),
            ("History-Info", "<sip:1@zz.invalid?Reason=SIP%3Bcause%3D302&X=zz>;index=1,<sip:2@zz.invalid;cause=302>;index=1.1;mp=1"),
            ("Identity", STIR)]
    _call, invite = await told(t, headers=sent)
    assert identity_of(invite) == {
        "Diversion": [f'"zz" <sip:+442071@{here}>;reason=user-busy;counter=1', "<tel:+442072>;reason=no-answer",
                      f"<sip:2073@{here};user=phone>"],
        "History-Info": [f"<sip:1@{here}?Reason=SIP%3Bcause%3D302>;index=1", f"<sip:2@{here};cause=302>;index=1.1;mp=1"]}
    assert b"zz.invalid" not in invite.encode()
    for wish, left in (("header", set()), ("history;id", {"Diversion"}), ("id", {"Diversion", "History-Info"})):
        _call, invite = await told(t, headers=sent + [("Privacy", wish)])
        assert set(identity_of(invite)) == left, (wish, identity_of(invite))


async def test_odd_headers_break_nothing(t):
    """Control octets, broken UTF-8, nothing, a lot: what cannot be passed stays behind."""
    caller, carrier = await t.plain(trust_identity=True)
    await vendor_is(t, pai="pass", ppi="pass", rpid="pass", privacy="pass", display_name="pass",
                    pass_headers=["Diversion", "History-Info", "Identity"])
    for value in ("", ",", "<", "<>", "<sip:>", '"', '"\\', "<sip:1@h>;", "<sip:1@h>;=;;", "<sip:%00@h>", "<sip:@h>",
                  "x" * 5000, "<sip:1@h>," * 300, "\u202e<sip:1@h>", "<sip:1@h>\t;a=\"\u00e9\"", "<tel:>", "sip:1@h;x=<"):
        call = caller.invite("88017", headers=[(n, value) for n in IDENTITY])
        if (await call.final()).code == 200:
            await call.hang_up()
    assert len(carrier.legs) >= 14, len(carrier.legs)
    assert max(len(identity_of(leg.invite).get("History-Info", [])) for leg in carrier.legs) == 8


async def test_what_cannot_be_passed_is_refused_when_entered(t):
    await t.plain()
    data = await refusal(t, "routing-gateway", name="vendor", pass_headers=["Diversion", "Via"])
    assert data["field"] == "pass_headers" and "Identity" in data["accepted"], data
    for bad in ("486", "486:", "x:480", "486:401", "486:407", "486:302", "486:99999", "486:487", "0:0x1", "302:480",
                "486:480,486:481", ",".join(f"{n}:480" for n in range(500, 540))):
        data = await refusal(t, "mapping-gateway", name="acme-in", failure_codes=bad.split(","))
        assert data["field"] == "failure_codes", data


async def test_the_number_that_was_reached(t):
    """A vendor may name it in its answer; it is kept with the decisions and hidden from the customer."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.accept(headers=[("P-Asserted-Identity", "<sip:880555@v.invalid>"),
                            ("Remote-Party-ID", "<tel:+880-666>;party=called")])
    carrier.plan = plan
    for setting, number in (("none", None), ("pai", "880555"), ("rpid", "880666")):
        await vendor_is(t, peer_number=setting)
        call = await caller.place("88017")
        why = str(await t.ctl.ask("cdr.explain", id=(await t.cdr(call))["id"]))
        assert [n for n in ("880555", "880666") if n in why] == ([number] if number else []), why
        assert "880555" not in call.answer.encode().decode()


# -- ringing and refusals -----------------------------------------------------------------------------


async def test_ringing_as_the_customer_wants_it(t):
    """180 and 183 with and without a description, for each setting: what comes, in order."""
    caller, carrier = await t.plain()
    early = Sdp(carrier.ip, 50000, (8, 101))
    for setting, want in (("pass", [(180, False), (183, True), (180, False)]),
                          ("183", [(180, False), (183, True), (183, True)]),
                          ("180", [(180, False), (180, True), (180, False)])):
        await customer_is(t, ringback=setting)

        async def plan(leg):
            leg.reply(180)
            leg.reply(183, sdp=early)
            leg.reply(180)
            leg.accept()
        carrier.plan = plan
        call = await caller.place("88017")
        got = [(m.code, bool(m.body)) for _, m in call.provisional if m.code > 100]
        assert got == want, (setting, got)
        told_early = {m.body for _, m in call.provisional if m.body} | {call.answer.body}
        assert len(told_early) == 1, told_early


async def test_refusals_are_replaced(t):
    """By the map of the customer's gateway; the record has what he heard and what the vendor said. Our
    own refusals too; never the answer to a CANCEL."""
    caller, carrier = await t.plain(failure_codes=["486:600", "0:480", "503:0", "484:404"])
    for code, heard in ((486, 600), (603, 480), (404, 480), (500, 480), (503, 503)):
        carrier.plan = plans.reject(code)
        call = caller.invite("88017")
        await call.expect(heard)
        await t.cdr(call, sip_code=heard, vendor_code=code)
    await caller.invite("880*#+x").expect(404)  # 484 of our own
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88018")
    await call.rings()
    call.cancel()
    await call.expect(487)
    await t.cdr(call, sip_code=487)
    await customer_is(t, failure_codes=[])
    carrier.plan = plans.reject(486)
    await caller.invite("88019").expect(486)


# -- where answers and requests go --------------------------------------------------------------------


class Mouth:
    """A second socket of an end: what it hears is noted, and handed to the end."""

    def __init__(self, t, peer, ip=None, sock=None, port=0):
        self.heard = []
        self.sock = sock or t.keep(net.UdpSocket(ip or peer.ip, port, None))
        self.sock.on_data = lambda data, flow: self.take(peer, data, flow)
        self.ip, self.port = self.sock.address
        self.flow = self.sock.to(t.address)

    def take(self, peer, data, flow):
        self.heard.append(data.split(b" ")[1 if data.startswith(b"SIP/2.0") else 0].decode())
        peer.received(data, flow)


def ears(t, peer, last):
    """Three sockets: where it speaks from, the one it names, and one at another address of its own."""
    mouth, named, other = Mouth(t, peer), Mouth(t, peer), Mouth(t, peer, t.net.ip(last))
    return mouth, named, other


def via(where):
    return ("Via", f"SIP/2.0/UDP {where.ip}:{where.port};branch={sip.COOKIE}{sip.token()}")


async def test_answers_go_where_the_customers_gateway_says(t):
    """socket: whatever Via says; via_port: its port; via: address and port, and if that address is none
    of the gateway's, the port alone. The answers to CANCEL and a refusal go the same way."""
    caller, carrier = await t.plain()
    for setting, is_listed, index in (("socket", True, 0), ("via_port", True, 1), ("via", True, 2), ("via", False, 1)):
        mouth, other = Mouth(t, caller), Mouth(t, caller, t.net.ip(12))
        named = Mouth(t, caller, port=0 if is_listed else other.port)
        await customer_is(t, reply_address=setting, address=[caller.ip] + ([other.ip] if is_listed else []))
        where = other if setting == "via" else named
        carrier.plan = plans.answer()
        call = caller.invite("88017", flow=mouth.flow, headers=[via(where)])
        await call.expect(200)
        await call.hang_up()
        carrier.plan = plans.silent_after(180)
        call = caller.invite("88018", flow=mouth.flow, headers=[via(where)])
        await call.rings()
        call.cancel()
        await call.expect(487)
        await call.cancel_txn.response()
        sockets = [mouth, named, other]
        heard = sockets.pop(index).heard
        assert {"100", "180", "200", "487"} <= set(heard), (setting, is_listed, heard)
        assert not any(s.heard for s in sockets), (setting, is_listed, [s.heard for s in sockets])


async def test_requests_go_where_the_customers_gateway_says(t):
    """ACK is his; re-INVITE and BYE of ours go to the socket, its address with Contact's port, or
    Contact; a Contact with a name for a host leaves it at the socket."""
    caller, carrier = await t.plain()
    for setting, contact, index in (("socket", 2, 0), ("contact_port", 2, 1), ("contact", 2, 2), ("contact", None, 0)):
        mouth, named, other = ears(t, caller, 12)
        await customer_is(t, request_address=setting)
        host = other.ip if contact else "gw.example.invalid"
        target = f"<sip:gw@{host}:{named.port if setting == 'contact_port' else other.port}>"
        call = caller.invite("88017", flow=mouth.flow, headers=[("Contact", target)])
        await call.expect(200)
        call.on_reinvite = lambda s, txn, contact=target: s.send_ok(txn, s.sdp, contact=contact)
        leg = carrier.legs[-1]
        await leg.ack()
        assert (await leg.reinvite(Sdp(carrier.ip, 50000, version=2, direction="sendonly"))).code == 200
        await leg.hang_up()
        await call.ended_by_peer()
        got = ["+".join(w for w in ("INVITE", "BYE") if w in s.heard) for s in (mouth, named, other)]
        assert got == ["INVITE+BYE" if i == index else "" for i in range(3)], (setting, contact, got)


async def test_a_contact_that_nothing_may_be_sent_to(t):
    """With request_address=contact: nobody, everybody, ourselves. The call ends all the same."""
    caller, carrier = await t.plain(request_address="contact")
    for host in ("0.0.0.0", "255.255.255.255", "224.0.0.1", "gw.invalid", "[::1]", f"{t.switch.ip}:{t.switch.port}"):
        mouth = Mouth(t, caller)
        call = caller.invite("88017", flow=mouth.flow, headers=[("Contact", f"<sip:gw@{host}>")])
        await call.expect(200)
        await carrier.legs[-1].ack()
        await carrier.legs[-1].hang_up()
        if not host.startswith(t.switch.ip):
            await call.ended_by_peer()
            assert "BYE" in mouth.heard, host
        await t.cdr(call, reason="CalleeHangup")


async def test_requests_and_answers_go_where_the_vendors_gateway_says(t):
    """The vendor answers with a Contact on another port and address, and asks with a Via of that."""
    caller, carrier = await t.plain()
    for setting, index in (("socket", 0), ("port", 1), ("contact", 2)):
        own, named, other = Mouth(t, carrier, sock=carrier.udp), Mouth(t, carrier), Mouth(t, carrier, t.net.ip(13))
        where = (own, named, other)[index] if index else other
        await vendor_is(t, request_address={"port": "contact_port"}.get(setting, setting),
                        reply_address={"port": "via_port", "contact": "via"}.get(setting, setting),
                        address=[carrier.address, f"{other.ip}:{other.port}"])

        async def plan(leg, where=where):
            leg.send_ok(leg.first, leg.sdp, contact=f"<sip:v@{where.ip}:{where.port}>")
        carrier.plan = plan
        call = caller.invite("88017")
        await call.expect(200)
        leg = carrier.legs[-1]
        await leg.ack()
        asked = leg.build("OPTIONS").set(*via(where))
        assert (await carrier.request(asked, carrier.udp.to(t.address)).response()).code == 200
        await call.hang_up()
        await leg.ended_by_peer()
        got = ["+".join(w for w in ("ACK", "200", "BYE") if w in s.heard) for s in (own, named, other)]
        assert got == ["ACK+200+BYE" if i == index else "" for i in range(3)], (setting, got)


async def test_media_is_learned_where_signalling_comes_from(t):
    """And not where requests are sent to."""
    caller, carrier = await t.plain(request_address="contact")
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))
    other = Mouth(t, caller, t.net.ip(12))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017", sdp=Sdp("192.168.77.2", near.port),
                         headers=[("Contact", f"<sip:gw@{other.ip}:{other.port}>")])
    await call.expect(200)
    near.aim(call.remote_sdp)
    near.send()
    await far.heard(near, 1)
    far.aim(carrier.legs[0].remote_sdp)
    far.send()
    await near.heard(far, 1)
    await carrier.legs[0].ack()
    await carrier.legs[0].hang_up()
    await call.ended_by_peer()
    assert "BYE" in other.heard


async def test_a_caller_whose_nat_moves_him(t):
    """His re-INVITE comes from another port: our BYE goes there. A request into the dialog from another
    address moves nothing."""
    caller, carrier = await t.plain()
    mouth, moved, other = ears(t, caller, 12)
    call = caller.invite("88017", flow=mouth.flow)
    await call.expect(200)
    leg = carrier.legs[-1]
    await leg.ack()
    call.next_hop = lambda: moved.flow
    assert (await call.reinvite(call.sdp)).code == 200
    call.next_hop = lambda: other.flow
    assert (await call.request("OPTIONS").response()).code == 200
    mouth.heard.clear(), other.heard.clear()
    await leg.hang_up()
    await call.ended_by_peer()
    assert "BYE" in moved.heard and not mouth.heard + other.heard, (moved.heard, mouth.heard, other.heard)


async def test_after_a_crash_the_bye_goes_where_the_gateway_says(t):
    caller, carrier = await t.plain(request_address="contact")
    mouth, _named, other = ears(t, caller, 12)
    call = caller.invite("88017", flow=mouth.flow, headers=[("Contact", f"<sip:gw@{other.ip}:{other.port}>")])
    await call.expect(200)
    await carrier.legs[-1].ack()
    t.switch.kill()
    await t.switch.start()
    await call.ended_by_peer()
    await carrier.legs[-1].ended_by_peer()
    assert "BYE" in other.heard and "BYE" not in mouth.heard
    t.excused.append("in a dialog with CSeq")
