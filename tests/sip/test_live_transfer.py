"""REFER, blind and attended, and who pays; MESSAGE and NOTIFY, inside calls and out of them; each by setting."""

from harness import sip
from harness.dialogs import asked, listed, of_method, up
from harness.scene import live, scene
from harness.stage import SELL

KIND = [("Content-Type", "message/sipfrag;version=2.0")]


async def three(t, **fields):
    """Phones 1001 to 1003, each with an account of its own (acme, beta, gamma), registered."""
    phones = []
    for last, name in enumerate(("acme", "beta", "gamma"), 1):
        await t.phones_account(name, rates={"880": SELL, "1": SELL, "91": SELL})
        phones.append(await t.phone(f"100{last}", 10 + last, account=name, call_transfer=True, messages=True,
                                    **fields))
        await phones[-1].register()
    return phones


async def talk(first, second, nth=0):
    call = first.call(second.number)
    await call.expect(200)
    leg = await second.leg(nth=nth)
    await leg.ack()
    return call, leg


def refer(side, target, **more):
    return side.request("REFER", [("Refer-To", target), ("Contact", side.peer.contact(side.flow))] +
                        list(more.items()))


def notify(side, line, state="active;expires=60", event="refer", kind=tuple(KIND)):
    msg = side.build("NOTIFY", headers=[("Event", event), ("Subscription-State", state), *kind,
                                        ("Contact", side.peer.contact(side.flow))])
    msg.body = line.encode()
    return side.peer.request(msg, side.next_hop())


def asks_for(msg):
    """The URI of a Refer-To."""
    return sip.uri_of(msg.get("Refer-To"))


async def charged(t, call, phone, account, **want):
    row = await t.cdr(call, **want)
    assert (row["caller_phone"], row["account"]) == (phone.number, account), row
    return row


@scene(idle=True)
async def test_a_blind_transfer(t):
    """The callee sends the caller to a third phone: the caller is asked with an address of ours, is heard of by codes
    alone, and calls; the one who asked pays for that call, the caller for its own. A token is good once."""
    first, second, third = await three(t)
    call, leg = await talk(first, second)
    txn = refer(leg, f"<sip:{third.number}@secret.example;user=phone>")
    assert (await txn.response()).code == 200
    ask = await asked(call, "REFER")
    place = asks_for(ask)
    assert place.startswith(f"sip:{third.number};x-ref=") and place.endswith(f"@{t.address[0]}:{t.address[1]}"), place
    assert "secret" not in str(ask.headers) and second.ip not in str(ask.headers), ask.headers
    assert f"sip:{second.number}@" in ask.get("Referred-By")
    assert (await notify(call, "SIP/2.0 100 At secret.example\r\nVia: x\r\n").response()).code == 200
    told = await asked(leg, "NOTIFY")
    assert told.body == b"SIP/2.0 100 Trying\r\n" and told.get("Event") == "refer", told
    assert told.get("Subscription-State") == "active;expires=60"
    moved = first.call(third.number, uri=place, to=f"<{place}>")
    await moved.expect(200)
    end = await third.leg()
    assert end.invite.get("From").startswith(f"<sip:{first.number}@")
    await notify(call, "SIP/2.0 200 Yes\r\n", "terminated;reason=noresource").response()
    told = await asked(leg, "NOTIFY", 2)
    assert told.body == b"SIP/2.0 200 OK\r\n" and told.get("Subscription-State") == "terminated;reason=noresource"
    assert (await notify(call, "SIP/2.0 200 Yes\r\n").response()).code == 481, "it is over"
    await leg.hang_up()
    await call.ended_by_peer()
    again = first.call(third.number, uri=place, to=f"<{place}>")
    await again.expect(200)
    for one in (moved, again):
        await one.hang_up()
    await charged(t, call, first, "acme", reason="CalleeHangup")
    row = await charged(t, moved, second, "beta", callee_phone=third.number)
    assert row["caller"] == first.number and row["rate_prefix"] == "1" and row["held"] != "0", row
    steps = (await t.ctl.ask("cdr.explain", id=row["id"]))["steps"]
    assert any(s["step"] == "transfer" and second.number in s["detail"] for s in steps), steps
    await charged(t, again, first, "acme")


@live("SS_CALL_TRANSFER_NORMAL_DISPLAY", "SERVER_BILLING_FORWARD_PREFIX")
@scene(idle=True)
async def test_the_settings_of_a_transfer(t):
    """The caller transfers, too; the number shown and the rate of a transferred call; what is refused and how."""
    first, second, third = await three(t)
    await t.set("SS_CALL_TRANSFER_NORMAL_DISPLAY", "local")
    await t.set("SERVER_BILLING_FORWARD_PREFIX", "9")
    call, leg = await talk(first, second)
    assert {"REFER", "NOTIFY", "MESSAGE"} <= listed(leg.invite, "Allow")
    for target, code in ((f"<sip:{third.number}@x;method=BYE>", 603), ("<http://x.example>", 400),
                         ("<sip:a%20b@x.example>", 404), ("<sip:1@x>, <sip:2@x>", 400),
                         (f"<sip:{third.number}@x?Replaces=only-a-call-id>", 400)):
        answer = await refer(call, target).response()
        assert answer.code == code, (target, answer.start_line())
    assert (await notify(leg, "SIP/2.0 200 OK\r\n", event="presence").response()).code == 489
    assert (await refer(call, f"<sip:{third.number}@x>", **{"Refer-Sub": "false"}).response()).code == 200
    ask = of_method(leg, "REFER")[-1]
    assert ask.get("Refer-Sub") == "false"
    assert (await notify(leg, "SIP/2.0 200 OK\r\n", kind=[("Content-Type", "text/plain")]).response()).code == 415
    place = asks_for(ask)
    moved = second.call(third.number, uri=place, to=f"<{place}>")
    await moved.expect(200)
    end = await third.leg()
    assert end.invite.get("From").startswith(f"<sip:{first.number}@"), end.invite.get("From")
    await moved.hang_up()
    row = await charged(t, moved, first, "acme")
    assert row["rate_prefix"] == "91", row
    await t.ctl.ask("phone.set", number=second.number, call_transfer=False)
    assert (await refer(call, f"<sip:{third.number}@x>").response()).code == 603
    answer = await refer(leg, f"<sip:{third.number}@x>").response()
    assert answer.code == 405 and "REFER" not in listed(answer, "Allow"), answer.headers
    await call.hang_up()


@live("SS_CALL_TRANSFER_ASK_DISPLAY")
@scene(idle=True)
async def test_an_attended_transfer(t):
    """RFC 5589 §7, not made by the switch (test_live_bridge.py has that): the second phone talks with the third and then sends the first there: the third is asked by Replaces
    for the very dialog that it has, on whatever worker, and ends the replaced call."""
    first, second, third = await three(t)
    await t.set("SS_CALL_TRANSFER_BRIDGE", "Off")
    call, leg = await talk(first, second)
    asking = second.call(third.number)
    await asking.expect(200)
    held = await third.leg()
    await held.ack()
    tag = sip.param(asking.remote, "tag")
    replaces = f"{asking.call_id}%3Bto-tag%3D{tag}%3Bfrom-tag%3D{asking.tag}".replace("@", "%40")
    assert (await refer(leg, f"<sip:{third.number}@x?Replaces={replaces}>").response()).code == 200
    place = asks_for(await asked(call, "REFER"))
    assert asking.call_id not in place and "?" not in place

    async def take_over(other):
        other.accept()
    third.plan = take_over
    moved = first.call(third.number, uri=place, to=f"<{place}>")
    await moved.expect(200)
    end = await third.leg(nth=1)
    assert end.invite.get("From").startswith(f"<sip:{first.number}@")
    assert end.invite.get("Require") == "replaces"
    name, *params = end.invite.get("Replaces").split(";")
    assert name == held.call_id and set(params) == {
        f"to-tag={held.tag}", f"from-tag={sip.param(held.remote, 'tag')}"}, end.invite.get("Replaces")
    await moved.hang_up()
    await t.set("SS_CALL_TRANSFER_ASK_DISPLAY", "local")
    assert (await refer(leg, f"<sip:{third.number}@x?Replaces={replaces}>").response()).code == 200
    again = first.call(third.number, uri=asks_for(await asked(call, "REFER", 2)))
    await again.expect(200)
    assert (await third.leg(nth=2)).invite.get("From").startswith(f"<sip:{second.number}@")
    await held.hang_up()
    await asking.ended_by_peer()
    await leg.hang_up()
    await call.ended_by_peer()
    await again.hang_up()
    await charged(t, moved, second, "beta")
    await charged(t, asking, second, "beta")
    await charged(t, call, first, "acme")


@scene(idle=True)
async def test_nobody_takes_over_the_call_of_another(t):
    """A Replaces that names a call of somebody else's leads to a refused call, and that call goes on."""
    first, second, third = await three(t)
    call, leg = await talk(first, second)
    theirs, _ = await talk(third, first)
    tag = sip.param(theirs.remote, "tag")
    replaces = f"{theirs.call_id}%3Bto-tag%3D{tag}%3Bfrom-tag%3D{theirs.tag}".replace("@", "%40")
    assert (await refer(leg, f"<sip:{third.number}@x?Replaces={replaces}>").response()).code == 200
    place = asks_for(await asked(call, "REFER"))
    moved = first.call(third.number, uri=place, to=f"<{place}>")
    assert (await moved.final()).code == 403
    assert not theirs.over
    await theirs.hang_up()
    await call.hang_up()


@scene(idle=True)
async def test_a_vendor_is_asked(t):
    """A customer's gateway transfers a call to another number of the vendor's; the vendor calls back with the token alone,
    though it is nobody's customer, and without one gets nothing."""
    caller, carrier, call, leg = await up(t)
    assert (await call.request("REFER", [("Refer-To", "<sip:88099@x>")]).response()).code == 405
    await t.ctl.ask("mapping-gateway.set", name="acme-in", call_transfer=True)
    assert (await call.request("REFER", [("Refer-To", "<sip:88099@x>")]).response()).code == 603
    await t.ctl.ask("routing-gateway.set", name="vendor", call_transfer=True)
    assert (await leg.request("REFER", [("Refer-To", "<sip:88099@x>")]).response()).code == 603, "who pays?"
    assert (await refer(call, "<sip:88099@x>").response()).code == 200
    place = asks_for(await asked(leg, "REFER"))
    end = await t.caller("vendor calls", last=3)
    moved = end.invite("88099", uri=place, to=f"<{place}>")
    await moved.expect(200)
    other = carrier.legs[1]
    await other.ack()
    await moved.hang_up()
    await call.hang_up()
    row = await t.billed(moved, other)
    assert (row["account"], row["mapping_gateway"], row["callee"]) == ("acme", "acme-in", "88099")


# -- MESSAGE, NOTIFY --------------------------------------------------------------------------------

def text(side, body=b"hello", kind="text/plain"):
    msg = side.build("MESSAGE", headers=[("Content-Type", kind)])
    msg.body = body
    return side.peer.request(msg, side.next_hop())


@scene(idle=True)
async def test_messages_inside_a_call(t):
    """Passed on between two that have it switched on; plain text of a datagram's length only."""
    first, second, _third = await three(t)
    call, leg = await talk(first, second)
    assert (await text(call).response()).code == 200
    came = await asked(leg, "MESSAGE")
    assert came.body == b"hello" and came.get("Content-Type") == "text/plain"
    assert (await text(leg, b"and back").response()).code == 200
    assert (await asked(call, "MESSAGE")).body == b"and back"
    answer = await text(call, kind="text/html").response()
    assert answer.code == 415 and answer.get("Accept") == "text/plain"
    assert (await text(call, b"x" * 1301).response()).code == 413
    await t.ctl.ask("phone.set", number=second.number, messages=False)
    assert (await text(call).response()).code == 603
    assert (await text(leg).response()).code == 405
    await call.hang_up()


class Mailbox:
    """What a phone gets outside of calls."""

    def __init__(self, phone, code=200):
        self.phone, self.code, self.got = phone, code, []
        default = phone.on_new

        def on_new(txn):
            if txn.msg.method not in ("MESSAGE", "NOTIFY"):
                default(txn)
                return
            self.got.append(txn.msg)
            txn.reply(txn.msg.reply(self.code, tag=sip.token()))
            phone.changed()
        phone.on_new = on_new


@scene(idle=True)
async def test_messages_outside_of_calls(t):
    """From a gateway to a phone: MESSAGE with our addresses, NOTIFY of voice mail without the account's; answered by the
    phone's code; refused by setting on either side, for numbers that are no phone's, and when the phone is not there."""
    first, second, _third = await three(t)
    caller = await t.caller()
    await t.gateway_in("acme", "acme-in", address=[caller.ip], messages=True)
    box = Mailbox(first)
    uri = f"sip:{first.number}@{t.address[0]}"

    async def send(method="MESSAGE", to=uri, body=b"hello", kind="text/plain", headers=()):
        return await caller.ask(method, to, headers, body=body, kind=kind).response()
    assert (await send()).code == 200
    assert box.got[0].body == b"hello" and box.got[0].get("From").startswith(f"<sip:1001@{t.address[0]}")
    assert caller.ip not in str(box.got[0].headers) and box.got[0].uri == f"sip:{first.number}@{first.address}"
    summary = b"Messages-Waiting: yes\r\nMessage-Account: sip:me@secret.example\r\nVoice-Message: 2/8 (0/2)\r\n"
    mail = {"kind": "application/simple-message-summary", "body": summary}
    event = [("Event", "message-summary"), ("Subscription-State", "active;expires=3600")]
    assert (await send("NOTIFY", headers=event, **mail)).code == 200
    assert box.got[1].body == b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n", box.got[1].body
    assert (await send("NOTIFY", headers=[("Event", "dialog")], **mail)).code == 489
    assert (await send(kind="application/x")).code == 415
    assert (await send(to=f"sip:88017@{t.address[0]}")).code == 404
    box.code = 486
    assert (await send()).code == 486
    box.code = 302
    assert (await send()).code == 480
    await second.register(expires=0)
    assert (await send(to=f"sip:{second.number}@{t.address[0]}")).code == 480
    await t.ctl.ask("phone.set", number=first.number, messages=False)
    assert (await send()).code == 603
    await t.ctl.ask("mapping-gateway.set", name="acme-in", messages=False)
    answer = await send()
    assert answer.code == 405 and "INVITE" in listed(answer, "Allow")
    assert len(box.got) == 4
