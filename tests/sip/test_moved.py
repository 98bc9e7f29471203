"""Calls that went over to another worker for a transfer between two (call/move.h): with one worker the same scenes are as they always
were. What reaches such a call by the tags that it had before is handed on."""

from harness.dialogs import of_method
from harness.scene import scene
from test_live_bridge import answers_hold, beside, consult, gone, hold, progress, refer, three
from test_replaces import replaces


async def stays(t, caller, carrier, **options):
    """A transfer that C refuses: B's two calls are as they were, and now on one worker. (B's calls, A, C)"""
    one = caller.invite("88017", **options)
    await one.expect(200)
    a = carrier.legs[-1]
    other = await beside(t, lambda: caller.invite("88018", **options), one)
    c = carrier.legs[-1]
    await c.ack()
    on_reinvite = c.on_reinvite
    c.on_reinvite = lambda session, txn: txn.reply(txn.msg.reply(488, tag=session.tag))
    assert (await refer(one, other, "88018").response()).code == 202
    assert (await progress(one, 2))[0] == "SIP/2.0 488 Not Acceptable Here"
    c.on_reinvite = on_reinvite
    return one, other, a, c


async def talks_on(*pairs):
    """Each end of each call changes it, which the other end sees; nobody was hung up on."""
    for near, far in pairs:
        for side, other in ((near, far), (far, near)):
            answers_hold(other)
            await hold(side)
            assert other.offers[-1].direction == "sendonly"
            await hold(side, "sendrecv")
        assert not near.bye_seen and not far.bye_seen


@scene(idle=True)
async def test_it_goes_on(t):
    """By UDP and by TCP: re-INVITEs of either side, a digit, the list of calls; the vendor's end of it is a BYE at the caller, with the
    record of any call."""
    caller, carrier = await t.plain(call_transfer=True)
    for flow in (None, await caller.tcp_flow()):
        one, other, a, c = await stays(t, caller, carrier, flow=flow)
        await talks_on((one, a), (other, c))
        info = other.build("INFO", headers=[("Content-Type", "application/dtmf-relay")])
        info.body = b"Signal=5\r\nDuration=160\r\n"
        assert (await caller.request(info, other.next_hop()).response()).code == 200
        assert len(of_method(c, "INFO")) == 1
        rows = await t.ctl.ask("call.list")
        assert sorted(r["callee"] for r in rows) == ["88017", "88018"], rows
        await c.hang_up()
        await other.ended_by_peer()
        await one.hang_up()
        await a.ended_by_peer()
        await t.billed(other, c)
        await t.billed(one, a)


@scene(idle=True)
async def test_a_vendors_200_again(t):
    """Its ACK was lost: the worker that sent the INVITE has the call no more, and it is acknowledged all the same, not ended."""
    one, other, a, c = await stays(t, *await t.plain(call_transfer=True))
    acks = len(c.acks)
    c.peer.send(c.first.last, c.first.flow)
    await c.until(lambda: len(c.acks) > acks, "ACK again")
    assert c.acks[-1].cseq[0] == c.invite.cseq[0]
    await talks_on((other, c))
    await other.hang_up()
    await c.ended_by_peer()
    await one.hang_up()
    await a.ended_by_peer()


@scene(idle=True)
async def test_operators_and_limits_find_it(t):
    """`call hangup` ends it; so does the longest time that a call may last, at the time that it would have."""
    caller, carrier = await t.plain(call_transfer=True)
    one, other, _a, c = await stays(t, caller, carrier)
    row = next(r for r in await t.ctl.ask("call.list") if r["callee"] == "88018")
    await t.ctl.ask("call.hangup", id=row["id"])
    await gone(other, c)
    await t.cdr(other, reason="OperatorHangup")
    await one.hang_up()
    await t.set("SS_MAXCALLDURATION", 5)
    one, other, *_ = await stays(t, caller, carrier)
    await gone(one, other)
    for call in (one, other):
        assert 5000 <= (await t.cdr(call, reason="MaxDuration"))["hold_ms"] < 6000


@scene(idle=True)
async def test_another_takes_its_place(t):
    """An INVITE with Replaces for a call that has moved, once cancelled and once not."""
    caller, carrier = await t.plain(call_transfer=True)
    one, other, a, c = await stays(t, caller, carrier)
    waits = []
    c.on_reinvite = lambda session, txn: (waits.append(txn), session.changed())
    for is_cancelled in (True, False):
        new = caller.invite("88018", headers=[("Replaces", replaces(other)), ("Require", "replaces")])
        await c.until(lambda: waits, "re-INVITE")
        if is_cancelled:
            await new.until(lambda new=new: new.provisional, "100")
            new.cancel()
            await t.refused(new, 487, "CallerCancel")
        acks = len(c.acks)
        c.send_ok(waits.pop(), c.sdp)
        await c.until(lambda acks=acks: len(c.acks) > acks, "ACK")
    await new.expect(200)
    await other.ended_by_peer()
    await c.hang_up()
    await new.ended_by_peer()
    await one.hang_up()
    await a.ended_by_peer()


@scene(idle=True)
async def test_a_bye_right_behind_the_refer(t):
    """In one burst: it ends the part of the one who asked, and not the transfer."""
    first, second, third = await three(t)
    call, leg, asking, held = await consult(t, first, second, third)
    answer = refer(leg, asking)
    bye = leg.send_bye()
    assert (await answer.response()).code == 202 and (await bye.response()).code == 200
    await gone(asking)
    await call.until(lambda: len(call.offers) == 2, "re-INVITE at A")
    assert not call.bye_seen and not held.bye_seen
    await held.hang_up()
    await call.ended_by_peer()
    await t.cdr(call, reason="CalleeHangup")
    await t.cdr(asking, reason="CalleeHangup")


@scene(idle=True)
async def test_nobody_gets_the_call_of_another(t):
    """A call that is somebody else's, of another worker or not: it stays where it is, and the REFER is refused as ever."""
    first, second, third = await three(t)
    call = first.call(second.number)
    await call.expect(200)
    leg = await second.leg()
    await leg.ack()
    theirs = await beside(t, lambda: third.call(first.number), leg)
    assert (await refer(leg, theirs).response()).code == 603
    assert (await refer(leg, theirs, tag="t0f0123456789abcdef").response()).code == 603
    await talks_on((call, leg))
    await theirs.hang_up()
    await leg.hang_up()
    await call.ended_by_peer()
