"""The live parameters of strangers, challenges and phones, as test_live.py has the others."""

import asyncio

from harness import digest
from harness.phone import bound, registered
from harness.scene import live, scene
from harness.watch import poll


@live("SS_REPLY_UNAUTHORIZED")
async def test_reply_to_strangers(t):
    """Off, a stranger hears nothing; on, it is refused or challenged."""
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


@live("SS_ENDPOINT_EXPIRE", "SS_ENDPOINT_NAT_EXPIRE")
async def test_registration_lifetimes(t):
    """What is asked for is cut to the lifetime; a shorter one than 30 s behind NAT is too short."""
    await t.phones_account()
    phone = await t.phone()
    near, far = [phone.own()], ["<sip:1001@10.0.0.9>"]
    assert list(bound(await phone.register(near)).values()) == [3600]
    assert bound(await phone.register(far))["sip:1001@10.0.0.9"] == 300
    await t.set("SS_ENDPOINT_EXPIRE", 120)
    await t.set("SS_ENDPOINT_NAT_EXPIRE", 30)
    assert bound(await phone.register(near))[f"sip:1001@{phone.address}"] == 120
    assert bound(await phone.register(far))["sip:1001@10.0.0.9"] == 30
    answer = await phone.ask_register(far, [("Expires", 29)])
    assert (answer.code, answer.get("Min-Expires")) == (423, "30")


@live("SS_ENDPOINT_REGISTER_REPLACE")
async def test_a_second_registration(t):
    """On: the second device takes the place of the first. Off: it is refused, and the first refreshes as before."""
    await t.phones_account()
    phone, other = await t.phone(last=11), await t.phone("1002", last=12)
    other.number, other.password = phone.number, phone.password
    await phone.register()
    assert list(bound(await other.register())) == [f"sip:1001@{other.address}"]
    assert bound(await phone.register([])) == bound(await other.register([]))
    await t.set("SS_ENDPOINT_REGISTER_REPLACE", "Off")
    assert (await phone.ask_register()).code == 403
    await other.register()
    await other.register(expires=0)
    assert list(bound(await phone.register())) == [f"sip:1001@{phone.address}"]


@scene(idle=True)
@live("SS_ENDPOINTTIMETOLIVE")
async def test_phones_are_asked_whether_they_are_there(t):
    """OPTIONS after the time set: who answers, with whatever code, stays; who does not is gone."""
    await t.phones_account()
    early = await t.phone("1000", last=10)
    await early.register()  # asked once in 60 s: not before the others are through
    await t.set("SS_ENDPOINTTIMETOLIVE", 5)
    alive, silent = await t.phone("1001", last=11), await t.phone("1002", last=12)
    silent.answers_options = False
    for phone in (alive, silent):
        await phone.register()
    await registered(t, "1002", 0)
    assert silent.options and len(alive.options) > 1 and not early.options
    assert len(await registered(t, "1001")) == 1
    assert (await t.status())["phones"]["gone"] == 1


@scene(idle=True)
@live("SS_SIP_NAT_KEEP_ALIVE_MESSAGE", "SS_SIP_NAT_KEEP_ALIVE_PERIOD", "SS_SIP_NAT_KEEP_ALIVE_SEND_INTERVAL",
      "SS_SIP_NAT_KEEP_ALIVE_SEND_ONE_TIME")
async def test_keep_alive(t):
    """Raw datagrams to phones behind NAT, from the listener; what a cycle does not come to is counted."""
    await t.phones_account()
    await t.set("SS_SIP_NAT_KEEP_ALIVE_MESSAGE", "")
    phones = [await t.phone(f"100{i}", last=11 + i) for i in range(3)]
    for phone in phones[:2]:
        await phone.register([f"<sip:{phone.number}@10.0.0.9>"])
    await phones[2].register()  # not behind NAT
    assert (await t.status())["phones"]["kept_alive"] == 0

    async def kept(**settings):
        """Both get that text."""
        for name, value in settings.items():
            await t.set(f"SS_SIP_NAT_KEEP_ALIVE_{name}", value)
        text = settings["MESSAGE"].encode()
        for phone in phones[:2]:
            await phone.until(lambda p=phone: (text, t.address) in p.raw, f"keep-alive {text}")
    await kept(MESSAGE="both at once")
    await kept(SEND_ONE_TIME=1, SEND_INTERVAL=1, MESSAGE="one after the other")
    for name, value in (("SEND_INTERVAL", 10000), ("PERIOD", 10), ("MESSAGE", "only the first")):
        await t.set(f"SS_SIP_NAT_KEEP_ALIVE_{name}", value)

    async def skipped():
        return (await t.status())["phones"]["not_kept"]
    await poll(skipped, "phones that a cycle did not come to", within=30)
    texts = [[text for text, _ in p.raw] for p in phones]
    assert (b"only the first" in texts[0]) != (b"only the first" in texts[1]), texts
    await kept(PERIOD=86400, MESSAGE="in a long cycle")
    before = await skipped()
    assert "nat_keep_alive" in str(await t.ctl.ask("alarm.list"))
    await kept(SEND_ONE_TIME=2, PERIOD=30, MESSAGE="both again")
    assert await skipped() == before and not phones[2].raw
    assert "nat_keep_alive" not in str(await t.ctl.ask("alarm.list"))


@live("SS_SIP_AUTHENTICATION_RETRY")
async def test_asked_again_after_a_wrong_password(t):
    """Unset: refused at once. 2: challenged twice more, and the right one is heard on the way."""
    await t.phones_account()
    phone = await t.phone()

    async def codes(*passwords):
        answer, got = await phone.send_register().response(), []
        for password in passwords:
            header = digest.answer(answer, "REGISTER", f"sip:{phone.switch[0]}", phone.number, password)
            answer = await phone.send_register(headers=[header]).response()
            got.append(answer.code)
        return got
    assert await codes("no") == [403]
    await t.set("SS_SIP_AUTHENTICATION_RETRY", 2)
    assert await codes("no", "no", "no") == [401, 401, 403]
    assert await codes("no", phone.password) == [401, 200]


@live("SS_SIP_AUTHENTICATION_SHA256")
async def test_algorithms_on_offer(t):
    """SHA-256 before MD5, or MD5 alone."""
    await t.phones_account()
    phone = await t.phone()

    async def offered():
        return [c["algorithm"] for c in digest.challenges(await phone.send_register().response())]
    assert await offered() == ["SHA-256", "MD5"]
    await t.set("SS_SIP_AUTHENTICATION_SHA256", "Off")
    assert await offered() == ["MD5"]
    await phone.register()


@scene(idle=True)
@live("SS_SIP_AUTHENTICATION_TIMEOUT")
async def test_time_to_answer_a_challenge(t):
    """An answer that comes later is asked for anew, as stale; one in time passes."""
    await t.phones_account()
    phone = await t.phone()

    async def answer_after(seconds):
        asked = await phone.send_register().response()
        await asyncio.sleep(seconds)  # the time that the device takes
        header = digest.answer(asked, "REGISTER", f"sip:{phone.switch[0]}", phone.number, phone.password)
        return await phone.send_register(headers=[header]).response()
    await t.set("SS_SIP_AUTHENTICATION_TIMEOUT", 1)
    late = await answer_after(1.1)
    assert late.code == 401 and "stale=true" in str(late.all("WWW-Authenticate"))
    await t.set("SS_SIP_AUTHENTICATION_TIMEOUT", 20)
    assert (await answer_after(1.1)).code == 200


@live("SERVER_PASSWORD_TERMINAL_ADDITIONAL_CHARACTERS")
async def test_characters_of_made_up_passwords(t):
    """The signs that are added are in the passwords made up from then on, and in none before."""
    await t.phones_account()

    async def made(numbers):
        return "".join([(await t.ctl.ask("phone.add", number=str(n), account="acme"))["password"] for n in numbers])
    assert not set(await made(range(1000, 1010))) & set("#%")
    await t.set("SERVER_PASSWORD_TERMINAL_ADDITIONAL_CHARACTERS", "#%" * 30)
    assert set("#%") <= set(await made(range(1010, 1020)))
