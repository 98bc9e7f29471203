"""By which way: IPv4 and IPv6 by UDP, TCP and TLS and from one to the other, rport, several listeners, the
switch to TCP for size."""

import asyncio
import socket

from harness import net
from harness.plans import answer, reject
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp, parse
from harness.stage import BUY
from harness.tls import Secure
from harness.ua import Caller, Carrier

SIX = "::1"
WAYS = ("udp", "tcp", "tls")


async def both_families(t):
    """A switch on 127.x and ::1 by all three, with a customer and a vendor of each family; a vendor's
    gateway for each way, by its prefix 880 FAMILY WAY: (secure, {family: (caller, carrier)})."""
    s, port = Secure(t, SIX), net.free_port(SIX)
    t.switch.extra += ["--media", SIX, "--listen", f"udp:[{SIX}]:{port}", "--listen", f"tcp:[{SIX}]:{port}",
                       "--listen", f"tls:{t.switch.ip}:{s.port}"]
    await t.switch.start()
    ends = {4: (await t.caller(), await t.carrier()),
            6: (Caller("six", SIX, t.wire, (SIX, port)), Carrier("vendor6", SIX, t.wire))}
    for peer in ends[6]:
        await t._open(peer, 0)
        peer.home = (SIX, port)
    await t.customer(ends[4][0])
    await t.gateway_in("acme", "six-in", address=[SIX])
    for family, (caller, carrier) in ends.items():
        await s.speak(caller)
        await s.speak(carrier)
        for i, way in enumerate(WAYS):
            at = f"{net.host(carrier.ip)}:{carrier.tls.port if way == 'tls' else carrier.port}"
            await t.vendor(carrier, f"v{family}{way}", transport=way, address=[at],
                           prefix=[f"880{family}{i}"], rates={"880": BUY})
    return s, ends


async def flow_of(s, caller, way):
    if way == "tls":
        return await caller.tls.connect((caller.switch[0], s.port), context=s.root.trusting())
    return await caller.tcp_flow() if way == "tcp" else caller.udp.to(caller.switch)


def in_family(ip, family):
    return (":" in ip) == (family == 6)


@scene(start=False)
async def test_families_and_transports(t):
    """A call from each way to each way, with media, over both families: what each side is told is in its
    own family, and the relay carries from one to the other."""
    s, ends = await both_families(t)
    for family_in, family_out in ((4, 6), (6, 4), (6, 6)):
        caller, carrier = ends[family_in][0], ends[family_out][1]
        for i, way in enumerate(WAYS):
            out = (i + family_in) % 3
            near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))
            carrier.plan = answer(sdp=Sdp(far.ip, far.port, payloads=(8, 101)))
            number = f"880{family_out}{out}{family_in}{i}"
            call = caller.invite(number, flow=await flow_of(s, caller, way),
                                 sdp=Sdp(near.ip, near.port))
            await call.expect(200)
            leg = await carrier.leg(number)
            await leg.ack()
            invite, answered = leg.invite, call.answer
            assert invite.get("Via").startswith(f"SIP/2.0/{WAYS[out].upper()} "), invite.get("Via")
            assert ("[::1]" in invite.get("Via")) == (family_out == 6), invite.get("Via")
            assert ("[::1]" in invite.contact) == (family_out == 6), invite.contact
            assert ("[::1]" in answered.contact) == (family_in == 6), answered.contact
            assert in_family(leg.remote_sdp.ip, family_out), leg.remote_sdp.ip
            assert in_family(call.remote_sdp.ip, family_in), call.remote_sdp.ip
            near.aim(call.remote_sdp)
            far.aim(leg.remote_sdp)
            await near.talk(3)
            await far.talk(3)
            await near.heard(far, 3)
            await far.heard(near, 3)
            await call.hang_up()
            await leg.ended_by_peer()
            await t.billed(call, leg)


@scene(start=False)
async def test_the_next_vendor_is_of_the_other_family(t):
    """The first vendor refuses, the next is on IPv6: it is told an address of its own, and media flows."""
    _s, ends = await both_families(t)
    caller, six = ends[4][0], ends[6][1]
    ends[4][1].plan = reject(503)
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(SIX, "far"))
    six.plan = answer(sdp=Sdp(far.ip, far.port, payloads=(8, 101)))
    for name, priority in (("v4udp", 1), ("v6udp", 2)):
        await t.ctl.ask("routing-gateway.set", name=name, prefix=["8809"], priority=priority)
    call = caller.invite("88097", sdp=Sdp(near.ip, near.port))
    await call.expect(200)
    leg = await six.leg("88097")
    await leg.ack()
    assert in_family(leg.remote_sdp.ip, 6) and in_family(call.remote_sdp.ip, 4)
    near.aim(call.remote_sdp)
    far.aim(leg.remote_sdp)
    await near.talk(3)
    await far.heard(near, 3)
    await call.hang_up()
    await leg.ended_by_peer()


async def test_rport(t):
    """RFC 3581: the answer comes to where the request came from, and says so if it was asked (without, it
    comes there too: security.md F7). RFC 3261 18.2.1: received wherever the host of Via is another."""
    caller, _carrier = await t.plain()
    loop = caller.loop
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as odd:
        odd.setblocking(False)
        odd.bind((caller.ip, 0))
        for i, (rport, host) in enumerate(((";rport", "192.0.2.77"), ("", caller.ip), (";rport", caller.ip))):
            via = f"SIP/2.0/UDP {host}:{caller.port};branch=z9hG4bKrport{i}{rport}"
            text = (f"OPTIONS sip:{t.switch.ip} SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
                    f"Call-ID: rport{i}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
            odd.sendto(text.encode(), t.address)
            data, _ = await loop.sock_recvfrom(odd, 65535)
            found = parse(data).get("Via")
            assert (f"rport={odd.getsockname()[1]}" in found) == bool(rport), found
            assert ("received=" in found) == (host != caller.ip or bool(rport)), found


LONG = tuple(f"a=fmtp:8 {'x' * 60}{n}" for n in range(20))


@scene(settings={"SS_SIP_TIMEOUT_INVITE": 5})
async def test_large_requests(t):
    """Over 1300 octets by TCP only where the gateway allows it, and back by UDP where nobody listens."""
    caller = await t.caller()
    await t.customer(caller)
    off, on, deaf = [await t.carrier(name, last=3 + i) for i, name in enumerate(("off", "on", "deaf"))]
    await t.vendor(off, prefix=["8801"])
    await t.vendor(on, prefix=["8802"], tcp_if_large=True)
    await t.vendor(deaf, prefix=["8803"], tcp_if_large=True)
    deaf.tcp.close()
    deaf.tcp = None
    for carrier, number, large, small in ((off, "8801", "UDP", "UDP"), (on, "8802", "TCP", "UDP"),
                                          (deaf, "8803", "UDP", "UDP")):
        for i, (extra, way) in enumerate(((LONG, large), ((), small))):
            call = caller.invite(f"{number}{i}", sdp=Sdp(caller.ip, 40000, payloads=(8, 101), extra=extra))
            await call.expect(200)
            leg = await carrier.leg(f"{number}{i}")
            await leg.ack()
            size = len(leg.invite.encode())
            assert (size > 1300) == bool(extra), size
            assert leg.first.flow.transport == way, (number, i, way)
            assert leg.invite.get("Via").startswith(f"SIP/2.0/{way} "), leg.invite.get("Via")
            await call.hang_up()
            await leg.ended_by_peer()
            await t.billed(call, leg)


async def test_an_answer_whose_connection_is_gone(t):
    """RFC 3261 18.2.2: the 200 comes by a new connection to the port of the Via, whichever worker holds the call; so
    does what follows."""
    caller, carrier = await t.plain()
    answers = asyncio.Event()

    async def ring_until_told(leg):
        leg.reply(180)
        await answers.wait()
        leg.accept()
    carrier.plan = ring_until_told
    calls = []
    for i in range(6):
        flow = await caller.tcp_flow()
        calls.append((caller.invite(f"8801{i}", flow=flow), flow))
    for call, flow in calls:
        await call.rings(180)
        flow.close()
        call.flow = caller.udp.to(caller.switch)
    before = len(caller.tcp.flows)
    answers.set()
    for call, _ in calls:
        await call.expect(200)
    assert len(caller.tcp.flows) > before
    for call, _ in calls:
        await call.hang_up()
