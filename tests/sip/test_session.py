"""Session timers, RFC 4028: what is agreed on, who refreshes, and calls whose peer is dead."""

import asyncio

from harness.dialogs import asked, expires, listed, of_method
from harness.scene import scene
from harness.sip import Sdp
from harness.wire import now

TIMER = ("Supported", "timer")
SHORT = {"SS_SIP_SESSION_TTL": "90", "SS_SIP_SESSION_UPDATE_SEGMENT": "10"}  # a refresh every 9 s


def answering(interval=None, refresher="uas", allow="INVITE, ACK, BYE", on=()):
    """A vendor that agrees to a session timer, or (None) does not know them."""
    async def plan(leg):
        for name, value in on:
            setattr(leg, name, value)
        headers = [("Allow", allow)]
        if interval:
            headers += [TIMER, ("Session-Expires", f"{interval};refresher={refresher}")]
            headers += [("Require", "timer")] if refresher == "uac" else []
        leg.reply(180)
        leg.accept(headers=headers)
    return plan


async def up(t, caller, carrier, number, plan, **options):
    carrier.on(number, plan)
    call = caller.invite(number, **options)
    await call.expect(200)
    leg = await carrier.leg(number)
    await leg.ack()
    return call, leg


async def test_who_refreshes_towards_a_caller(t):
    """RFC 4028 §9, table 2, and the interval: never longer than asked for, never shorter than Min-SE."""
    caller, carrier = await t.plain()
    for i, (headers, want) in enumerate((
            ([], None),
            ([TIMER], (600, {"uas", "uac"})),
            ([TIMER, ("Session-Expires", "1800")], (600, {"uas", "uac"})),
            ([TIMER, ("Session-Expires", "300;refresher=uac")], (300, {"uac"})),
            ([TIMER, ("Session-Expires", "300;refresher=uas")], (300, {"uas"})),
            ([TIMER, ("x", "300 ; Refresher=uas")], (300, {"uas"})),
            ([TIMER, ("Session-Expires", "1800"), ("Min-SE", "1000")], (1000, {"uas", "uac"})),
            ([TIMER, ("Min-SE", "1200")], (1200, {"uas", "uac"})),
            ([("Require", "timer"), ("Session-Expires", "200;refresher=uac")], (200, {"uac"})),
            ([TIMER, ("Session-Expires", "nonsense")], (600, {"uas", "uac"})),
            ([TIMER, ("Session-Expires", "99999999999999999999")], (600, {"uas", "uac"})))):
        call, leg = await up(t, caller, carrier, f"88017{i}", answering(), headers=headers)
        got = expires(call.answer)
        if want is None:
            assert got is None and "timer" not in listed(call.answer, "Require"), call.answer.headers
        else:
            assert got[0] == want[0] and got[1] in want[1], (headers, got)
            assert ("timer" in listed(call.answer, "Require")) is (got[1] == "uac"), call.answer.headers
        await call.hang_up()
        await leg.ended_by_peer()


async def test_an_interval_below_the_minimum_is_422(t):
    """§9: 422 with Min-SE, in the record; not to a caller that could not understand it."""
    caller, _carrier = await t.plain()
    call = caller.invite("88017", headers=[TIMER, ("Session-Expires", "60")])
    await t.refused(call, 422, "SessionIntervalTooSmall")
    assert call.answer.get("Min-SE") == "90"
    call = caller.invite("88018", headers=[TIMER, ("Session-Expires", "90"), ("Min-SE", "90")])
    await call.expect(200)
    assert expires(call.answer)[0] == 90
    txn = call.request("UPDATE", headers=[TIMER, ("Session-Expires", "89")])
    answer = await txn.response()
    assert answer.code == 422 and answer.get("Min-SE") == "90", answer.start_line()
    await call.hang_up()
    call = caller.invite("88019", headers=[("Session-Expires", "60")])
    await call.expect(200)
    await call.hang_up()


async def test_what_a_vendor_is_offered(t):
    """§7.1: Supported, Session-Expires; and in a later re-INVITE only if it agreed (behaviour.md)."""
    caller, carrier = await t.plain()
    call, leg = await up(t, caller, carrier, "88017", answering())
    assert "timer" in listed(leg.invite, "Supported") and expires(leg.invite)[0] == 600
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200
    assert expires(leg.reinvites[0]) is None, "a peer without session timers is offered none"
    await call.hang_up()
    for refresher in ("uac", "uas"):
        call, leg = await up(t, caller, carrier, f"88018{refresher == 'uac':d}", answering(400, refresher))
        assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200
        assert expires(leg.reinvites[0]) == (400, {"uac": "uac", "uas": "uas"}[refresher])
        await call.hang_up()


async def test_a_vendor_that_wants_a_longer_interval(t):
    """§7.3: after a 422 the same call goes out again with its Min-SE; the same try. One that is never
    content ends the try."""
    caller, carrier = await t.plain()

    async def once(leg):
        if leg.invite.cseq[0] == first.setdefault(leg.call_id, leg.invite.cseq[0]):
            leg.reply(422, headers=[("Min-SE", "1200")])
        else:
            leg.accept(headers=[TIMER, ("Session-Expires", "1200;refresher=uas")])
    first = {}
    carrier.plan = once
    call = caller.invite("88017")
    await call.expect(200)
    again = carrier.legs[1]
    assert len(carrier.legs) == 2 and again.call_id == carrier.legs[0].call_id
    assert again.invite.cseq[0] > carrier.legs[0].invite.cseq[0]
    assert again.invite.get("Min-SE") == "1200" and expires(again.invite)[0] >= 1200
    await again.ack()
    await call.hang_up()
    await t.cdr(call, tries=1, reason="CallerHangup")

    async def never(leg):
        leg.reply(422, headers=[("Min-SE", str(expires(leg.invite)[0] + 1))])
    carrier.plan = never
    call = caller.invite("88018")
    assert (await call.final()).code >= 400
    assert len(carrier.legs) < 10
    await t.cdr(call, reason="Rejected", vendor_code=422, tries=1)


async def test_gateways_without_session_timers(t):
    """session_timer=false: nothing is offered, nothing is answered, Require: timer is 420."""
    caller, carrier = await t.plain(session_timer=False)
    await t.ctl.ask("routing-gateway.set", name="vendor", session_timer=False)
    call, leg = await up(t, caller, carrier, "88017", answering(90, "uas"),
                         headers=[TIMER, ("Session-Expires", "60")])
    assert expires(call.answer) is None and expires(leg.invite) is None
    assert "timer" not in listed(leg.invite, "Supported") | listed(call.answer, "Supported")
    await call.hang_up()
    call = caller.invite("88018", headers=[("Require", "timer")])
    await t.refused(call, 420, "BadExtension")
    assert listed(call.answer, "Unsupported") == {"timer"}


@scene(idle=True, settings=SHORT)
async def test_refreshes_go_out_on_both_legs(t):
    """By UPDATE where it is allowed, else by a re-INVITE with the same description; the other side
    hears nothing of it, and the session goes on."""
    caller, carrier = await t.plain()
    every = "INVITE, ACK, BYE, UPDATE"
    by_update, leg_update = await up(t, caller, carrier, "88011", answering(90, "uac", every),
                                     headers=[TIMER, ("Allow", every), ("Session-Expires", "90;refresher=uas")])
    by_invite, leg_invite = await up(t, caller, carrier, "88012", answering(90, "uac"),
                                     headers=[TIMER, ("Session-Expires", "90;refresher=uas")])
    none, leg_none = await up(t, caller, carrier, "88013", answering())
    known = {side: side.remote_sdp for side in (by_invite, leg_invite)}
    leg_invite.on_reinvite = refusing(488)
    assert (await by_invite.reinvite(Sdp(caller.ip, 40004, direction="inactive", version=2))).code == 488
    leg_invite.on_reinvite = None
    refused = len(leg_invite.reinvites)
    for side in (by_update, leg_update):
        seen = await asked(side, "UPDATE")
        assert not seen.body and expires(seen) == (90, "uac") and seen.contact
        assert not side.reinvites
    for side in (by_invite, leg_invite):
        before = known[side]
        skip = refused if side is leg_invite else 0
        seen = await asked(side, "INVITE", skip + 1)
        assert expires(seen) == (90, "uac") and not of_method(side, "UPDATE")
        assert (seen.sdp.version, seen.sdp.port, seen.sdp.session, seen.sdp.direction) == (
            before.version, before.port, before.session, before.direction), "what was agreed on last"
        await side.until(lambda side=side, n=seen.cseq[0]: any(a.cseq[0] == n for a in side.acks),
                         "ACK of the refresh")
        assert len(side.requests) == skip + 1
    assert not none.requests and not leg_none.requests
    # These ends answered without Session-Expires: from now on there is no timer any more (§7.2).
    for call in (by_update, by_invite, none):
        await call.hang_up()


def refusing(*codes, headers=()):
    """on_reinvite: refuses so often, then agrees."""
    left = list(codes)

    def answer(session, txn):
        session.refused_at = getattr(session, "refused_at", []) + [now()]
        if left:
            txn.reply(txn.msg.reply(left.pop(0), tag=session.tag, headers=headers))
        else:
            session.send_ok(txn, session.sdp, [TIMER, ("Session-Expires", "90;refresher=uac")])
    return answer


def silent(_session, _txn):
    """on_reinvite of an end that is gone."""


@scene(idle=True, settings={**SHORT, "SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP": "75"})
async def test_refreshes_that_are_refused(t):
    """§10, behaviour.md: 408, 481 and silence end both legs with SessionTimeout, billed to that moment;
    491 and 500 are tried again after the times of RFC 3261 §14.1 and Retry-After; 405 to an UPDATE is no
    refusal of a re-INVITE."""
    caller, carrier = await t.plain()
    near = [TIMER, ("Session-Expires", "90;refresher=uas")]
    dead, again = {}, {}
    for i, code in enumerate((408, 481, None)):
        far = refusing(code) if code else silent
        dead[f"vendor {code}"] = await up(t, caller, carrier, f"88010{i}",
                                          answering(90, "uac", on=[("on_reinvite", far)]))
        call, leg = await up(t, caller, carrier, f"88011{i}", answering(), headers=near)
        call.on_reinvite = refusing(code) if code else silent
        dead[f"caller {code}"] = call, leg
    for i, (code, headers) in enumerate(((491, ()), (500, [("Retry-After", "1")]), (503, [("Retry-After", "2 (x)")]))):
        answer = refusing(code, headers=headers)
        call, leg = await up(t, caller, carrier, f"88012{i}", answering(90, "uac", on=[("on_reinvite", answer)]))
        again["vendor", code] = leg, call
        call, leg = await up(t, caller, carrier, f"88013{i}", answering(), headers=near)
        call.on_reinvite = refusing(code, headers=headers)
        again["caller", code] = call, call
    no_update, leg = await up(t, caller, carrier, "88014", answering(90, "uac", "UPDATE, INVITE, ACK, BYE"))
    default = leg.on_request

    def not_allowed(txn):
        if txn.msg.method != "UPDATE":
            default(txn)
            return
        leg.remote_cseq = txn.msg.cseq[0]
        leg.update_refused = True
        txn.reply(txn.msg.reply(405))
    leg.on_request = not_allowed
    await leg.until(lambda: leg.reinvites, "re-INVITE in place of the UPDATE")
    assert leg.update_refused
    for (side, code), (end, call) in again.items():
        await end.until(lambda end=end: len(getattr(end, "refused_at", [])) >= 2, f"{side}: again after {code}")
        gap = end.refused_at[1] - end.refused_at[0]
        least = {491: 2.1 if side == "vendor" else 0, 500: 1, 503: 2}[code]
        assert gap >= least - 0.002, (side, code, gap)  # the switch counts in whole milliseconds
        assert end.reinvites[1].cseq[0] > end.reinvites[0].cseq[0]
        await end.until(lambda end=end: any(a.cseq[0] == end.reinvites[1].cseq[0] for a in end.acks), "ACK")
        await call.hang_up()
    for why, (call, leg) in dead.items():
        await call.ended_by_peer()
        await leg.ended_by_peer()
        await t.billed(call, leg, reason="SessionTimeout", hangup_side="switch", sip_code=200)
    await no_update.hang_up()


@scene(idle=True, settings={"SS_SIP_SESSION_TTL": "90", "SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP": "87"})
async def test_a_peer_that_should_refresh(t):
    """§10: one that says nothing is dead: both legs end before the session does. A refresh by UPDATE or
    re-INVITE is answered by the switch itself and begins the interval anew."""
    caller, carrier = await t.plain()
    near = [TIMER, ("Session-Expires", "90;refresher=uac")]
    gone, leg_gone = await up(t, caller, carrier, "88010", answering(), headers=near)
    vendor_gone, leg_vendor = await up(t, caller, carrier, "88011", answering(90, "uas"))
    alive, leg_alive = await up(t, caller, carrier, "88012", answering(90, "uas"), headers=near)
    await asyncio.sleep(1)  # a part of the interval
    refreshed = now()
    answer = await alive.request("UPDATE", headers=near).response()
    assert answer.code == 200 and expires(answer) == (90, "uac") and "timer" in listed(answer, "Require")
    sdp = leg_alive.sdp.encode()
    txn = leg_alive.request("INVITE", body=sdp, headers=near, on_response=leg_alive._reinvite_answered)
    answer = await txn.response()
    assert answer.code == 200 and expires(answer) == (90, "uac"), answer.headers
    assert answer.sdp.version == leg_alive.invite.sdp.version
    assert not alive.requests and [m.method for m in leg_alive.requests] == []
    for call, leg in ((gone, leg_gone), (vendor_gone, leg_vendor), (alive, leg_alive)):
        await call.ended_by_peer()
        await leg.ended_by_peer()
        await t.billed(call, leg, reason="SessionTimeout", hangup_side="switch")
    assert alive.bye_seen - refreshed >= 2.9, "the refresh did not begin the interval anew"
    assert gone.bye_seen < alive.bye_seen


@scene(idle=True, settings={"SS_SIP_NO_TIMER_REINVITE_INTERVAL": "1"})
async def test_the_longest_call_without_timers(t):
    """Either end without session timers: NoTimerLimit. Both with them: no limit of that kind."""
    caller, carrier = await t.plain()
    near = [TIMER, ("Session-Expires", "90;refresher=uas")]
    both, leg_both = await up(t, caller, carrier, "88010", answering(90, "uac"), headers=near)
    for number, plan, headers in (("88011", answering(), near), ("88012", answering(90, "uac"), [])):
        call, leg = await up(t, caller, carrier, number, plan, headers=headers)
        await call.ended_by_peer()
        await leg.ended_by_peer()
        cdr = await t.billed(call, leg, reason="NoTimerLimit", hangup_side="switch")
        assert cdr["hold_ms"] >= 1000
    assert not both.bye_seen and not leg_both.bye_seen
    await both.hang_up()
