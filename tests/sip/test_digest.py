"""Calls with a password: challenge, right and wrong answers, both algorithms, nonces used once."""

import re

from harness import digest
from harness.watch import poll
from harness.stage import count_in

USER, PASSWORD = "acme-user", "correct horse 7"


async def stage_with_password(t):
    """A customer known by digest alone, from any address of the network."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, auth="password", address=[t.net.cidr], user=USER, password=PASSWORD)
    await t.vendor(carrier)
    return caller, carrier


async def challenged(caller, number="88017"):
    call = caller.invite(number)
    answer = await call.final()
    assert answer.code in (401, 407), answer.start_line()
    return call, answer


async def retry(caller, call, challenge, **lies):
    """The INVITE again with an answer to that challenge, some fields of it wrong; the final code."""
    user, password = lies.pop("user", USER), lies.pop("password", PASSWORD)
    call.answer = None
    header = digest.answer(challenge, "INVITE", call.txn.msg.uri, user, password, "MD5", **lies)
    caller.send_invite(call, call.txn.msg.uri, [header])
    return await call.final()


async def test_challenge_and_both_algorithms(t):
    """SHA-256 is offered first, MD5 as well, qop=auth in both; a call passes with either."""
    caller, carrier = await stage_with_password(t)
    _call, answer = await challenged(caller)
    offered = digest.challenges(answer)
    assert [c.get("algorithm", "MD5") for c in offered] == ["SHA-256", "MD5"], offered
    for c in offered:
        assert "auth" in c["qop"].split(",") and c["realm"] and len(c["nonce"]) >= 16, c
    for algorithm in ("MD5", "SHA-256"):
        call = caller.invite(f"88017{len(algorithm)}", credentials=(USER, PASSWORD, algorithm))
        await call.expect(200)
        assert len(call.challenges) == 1
        await call.hang_up()
        await t.cdr(call, mapping_gateway="acme-in", account="acme", reason="CallerHangup")
    assert len(carrier.legs) == 2


async def test_algorithms_of_one_peer(t):
    """What a gateway and a phone are offered at their own addresses, and nobody else; sha256 takes no MD5."""
    caller, _carrier = await stage_with_password(t)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", address=[caller.ip])
    words = {"system": ["SHA-256", "MD5"], "sha256_md5": ["SHA-256", "MD5"], "md5_sha256": ["MD5", "SHA-256"],
             "sha256": ["SHA-256"], "md5": ["MD5"]}
    phone = await t.phone(address=[t.net.ip(11)])
    other = await t.phone("1002", 12)

    async def of_call():
        return [c["algorithm"] for c in digest.challenges((await challenged(caller))[1])]

    async def of_phone(device, **options):
        return [c["algorithm"] for c in digest.challenges(await device.send_register(**options).response())]
    for word, wanted in words.items():
        await t.ctl.ask("mapping-gateway.set", name="acme-in", digest=word)
        await t.ctl.ask("phone.set", number="1001", digest=word)
        assert await of_call() == wanted, word
        assert await of_phone(phone) == wanted, word
        assert await of_phone(other) == words["system"], word
        assert await of_phone(other, to="1001") == words["system"], "a stranger is not told what 1001 has"
    await t.ctl.ask("mapping-gateway.set", name="acme-in", digest="sha256", address=[t.net.cidr, t.net.ip(99)])
    call = caller.invite("88017", credentials=(USER, PASSWORD, "SHA-256"))
    await call.expect(200)
    await call.hang_up()
    await t.ctl.ask("mapping-gateway.set", name="acme-in", digest="system")
    call, answer = await challenged(caller)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", digest="sha256")
    assert (await retry(caller, call, answer)).code == 403, "MD5, with the right password"


async def test_wrong_answers_are_refused_alike(t):
    """Wrong password, unknown user, wrong URI, wrong realm, no qop: no call, and one and the same
    status, so that nothing tells which it was."""
    _caller, carrier = await stage_with_password(t)
    codes = set()
    for i, lies in enumerate((
            {"password": "wrong"}, {"user": "nobody"}, {"uri": "sip:99@127.0.0.1"},
            {"qop": "auth-int"}, {"response": "0" * 32}, {"response": ""},
            {"realm": "elsewhere"}, {"nonce": "made up"})):
        caller = await t.caller(f"guesser{i}", last=60 + i)  # each once: nobody is banned on the way
        call, answer = await challenged(caller)
        got = await retry(caller, call, answer, **lies)
        if "realm" in lies or "nonce" in lies:  # not an answer to our challenge at all: asked again
            assert got.code in (401, 407), got.start_line()
        else:
            codes.add(got.code)
    assert len(codes) == 1 and codes <= {401, 403, 407}, codes
    assert not carrier.legs, "a call passed without the right password"


async def test_a_nonce_count_is_accepted_once(t):
    """The same (nonce, nc) in a second call is refused; the next nc passes."""
    caller, carrier = await stage_with_password(t)
    call, challenge = await challenged(caller)
    assert (await retry(caller, call, challenge, nc=1)).code == 200
    await call.hang_up()
    replay, _ = await challenged(caller, "880182")
    answer = await retry(caller, replay, challenge, nc=1)
    assert answer.code in (401, 403, 407), "a replayed nonce count was taken"
    onward, _ = await challenged(caller, "880183")
    answer = await retry(caller, onward, challenge, nc=2)
    if answer.code == 401:  # another worker has the call: the nonce is stale there, never wrong
        assert "stale=true" in str(answer.all("WWW-Authenticate")).lower()
        answer = await retry(caller, onward, answer)
    assert answer.code == 200, answer.start_line()
    await onward.hang_up()
    assert len(carrier.legs) == 2


async def test_a_nonce_belongs_to_its_source(t):
    """The challenge of one address answered from another is refused."""
    caller, carrier = await stage_with_password(t)
    _call, challenge = await challenged(caller)
    other = await t.caller("other", last=40)
    call, _ = await challenged(other)
    answer = await retry(other, call, challenge)
    assert answer.code in (401, 403, 407), answer.start_line()
    assert not carrier.legs


async def test_an_old_nonce_after_a_restart_is_stale(t):
    """A restart makes old nonces stale without locking anybody out."""
    caller, carrier = await stage_with_password(t)
    call, challenge = await challenged(caller)
    await t.switch.restart()
    answer = await retry(caller, call, challenge)
    assert answer.code in (401, 407), answer.start_line()
    assert any(c.get("stale", "").lower() == "true" for c in digest.challenges(answer)), answer.headers
    fresh = caller.invite("880182", credentials=(USER, PASSWORD, "MD5"))
    await fresh.expect(200)
    await fresh.hang_up()
    assert len(carrier.legs) == 1


async def test_failures_are_counted(t):
    caller, _carrier = await stage_with_password(t)
    before = count_in(await t.status(), "auth") or 0
    call, challenge = await challenged(caller)
    await retry(caller, call, challenge, password="wrong")

    async def counted():
        return (count_in(await t.status(), "auth") or 0) > before
    await poll(counted, "count of failed authentications in status")


async def test_an_authenticated_retry_counts_once(t):
    """rate_limit=2: two digest calls, four INVITEs, in one second pass; the third is refused."""
    caller, _carrier = await stage_with_password(t)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", rate_limit=2)
    calls = [caller.invite(f"8801{i}", credentials=(USER, PASSWORD, "MD5")) for i in range(2)]
    for call in calls:
        await call.expect(200)
    third = caller.invite("88019", credentials=(USER, PASSWORD, "MD5"))
    answer = await third.final()
    spread = third.answered_at - calls[0].invited
    assert answer.code == 503 or spread > 1.0, (answer.start_line(), spread)
    for call in calls + [third]:
        if call.ok:
            await call.hang_up()


async def test_the_password_is_never_shown(t):
    """Neither show, list nor the change log has it."""
    await stage_with_password(t)
    for answer in (await t.ctl.ask("mapping-gateway.show", name="acme-in"),
                   await t.ctl.ask("mapping-gateway.list"), await t.ctl.ask("log.list", limit=100)):
        assert PASSWORD not in str(answer)


# -- the vendor's challenges --------------------------------------------------------------------


class Guard:
    """A vendor that wants a password: challenges, and checks the answer by its own arithmetic."""

    def __init__(self, realm, code=401, always=False):
        self.realm, self.code, self.always = realm, code, always

    async def __call__(self, leg):
        given = leg.invite.get("Authorization" if self.code == 401 else "Proxy-Authorization")
        if not given or self.always:
            name = "WWW-Authenticate" if self.code == 401 else "Proxy-Authenticate"
            leg.reply(self.code, headers=[(name, f'Digest realm="{self.realm}", nonce="n1", qop="auth", algorithm=MD5')])
            return
        got, want = fields(given), fields(digest.authorization(
            {"realm": self.realm, "nonce": "n1"}, self.code, "INVITE", leg.invite.uri, "me", "vendor pass 1",
            int(fields(given)["nc"], 16), fields(given)["cnonce"])[1])
        assert {k: got[k] for k in ("username", "response", "realm", "nonce", "uri")} == {
            k: want[k] for k in ("username", "response", "realm", "nonce", "uri")}, (got, want)
        leg.accept()


def fields(header):
    return dict(re.findall(r'(\w+)="?([^",]*)"?', header))


async def vendor_with_password(t, **gateway):
    caller, carrier = await t.plain()
    await t.ctl.ask("routing-gateway.set", name="vendor", user="me", password="vendor pass 1", **gateway)
    return caller, carrier


async def test_a_vendors_challenge_is_answered(t):
    """401 and 407; the second INVITE is the same try, and the answer is right."""
    caller, carrier = await vendor_with_password(t, realm="v.example")
    for code in (401, 407):
        carrier.plan = Guard("v.example", code)
        call = await caller.place(f"880{code}")
        await t.cdr(call, tries=1, reason="CallerHangup", sip_code=200)
    assert len(carrier.legs) == 4
    first, second = carrier.legs[0].invite, carrier.legs[1].invite
    assert first.call_id == second.call_id and second.cseq[0] > first.cseq[0]


async def test_a_vendors_other_realm_gets_no_password(t):
    """security.md A7: another realm than the gateway's is a failure, with nothing computed for it."""
    caller, carrier = await vendor_with_password(t, realm="v.example")
    carrier.plan = Guard("thief.example")
    await t.refused(caller.invite("88017"), 503, "VendorAuthFailed", vendor_code=401)
    assert len(carrier.legs) == 1


async def test_a_changed_realm_is_an_alarm_and_no_outage(t):
    """behaviour.md: without a configured realm the vendor's new one is answered, and the operator is told."""
    caller, carrier = await vendor_with_password(t)
    carrier.plan = Guard("old.example")
    await caller.place("88017")
    await caller.place("88018")
    assert "vendor_realm" not in str(await t.ctl.ask("alarm.list"))
    carrier.plan = Guard("new.example")
    await caller.place("88019")
    assert any(a["type"] == "vendor_realm" and a["object"] == "vendor" for a in await t.ctl.ask("alarm.list"))


async def test_a_vendor_that_is_never_content_is_asked_twice_at_most(t):
    caller, carrier = await vendor_with_password(t)
    carrier.plan = Guard("v.example", always=True)
    await t.refused(caller.invite("88017"), 503, "VendorAuthFailed", vendor_code=401)
    assert len(carrier.legs) == 2


async def test_a_challenge_without_credentials_is_a_failure(t):
    """And never relayed: the next vendor takes the call."""
    caller, first = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=90)
    first.plan = Guard("v.example")
    await t.cdr(await caller.place("88017"), routing_gateway="second", tries=2)
    assert len(first.legs) == 1
