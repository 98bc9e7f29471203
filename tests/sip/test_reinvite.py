"""Inside a call: re-INVITE passed through both ways, refused, crossed; other requests."""

import asyncio

from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp


async def up(t, **options):
    caller, carrier = await t.plain()
    call = caller.invite("88017", **options)
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    return caller, carrier, call, leg


async def finish(t, call, leg):
    await call.hang_up()
    await leg.ended_by_peer()
    await t.billed(call, leg, reason="CallerHangup")


async def test_the_caller_holds_and_resumes(t):
    """sendonly arrives as sendonly with the switch's address, the answer comes back; then sendrecv."""
    caller, _carrier, call, leg = await up(t)
    before = leg.remote_sdp

    def held(session, txn):
        session.send_ok(txn, Sdp(session.peer.ip, 50000, (8, 101), "recvonly", version=2))
    leg.on_reinvite = held
    answer = await call.reinvite(Sdp(caller.ip, 40000, direction="sendonly", version=2))
    assert answer.code == 200 and answer.sdp.direction == "recvonly"
    seen = leg.reinvites[0].sdp
    assert seen.direction == "sendonly" and seen.ip == t.switch.ip
    assert (seen.port, seen.session) == (before.port, before.session), "o= session and port stay"
    assert seen.version > before.version, "o= version grows with the change (RFC 3264 §8)"
    await leg.until(lambda: len(leg.acks) >= 2, "ACK of the re-INVITE's 200")
    leg.on_reinvite = None
    answer = await call.reinvite(Sdp(caller.ip, 40000, version=3))
    assert answer.sdp.direction == "sendrecv" and leg.reinvites[1].sdp.direction == "sendrecv"
    await finish(t, call, leg)


async def test_the_vendor_reinvites(t):
    _caller, carrier, call, leg = await up(t)
    answer = await leg.reinvite(Sdp(carrier.ip, 50010, (8, 101), version=2))
    assert answer.code == 200 and answer.sdp.ip == t.switch.ip
    assert call.reinvites[0].sdp.ip == t.switch.ip, "the caller sees the switch's address only"
    await call.until(lambda: call.acks, "ACK at the caller")
    await finish(t, call, leg)


async def test_a_refused_reinvite_leaves_the_call_as_it_was(t):
    """488 comes back as a refusal, the call goes on (RFC 6141)."""
    caller, _carrier, call, leg = await up(t)
    leg.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(488, tag=session.tag))
    answer = await call.reinvite(Sdp(caller.ip, 40002, version=2))
    assert answer.code == 488, answer.start_line()
    leg.on_reinvite = None
    assert (await call.reinvite(Sdp(caller.ip, 40000, version=3))).code == 200
    await finish(t, call, leg)


async def test_reinvites_that_cross(t):
    """Both ends re-INVITE at once: at least one gets 491 or both are served in turn; the call lives."""
    caller, carrier, call, leg = await up(t)
    one, two = await asyncio.gather(call.reinvite(Sdp(caller.ip, 40000, version=2)),
                                    leg.reinvite(Sdp(carrier.ip, 50000, (8, 101), version=2)))
    assert {one.code, two.code} <= {200, 491, 500}, (one.code, two.code)
    await finish(t, call, leg)


async def test_a_second_reinvite_while_one_is_open(t):
    """RFC 3261 §14.2: 500 with Retry-After (or 491) to a second INVITE before the first is answered."""
    caller, _carrier, call, leg = await up(t)
    let_go = asyncio.Event()

    def wait(session, txn):
        async def later():
            await let_go.wait()
            session.send_ok(txn, session.sdp)
        asyncio.create_task(later())
    leg.on_reinvite = wait
    first = asyncio.create_task(call.reinvite(Sdp(caller.ip, 40000, version=2)))
    await leg.until(lambda: leg.reinvites, "the first re-INVITE")
    second = await call.reinvite(Sdp(caller.ip, 40000, version=3))
    assert second.code in (491, 500), second.start_line()
    let_go.set()
    assert (await first).code == 200
    await finish(t, call, leg)


async def test_bye_during_a_reinvite(t):
    """The vendor never answers the re-INVITE; the caller hangs up; both sides end."""
    caller, _carrier, call, leg = await up(t)
    leg.on_reinvite = lambda session, txn: None
    call.request("INVITE", body=Sdp(caller.ip, 40000, version=2).encode())
    await leg.until(lambda: leg.reinvites, "re-INVITE at the vendor")
    await call.hang_up()
    await leg.ended_by_peer()
    await t.cdr(call, reason="CallerHangup")


async def test_a_request_of_a_stranger_to_a_dialog_changes_nothing(t):
    """BYE with the right Call-ID and wrong tags: 481; the call goes on."""
    caller, _carrier, call, leg = await up(t)
    for name, value in (("To", call.remote.split(";tag=")[0] + ";tag=wrong"),
                        ("From", call.local.split(";tag=")[0] + ";tag=wrong")):
        bye = call.build("BYE", 77).set(name, value)
        answer = await caller.request(bye, call.next_hop()).response()
        assert answer.code == 481, answer.start_line()
    assert not leg.bye_seen
    await finish(t, call, leg)


async def test_an_old_cseq_is_refused(t):
    """RFC 3261 §12.2.2: 500 to a request whose CSeq does not grow."""
    caller, _carrier, call, leg = await up(t)
    old = call.build("INFO", 1)
    answer = await caller.request(old, call.next_hop()).response()
    assert answer.code == 500, answer.start_line()
    assert not leg.bye_seen
    await finish(t, call, leg)


async def test_a_bye_with_a_challenge_is_finished_locally(t):
    """security.md A7: the vendor challenges our BYE; the call ends all the same, nothing is relayed."""
    _caller, _carrier, call, leg = await up(t)
    leg.bye_code = None

    def challenge(txn):
        leg.bye = txn.msg
        txn.reply(txn.msg.reply(401, headers=[("WWW-Authenticate", 'Digest realm="v", nonce="1"')]))
        leg.changed()
    leg._bye_came = challenge
    await call.hang_up()
    await leg.ended_by_peer()
    await t.cdr(call, reason="CallerHangup")


@scene(idle=True)
async def test_hold_is_still_billed(t):
    """A call on hold for its whole length is charged like any other."""
    caller, _carrier, call, leg = await up(t)
    await call.reinvite(Sdp(caller.ip, 40000, direction="inactive", version=2))
    await asyncio.sleep(1.1)  # the talk itself
    await finish(t, call, leg)


@scene(idle=True)
async def test_a_call_on_hold_outlives_the_media_timeout(t):
    """Held by the caller (sendonly, answered recvonly), silence is no fault; taken back, it is one."""
    caller, carrier, call, leg = await up(t)
    await t.set("SS_MEDIA_TIMEOUT", 2)

    def held(session, txn):
        session.send_ok(txn, Sdp(carrier.ip, 50000, (8, 101), "recvonly", version=2))
    leg.on_reinvite = held
    await call.reinvite(Sdp(caller.ip, 40000, direction="sendonly", version=2))
    await asyncio.sleep(7)  # the silence itself: more than the time-out and a look at the media
    assert not call.bye_seen and not leg.bye_seen, "a call on hold was ended for its silence"
    leg.on_reinvite = None
    await call.reinvite(Sdp(caller.ip, 40000, version=3))
    await call.ended_by_peer()
    await leg.ended_by_peer()
    await t.cdr(call, reason="MediaTimeout", hangup_side="switch")


async def test_a_refused_reinvite_leaves_the_media_where_it_was(t):
    """RFC 3261 §14.1: the vendor says 488 to another address of the caller's, and goes on talking."""
    caller, carrier = await t.plain(media_source="sdp")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))
    elsewhere = t.keep(Media(caller.ip, "elsewhere"))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 101))
        far.aim(leg.remote_sdp)
        leg.accept()
    carrier.plan = plan
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    near.aim(call.remote_sdp)
    leg = carrier.legs[0]
    await leg.ack()
    far.send()
    await near.heard(far, 1)
    leg.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(488, tag=session.tag))
    assert (await call.reinvite(Sdp(caller.ip, elsewhere.port, version=2))).code == 488
    talking = asyncio.create_task(far.talk(1000, 0.005))
    await near.until(lambda: len(near.packets) >= 2, "the vendor's stream at the old address again")
    astray = len(elsewhere.packets)
    await near.until(lambda: len(near.packets) >= 20, "the rest of the stream")
    talking.cancel()
    assert len(elsewhere.packets) == astray, "the stream still goes where it was refused"
    near.send()
    await far.heard(near, 1)
    await finish(t, call, leg)
