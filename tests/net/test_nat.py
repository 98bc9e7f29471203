"""The NAT matrix of behaviour.md, Media: signalling and media through a router with nftables NAT. Audio
arrives both ways and at the right place, and BYE reaches the phone behind it."""

import asyncio

from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.ua import Caller
from nat import CGNAT, FULL_CONE, PUBLIC, PUBLIC_MEDIA, RESTRICTED, SYMMETRIC, Nat, hears, sources


async def vendor_of(t):
    carrier = await t.carrier()
    await t.vendor(carrier, media_source="sdp")
    far = t.keep(Media(carrier.ip, "far"))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
        far.aim(leg.remote_sdp)
        leg.reply(180)
        leg.accept()
    carrier.plan = plan
    return carrier, far


async def up(caller, carrier, near, number="88017", **options):
    """A call that is up: (call, leg); near sends to where the switch says."""
    options.setdefault("sdp", Sdp(near.ip, near.port))
    call = caller.invite(number, **options)
    await call.expect(200)
    near.aim(call.remote_sdp)
    leg = await carrier.leg(number)
    await leg.ack()
    return call, leg


async def vendor_hangs_up(t, call, leg):
    await leg.hang_up()
    await call.ended_by_peer()
    return await t.billed(call, leg, reason="CalleeHangup")


async def phone_behind(t, rules, **gateway):
    nat = Nat(t, rules)
    phone = await nat.phone(**gateway)
    carrier, far = await vendor_of(t)
    return nat, phone, carrier, nat.media(), far


@scene(start=False)
async def test_restricted(t):
    """The mapping lets in whom the phone has spoken to. Calls that are ended by either side, and a
    ringing one that is cancelled: every message finds the way back, through our own firewall too."""
    await t.guarded()
    _nat, phone, carrier, near, far = await phone_behind(t, RESTRICTED)
    call, leg = await up(phone, carrier, near)
    await hears(far, near, 20)
    await hears(near, far, 20)
    assert sources(near) == {(call.remote_sdp.ip, call.remote_sdp.port)}
    assert (await leg.reinvite(leg.sdp)).code == 200, "a re-INVITE did not reach the phone"
    await hears(near, far, 5)
    cdr = await vendor_hangs_up(t, call, leg)
    assert cdr["caller_ip"] == PUBLIC
    call, leg = await up(phone, carrier, near, "88018")
    await hears(far, near, 5)
    await call.hang_up()
    await leg.ended_by_peer()
    carrier.on("88019", ring_only)
    call = phone.invite("88019")
    await call.rings()
    call.cancel()
    await call.expect(487)


async def ring_only(leg):
    leg.reply(180)


async def test_symmetric(t):
    """Another public port for media than any that signalling shows; both kinds of gateway settings that
    learn, and a peer on a public network. A stranger's packets before and after move nothing."""
    nat, phone, carrier, near, far = await phone_behind(t, SYMMETRIC)
    stranger = t.keep(Media("10.9.0.30", "stranger"))
    for number, fields in (("88017", {"media_source": "auto"}), ("88018", {"media_source": "nat"}),
                           ("88019", {"media_source": "auto", "is_public": True})):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", **fields)
        near = nat.media()
        call, leg = await up(phone, carrier, near, number)
        stranger.aim(call.remote_sdp)
        await stranger.talk(3)
        await hears(far, near, 10)
        await stranger.talk(3)
        await hears(near, far, 10)
        await hears(far, near, 5)
        assert not stranger.packets, "the stranger was sent audio"
        await vendor_hangs_up(t, call, leg)


async def test_full_cone(t):
    """The phone knows its public ports (STUN) and names them: audio reaches it before it says a word,
    and requests may go to its Contact as well as to its socket."""
    nat, phone, carrier, near, far = await phone_behind(t, FULL_CONE)
    nat.open(5060, 35060)
    nat.open(near.port, 34000)
    nat.open(near.port + 1, 34001)
    for number, where in (("88017", "socket"), ("88018", "contact_port"), ("88019", "contact")):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", request_address=where)
        call, leg = await up(phone, carrier, near, number, sdp=Sdp(PUBLIC, 34000),
                             headers=[("Contact", f"<sip:phone@{PUBLIC}:35060>")])
        await hears(near, far, 10)
        await hears(far, near, 10)
        await vendor_hangs_up(t, call, leg)


async def test_cgnat_with_another_media_address(t):
    """Media from another public address than signalling is heard where the gateway lists it, and from
    nowhere else: with media_source=auto it changes nothing."""
    _nat, phone, carrier, near, far = await phone_behind(t, CGNAT, media_source="nets", media_nets=[PUBLIC_MEDIA])
    sdp = Sdp("100.64.0.9", near.port)
    call, leg = await up(phone, carrier, near, sdp=sdp)
    await hears(far, near, 10)
    await hears(near, far, 10)
    await vendor_hangs_up(t, call, leg)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", media_source="auto")
    call, leg = await up(phone, carrier, near, "88018", sdp=sdp)
    before = len(near.packets), len(far.packets)
    await near.talk(5)
    await far.talk(5)
    await vendor_hangs_up(t, call, leg)  # came after all of them
    assert (len(near.packets), len(far.packets)) == before
    cdr = await t.cdr(call)
    assert cdr["callee_packets_in"] == 5 and not cdr["caller_packets_in"], cdr


async def test_asymmetric_gateway(t):
    """No NAT: a gateway that sends audio from another port than it listens on, and signals from another
    port than its Via and Contact name."""
    carrier, far = await vendor_of(t)
    caller = Caller("gateway", t.net.ip(5), t.wire, t.address)
    caller.home = t.address
    await caller.open(5060)
    t.peers.append(caller)
    await t.customer(caller, media_source="sdp", reply_address="via_port", request_address="contact_port")
    ear, mouth = t.keep(Media(caller.ip, "ear")), t.keep(Media(caller.ip, "mouth"))
    speaker = t.keep(Media(caller.ip, "signalling"))  # a socket to send SIP from; nothing may come back to it
    speaker.sock.on_data = lambda data, flow: caller.fault("an answer went to the socket")
    via, contact = caller.via, caller.contact
    caller.via = lambda flow, branch=None: via(caller.udp.to(t.address), branch)
    caller.contact = lambda flow=None, **words: contact(**words)
    call, leg = await up(caller, carrier, ear, flow=speaker.sock.to(t.address))
    mouth.aim(call.remote_sdp)
    await hears(far, mouth, 10)
    await hears(ear, far, 10)
    assert not mouth.packets
    await vendor_hangs_up(t, call, leg)


async def test_late_talker(t):
    """The vendor talks all the time, the phone only after a while: until then nothing goes anywhere,
    from its first packet on it hears all."""
    _nat, phone, carrier, near, far = await phone_behind(t, SYMMETRIC, is_public=True)
    call, leg = await up(phone, carrier, near)
    await far.talk(30)
    assert not near.packets
    near.send()
    await far.until(lambda: far.packets, "the phone's first packet")
    await hears(near, far, 20)
    await vendor_hangs_up(t, call, leg)


@scene(idle=True)
async def test_rebind(t):
    """After a silence the router has forgotten both mappings. Audio comes from a new port and goes back
    there; after a re-INVITE from a new port BYE goes to that."""
    nat, phone, carrier, near, far = await phone_behind(t, SYMMETRIC)
    nat.forget_after(1)
    call, leg = await up(phone, carrier, near)
    await hears(far, near, 5)
    await hears(near, far, 5)
    await asyncio.sleep(3)  # the silence itself
    await hears(far, near, 5)
    await hears(near, far, 5)
    assert (await call.reinvite(call.sdp)).code == 200
    await vendor_hangs_up(t, call, leg)


async def test_a_crash_of_the_switch(t):
    """BYE finds the phone behind its router after a restart."""
    _nat, phone, carrier, near, far = await phone_behind(t, SYMMETRIC)
    call, leg = await up(phone, carrier, near)
    await hears(far, near, 5)
    t.switch.kill()
    await t.switch.start()
    await call.ended_by_peer()
    await leg.ended_by_peer()
    await t.cdr(call, reason="SwitchRestarted", caller_ip=PUBLIC)
