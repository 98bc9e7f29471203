"""Every live parameter: behaviour differs between two of its values, set while the switch runs.

The last test holds this file against `parameter list`: a live parameter without a test fails it.
"""

import asyncio

from harness import digest, plans
from harness.books import check_fee
from harness.oracle import Terms, charge, money
from harness.plans import reject, silent_after
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.stage import BUY, SELL

TESTED = set()


def live(*names):
    """This test shows that these parameters act."""
    TESTED.update(names)
    return lambda function: function


async def held_call(t, caller, seconds, number="88017"):
    call = await caller.place(number, hold=seconds)
    return await t.cdr(call)


@live("SERVER_BILLING_FEE_PRECISION")
async def test_fee_precision(t):
    """0.0123 a minute for a second is 0.000205: whole at 0, 0.0002 at 4."""
    caller, _carrier = await t.plain()
    check_fee(await held_call(t, caller, 0.1), SELL)
    await t.set("SERVER_BILLING_FEE_PRECISION", 4)
    cdr = await held_call(t, caller, 0.1)
    check_fee(cdr, SELL.but(fee_precision=4))
    assert money(cdr["fee"]) == money("0.0002")


@live("SERVER_BILLING_FEE_UNIT")
async def test_fee_unit(t):
    caller, _carrier = await t.plain(rates={"880": Terms(price="60", unit=60, first=7)})
    check_fee(await held_call(t, caller, 0.1), Terms(price="60", first=7))
    await t.set("SERVER_BILLING_FEE_UNIT", "5")
    cdr = await held_call(t, caller, 0.1)
    assert money(cdr["fee"]) == 5, cdr


@live("SERVER_BILLING_FREE_E164S")
async def test_free_numbers(t):
    """A listed number costs nothing, and passes even where a paid one is refused for want of money."""
    caller, _carrier = await t.plain(pay="0.02")
    await t.set("SERVER_BILLING_FREE_E164S", "880112")
    free = await held_call(t, caller, 0.1, "880112")
    paid = await held_call(t, caller, 0.1, "880113")
    assert money(free["fee"]) == 0 < money(paid["fee"])


@live("SERVER_BILLING_FREE_TIME")
async def test_free_time(t):
    """Taken off for the customer, never off the vendor's cost."""
    caller, _carrier = await t.plain()
    check_fee(await held_call(t, caller, 0.1), SELL, BUY)
    await t.set("SERVER_BILLING_FREE_TIME", 6)
    cdr = await held_call(t, caller, 0.1)
    check_fee(cdr, SELL.but(free_time_s=6), BUY)
    assert money(cdr["fee"]) == 0 < money(cdr["cost"])


@live("SERVER_BILLING_HOLD_TIME_PRECISION")
async def test_hold_time_precision(t):
    """The rest of a call of some 0.3 s counts as a second at 50 ms, and is dropped at 1000."""
    caller, _carrier = await t.plain(rates={"880": SELL.but(hold_time_precision_ms=0)})
    assert (await held_call(t, caller, 0.3))["billed_s"] == 1
    await t.set("SERVER_BILLING_HOLD_TIME_PRECISION", 1000)
    cdr = await held_call(t, caller, 0.3)
    check_fee(cdr, SELL.but(hold_time_precision_ms=1000))
    assert cdr["hold_ms"] >= 1000 or cdr["billed_s"] == 0


@live("SERVER_BILLING_NO_CDR_E164S")
async def test_hidden_numbers(t):
    """Booked and in `ledger verify`, but in no list and no export."""
    caller, _carrier = await t.plain()
    await t.set("SERVER_BILLING_NO_CDR_E164S", "880110")
    shown, hidden = await caller.place("88017", hold=0.1), await caller.place("880110", hold=0.1)
    assert len(await t.ctl.ask("cdr.list", call_id=shown.call_id)) == 1
    await t.books.settled()
    assert not await t.ctl.ask("cdr.list", call_id=hidden.call_id)
    exported = await t.ctl.ask("cdr.export", format="csv")
    assert shown.call_id in exported and hidden.call_id not in exported
    assert await t.books.balance("acme") == 100 - 2 * charge(SELL, 1000).total
    await t.books.verify()
    t.audit = False


@live("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME")
async def test_advance_time(t):
    """0.03 covers two minutes at 0.0123 and not three."""
    caller, _carrier = await t.plain(pay="0.03")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 2)
    await caller.place("88017")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 3)
    await t.refused(caller.invite("88018"), 403, "CustomerBalanceNotEnough")
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 0)
    await caller.place("88019")


@live("SERVER_BILLING_RECORD_ZERO_HOLD_TIME")
async def test_record_of_unanswered_calls(t):
    caller, carrier = await t.plain()
    carrier.plan = reject(486)
    await t.refused(caller.invite("88017"), 486, "UserBusy")
    await t.set("SERVER_BILLING_RECORD_ZERO_HOLD_TIME", "Off")
    call = caller.invite("88018")
    await call.expect(486)
    carrier.plan = plans.answer()
    await t.cdr(await caller.place("88019"))
    assert not await t.ctl.ask("cdr.list", call_id=call.call_id)


@live("SERVER_VERIFY_CLEARING_CUSTOMER", "SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT")
async def test_clearing_balance(t):
    """A vendor whose account has less than the limit is passed over, when the check is on."""
    caller, _carrier = await t.plain()
    await t.books.pay("vendor-acc", "50")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT", "100")
    await caller.place("88017")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER", "On")
    await t.refused(caller.invite("88018"), 503, "AccountBalanceNotEnough")
    await t.set("SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT", "40")
    await caller.place("88019")


async def three_vendors(t, plan):
    caller, carriers = await t.caller(), []
    await t.customer(caller)
    for i in (1, 2, 3):
        carriers.append(await t.carrier(f"v{i}", last=2 + i))
        carriers[-1].plan = plan
        await t.vendor(carriers[-1], priority=i)
    return caller, carriers


@live("SS_GATEWAY_SWITCH_LIMIT")
async def test_switch_limit(t):
    caller, carriers = await three_vendors(t, reject(503))
    await caller.invite("88017").expect(503)
    assert [len(c.legs) for c in carriers] == [1, 1, 1]
    await t.set("SS_GATEWAY_SWITCH_LIMIT", 2)
    await t.refused(caller.invite("88018"), 503, "HuntTimeout", tries=2)
    assert [len(c.legs) for c in carriers] == [2, 2, 1]


@scene(idle=True)
@live("SS_HUNT_TIMEOUT", "SS_SIP_TIMEOUT_INVITE")
async def test_hunt_and_invite_timeout(t):
    """Vendors that are dead for 2 s each, and a hunt of 3 s: the third is never asked. With a hunt of
    30 s it is."""
    caller, carriers = await three_vendors(t, plans.dead())
    await t.set("SS_SIP_TIMEOUT_INVITE", 2)
    await t.set("SS_HUNT_TIMEOUT", 3)
    call = caller.invite("88017")
    assert (await call.final(within=40)).code in (408, 503)
    await t.cdr(call, reason="HuntTimeout", hold_ms=0)
    assert [len(c.legs) for c in carriers] == [1, 1, 0]
    await t.set("SS_HUNT_TIMEOUT", 30)
    await t.refused(caller.invite("88018"), 408, "InviteTimeout", within=40)
    assert [len(c.legs) for c in carriers] == [2, 2, 1]


@scene(idle=True)
@live("SS_SIP_TIMEOUT_TRYING")
async def test_trying_timeout(t):
    """100 and then nothing: GatewayTimeout once the time is over."""
    caller, carrier = await t.plain()
    carrier.plan = silent_after(100)
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)
    await t.refused(caller.invite("88017"), 408, "GatewayTimeout")
    await carrier.legs[0].cancel()
    await t.set("SS_SIP_TIMEOUT_TRYING", 30)

    async def slow(leg):
        leg.reply(100)
        await asyncio.sleep(2)
        leg.accept()
    carrier.plan = slow
    await caller.place("88018")


@scene(idle=True)
@live("SS_SIP_TIMEOUT_RINGING")
async def test_ringing_timeout(t):
    caller, carrier = await t.plain()
    carrier.plan = plans.answer(after=2.5)
    await t.set("SS_SIP_TIMEOUT_RINGING", 1)
    await t.refused(caller.invite("88017"), 480, "NoAnswer")
    await t.set("SS_SIP_TIMEOUT_RINGING", 30)
    await caller.place("88018")


@scene(idle=True)
@live("SS_MAXCALLDURATION")
async def test_longest_call(t):
    """Both sides are ended with MaxDuration; without a limit the same call goes on."""
    caller, carrier = await t.plain()
    await t.set("SS_MAXCALLDURATION", 1)
    call = caller.invite("88017")
    await call.expect(200)
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    cdr = await t.billed(call, carrier.legs[0], reason="MaxDuration", hangup_side="switch")
    assert cdr["hold_ms"] >= 1000
    await t.ctl.ask("parameter.reset", name="SS_MAXCALLDURATION")
    call = await caller.place("88018", hold=2)
    await t.cdr(call, reason="CallerHangup")


@live("SS_MAX_CALL_PER_SECOND")
async def test_calls_a_second(t):
    caller, _carrier = await t.plain()
    await t.set("SS_MAX_CALL_PER_SECOND", 2)
    calls = [caller.invite(f"88017{i}") for i in range(10)]
    codes = [(await c.final()).code for c in calls]
    assert 503 in codes and codes.count(200) >= 2, codes
    await t.set("SS_MAX_CALL_PER_SECOND", 1000)
    more = [caller.invite(f"88018{i}") for i in range(10)]
    assert {(await c.final()).code for c in more} == {200}
    for call in [c for c in calls + more if c.ok]:
        await call.hang_up()


@live("SS_MAX_CONCURRENT_CALL")
async def test_concurrent_calls(t):
    caller, carrier = await t.plain()
    carrier.plan = silent_after(180)
    await t.set("SS_MAX_CONCURRENT_CALL", 1)
    first = caller.invite("88017")
    await first.rings()
    await t.refused(caller.invite("88018"), 503, "SystemLimit")
    await t.set("SS_MAX_CONCURRENT_CALL", 2)
    second = caller.invite("88019")
    await second.rings()
    for call in (first, second):
        call.cancel()
        await call.expect(487)


@scene(start=False)  # --media-ports would hold for the whole run
@live("SS_MEDIA_PORT_RANGE")
async def test_media_ports(t):
    """Every port given out lies in the range, and moves with it."""
    t.switch.media_ports = None
    await t.switch.start()
    caller, carrier = await t.plain()
    for low, high in ((21000, 21999), (26000, 26499)):
        await t.set("SS_MEDIA_PORT_RANGE", f"{low},{high}")
        for i in range(5):
            call = await caller.place(f"8801{low}{i}")
            ports = (call.remote_sdp.port, carrier.legs[-1].remote_sdp.port)
            assert all(low <= p <= high for p in ports), (ports, low, high)


@live("SS_MEDIA_PROXY_ENABLE")
async def test_media_relay_off(t):
    """Where both gateways leave it open, Off lets the two ends talk directly."""
    caller, carrier = await t.plain(media_relay="auto")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_relay="auto")
    call = await caller.place("88017")
    assert call.remote_sdp.ip == t.switch.ip
    await t.set("SS_MEDIA_PROXY_ENABLE", "Off")
    call = await caller.place("88018")
    assert (call.remote_sdp.ip, carrier.legs[1].remote_sdp.ip) == (carrier.ip, caller.ip)


@scene(idle=True)
@live("SS_MEDIA_TIMEOUT")
async def test_media_timeout(t):
    """Silence both ways ends the call after the time set; one-way silence, or RTCP alone, does not."""
    caller, carrier = await t.plain(media_source="sdp")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    await t.set("SS_MEDIA_TIMEOUT", 2)
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    near.aim(call.remote_sdp)
    await near.talk(30, 0.1)
    assert not call.bye_seen, "ended although one side was talking"
    for _ in range(6):
        near.report()
        await asyncio.sleep(0.5)  # the silence itself
    assert not call.bye_seen, "ended although RTCP came"
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    cdr = await t.billed(call, carrier.legs[0], reason="MediaTimeout", hangup_side="switch")
    assert cdr["hold_ms"] >= 7000
    await t.set("SS_MEDIA_TIMEOUT", 0)
    await t.cdr(await caller.place("88018", hold=4), reason="CallerHangup")


@live("SS_REPLY_UNAUTHORIZED")
async def test_reply_to_strangers(t):
    caller, _carrier = await t.plain()
    stranger = await t.caller("stranger", last=9)
    silent = stranger.invite("88017")
    await caller.place("88018")
    await t.set("SS_REPLY_UNAUTHORIZED", "On")
    answer = await stranger.invite("88019").final()
    assert answer.code in (401, 403, 407), answer.start_line()
    silent.txn.stop()


@live("SS_SIP_AUTHENTICATION_CODE", "SS_SIP_AUTHENTICATION_REALM")
async def test_challenge(t):
    """401 or 407, with the realm as set; a call with the password passes under both."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, auth="password", address=[t.net.cidr], user="u", password="a pass word 9")
    await t.vendor(carrier)
    for code, realm in ((401, "one.example"), (407, "two.example")):
        await t.set("SS_SIP_AUTHENTICATION_CODE", code)
        await t.set("SS_SIP_AUTHENTICATION_REALM", realm)
        # The realm is part of the stored digest: the password is given anew after a change.
        await t.ctl.ask("mapping-gateway.set", name="acme-in", password="a pass word 9")
        call = caller.invite("88017", credentials=("u", "a pass word 9", "MD5"))
        await call.expect(200)
        assert call.challenges[0].code == code
        assert {c["realm"] for c in digest.challenges(call.challenges[0])} == {realm}
        await call.hang_up()


async def guess(caller, call_id, *passwords):
    """The final codes of calls with these passwords, all on the worker that the Call-ID leads to."""
    codes = []
    for password in passwords:
        call = caller.invite("88017", call_id=call_id, credentials=("u", password, "MD5"))
        codes.append((await call.final()).code)
        if call.ok:
            await call.hang_up()
    return codes


@scene(idle=True, within=150)
@live("SS_AUTHENTICATION_MAX_RETRY", "SS_AUTHENTICATION_FAILED_SUSPEND")
async def test_suspension_after_wrong_passwords(t):
    """After that many the right one is refused too, for that long; 0 is never. Elsewhere it passes."""
    right = "a pass word 9"
    caller, carrier = await t.caller(), await t.carrier()
    elsewhere = await t.caller("elsewhere", last=9)
    await t.customer(caller, auth="password", address=[t.net.cidr], user="u", password=right)
    await t.vendor(carrier)
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 0)
    assert await guess(caller, "none@x", "no", "no", "no", right) == [403, 403, 403, 200]
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 2)
    assert await guess(caller, "one@x", "no", right, "no", "no", right) == [403, 200, 403, 403, 403]
    assert await guess(elsewhere, "one@x", right) == [200]
    await t.set("SS_AUTHENTICATION_FAILED_SUSPEND", 60)
    third = await t.caller("third", last=10)
    assert await guess(third, "two@x", "no", "no", right) == [403, 403, 403]
    await asyncio.sleep(61)  # the suspension itself
    assert await guess(third, "two@x", right) == [200]
    assert await guess(caller, "one@x", right) == [403], "that one was suspended for 180 s"


async def test_every_live_parameter_has_a_test_here(t):
    rows = await t.ctl.ask("parameter.list")
    names = {r["name"] for r in rows if r["effect"] == "live"}
    assert names, "no live parameter at all"
    assert names <= TESTED, f"without a test: {sorted(names - TESTED)}"
    assert TESTED <= names, f"tested here but not live: {sorted(TESTED - names)}"
