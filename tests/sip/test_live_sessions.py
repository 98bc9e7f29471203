"""The live parameters of session timers (RFC 4028)."""

from harness.scene import live, scene

TIMER = ("Supported", "timer")


def expires(msg):
    return int((msg.get("Session-Expires") or "0").split(";")[0])


@live("SS_SIP_SESSION_TTL", "SS_SIP_SESSION_MIN_SE")
async def test_session_interval(t):
    """The interval that a vendor is offered and a caller is given; the shortest that is accepted."""
    caller, carrier = await t.plain()
    for i, ttl in enumerate((100, 200)):
        await t.set("SS_SIP_SESSION_TTL", ttl)
        call = caller.invite(f"88017{i}", headers=[TIMER])
        assert expires(await call.expect(200)) == ttl == expires(carrier.legs[-1].invite)
        await call.hang_up()
    short = [TIMER, ("Session-Expires", "110")]
    await caller.place("88018", headers=short)
    await t.set("SS_SIP_SESSION_MIN_SE", 120)
    answer = await caller.invite("88019", headers=short).expect(422)
    assert answer.get("Min-SE") == "120"
    await t.set("SS_SIP_SESSION_TTL", 100)
    call = await caller.place("88017", headers=[TIMER])
    assert expires(call.answer) == 120 == expires(carrier.legs[-1].invite)


@scene(idle=True)
@live("SS_SIP_SESSION_UPDATE_SEGMENT")
async def test_session_segment(t):
    """90 s in 10 parts are refreshed after 9 s, in 2 parts not before 45 s."""
    caller, _carrier = await t.plain()
    near = [TIMER, ("Session-Expires", "90;refresher=uas")]
    slow = caller.invite("88017", headers=near)
    await slow.expect(200)
    await t.set("SS_SIP_SESSION_UPDATE_SEGMENT", 10)
    quick = caller.invite("88018", headers=near)
    await quick.expect(200)
    await quick.until(lambda: quick.reinvites, "refresh")
    assert not slow.reinvites
    for call in (slow, quick):
        await call.hang_up()


@scene(idle=True)
@live("SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP")
async def test_session_early_hangup(t):
    """A silent refresher is hung up on so long before the end of its 90 s."""
    caller, _carrier = await t.plain()
    near = [TIMER, ("Session-Expires", "90;refresher=uac")]
    later = caller.invite("88017", headers=near)
    await later.expect(200)
    await t.set("SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP", 88)
    soon = caller.invite("88018", headers=near)
    await soon.expect(200)
    await soon.ended_by_peer()
    await t.cdr(soon, reason="SessionTimeout")
    assert not later.bye_seen
    await later.hang_up()


@scene(idle=True)
@live("SS_SIP_NO_TIMER_REINVITE_INTERVAL")
async def test_longest_call_without_session_timers(t):
    """0: it goes on; 1 s: both sides are ended with NoTimerLimit."""
    caller, _carrier = await t.plain()
    await t.set("SS_SIP_NO_TIMER_REINVITE_INTERVAL", 0)
    endless = caller.invite("88017")
    await endless.expect(200)
    await t.set("SS_SIP_NO_TIMER_REINVITE_INTERVAL", 1)
    call = caller.invite("88018")
    await call.expect(200)
    await call.ended_by_peer()
    await t.cdr(call, reason="NoTimerLimit", hangup_side="switch")
    assert not endless.bye_seen
    await endless.hang_up()
