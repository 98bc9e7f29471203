"""The live parameters of what an INVITE says, as test_live.py has the others."""

from harness import sip
from harness.scene import live


@live("SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT")
async def test_to_as_dialled(t):
    """On: To keeps the number as dialled, before any rule; the Request-URI has the routed one."""
    caller, carrier = await t.plain(callee_rules=["0:880"])
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_rules=["880:00880"], cost_number="before")
    for setting, to in (("Off", "0088017"), ("On", "017"), ("Off", "0088017")):
        await t.set("SS_SIP_ROUTING_GATEWAY_INVITE_USE_CONTACT", setting)
        await t.cdr(await caller.place("017"), callee_in="017", callee="88017", callee_out="0088017")
        invite = carrier.legs[-1].invite
        assert [sip.user_of(u) for u in (invite.uri, sip.uri_of(invite.get("To")))] == ["0088017", to], setting


@live("SS_SIP_E164_DISPLAY_FROM")
async def test_display_name_of_from(t):
    """None, the caller's number, or what the customer has sent."""
    caller, carrier = await t.plain()
    for setting, display in (("Ignore", ""), ("Caller", "1001"), ("Pass", "Bob"), ("Ignore", "")):
        await t.set("SS_SIP_E164_DISPLAY_FROM", setting)
        await caller.place("88017", from_value=f'"Bob" <sip:1001@{caller.ip}>')
        value = carrier.legs[-1].invite.get("From")
        assert (sip.display_of(value), sip.user_of(sip.uri_of(value))) == (display, "1001"), (setting, value)


@live("SS_SIP_USER_AGENT_PRIVACY")
async def test_privacy_where_we_have_a_user(t):
    """Of calls through a vendor that knows us by a user; the gateway's own setting beats it."""
    caller, carrier = await t.plain()
    for user, own, setting, want in (("u", "system", "Ignore", None), ("u", "system", "Id", "id"), ("u", "off", "Id", None),
                                     ("u", "system", "None", "none"), (None, "system", "Id", None)):
        await t.set("SS_SIP_USER_AGENT_PRIVACY", setting)
        await t.ctl.ask("routing-gateway.set", name="vendor", user=user, privacy=own)
        await caller.place("88017")
        assert carrier.legs[-1].invite.get("Privacy") == want, (user, own, setting)
