"""The live parameters of whether media is relayed and of calls that the switch ends, as test_live.py has the others."""

import itertools

from harness.phone import Phone
from harness.scene import live, scene
from harness.sip import Sdp
from harness.stage import SELL


async def talks_directly(t, caller, carrier, number, ip=None):
    """Does each end of the call hear of the other's own address?"""
    place = caller.call if isinstance(caller, Phone) else caller.invite
    call = place(number, sdp=Sdp(ip or caller.ip, 20000))
    await call.expect(200)
    leg = carrier.legs[-1]
    seen = (call.remote_sdp.ip, leg.remote_sdp.ip)
    await call.hang_up()
    assert seen in ((t.switch.ip, t.switch.ip), (carrier.ip, ip or caller.ip)), seen
    return seen[0] == carrier.ip


@live("SS_MEDIAPROXYMODE")
async def test_media_relay_modes(t):
    """Of gateways on auto: On always, Off never, Auto where the caller's media is elsewhere, unset as
    SS_MEDIA_PROXY_ENABLE. Must On beats gateways that are off; On does not."""
    caller, carrier = await t.plain(media_relay="auto")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_relay="auto")
    await t.set("SS_MEDIA_PROXY_ENABLE", "Off")
    assert await talks_directly(t, caller, carrier, "88010")
    for mode, near, far in (("On", False, False), ("Off", True, True), ("Auto", True, False), ("Must On", False, False)):
        await t.set("SS_MEDIAPROXYMODE", mode)
        assert await talks_directly(t, caller, carrier, "88011") is near, mode
        assert await talks_directly(t, caller, carrier, "88012", t.net.ip(99)) is far, mode
    await t.ctl.ask("mapping-gateway.set", name="acme-in", media_relay="off")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_relay="off")
    assert not await talks_directly(t, caller, carrier, "88013")
    await t.set("SS_MEDIAPROXYMODE", "On")
    assert await talks_directly(t, caller, carrier, "88014")


def auto_relays(near, far, is_elsewhere):
    """features.md §5: who demands, then who forbids, then who asks, then where the caller's media is. But media goes directly only
    if both allow it (behaviour.md), so who asks is not overruled by who forbids."""
    if "must_on" in (near, far) or "on" in (near, far):
        return True
    return "off" not in (near, far) and is_elsewhere


async def test_media_relay_by_auto(t):
    """SS_MEDIAPROXYMODE Auto: every pair of what two gateways can say, with the caller's media where it speaks from and elsewhere."""
    modes = ("auto", "on", "off", "must_on")
    caller, carrier = await t.plain()
    await t.set("SS_MEDIAPROXYMODE", "Auto")
    for near, far in itertools.product(modes, modes):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", media_relay=near)
        await t.ctl.ask("routing-gateway.set", name="vendor", media_relay=far)
        for ip in (None, t.net.ip(99)):
            direct = await talks_directly(t, caller, carrier, "88010", ip)
            assert direct is not auto_relays(near, far, ip is not None), (near, far, ip)


@live("SS_MEDIA_PROXY_BEHIND_NAT")
async def test_media_of_phones_behind_nat(t):
    """A phone that is registered from behind NAT is relayed although everybody is set to direct media; Off lets it be."""
    carrier = await t.carrier()
    await t.phones_account()
    await t.vendor(carrier, media_relay="off")
    phone = await t.phone(media_relay="off")
    await phone.register()
    assert await talks_directly(t, phone, carrier, "88010"), "not behind NAT"
    await phone.register(expires=0)
    await phone.register(["<sip:1001@10.0.0.9>"])
    assert not await talks_directly(t, phone, carrier, "88011")
    await t.set("SS_MEDIA_PROXY_BEHIND_NAT", "Off")
    assert await talks_directly(t, phone, carrier, "88012")


async def cut(t, caller, carrier, number, why):
    """The switch ends it after a second, on both sides; the call's decisions say whose limit that was."""
    call = await cut_by_account(t, caller, carrier, number)
    cdr = await t.cdr_of(call.call_id)
    assert (cdr["reason"], cdr["hangup_side"]) == ("MaxDuration", "switch") and cdr["hold_ms"] >= 1000, cdr
    assert why in str(await t.ctl.ask("cdr.explain", id=cdr["id"])), why


@scene(idle=True)
async def test_longest_call_of_a_gateway(t):
    """call_limit of the customer's gateway, the vendor's, and whichever is less; route explain says the customer's beforehand."""
    caller, carrier = await t.plain()

    async def limits(near, far):
        await t.ctl.ask("mapping-gateway.set", name="acme-in", call_limit=near)
        await t.ctl.ask("routing-gateway.set", name="vendor", call_limit=far)
    await limits(1, 60)
    told = await t.ctl.ask("route.explain", gateway="acme-in", caller="1", callee="88010")
    assert "call_limit of the mapping gateway" in str(told["steps"]), told
    await cut(t, caller, carrier, "88010", "1 s, by the mapping gateway")
    await limits(60, 1)
    await cut(t, caller, carrier, "88011", "1 s, by the routing gateway")
    await limits(0, 0)
    await t.cdr(await caller.place("88012", hold=1.5), reason="CallerHangup")


@scene(idle=True)
async def test_longest_call_of_a_phone(t):
    """Of its own calls, and of those that it sends on; a call to it that it takes itself has no limit by it."""
    caller, carrier = await t.plain(rates={"1": SELL, "880": SELL})
    phone = await t.phone(call_limit=1)
    await phone.register()
    call = phone.call("88010")
    await call.expect(200)
    await call.ended_by_peer()
    await t.cdr(call, reason="MaxDuration")
    await t.cdr(await caller.place("1001", hold=1.5), reason="CallerHangup")
    await t.ctl.ask("phone.set", number="1001", forward_always="88011")
    await cut_by_account(t, caller, carrier, "1001")
    await t.ctl.ask("phone.set", number="1001", call_limit=0)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", call_limit=1)
    call = await cut_by_account(t, caller, carrier, "1001")  # the limit of who is sent on holds behind it, too
    await t.books.settled()
    rows = await t.ctl.ask("cdr.list", call_id=call.call_id)
    assert {r["reason"] for r in rows} == {"MaxDuration"}, rows


async def cut_by_account(t, caller, carrier, number):
    call = caller.invite(number)
    await call.expect(200)
    await call.ended_by_peer()
    await carrier.legs[-1].ended_by_peer()
    return call


@scene(idle=True)
@live("SS_ENABLE_CALL_LIMIT", "SERVER_BILLING_RECORD_SERVER_HANG_UP")
async def test_longest_call_of_an_account(t):
    """The account's own limit ends the call where it is shorter than that of all; its record is shown, or only kept."""
    caller, carrier = await t.plain(account={"call_limit": 1})
    call = await cut_by_account(t, caller, carrier, "88010")
    await t.cdr(call, reason="MaxDuration", hangup_side="switch")
    before = await t.books.balance("acme")
    await t.set("SERVER_BILLING_RECORD_SERVER_HANG_UP", "Off")
    hidden = await cut_by_account(t, caller, carrier, "88011")
    await t.books.settled()
    assert not await t.ctl.ask("cdr.list", call_id=hidden.call_id)
    assert await t.books.balance("acme") < before, "hidden, and charged all the same"
    await t.books.verify()
    await t.set("SS_ENABLE_CALL_LIMIT", "Off")
    await t.cdr(await caller.place("88013", hold=2), reason="CallerHangup")
    t.audit = False
