"""The live parameters of vendors, as test_live.py has the others: probes, registrations, the steps of the hunt."""

import asyncio

from harness import plans
from harness.plans import reject, silent_after
from harness.registrar import Registrar
from harness.rtp import Media
from harness.scene import live, scene
from harness.sip import Sdp
from harness.watch import poll
from test_enrol import PASSWORD, alarms, asked, rows, stands, trunk
from test_live import three_vendors


@scene(idle=True)
@live("SS_SIP_OPTIONS_CHECK_PERIOD")
async def test_options_period(t):
    """An hour: one probe and no more. 5 s: the next ones come."""
    await t.set("SS_SIP_OPTIONS_CHECK_PERIOD", 3600)
    carrier = await t.carrier()
    await t.vendor(carrier)
    await carrier.until(lambda: carrier.options, "the first probe")
    await asyncio.sleep(6)  # the silence itself: longer than 5 s
    assert len(carrier.options) == 1
    await t.set("SS_SIP_OPTIONS_CHECK_PERIOD", 5)
    await carrier.until(lambda: len(carrier.options) >= 2, "another probe")


@live("SS_SIP_USER_AGENT_EXPIRE")
async def test_lifetime_of_registrations(t):
    """Auto asks for none; a number is asked for, at once; a gateway's own wins."""
    one = await trunk(t, "one", 3)
    own = await trunk(t, "own", 4, register_expire=120)
    await stands(t, "one")
    await stands(t, "own")
    assert {m.get("Expires") for m, _ in one.registrar.asked} == {None}
    await t.set("SS_SIP_USER_AGENT_EXPIRE", 600)
    msg, _ = await asked(one, 4)
    assert msg.get("Expires") == "600"
    assert {m.get("Expires") for m, _ in own.registrar.asked} == {"120"}


@scene(idle=True)
@live("SS_SIP_USER_AGENT_RETRY_DELAY")
async def test_retry_of_registrations(t):
    """A vendor that is away: at 600 s nothing more comes for a while; at 30 s the next try does, and calls flow
    without an operator."""
    caller = await t.caller()
    await t.customer(caller)
    await t.set("SS_SIP_USER_AGENT_RETRY_DELAY", 600)
    away = Registrar("away", PASSWORD)
    away.deaf = True
    carrier = await trunk(t, "away", 3, registrar=away)
    row = await stands(t, "away", "failed")
    assert row["last_error"] == "no answer" and await alarms(t, "registration_failed"), row
    await t.refused(caller.invite("88017"), 503, "VendorNotRegistered")
    away.deaf = False
    await asyncio.sleep(4)  # the silence itself
    assert not away.asked
    await t.set("SS_SIP_USER_AGENT_RETRY_DELAY", 30)
    await stands(t, "away", within=45)
    assert not await alarms(t, "registration_failed")
    await t.cdr(await caller.place("88018"), routing_gateway="away")
    assert carrier.legs


@live("SS_SIP_USER_AGENT_SEND_UNREGISTER")
async def test_unregister(t):
    """Off: a removed gateway leaves its binding behind; on, it is taken back."""
    one, two = await trunk(t, "one", 3), await trunk(t, "two", 4)
    await stands(t, "one")
    await stands(t, "two")
    await t.set("SS_SIP_USER_AGENT_SEND_UNREGISTER", "Off")
    await t.ctl.ask("routing-gateway.del", name="one")

    async def gone():
        return not await rows(t, "one")
    await poll(gone, "the end of the registration")
    await t.set("SS_SIP_USER_AGENT_SEND_UNREGISTER", "On")
    await t.ctl.ask("routing-gateway.del", name="two")
    await two.until(lambda: not two.registrar.bindings, "the end of the binding")
    assert one.registrar.bindings


@scene(idle=True)
@live("SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT")
async def test_silence_of_a_registered_vendor(t):
    """A vendor that we register at says nothing to an INVITE: off, the next one is tried; on, it is the last."""
    caller = await t.caller()
    await t.customer(caller)
    dead = await trunk(t, "dead", 3, timeout_invite=1)
    dead.plan = plans.dead()
    other = await t.carrier("other", last=4)
    await t.vendor(other, priority=2)
    await stands(t, "dead")
    await t.cdr(await caller.place("88017"), routing_gateway="other", tries=2)
    await t.set("SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT", "On")
    await t.refused(caller.invite("88018"), 408, "InviteTimeout", tries=1)


@scene(idle=True)
@live("SS_SIP_TIMEOUT_SESSION_PROGRESS", "SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP")
async def test_progress_timeouts(t):
    """183 and nothing more, without and with a description: each has a time of its own, and a gateway its own."""
    caller, carrier = await t.plain()
    early = Sdp(carrier.ip, 50000, payloads=(8, 101))
    await t.set("SS_SIP_TIMEOUT_SESSION_PROGRESS", 1)
    carrier.on("880181", silent_after(183)).on("880182", silent_after(183, sdp=early))
    bare, media = caller.invite("880181"), caller.invite("880182")
    await t.refused(bare, 408, "GatewayTimeout", tries=1)
    assert not media.answer
    await t.set("SS_SIP_TIMEOUT_SESSION_PROGRESS", 600)
    await t.set("SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP", 1)
    await t.refused(caller.invite("880182"), 480, "NoAnswer", tries=1)
    longer = caller.invite("880181")
    await longer.rings(183)
    await t.ctl.ask("routing-gateway.set", name="vendor", timeout_progress_sdp=600, timeout_progress=1)
    await t.refused(caller.invite("880181"), 408, "GatewayTimeout")
    own = caller.invite("880182")
    await own.rings(183)
    await asyncio.sleep(2)  # longer than the parameter says
    for call in (media, longer, own):
        assert not call.answer, call
        call.cancel()
        await call.expect(487)


@scene(idle=True)
async def test_ringing_again_does_not_prolong_the_ringing(t):
    caller, carrier = await t.plain()
    await t.set("SS_SIP_TIMEOUT_RINGING", 2)

    async def again(leg):
        for _ in range(20):
            leg.reply(180)
            await asyncio.sleep(0.5)
    carrier.plan = again
    await t.refused(caller.invite("88017"), 480, "NoAnswer")


@scene(idle=True)
@live("SS_SIP_RESEND_INTERVAL")
async def test_resend_interval(t):
    """By the RFC a dead vendor hears an INVITE three times in three seconds; by a list as often as it says."""
    caller, carrier = await t.plain()
    carrier.plan = plans.dead()
    await t.set("SS_SIP_TIMEOUT_INVITE", 3)
    await t.refused(caller.invite("88017"), 408, "InviteTimeout")
    assert carrier.legs[0].first.repeats == 2
    await t.set("SS_SIP_RESEND_INTERVAL", "0.1,0.1,0.2,0.4,0.4")
    await t.refused(caller.invite("88018"), 408, "InviteTimeout")
    assert carrier.legs[1].first.repeats == 5
    for bad in ("0", "1,0.5", "x", "61", "1,,2"):
        code, _out, err = await t.switch.cli("parameter", "set", "SS_SIP_RESEND_INTERVAL", bad)
        assert code == 1 and "SS_SIP_RESEND_INTERVAL" in err, (bad, err)


@live("SS_GATEWAY_SWITCH_STOP_AFTER_USER_BUSY")
async def test_busy_and_the_next_vendor(t):
    """On, 486 ends the hunt at the first vendor; off, all are tried; a gateway may have its own."""
    caller, carriers = await three_vendors(t, reject(486))
    await t.refused(caller.invite("88017"), 486, "UserBusy", tries=1)
    await t.set("SS_GATEWAY_SWITCH_STOP_AFTER_USER_BUSY", "Off")
    await t.refused(caller.invite("88018"), 486, "UserBusy", tries=3)
    await t.ctl.ask("routing-gateway.set", name="v2", stop_after_busy="on")
    await t.refused(caller.invite("88019"), 486, "UserBusy", tries=2)
    assert [len(c.legs) for c in carriers] == [3, 2, 1]


@live("SS_GATEWAY_SWITCH_UNTIL_CONNECT")
async def test_how_far_into_a_call(t):
    """For gateways that leave it to the system: off, a vendor that rang is the last; on, the next is tried."""
    caller, carriers = await three_vendors(t, reject(503, ring=True))
    await t.refused(caller.invite("88016"), 503, "Rejected", tries=3)
    for name in ("v1", "v2", "v3"):
        await t.ctl.ask("routing-gateway.set", name=name, switch_until_connect="system")
    await t.refused(caller.invite("88017"), 503, "Rejected", tries=1)
    await t.set("SS_GATEWAY_SWITCH_UNTIL_CONNECT", "On")
    await t.refused(caller.invite("88018"), 503, "Rejected", tries=3)
    assert [len(c.legs) for c in carriers] == [3, 2, 2]


@live("SS_SIP_STOP_SWITCH_AFTER_SDP")
async def test_description_and_the_next_vendor(t):
    """Off, a vendor that failed after early media is not the last; on, it is; a gateway may have its own."""
    caller, carriers = await three_vendors(t, None)

    async def plan(leg):
        leg.reply(183, sdp=leg.sdp)
        leg.reply(503)
    for c in carriers:
        c.plan = plan
    await t.refused(caller.invite("88017"), 503, "Rejected", tries=3)
    await t.set("SS_SIP_STOP_SWITCH_AFTER_SDP", "On")
    await t.refused(caller.invite("88018"), 503, "Rejected", tries=1)
    await t.ctl.ask("routing-gateway.set", name="v1", stop_after_sdp="off")
    await t.refused(caller.invite("88019"), 503, "Rejected", tries=2)


@live("SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START")
async def test_media_and_the_next_vendor(t):
    """A vendor that sent early media before it failed is the last one tried; off, the next has its turn."""
    caller, (v1, *_rest) = await three_vendors(t, reject(503))
    near = t.keep(Media(caller.ip, "near"))
    talked = t.keep(Media(v1.ip, "early"))

    async def plan(leg):
        leg.reply(183, sdp=Sdp(v1.ip, talked.port, payloads=(8, 101)))
        talked.aim(leg.remote_sdp)
        while not near.packets:  # until some of it has come through
            talked.send()
            await asyncio.sleep(0.02)
        leg.reply(503)
    v1.plan = plan
    await t.refused(caller.invite("88017", sdp=Sdp(caller.ip, near.port)), 503, "Rejected", tries=1)
    await t.set("SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START", "Off")
    near.packets.clear()
    await t.refused(caller.invite("88018", sdp=Sdp(caller.ip, near.port)), 503, "Rejected", tries=3)
