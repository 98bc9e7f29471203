"""T.38: a call becomes a fax and a call again, through the relay (behaviour.md, Media; RFC 3362, ITU-T T.38 annexes B and D)."""

import asyncio
import struct

from harness.rtp import Media, payload
from harness.scene import scene
from harness.sip import Sdp
from test_media import heard_both, talk_stage


class FaxEnd(Media):
    """A media end that sends UDPTL: sequence number, length and first part, no error correction."""

    def packet(self, number, seq=None):
        part = payload(self.stream, number)[:100]
        return struct.pack("!HB", number & 0xffff, len(part)) + part + b"\0\0"

    def _rtp(self, data, flow):
        self.packets.append((data, flow.peer))
        self.changed()

    async def heard(self, other, count, within=10):
        await self.until(lambda: len(self.packets) >= count, f"{count} packets (has {len(self.packets)})", within)
        assert [data for data, _ in self.packets] == [other.packet(n) for n in range(count)]


def fax(end, version):
    return Sdp(end.ip, end.port, kind="image", version=version)


async def become_a_fax(t, call, leg, version=2, **options):
    """The called side asks, as the one that answers a fax does; each end has a port of its own for it."""
    one, two = t.keep(FaxEnd(call.peer.ip, "caller's fax")), t.keep(FaxEnd(leg.peer.ip, "vendor's fax"))
    call.on_reinvite = lambda session, txn: session.send_ok(txn, fax(one, version))
    answer = await leg.reinvite(fax(two, version))
    call.on_reinvite = None
    assert answer.code == 200, answer.start_line()
    for sdp, body in ((answer.sdp, answer.body), (call.reinvites[-1].sdp, call.reinvites[-1].body)):
        assert (sdp.kind, sdp.payloads, sdp.ip) == ("image", ["t38"], t.switch.ip), body
        assert all(line.encode() in body for line in Sdp.T38) and b"m=audio 0 " in body, body
    return one.aim(call.reinvites[-1].sdp), two.aim(answer.sdp)


@scene(idle=True)
async def test_a_fax_in_the_middle_of_a_call(t):
    """Voice, a fax with all its datagrams both ways by the ports that were there, voice again. What is no UDPTL does not pass, and who is
    sent a page may be silent: neither an alarm nor an end. Only voice is counted as RTP."""
    caller, carrier, call, leg, near, far = await talk_stage(t)
    await asyncio.gather(near.talk(5), far.talk(5))
    await heard_both(near, far)
    ports = (call.remote_sdp.port, leg.remote_sdp.port)
    one, two = await become_a_fax(t, call, leg)
    assert (one.to[1], two.to[1]) == ports, "our port stays for the life of a leg (field-lessons B25)"
    await t.set("SS_MEDIA_TIMEOUT", 2)
    for junk in (b"", b"\0\1", b"\0\1\0\0\0", b"\0\1\x7f" + bytes(20), b"\0\1\xff" + bytes(20), bytes(3000)):
        two.sock.sock.sendto(junk, two.to)
    await asyncio.gather(one.talk(10), two.talk(150))  # three seconds: the page
    await one.heard(two, 150)
    await two.heard(one, 10)
    assert {source for _, source in one.packets} == {one.to} and {source for _, source in two.packets} == {two.to}
    assert not call.bye_seen and "one_way_media" not in str(await t.ctl.ask("alarm.list"))
    answer = await call.reinvite(Sdp(caller.ip, near.port, version=3))
    assert answer.code == 200 and answer.sdp.kind == "audio" and leg.reinvites[-1].sdp.kind == "audio", answer.body
    near.aim(answer.sdp)
    far.aim(leg.reinvites[-1].sdp)
    await asyncio.gather(near.talk(5), far.talk(5))
    await heard_both(near, far, 10)
    await call.hang_up()
    await t.billed(call, leg, reason="CallerHangup", caller_packets_in=10, callee_packets_in=10, caller_packets_out=10,
                   callee_packets_out=10)


@scene(idle=True)
async def test_silence_of_a_fax_ends_the_call(t):
    caller, carrier, call, leg, near, far = await talk_stage(t)
    one, two = await become_a_fax(t, call, leg)
    await t.set("SS_MEDIA_TIMEOUT", 2)
    await asyncio.gather(one.talk(2), two.talk(2))
    await call.ended_by_peer()
    await leg.ended_by_peer()
    await t.cdr(call, reason="MediaTimeout")


@scene(idle=True)
async def test_a_fax_behind_nat(t):
    """Where the source is learned, the port of the fax is, too: once, and then nobody else from that address is believed."""
    caller, carrier, call, leg, near, far = await talk_stage(t, media_source="nat")
    near.send()
    await far.heard(near, 1)
    one, two = await become_a_fax(t, call, leg)
    await asyncio.sleep(2.5)  # longer than an old source may be taken over because the description is new
    one.send()
    await two.heard(one, 1)
    two.send()
    await one.heard(two, 1)
    other = t.keep(FaxEnd(caller.ip, "somebody else"))
    await asyncio.sleep(2.5)  # the silence after which a stream of RTP may come from another port
    other.send(one.to)
    one.send()
    await two.heard(one, 2)
    await call.hang_up()
    await t.cdr(call, reason="CallerHangup")


async def test_a_fax_that_is_refused(t):
    """488: voice goes on where it was."""
    caller, carrier, call, leg, near, far = await talk_stage(t)
    call.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(488, tag=session.tag))
    two = t.keep(FaxEnd(carrier.ip, "vendor's fax"))
    assert (await leg.reinvite(fax(two, 2))).code == 488
    near.send()
    await far.heard(near, 1)
    far.send()
    await near.heard(far, 1)
    await call.hang_up()
    await t.cdr(call, reason="CallerHangup")
