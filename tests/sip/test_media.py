"""RTP and RTCP: each end checks what the other sent, the counts of the CDR are those of the wire,
and a packet from anywhere else changes nothing."""

import asyncio
import os
import struct

from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.watch import poll


async def talk_stage(t, number="88017", media_source="sdp", **options):
    """A call that is up, with a media end at both sides. media_source is the customer's."""
    caller, carrier = await t.plain(media_source=media_source)
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
        far.aim(leg.remote_sdp)
        leg.reply(180)
        leg.accept()
    carrier.plan = plan
    call = caller.invite(number, sdp=Sdp(caller.ip, near.port), **options)
    await call.expect(200)
    near.aim(call.remote_sdp)
    leg = await carrier.leg(number)
    await leg.ack()
    return caller, carrier, call, leg, near, far


async def heard_both(near, far, count=None):
    await far.heard(near, count or near.sent)
    await near.heard(far, count or far.sent)


@scene(idle=True)
async def test_each_end_hears_the_other_and_the_counts_agree(t):
    """100 packets each way at 20 ms: all arrive, whole and in order, from the port that the SDP named;
    RTCP too; the CDR's counts are what the ends sent and got."""
    _caller, _carrier, call, leg, near, far = await talk_stage(t)
    await asyncio.gather(near.talk(100), far.talk(90))
    await heard_both(near, far)
    assert {src for _, src in near.packets} == {(call.remote_sdp.ip, call.remote_sdp.port)}
    assert {src for _, src in far.packets} == {(leg.remote_sdp.ip, leg.remote_sdp.port)}
    for one, other in ((near, far), (far, near)):
        report = one.report()
        await other.until(lambda o=other: o.rtcp, "RTCP")
        data, source = other.rtcp[0]
        assert source == other.to_rtcp and data[1] == 200 and data[4:8] == report[4:8]
    await call.hang_up()
    await t.billed(call, leg, reason="CallerHangup", codec="PCMA",
                   caller_packets_in=100, callee_packets_out=100, callee_packets_in=90,
                   caller_packets_out=90, caller_lost=0, callee_lost=0)


async def test_header_fields_pass_unchanged(t):
    """Payload type, sequence number, timestamp and SSRC arrive as they were sent."""
    _caller, _carrier, call, _leg, near, far = await talk_stage(t)
    near.send()
    await far.heard(near, 1)
    assert far.raw[0] == near.packet(0)
    await call.hang_up()


async def test_media_the_moment_the_answer_is_there(t):
    """The vendor talks right after its 200, the caller right after it saw the 200: nothing is lost."""
    caller, carrier = await t.plain(media_source="sdp")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    for i in range(10):
        near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))

        async def plan(leg, far=far):
            leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
            far.aim(leg.remote_sdp)
            leg.accept()
        carrier.plan = plan
        call = caller.invite(f"88017{i}", sdp=Sdp(caller.ip, near.port))
        await call.expect(200)
        near.aim(call.remote_sdp)
        for _ in range(5):
            near.send()
            far.send()
        await heard_both(near, far)
        await call.hang_up()


@scene(idle=True)
async def test_early_media_reaches_the_caller(t):
    """After 183 with a description the vendor's announcement is heard, before any answer."""
    caller, carrier = await t.plain(media_source="sdp")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))

    async def plan(leg):
        leg.reply(183, sdp=Sdp(carrier.ip, far.port, (8, 101)))
        far.aim(leg.remote_sdp)
        far.heard_183.set()
    far.heard_183 = asyncio.Event()
    carrier.plan = plan
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.rings(183)
    await far.heard_183.wait()
    await far.talk(25)
    await near.heard(far, 25)
    call.cancel()
    await call.expect(487)
    await t.cdr(call, reason="CallerCancel", callee_packets_in=25, caller_packets_out=25)


async def intrusion(t, media_source):
    """Packets of a stranger and of a wrong port of the right host, before and during the stream."""
    _caller, _carrier, call, leg, near, far = await talk_stage(t, media_source=media_source)
    enemy = t.keep(Media(t.net.ip(66), "enemy"))
    for _ in range(20):
        enemy.send(near.to)
        enemy.send(far.to)
    near.send()  # whoever must be heard first to be found is heard now
    await far.heard(near, 1)
    await asyncio.gather(near.talk(19, 0.005), far.talk(20, 0.005))
    await heard_both(near, far)
    for _ in range(20):
        enemy.send(near.to)
        enemy.send(far.to)
        near.send()
        far.send()
    await heard_both(near, far)
    assert not enemy.packets and not enemy.rtcp, "the stranger got media"
    await call.hang_up()
    await t.billed(call, leg, caller_packets_in=40, callee_packets_in=40, caller_packets_out=40,
                   callee_packets_out=40)


async def test_a_wrong_source_changes_nothing_sdp(t):
    await intrusion(t, "sdp")


async def test_a_wrong_source_changes_nothing_auto(t):
    await intrusion(t, "auto")


async def test_a_wrong_source_changes_nothing_nat(t):
    await intrusion(t, "nat")


async def test_sdp_accepts_any_port_of_its_address(t):
    """media_source=sdp: sent from another port of the SDP's address it is heard; answers go to the
    port of the SDP."""
    caller, _carrier, call, _leg, near, far = await talk_stage(t)
    other = t.keep(Media(caller.ip, "asymmetric"))
    other.stream, other.to = near.stream, near.to
    other.send()
    await far.heard(other, 1)
    far.send()
    await near.heard(far, 1)
    assert not other.packets
    await call.hang_up()


@scene(idle=True)
async def test_nat_latches_on_the_first_packet_and_stays(t):
    """A caller behind NAT: its SDP names a private address that is nowhere. Nothing is sent until it
    speaks; then it is heard where it really is; and a second source of the same address, another
    stream, while the first one talks, does not take over."""
    caller, carrier = await t.plain(media_source="nat")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
        far.aim(leg.remote_sdp)
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017", sdp=Sdp("10.9.8.7", 40404))
    await call.expect(200)
    near.aim(call.remote_sdp)
    near.send()
    await far.heard(near, 1)
    far.send()
    await near.until(lambda: near.packets, "media at the place that spoke")
    thief = t.keep(Media(caller.ip, "thief"))
    for _ in range(5):
        thief.send(near.to)
        near.send()
        far.send()
    await near.heard(far, 6)
    assert not thief.packets, "a second port took the stream while the first one was talking"
    await call.hang_up()


@scene(idle=True)
async def test_rebind_after_silence(t):
    """Same address, new port, same SSRC, after more than 2 s of silence: the stream follows."""
    caller, _carrier, call, _leg, near, far = await talk_stage(t, media_source="nat")
    near.send()
    await far.heard(near, 1)
    moved = t.keep(Media(caller.ip, "moved"))
    moved.stream, moved.ssrc, moved.seq = near.stream, near.ssrc, near.seq
    moved.sent, moved.to = 1, near.to
    await asyncio.sleep(2.5)  # the silence itself
    moved.send()
    await far.until(lambda: len(far.packets) == 2, "the packet from the new port")
    far.send()
    await moved.until(lambda: moved.packets, "media at the new port")
    await call.hang_up()


@scene(idle=True)
async def test_broken_packets_are_dropped_and_the_call_lives(t):
    """Too short, wrong version, a length that lies, an RTCP BYE, a STUN request: none is relayed as
    media, none is answered, none ends anything."""
    _caller, _carrier, call, leg, near, far = await talk_stage(t)
    good = near.packet(0)
    for bad in (b"", b"\x80", good[:11], b"\x40" + good[1:], b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"\0" * 12,
                b"\x8f" + good[1:20], b"\xa0" + good[1:-1] + b"\xff", b"\x90" + good[1:13] + b"\xff\xff\xff\xff"):
        near.sock.sock.sendto(bad, near.to)
    near.control.sock.sendto(struct.pack("!BBHI", 0x81, 203, 1, near.ssrc), near.to_rtcp)
    await asyncio.gather(near.talk(10, 0.005), far.talk(10, 0.005))
    await heard_both(near, far)
    assert not call.bye_seen and not leg.bye_seen
    await call.hang_up()
    await t.billed(call, leg, callee_packets_out=10)


async def test_nothing_flows_after_the_bye(t):
    """Once BYE is answered neither side's packets reach the other."""
    _caller, _carrier, call, leg, near, far = await talk_stage(t)
    near.send()
    await far.heard(near, 1)
    await call.hang_up()
    await leg.ended_by_peer()
    for _ in range(20):
        near.send()
        far.send()
    await t.cdr(call, caller_packets_in=1, callee_packets_in=0)
    await peer_call(t)
    assert len(far.packets) == 1 and not near.packets


async def peer_call(t):
    """Another whole call: whatever was on its way before has arrived after it."""
    caller = next(p for p in t.peers if p.name == "customer")
    return await caller.place("880199", sdp=Sdp(caller.ip, 40000))


async def test_the_media_address_moves_with_a_reinvite(t):
    """The caller's re-INVITE names another port: the vendor's stream follows it, the port that the
    vendor was told stays."""
    caller, _carrier, call, leg, near, far = await talk_stage(t)
    told = (leg.remote_sdp.ip, leg.remote_sdp.port)
    far.send()
    await near.heard(far, 1)
    moved = t.keep(Media(caller.ip, "moved"))
    answer = await call.reinvite(Sdp(caller.ip, moved.port, version=2))
    assert (answer.sdp.ip, answer.sdp.port) == near.to
    assert (leg.remote_sdp.ip, leg.remote_sdp.port) == told
    await leg.until(lambda: len(leg.acks) >= 2, "ACK of the re-INVITE")
    far.send()
    await moved.until(lambda: moved.packets, "media at the new port")
    moved.stream, moved.to = near.stream, near.to
    moved.send()
    await far.heard(moved, 1)
    await call.hang_up()


async def test_ports_are_even_and_each_legs_own(t):
    caller, carrier = await t.plain()
    calls = [caller.invite(f"88017{i}") for i in range(2)]
    for call in calls:
        await call.expect(200)
    ports = {call.remote_sdp.port for call in calls} | {leg.remote_sdp.port for leg in carrier.legs}
    assert len(ports) == 4 and all(p % 2 == 0 for p in ports), ports
    for call in calls:
        await call.hang_up()


@scene(start=False, idle=True, within=90)
async def test_no_media_port(t):
    """Eight ports are two calls. None left: 503 NoMediaPort; after the quarantine of 10 s they are back."""
    t.switch.media_ports = "20000-20007"
    await t.switch.start()
    caller, _carrier = await t.plain()
    calls = [caller.invite(f"88017{i}") for i in range(2)]
    for call in calls:
        await call.expect(200)
    await t.refused(caller.invite("880179"), 503, "NoMediaPort")
    for call in calls:
        await call.hang_up()
    await t.refused(caller.invite("880180"), 503, "NoMediaPort")

    async def free_again():
        call = caller.invite("880181")
        if (await call.final()).code == 200:
            await call.hang_up()
            return True
        return False
    await poll(free_again, "end of the 10 s quarantine", within=30, every=1)


async def test_nets_confine_the_media(t):
    """media_source=nets: what the SDP says is not believed, only who speaks from a listed network."""
    caller, carrier = await t.plain(media_source="nets", media_nets=[f"{t.net.ip(50)}/32"])
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near, far = t.keep(Media(t.net.ip(50), "near")), t.keep(Media(carrier.ip, "far"))
    wrong = t.keep(Media(caller.ip, "wrong"))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
        far.aim(leg.remote_sdp)
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017", sdp=Sdp(caller.ip, wrong.port))
    await call.expect(200)
    near.aim(call.remote_sdp)
    wrong.aim(call.remote_sdp)
    wrong.send()
    near.send()
    await far.heard(near, 1)
    far.send()
    await near.heard(far, 1)
    assert not wrong.packets
    await call.hang_up()
    await t.cdr(call, caller_packets_in=1, callee_packets_in=1)


async def test_direct_media_only_if_both_gateways_agree(t):
    caller, carrier = await t.plain(media_relay="off")
    call = await caller.place("88017")
    assert call.remote_sdp.ip == carrier.legs[0].remote_sdp.ip == t.switch.ip
    await t.ctl.ask("routing-gateway.set", name="vendor", media_relay="off")
    call = await caller.place("88018")
    assert (call.remote_sdp.ip, carrier.legs[1].remote_sdp.ip) == (carrier.ip, caller.ip)


@scene(idle=True)
async def test_one_way_media_is_an_alarm(t):
    """The vendor says nothing while the caller talks: its alarm, not the caller's, and the call goes on."""
    caller, carrier = await t.plain(media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    await t.set("SS_MEDIA_TIMEOUT", 2)
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    near.aim(call.remote_sdp)

    async def raised():
        await near.talk(5, 0.02)
        return [(a["object"], a["value"]) for a in await t.ctl.ask("alarm.list") if a["type"] == "one_way_media"]
    assert await poll(raised, "the alarm", within=20) == [("vendor as callee", 1)]
    assert not call.bye_seen
    await call.hang_up()
    await t.ctl.ask("alarm.ack", type="one_way_media")
    assert "one_way_media" not in str(await t.ctl.ask("alarm.list"))
    await t.billed(call, carrier.legs[0], reason="CallerHangup")


async def test_media_threads_go_before_all_others(t):
    """nice -11, where the user may: root here, LimitNICE in the unit."""
    tasks = f"/proc/{t.switch.process.pid}/task"
    found = []
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/stat", encoding="ascii") as f:
            name, _, rest = f.read().partition("(")[2].rpartition(")")
        if name == "media":
            found.append(int(rest.split()[16]))
    assert found and set(found) == ({-11} if os.geteuid() == 0 else {0}), found


@scene(idle=True)
async def test_silence_of_one_side_ends_the_call_if_a_gateway_says_so(t):
    """The vendor says nothing: its own gateway may mind (own, any), or the customer's (any); the customer's own silence is another."""
    caller, _carrier = await t.plain(media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    await t.set("SS_MEDIA_TIMEOUT", 1)
    for i, (mine, vendors, ends) in enumerate((("own", "both", False), ("any", "both", True), ("both", "own", True))):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", media_silence=mine)
        await t.ctl.ask("routing-gateway.set", name="vendor", media_silence=vendors)
        call = caller.invite(f"88017{i}", sdp=Sdp(caller.ip, near.port))
        await call.expect(200)
        near.aim(call.remote_sdp)
        if ends:
            async def over(c=call):
                near.send()
                return bool(c.bye_seen)
            await poll(over, "the end", within=20)
            await t.cdr(call, reason="MediaTimeout", hangup_side="switch")
            continue
        await near.talk(150)
        assert not call.bye_seen
        await call.hang_up()
        await t.cdr(call, reason="CallerHangup")
