"""Phones: REGISTER as RFC 3261 §10 says, calls from them and to them, and what survives a restart."""

import asyncio
import json
import socket

from harness import digest, plans, sip
from harness.control import Refused
from harness.oracle import Terms
from harness.phone import bound, registered
from harness.scene import live, scene
from harness.stage import SELL
from harness.watch import poll


async def two_phones(t, **fields):
    await t.phones_account()
    return await t.phone("1001", 11, **fields), await t.phone("1002", 12, **fields)


async def one_phone(t, **fields):
    await t.phones_account()
    return await t.phone("1001", 11, **fields)


# -- REGISTER -----------------------------------------------------------------------------------


async def test_a_phone_registers_and_is_listed(t):
    """Challenge, 200 with the contact, the list, and gone with Expires: 0. Either algorithm will do."""
    first, second = await two_phones(t)
    second.algorithm = "SHA-256"
    for phone in (first, second):
        answer = await phone.register()
        assert bound(answer) == {f"sip:{phone.number}@{phone.address}": 3600}, answer.headers
        row, = await registered(t, phone.number)
        assert row["source"] == phone.address and row["nat"] is False
        assert (await t.ctl.ask("phone.show", number=phone.number))["registered"] is True
    assert bound(await first.register(contacts=[])) == {f"sip:1001@{first.address}": 3600}
    assert bound(await first.register(expires=0)) == {}
    assert await registered(t, "1001", 0) == []
    assert (await t.ctl.ask("phone.show", number="1001"))["registered"] is False
    assert len(await registered(t, "1002")) == 1


async def test_several_contacts(t):
    """All of one REGISTER are bound and listed, one may go alone, "*" takes the rest; never more than 16."""
    phone = await one_phone(t)
    contacts = [phone.own(f";expires={100 + i};q=0.{i}", port=7000 + i) for i in range(3)]
    want = {f"sip:1001@{phone.ip}:{7000 + i}": 100 + i for i in range(3)}
    assert bound(await phone.register([", ".join(contacts[:2]), contacts[2]])) == want
    del want[f"sip:1001@{phone.ip}:7001"]
    assert bound(await phone.register([phone.own(";expires=0", port=7001)])) == want
    assert (await phone.ask_register(["*"], [("Expires", 60)])).code == 400, '"*" with a lifetime'
    assert (await phone.ask_register(["*", phone.own()], [("Expires", 0)])).code == 400, '"*" is not alone'
    assert bound(await phone.register([])) == want
    assert bound(await phone.register(["*"], expires=0)) == {}
    sixteen = [phone.own(port=7000 + i) for i in range(16)]
    assert len(bound(await phone.register(sixteen))) == 16
    assert (await phone.ask_register([phone.own(port=7099)])).code == 403, "a seventeenth"
    assert (await phone.ask_register([phone.own(port=7100 + i) for i in range(17)])).code == 400
    assert len(await registered(t, "1001", 16)) == 16


async def test_lifetimes(t):
    """Expires, then the contact's own; too short is 423 with Min-Expires, too long is cut."""
    phone = await one_phone(t)
    assert set(bound(await phone.register(expires=100)).values()) == {100}
    assert set(bound(await phone.register([phone.own(";expires=200")], expires=100)).values()) == {200}
    assert set(bound(await phone.register(expires=99999)).values()) == {3600}
    assert set(bound(await phone.register(expires="never")).values()) == {3600}
    answer = await phone.ask_register(headers=[("Expires", 59)])
    assert (answer.code, answer.get("Min-Expires")) == (423, "60"), answer.headers
    assert set(bound(await phone.register(expires=60)).values()) == {60}


async def test_order_of_requests(t):
    """RFC 3261 §10.3: an older CSeq of the same Call-ID changes nothing, not even with "*"."""
    phone = await one_phone(t)
    await phone.register(cseq=10)
    for contacts, headers in ((None, [("Expires", 0)]), (["*"], [("Expires", 0)]), ([phone.own(";expires=99")], [])):
        assert (await phone.ask_register(contacts, headers, cseq=9)).code == 500
    assert set(bound(await phone.register([], cseq=30)).values()) == {3600}
    await phone.register(cseq=3, call_id="reborn@phone")  # a phone that was switched off and on
    assert bound(await phone.register(["*"], cseq=20, expires=0, call_id="reborn@phone")) == {}


async def test_what_a_register_may_not(t):
    """For another user, with an extension we do not know, to no SIP address, over too many hops."""
    first, _second = await two_phones(t)
    await first.register()
    assert (await first.ask_register(to="1002")).code == 403
    answer = await first.ask_register(headers=[("Require", "outbound")])
    assert (answer.code, answer.get("Unsupported")) == (420, "outbound")
    assert (await first.ask_register(["<tel:+1001>"])).code == 416
    assert (await first.ask_register(["<sip:1001@[>"])).code == 400
    assert len(await registered(t, "1001")) == 1 and not await registered(t, "1002", 0)


async def test_behind_nat(t):
    """A private Contact or another Via: the shorter lifetime, and calls go where the REGISTER came from."""
    await t.phones_account()
    phone, gone = await t.phone("1001", 11), await t.phone("1002", 12)
    answer = await phone.register(["<sip:1001@10.9.8.7:5060>"])
    assert bound(answer) == {"sip:1001@10.9.8.7:5060": 300}
    assert (await registered(t, "1001"))[0]["nat"] is True
    answer = await gone.register(via=f"SIP/2.0/UDP 10.9.8.7:5060;rport;branch={sip.COOKIE}{sip.token()}",
                                 headers=[("User-Agent", "phone \u202e 1")])
    assert set(bound(answer).values()) == {300}
    call = gone.call("1001")
    await call.expect(200)
    assert phone.legs[0].invite.uri == "sip:1001@10.9.8.7:5060"
    await call.hang_up()
    await t.ctl.ask("phone.set", number="1001", nat="never")
    assert bound(await phone.register([phone.own()]))[f"sip:1001@{phone.address}"] == 3600


async def test_path(t):
    """RFC 3327: Path comes back in the 200, and is the Route of a call, which goes to where the REGISTER came from."""
    first, second = await two_phones(t)
    edge = f"<sip:{second.address};lr>"
    answer = await second.register(["<sip:1002@10.9.8.7:5060>"], [("Path", edge), ("Supported", "path")])
    assert answer.all("Path") == [edge] and set(bound(answer).values()) == {3600}
    assert (await registered(t, "1002"))[0]["path"] == edge
    call = first.call("1002")
    await call.expect(200)
    invite = second.legs[0].invite
    assert invite.all("Route") == [edge] and invite.uri == "sip:1002@10.9.8.7:5060"
    await call.hang_up()
    assert (await first.ask_register(headers=[("Path", "no route")])).code == 400


async def test_a_connection_is_kept(t):
    """Registered over TCP: the call comes over that connection; when it is gone, the phone is."""
    first, second = await two_phones(t)
    flow = await second.tcp_flow()
    await second.register(["<sip:1002@10.9.8.7;transport=tcp>"], flow=flow)
    call = first.call("1002")
    await call.expect(200)
    assert second.legs[0].flow is flow
    await call.hang_up()
    flow.close()
    await flow.closed
    await t.refused(first.call("1002"), 480, "PhoneOffline")


@scene(within=120)
async def test_registrations_survive(t):
    """An orderly restart, and a kill once they are on disk; the next call reaches the phone as before."""
    first, second = await two_phones(t)
    await second.register()
    before, = await registered(t, "1002")
    await t.switch.restart()
    call = first.call("1002")
    await call.expect(200)
    await call.hang_up()
    after, = await registered(t, "1002")
    assert after == before
    t.switch.kill()
    await t.switch.start()
    call = first.call("1002")
    await call.expect(200)
    await call.hang_up()
    assert bound(await second.register(expires=0)) == {}
    await t.switch.restart()
    assert await registered(t, "1002", 0) == []


async def test_an_operator_ends_it(t):
    """registration del, a new password, a lock, phone del: each ends what was registered before."""
    phone, other = await two_phones(t)
    await other.register()

    async def offline(what, **fields):
        await phone.register()
        await registered(t, "1001")
        await t.ctl.ask(what, **fields)
        assert await registered(t, "1001", 0) == []
    await offline("registration.del", phone="1001")
    await t.refused(other.call("1001"), 480, "PhoneOffline")
    await offline("phone.set", number="1001", password="another one 2")
    assert (await phone.ask_register()).code == 403
    phone.password = "another one 2"
    await offline("phone.set", number="1001", status="locked")
    assert (await phone.ask_register()).code == 403, "a locked phone may not register"
    await t.ctl.ask("phone.set", number="1001", status="normal")
    await offline("phone.del", number="1001")
    assert (await phone.ask_register()).code == 403
    await t.refused(other.call("1001"), 503, "NoAvailableRouter")
    assert (await t.ctl.ask("phone.list"))[0]["number"] == "1002"


async def test_a_gateway_with_a_password_registers(t):
    """A mapping gateway known by its password is shown online, as phones are, and calls as before."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, auth="password", address=[t.net.cidr], user="acme-user", password="a gateway 1")
    await t.vendor(carrier)
    device = await t.phone("1001", 11)
    device.number, device.password = "acme-user", "a gateway 1"
    await device.register()
    assert (await registered(t, "acme-user"))[0]["source"] == device.address
    call = device.call("88017")
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, mapping_gateway="acme-in", caller_phone=None)


# -- calls --------------------------------------------------------------------------------------


async def test_phones_call_each_other(t):
    """Answered, ended by either side, billed to the caller's account by its number."""
    first, second = await two_phones(t)
    for phone in (first, second):
        await phone.register()
    call = first.call("1002")
    await call.expect(200)
    leg = await second.leg()
    assert (leg.callee, leg.caller) == ("1002", "1001")
    assert leg.invite.uri == f"sip:1002@{second.address}"
    await call.hang_up()
    await t.billed(call, leg, buy=None, caller_phone="1001", callee_phone="1002", mapping_gateway=None,
                   routing_gateway=None, account="acme", caller="1001", callee="1002", reason="CallerHangup")
    call = second.call("1001")
    await call.expect(200)
    leg = await first.leg()
    await leg.ack()
    await leg.hang_up()
    await call.ended_by_peer()
    await t.cdr(call, reason="CalleeHangup", caller="1002", callee_phone="1001")


async def test_a_phone_calls_a_vendor(t):
    """It need not be registered. Who it is says its password, not its From; what is shown is its setting."""
    phone, carrier = await one_phone(t), await t.carrier()
    await t.vendor(carrier)
    call = phone.call("88017", from_value="<sip:9999@forged.example>")
    await call.expect(200)
    assert carrier.legs[0].caller == "1001"
    await call.hang_up()
    await t.billed(call, carrier.legs[0], caller_phone="1001", caller="1001", caller_in="9999",
                   routing_gateway="vendor", callee_phone=None)
    await t.ctl.ask("phone.set", number="1001", display_number="4930123")
    call = phone.call("88018")
    await call.expect(200)
    await call.hang_up()
    assert carrier.legs[1].caller == "4930123"


async def test_a_customer_calls_a_phone(t):
    """By its number, and by a further one; the phone is asked by the Contact it gave either way."""
    caller = await t.caller()
    await t.customer(caller, rates={"880": SELL, "49": SELL})
    phone = await t.phone("880111", 11, numbers=["4930555"])
    await phone.register()
    for number in ("880111", "4930555"):
        call = await caller.place(number)
        await t.cdr(call, callee=number, callee_out="880111", callee_phone="880111", mapping_gateway="acme-in")
    assert [leg.callee for leg in phone.legs] == ["880111", "880111"]


async def test_a_phone_that_is_not_there(t):
    """480 PhoneOffline: never registered, or deaf at every contact that it gave."""
    first, second = await two_phones(t)
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    await t.refused(first.call("1002"), 480, "PhoneOffline", callee_phone=None, tries=0)
    await second.register()
    second.deaf = True
    await t.refused(first.call("1002"), 480, "PhoneOffline", callee_phone="1002", tries=1)


async def test_contacts_are_tried_one_after_the_other(t):
    """Higher q first, then the one named first; a dead one is passed over, a busy one ends the call."""
    first, second = await two_phones(t)
    dead = await t.carrier("dead", last=13)
    dead.deaf = True
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    await second.register([second.own(";q=0.5"), f"<sip:1002@{dead.address}>;q=0.9"])
    call = first.call("1002")
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, tries=2, reason="CallerHangup", callee_phone="1002")
    second.plan = plans.reject(486)
    await second.register([second.own(), f"<sip:1002@{dead.address}>;q=0.9"])
    await t.refused(first.call("1002"), 486, "UserBusy", tries=1)


async def test_what_a_phone_may(t):
    """Locks of either direction, do not disturb, lines in and out, and an end of its time."""
    first, second = await two_phones(t)
    for phone in (first, second):
        await phone.register()
    for fields, code, reason in (({"status": "no_incoming"}, 403, "DestinationForbidden"),
                                 ({"status": "normal", "do_not_disturb": True}, 486, "UserBusy"),
                                 ({"do_not_disturb": False, "line_limit_in": 1}, 200, None)):
        await t.ctl.ask("phone.set", number="1002", **fields)
        if reason:
            await t.refused(first.call("1002"), code, reason)
    up = first.call("1002")
    await up.expect(200)
    await t.refused(first.call("1002"), 486, "UserBusy")
    assert (await t.ctl.ask("phone.show", number="1002"))["calls"] == 1
    await t.ctl.ask("phone.set", number="1001", line_limit_out=1)
    await t.refused(first.call("1002"), 503, "LineLimit")
    await up.hang_up()
    await t.ctl.ask("phone.set", number="1001", status="no_outgoing")
    await t.refused(first.call("1002"), 403, "DestinationForbidden")
    call = second.call("1001")
    await call.expect(200)
    await call.hang_up()
    await t.ctl.ask("phone.set", number="1001", valid_until="2020-01-01T00:00:00Z")
    assert (await first.ask_register()).code == 403
    await t.refused(second.call("1001"), 403, "DestinationForbidden")


async def test_a_call_to_a_phone_is_explained(t):
    """route explain says where a call from a phone, or to one, would go, registered or not."""
    first, second = await two_phones(t)
    told = await t.ctl.ask("route.explain", gateway="1001", callee="1002")
    assert (told["verdict"], told["sip_code"]) == ("PhoneOffline", 480)
    await second.register()
    told = await t.ctl.ask("route.explain", gateway="1001", callee="1002")
    assert told["verdict"] == "ok" and told["caller"] == "1001", told
    assert not first.legs and not second.legs


# -- who may be asked, and who is heard ---------------------------------------------------------


async def test_strangers_are_challenged_a_few_times_a_second(t):
    """security.md F1: five a second for a network; the rest gets nothing. Who registered is no stranger."""
    phone = await one_phone(t)
    stranger = await t.caller("stranger", last=77)
    before = (await t.status())["unknown_sources"]
    flood = [stranger.ask("REGISTER", headers=[("To", f"<sip:{i}@x>")]) for i in range(30)]

    async def through():
        return (await t.status())["unknown_sources"] - before if sum(x.final is not None for x in flood) >= 5 else 0
    count = await poll(through, "five that were answered, and others that were not")
    asked = [x for x in flood if x.final]
    spread = max(x.final_at for x in asked) - min(x.sent_at for x in flood)
    assert len(asked) <= 5 * (1 + int(spread)), (len(asked), spread)
    assert count > 0 and {x.final.code for x in asked} <= {401}
    for x in flood:
        x.stop()
    await poll(lambda: known(t, phone), "the phone's turn")
    for _ in range(10):
        assert (await phone.ask_register()).code == 200


async def known(_t, phone):
    """Asks again until the second with the flood in it is over: a phone would do the same."""
    txn = phone.send_register()
    try:
        first = await txn.response(within=0.4)
    except AssertionError:
        txn.stop()
        return False
    header = digest.answer(first, "REGISTER", f"sip:{phone.switch[0]}", phone.number, phone.password)
    return (await phone.send_register(headers=[header]).response()).code == 200


async def test_nothing_tells_who_exists(t):
    """security.md A4: unknown, locked, expired, from elsewhere, wrong password: one and the same answer."""
    await t.phones_account()
    phones = [await t.phone("1001", 11), await t.phone("1002", 12, status="locked"),
              await t.phone("1003", 13, valid_until="2020-01-01T00:00:00Z"),
              await t.phone("1004", 14, address=["192.0.2.1"]), await t.phone("1005", 15, transport="tcp")]
    nobody = await t.phone("1006", 16)
    await t.ctl.ask("phone.del", number="1006")
    seen = set()
    for phone in phones + [nobody]:
        answer = await phone.ask_register(password="wrong" if phone is phones[0] else None)
        seen.add((answer.code, answer.reason, tuple(n for n, _ in answer.headers)))
    assert len(seen) == 1 and next(iter(seen))[0] == 403, seen


async def test_digest_without_qop(t):
    """RFC 2069 is refused; for a phone marked legacy it passes, and each nonce once."""
    phone = await one_phone(t)

    async def old_style(challenge=None):
        challenge = challenge or await phone.send_register().response()
        _, header = digest.answer(challenge, "REGISTER", f"sip:{phone.switch[0]}", phone.number, phone.password)
        f = digest.challenges(challenge)[1]
        h = digest.HASHES["MD5"]
        ha1 = h(f"{phone.number}:{f['realm']}:{phone.password}".encode()).hexdigest()
        ha2 = h(f"REGISTER:sip:{phone.switch[0]}".encode()).hexdigest()
        response = h(f"{ha1}:{f['nonce']}:{ha2}".encode()).hexdigest()
        header = (f'Digest username="{phone.number}", realm="{f["realm"]}", nonce="{f["nonce"]}", '
                  f'uri="sip:{phone.switch[0]}", response="{response}"')
        return challenge, await phone.send_register(headers=[("Authorization", header)]).response()
    assert (await old_style())[1].code == 403
    await t.ctl.ask("phone.set", number="1001", legacy_digest=True)
    challenge, answer = await old_style()
    assert answer.code == 200
    _, again = await old_style(challenge)
    assert again.code == 401 and "stale=true" in str(again.all("WWW-Authenticate"))
    await phone.register()


async def test_suspension_counts_for_the_whole_switch(t):
    """Wrong passwords are counted together whichever worker saw them, of calls and registrations alike."""
    phone = await one_phone(t)
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 3)
    assert (await phone.ask_register(password="no")).code == 403
    codes = []
    for call_id in ("a@x", "b@x", "c@x", "d@x", "e@x"):
        call = phone.invite("88017", call_id=call_id, credentials=("1001", "no" if len(codes) < 2 else phone.password,
                                                                   "MD5"))
        codes.append((await call.final()).code)
    assert codes == [403] * 5, "the right password was heard although three were wrong before"
    assert (await phone.ask_register()).code == 403


async def test_lockoutd_hears_of_wrong_passwords(t):
    """A REGISTER that fails is told as a call is: who, wherefrom, what for, with the nonce as proof."""
    phone = await one_phone(t)
    path = f"{t.folder}/security.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as events:
        events.bind(path)
        events.setblocking(False)
        t.switch.extra = ["--security", path]
        await t.switch.restart()
        assert (await phone.ask_register(password="no")).code == 403
        while True:
            event = json.loads(await asyncio.wait_for(asyncio.get_running_loop().sock_recv(events, 4096), 15))
            if event["event"] == "auth_failed":
                break
    assert (event["src"], event["account"], event["detail"], event["proof"]) == (
        phone.ip, "1001", "REGISTER 1001", "nonce"), event


async def test_a_made_up_password_is_shown_once(t):
    """phone add without one answers with it, and nothing else does."""
    await t.phones_account()
    made = (await t.ctl.ask("phone.add", number="1009", account="acme"))["password"]
    assert len(made) == 16
    for answer in (await t.ctl.ask("phone.show", number="1009"), await t.ctl.ask("phone.list"),
                   await t.ctl.ask("log.list")):
        assert made not in str(answer)
    phone = await t.phone("1001", 11)
    phone.number, phone.password = "1009", made
    await phone.register()


async def test_what_cannot_be_entered(t):
    """A number twice, a further number that is another's, a digest user that a gateway has."""
    await t.phones_account()
    await t.ctl.ask("phone.add", number="1001", account="acme", numbers=["2001"])
    for fields, field in (({"number": "1001"}, "number"), ({"number": "2001"}, "numbers"),
                          ({"number": "1002", "numbers": ["1001"]}, "numbers"),
                          ({"number": "1002", "account": "nobody"}, "account"),
                          ({"number": "1002", "address": ["x"]}, "address"), ({"number": "10 2"}, "number")):
        assert await refused_field(t, "phone.add", **{"account": "acme", **fields}) == field, fields
    assert await refused_field(t, "mapping-gateway.add", name="g", account="acme", auth="password", user="1001",
                               password="long enough") == "user"
    assert await refused_field(t, "account.del", id="acme")


@live("SERVER_PASSWORD_LENGTH")
async def test_passwords_are_as_long_as_is_asked(t):
    """Of phones and mapping gateways, when they are given; what is made up is long enough; what is there stays; a vendor's own is its
    business; the refusal does not repeat it."""
    await t.phones_account()
    gateway = {"account": "acme", "auth": "password", "user": "u"}
    assert await refused_field(t, "phone.add", number="1001", account="acme", password="1234567") == "password"
    assert await refused_field(t, "mapping-gateway.add", name="g", password="1234567", **gateway) == "password"
    await t.ctl.ask("phone.add", number="1001", account="acme", password="12345678")
    await t.ctl.ask("mapping-gateway.add", name="g", password="12345678", **gateway)
    await t.set("SERVER_PASSWORD_LENGTH", 20)
    await t.ctl.ask("phone.set", number="1001", memo="the old one stays")
    for what, key in (("phone.set", {"number": "1001"}), ("mapping-gateway.set", {"name": "g"})):
        assert await refused_field(t, what, password="a password of 19 ch", **key) == "password", what
    made = await t.ctl.ask("phone.add", number="1002", account="acme")
    assert len(made["password"]) == 20, made
    try:
        await t.ctl.ask("phone.set", number="1001", password="Tell-Nobody")
    except Refused as e:
        assert "Tell-Nobody" not in str(e) + str(e.data), e
    await t.ctl.ask("routing-gateway.add", name="v", address=["127.0.0.9:5060"], registration=True, user="u", password="short")


async def refused_field(t, what, **fields):
    """The field that the refusal names."""
    try:
        await t.ctl.ask(what, **fields)
    except Refused as e:
        return e.data["field"]
    raise AssertionError(f"{what} {fields} was accepted")


async def test_a_registration_is_explained(t):
    """What a REGISTER would be told, and which setting says so; the phone is told just that."""
    phone = await one_phone(t)

    async def told(word, user="1001", **way):
        got = await t.ctl.ask("registration.explain", user=user, **{"address": phone.address, **way})
        assert word in str(got["steps"]), got
        return got["verdict"], got["sip_code"]
    assert await told("phone 1001, account acme") == ("ok", 200)
    assert "registered" not in str(await t.ctl.ask("registration.explain", user="1001", address=phone.address))
    await phone.register()
    assert await told("it is now") == ("ok", 200)
    assert await told("3600 s at the most, behind NAT 300 s") == ("ok", 200)
    assert await told("neither a phone nor a gateway", user="9999") == ("refused", 403)
    for fields, word in (({"status": "locked"}, "locked"), ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
                         ({"address": ["203.0.113.0/24"]}, "addresses"), ({"transport": "tcp"}, "transport")):
        before = await t.ctl.ask("phone.show", number="1001")
        await t.ctl.ask("phone.set", number="1001", **fields)
        assert await told(word) == ("refused", 403), fields
        assert (await phone.ask_register()).code in (401, 403), fields
        await t.ctl.ask("phone.set", number="1001", **{name: before[name] for name in fields})
    assert await told("tcp", transport="tcp") == ("ok", 200)
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 1)
    await t.set("SS_SIP_AUTHENTICATION_RETRY", 0)
    right, phone.password = phone.password, "something else"
    await phone.ask_register()
    phone.password = right
    assert await told("SS_AUTHENTICATION_FAILED_SUSPEND") == ("refused", 403)
    assert await told("by udp", address=f"{t.net.ip(99)}:5060") == ("ok", 200)
    for asked, field in (({"user": "1001", "address": "x"}, "address"), ({"user": "1001", "address": "10.0.0.1", "transport": "x"}, "transport")):
        assert await refused_field(t, "registration.explain", **asked) == field


# -- numbers and routes -------------------------------------------------------------------------


async def test_the_caller_as_a_phone_sees_it(t):
    """Its caller_rules and caller_transform act on the calls to it, and on nothing else: the record has the caller as billed."""
    first, second = await two_phones(t)
    await second.register()
    await t.ctl.ask("transform.add", name="short", rules=["1:81"])
    await t.ctl.ask("phone.set", number="1002", caller_transform="short", caller_rules=["8:9"])
    call = first.call("1002")
    await call.expect(200)
    assert second.legs[0].invite.get("From").split("@")[0].endswith("sip:91001"), second.legs[0].invite.get("From")
    await call.hang_up()
    await t.cdr(call, caller="1001", caller_out="91001")
    try:
        await t.ctl.ask("phone.set", number="1002", caller_rules=["x"])
        raise AssertionError("a rule without a colon was taken")
    except Refused as e:
        assert e.data["field"] == "caller_rules", e.data


async def test_the_called_number_as_a_phone_is_told(t):
    """A PBX with a row of numbers: its called_transform and called_rules make the extension of the number that was called. To has it and
    the record; the Request-URI stays the Contact, and the bill goes by the number that was called. Explain says the same."""
    caller = await t.caller()
    await t.customer(caller, rates={"49": SELL})
    pbx = await t.phone("493012340", 11, numbers=["493012345", "493012346"])
    await pbx.register()
    await t.ctl.ask("transform.add", name="national", rules=["49:0"])

    async def told(number, want):
        explained = await t.ctl.ask("route.explain", gateway="acme-in", callee=number)
        assert any(s["verdict"] == "candidate" and f"is told {want} " in s["detail"] + " " for s in explained["steps"]), explained
        call = await caller.place(number)
        leg = pbx.legs[-1]
        assert f"<sip:{want}@" in leg.invite.get("To"), leg.invite.get("To")
        assert leg.invite.uri == f"sip:493012340@{pbx.address}"
        await t.cdr(call, callee=number, callee_out=want, callee_phone="493012340")
    await told("493012345", "493012340")
    await t.ctl.ask("phone.set", number="493012340", called_rules=["49301234:"])
    await told("493012345", "5")
    await told("493012346", "6")
    await told("493012340", "0")
    await t.ctl.ask("phone.set", number="493012340", called_transform="national", called_rules=["030123:9"])
    await told("493012345", "945")
    await t.ctl.ask("phone.set", number="493012340", called_rules=[])
    await told("493012346", "03012346")
    for bad in (["x"], ["1:2:3"]):
        assert await refused_field(t, "phone.set", number="493012340", called_rules=bad) == "called_rules"
    await t.ctl.ask("phone.set", number="493012340", called_rules=["03012346:"])
    await t.refused(caller.invite("493012346"), 484, "NumberInvalid")


async def test_a_phones_own_policy(t):
    """policy of a phone orders the vendors of its calls."""
    first, _second = await two_phones(t)
    for i, (name, price) in enumerate((("dear", "0.02"), ("cheap", "0.001"))):
        await t.vendor(await t.carrier(name, last=3 + i), name, priority=i + 1, rates={"880": Terms(price=price)})

    async def order():
        told = await t.ctl.ask("route.explain", gateway="1001", callee="8801712345678")
        return [s["step"] for s in told["steps"] if s["verdict"] == "candidate"]
    assert await order() == ["dear", "cheap"]
    await t.ctl.ask("phone.set", number="1001", policy="cost")
    assert await order() == ["cheap", "dear"]
