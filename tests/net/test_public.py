"""The switch itself behind a router that translates its address one to one: --public. Peers on the Internet are told the address
outside, those on this side of the router the switch's own; calls, audio and hang-ups find their way."""

from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.ua import Caller, Carrier
from nat import hears, nft
from wall import MACHINE, ip

PUBLIC = "203.0.113.9"
FAR_CALLER, FAR_VENDOR = "198.51.100.2", "198.51.100.3"
# Our own namespace is the router and the Internet behind it. Who is outside cannot send to the address inside.
ROUTER = f"""
table ip router {{
	chain out {{ type nat hook output priority -100; ip daddr {PUBLIC} dnat to {MACHINE}; }}
	chain in {{ type nat hook input priority 100; ip saddr {MACHINE} ip daddr 198.51.100.0/24 snat to {PUBLIC}; }}
	chain wall {{
		type filter hook output priority 0
		ip saddr 198.51.100.0/24 ip daddr {MACHINE} ct status & dnat == 0 ct direction original drop
	}}
}}
"""


async def internet(t):
    ip(*(f"addr add {a}/32 dev lo" for a in (FAR_CALLER, FAR_VENDOR)), f"route add {PUBLIC}/32 dev out0")
    t.wall.run("ip", "route", "add", "default", "via", t.net.ip(2))
    nft(ROUTER)
    t.switch.extra += ["--public", PUBLIC]
    await t.switch.start()


async def far_caller(t):
    peer = Caller("far customer", FAR_CALLER, t.wire, (PUBLIC, t.switch.port))
    peer.home = (PUBLIC, t.switch.port)
    await peer.open(5060)
    t.peers.append(peer)
    return peer


async def far_vendor(t):
    peer = Carrier("far vendor", FAR_VENDOR, t.wire)
    peer.home = (PUBLIC, t.switch.port)
    await peer.open(5060)
    t.peers.append(peer)
    return peer


def answers(carrier, media):
    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, media.port)
        media.aim(leg.remote_sdp)
        leg.reply(180)
        leg.accept()
    carrier.plan = plan


async def talk(t, caller, carrier, number, flow=None):
    """A call with audio both ways, a re-INVITE from the callee and its BYE."""
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))
    answers(carrier, far)
    call = caller.invite(number, sdp=Sdp(near.ip, near.port), flow=flow)
    await call.expect(200)
    near.aim(call.remote_sdp)
    leg = await carrier.leg(number)
    await leg.ack()
    await hears(far, near, 10)
    await hears(near, far, 10)
    assert (await leg.reinvite(leg.sdp)).code == 200
    await hears(near, far, 5)
    await leg.hang_up()
    await call.ended_by_peer()
    await t.billed(call, leg, reason="CalleeHangup")
    return call, leg


@scene(start=False)
async def test_each_side_is_told_its_own_address(t):
    """A customer and a vendor on the Internet, and one of each inside: not an octet of an address that its reader could not use,
    in any message, by UDP and by TCP."""
    await internet(t)
    far_in, far_out = await far_caller(t), await far_vendor(t)
    near_in, near_out = await t.caller(), await t.carrier()
    await t.customer(far_in)
    await t.vendor(far_out, name="far", address=[far_out.address])
    await t.customer(near_in, name="beta")
    await t.vendor(near_out, name="near", rates=None, prefix=["8802"])
    call, leg = await talk(t, far_in, far_out, "88017")
    assert call.remote_sdp.ip == leg.remote_sdp.ip == PUBLIC
    call, leg = await talk(t, far_in, near_out, "88027")
    assert (call.remote_sdp.ip, leg.remote_sdp.ip) == (PUBLIC, MACHINE)
    call, leg = await talk(t, near_in, far_out, "88018")
    assert (call.remote_sdp.ip, leg.remote_sdp.ip) == (MACHINE, PUBLIC)
    await talk(t, far_in, far_out, "88019", flow=await far_in.tcp_flow())
    for peer, wrong, right in ((far_in, MACHINE, PUBLIC), (far_out, MACHINE, PUBLIC), (near_in, PUBLIC, MACHINE),
                               (near_out, PUBLIC, MACHINE)):
        heard = t.wire.bytes_to(peer.name)
        assert right.encode() in heard and wrong.encode() not in heard, (peer.name, heard.decode())


@scene(start=False)
async def test_nobody_makes_the_switch_call_itself_by_the_outside(t):
    """A vendor at our own public address, and media that is said to be there: refused as our own address is (F7, M5)."""
    await internet(t)
    far_in, far_out = await far_caller(t), await far_vendor(t)
    await t.customer(far_in)
    await t.vendor(far_out, name="loop", address=[f"{PUBLIC}:{t.switch.port}"])
    await t.refused(far_in.invite("88017"), 503, "NoAvailableRouter")
    await t.refused(far_in.invite("88018", sdp=Sdp(PUBLIC, 10002)), 400, "BadRequest")
