"""What is told to those who do not look: alarms by mail and by HTTP, phones that come and go, money that is paid in."""

import json
from fractions import Fraction

from harness.receiver import Receiver
from harness.relay import Relay
from harness.scene import live, scene
from harness.watch import poll
from test_cdrs import refused

RULE = "SS_SIP_NAT_KEEP_ALIVE_PERIOD"   # over a fifth of SS_ENDPOINT_NAT_EXPIRE: a general alarm that stands at once


async def raise_alarm(t, on=True):
    await t.set("SS_ENDPOINT_NAT_EXPIRE", "100")
    await t.set("SS_SIP_NAT_KEEP_ALIVE_PERIOD", "60" if on else "10")


async def names(t):
    return {a["type"] for a in await t.ctl.ask("alarm.list")}


async def mailed(relay, n):
    async def there():
        return len(relay.mails) == n
    await poll(there, f"{n} mails")
    return relay.mails[-1]


async def by_mail(t, **settings):
    relay = t.keep(await Relay(t.net.ip(25)).open())
    for name, value in {"SERVER_MAIL_RELAY": relay.address, "SERVER_ALARM_EMAIL": "noc@example.com",
                        "SERVER_MAIL_FROM": "switch@example.net", "SERVER_ALARM_ENABLE_EMAIL": "On", **settings}.items():
        await t.set(name, value)
    return relay


@scene(idle=True)
@live("SERVER_ALARM_ENABLE_EMAIL", "SERVER_ALARM_EMAIL", "SERVER_ALARM_EMAIL_DELAY", "SERVER_MAIL_RELAY", "SERVER_MAIL_FROM")
async def test_alarms_are_mailed(t):
    """The first at once; what happens within the delay stands in one mail after it. What is no address or relay is refused; Off, nothing
    is sent."""
    relay = await by_mail(t, SERVER_ALARM_EMAIL_DELAY="3600")
    await raise_alarm(t)
    sender, to, lines = await mailed(relay, 1)
    assert (sender, to) == ("MAIL FROM:<switch@example.net>", "RCPT TO:<noc@example.com>")
    head, text = lines[:lines.index("")], lines[lines.index("") + 1:]
    assert any(x.startswith("Subject: Tandem: raised:") and "nat_keep_alive" in x for x in head), head
    assert len(text) == 1 and text[0].startswith("raised:") and RULE in text[0], text
    await raise_alarm(t, on=False)

    async def over():
        return "nat_keep_alive" not in await names(t)
    await poll(over, "the end of the alarm")
    await raise_alarm(t)
    assert len(relay.mails) == 1
    await t.set("SERVER_ALARM_EMAIL_DELAY", "0")
    *_, lines = await mailed(relay, 2)
    text = lines[lines.index("") + 1:]
    assert [x.split(":")[0] for x in text] == ["over", "raised"], text
    await t.set("SERVER_ALARM_ENABLE_EMAIL", "Off")
    await raise_alarm(t, on=False)
    await poll(over, "the end of the alarm")
    assert len(relay.mails) == 2
    for name, bad in (("SERVER_ALARM_EMAIL", "noc"), ("SERVER_ALARM_EMAIL", "a@b>"), ("SERVER_MAIL_FROM", "a b@c"),
                      ("SERVER_MAIL_RELAY", "mail:0"), ("SERVER_MAIL_RELAY", "http://mail")):
        await refused(t, "parameter.set", name, value=bad, name=name)


@scene(idle=True)
async def test_a_relay_that_does_not_take_it(t):
    """That nobody can be told is an alarm of its own, which is not mailed; a mail that the relay does not want is not sent again, one that
    it cannot take now is."""
    relay = await by_mail(t, SERVER_ALARM_EMAIL_DELAY="0")
    relay.says["RCPT"] = "550 no such user"
    await raise_alarm(t)

    async def told():
        return next((a for a in await t.ctl.ask("alarm.list") if a["type"] == "notices"), None)
    alarm = await poll(told, "the alarm")
    assert (alarm["object"], alarm["value"]) == ("mail", 1) and "550 no such user" in alarm["info"], alarm
    relay.says["RCPT"] = "450 later"
    await raise_alarm(t, on=False)

    async def deferred():
        return "450 later" in (await told())["info"]
    await poll(deferred, "another reason")
    relay.says.clear()
    await mailed(relay, 1)

    async def good():
        return await told() is None
    await poll(good, "the end of it")
    assert relay.mails[0][2][-1].startswith("over:"), relay.mails


@scene(idle=True)
@live("OUT_POST_URL", "EXTERNAL_WEB_SEND_PHONE_ONLINE", "SERVER_ALARM_DISABLE")
async def test_events_are_posted(t):
    """Alarms, phones and payments, each under its name; phones to an address of their own as well. With alarms silenced, none is listed
    or sent, and those that stand are over."""
    web = t.keep(await Receiver(t.net.ip(9)).open())
    await t.set("OUT_POST_URL", f"http://{web.address}/events")
    await t.set("EXTERNAL_WEB_SEND_PHONE_ONLINE", f"http://{web.address}/phones?key=1")

    async def posted(path, n):
        async def there():
            found = [json.loads(text) for at, kind, text in web.bodies if at == path and kind == "application/json"]
            return found if len(found) == n else None
        return await poll(there, f"{n} posts to {path}")

    await t.phones_account()
    event, = await posted("/events/CustomerMoneyChange", 1)
    assert event["account"] == "acme" and Fraction(event["amount"]) == 100, event
    phone = await t.phone("1001", 11)
    paths = ("/events/PhoneOnline", "/phones?key=1")
    await phone.register()
    for path in paths:
        await posted(path, 1)
    await phone.register()
    await phone.register(expires=0)
    for path in paths:
        found = await posted(path, 2)
        assert [(e["phone"], e["online"]) for e in found] == [("1001", True), ("1001", False)], found
    await raise_alarm(t)
    event, = await posted("/events/AlarmCurrentReport", 1)
    assert (event["type"], event["state"], event["object"]) == ("nat_keep_alive", "raised", RULE), event
    await t.set("SERVER_ALARM_DISABLE", "On")
    *_, event = await posted("/events/AlarmCurrentReport", 2)
    assert (event["type"], event["state"]) == ("nat_keep_alive", "over") and await names(t) == set(), event
    await t.set("SERVER_ALARM_DISABLE", "Off")
    *_, event = await posted("/events/AlarmCurrentReport", 3)
    assert event["state"] == "raised"
    for name in ("OUT_POST_URL", "EXTERNAL_WEB_SEND_PHONE_ONLINE"):
        await refused(t, "parameter.set", name, value="ftp://x", name=name)
