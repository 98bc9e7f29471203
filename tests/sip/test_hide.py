"""Topology hiding: no byte of a vendor reaches the customer, nor the reverse, in any message."""

from harness.sip import Sdp

MARK_IN, MARK_OUT = "zxcustomerzx", "qkvendorqk"


def marks(peer, word):
    """Headers in which an end may tell who it is."""
    return [("User-Agent", word), ("Server", word), ("Organization", word), ("Subject", word),
            ("Warning", f'399 {word} "{word}"'), ("Reason", f'Q.850;cause=16;text="{word}"'),
            ("X-Own", word), ("Call-Info", f"<http://{word}/>"), ("P-Asserted-Identity", f"<sip:5@{word}>"),
            ("Record-Route", f"<sip:{peer.address};lr;x={word}>"), ("History-Info", f"<sip:5@{word}>"),
            ("Diversion", f"<sip:5@{word}>"), ("Contact", f"<sip:{word}@{peer.address}>")]


def sdp_of(peer, word, port, **options):
    """Its name in o=, s=, i=, and in attributes."""
    sdp = Sdp(peer.ip, port, (8, 101), user=word, **options)
    sdp.extra = [f"a=tool:{word}", f"a=x-{word}:1"]
    return sdp


def clean_towards(t, who, other, word):
    """Nothing that this end received names the other end, in text or as an address."""
    seen = t.wire.bytes_to(who.name)
    assert seen, f"{who.name} received nothing"
    for text in (word.encode(), other.ip.encode(), f":{other.port}".encode()):
        at = seen.lower().find(text.lower())
        assert at < 0, f"{who.name} was shown {text!r}: ...{seen[max(0, at - 200):at + 80]!r}"


async def test_an_answered_call_shows_nothing_of_the_other_side(t):
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.sdp = sdp_of(carrier, MARK_OUT, 50000)
        own = [h for h in marks(carrier, MARK_OUT) if h[0] not in ("Record-Route", "Contact")]
        leg.reply(180, headers=own)
        leg.reply(183, f"Progress {MARK_OUT}", headers=own, sdp=leg.sdp)
        leg.accept(headers=own)
    carrier.plan = plan
    own = [h for h in marks(caller, MARK_IN) if h[0] != "Record-Route"]
    call = caller.invite("88017", headers=own, sdp=sdp_of(caller, MARK_IN, 40000),
                         from_value=f"<sip:1001@{MARK_IN}.invalid>", call_id=f"{MARK_IN}@{caller.ip}")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    await call.reinvite(sdp_of(caller, MARK_IN, 40000, version=2))
    await leg.reinvite(sdp_of(carrier, MARK_OUT, 50000, version=2))
    await call.until(lambda: call.acks, "ACK at the caller")
    bye = call.request("BYE", headers=own)
    assert (await bye.response()).code == 200
    await leg.ended_by_peer()
    clean_towards(t, carrier, caller, MARK_IN)
    clean_towards(t, caller, carrier, MARK_OUT)
    await t.cdr(call)


async def test_a_refused_call_shows_nothing_of_the_vendor(t):
    """Reason phrase, Warning, Reason, Contact, Server and a body of a refusal stay behind."""
    caller, carrier = await t.plain()
    for code in (300, 404, 480, 486, 488, 500, 503, 600, 603):
        async def plan(leg, code=code):
            own = [h for h in marks(carrier, MARK_OUT) if h[0] != "Record-Route"]
            leg.reply(code, f"Go away says {MARK_OUT}", own, sdp_of(carrier, MARK_OUT, 1))
        carrier.plan = plan
        await caller.invite(f"880{code}").final()
    clean_towards(t, caller, carrier, MARK_OUT)


async def test_a_cancelled_call_and_a_bye_of_the_vendor(t):
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.reply(180, headers=[("Server", MARK_OUT)])
        if leg.callee.endswith("1"):
            leg.accept(sdp_of(carrier, MARK_OUT, 50000))
    carrier.plan = plan
    own = [("User-Agent", MARK_IN)]
    call = caller.invite("8801", headers=own)
    await call.expect(200)
    carrier.legs[0].request("BYE", headers=[("Reason", f'SIP;text="{MARK_OUT}"'), ("User-Agent", MARK_OUT)])
    await call.ended_by_peer()
    call = caller.invite("8802", headers=own)
    await call.rings()
    call.cancel()
    await call.expect(487)
    leg = await carrier.leg("8802")
    await leg.cancel()
    clean_towards(t, caller, carrier, MARK_OUT)
    clean_towards(t, carrier, caller, MARK_IN)


async def test_a_failover_shows_no_vendor_to_another(t):
    caller, first = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=90)

    async def plan(leg):
        leg.reply(503, MARK_OUT, headers=[("Server", MARK_OUT), ("Retry-After", "9")])
    first.plan = plan
    await caller.place("88017", headers=[("User-Agent", MARK_IN)])
    clean_towards(t, second, first, MARK_OUT)
    clean_towards(t, caller, second, MARK_OUT)
    clean_towards(t, second, caller, MARK_IN)
