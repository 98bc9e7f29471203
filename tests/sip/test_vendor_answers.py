"""What a vendor's 3xx, Retry-After and failures in a row do to the calls that come after."""

import asyncio

from harness import plans
from harness.plans import answer, reject
from harness.scene import scene
from harness.watch import poll


def moved(*contacts, code=302):
    return reject(code, headers=[("Contact", ", ".join(f"<{c}>" for c in contacts))])


async def status(t, name):
    return next(r for r in await t.ctl.ask("gateway.status") if r["name"] == name)


async def vendors(t, **fields):
    """A vendor of two addresses, and one more behind it."""
    caller = await t.caller()
    await t.customer(caller)
    first, second, spare = await t.carrier("first", last=3), await t.carrier("second", last=4), await t.carrier("spare", last=5)
    await t.vendor(first, name="v", address=[first.address, second.address], priority=1, **fields)
    await t.vendor(spare, priority=9)
    return caller, first, second, spare


async def test_redirects_are_followed_only_as_the_gateway_says(t):
    """off: a failure. own: to an address of its own, in the same dialog's name; not elsewhere. any: there too."""
    caller, first, second, spare = await vendors(t)
    away = await t.carrier("away", last=6)
    to_own, to_away = f"sip:88017@{second.address}", f"sip:{away.address}"
    first.plan = moved(to_own)
    await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
    assert not second.legs
    await t.ctl.ask("routing-gateway.set", name="v", redirect="own")
    cdr = await t.cdr(await caller.place("88017"), routing_gateway="v", tries=1)
    one, two = first.legs[-1].invite, second.legs[-1].invite
    assert (one.call_id, one.from_tag, one.cseq[0] + 1) == (two.call_id, two.from_tag, two.cseq[0])
    assert two.uri == f"sip:88017@{second.address}" and two.body == one.body
    assert "redirected" in str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    first.plan = moved(to_away, to_own, code=301)
    await t.cdr(await caller.place("88017"), routing_gateway="v", tries=1)
    assert len(second.legs) == 2 and not away.legs, "the first that is allowed"
    first.plan = moved(to_away)
    await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
    await t.ctl.ask("routing-gateway.set", name="v", redirect="any")
    await t.cdr(await caller.place("88017"), routing_gateway="v", tries=1)
    assert len(away.legs) == 1


async def test_redirects_that_lead_nowhere(t):
    """In circles, to another number, to a name, to ourselves, to everybody: a failure, and the next vendor."""
    caller, first, second, spare = await vendors(t, redirect="any")
    second.plan = moved(f"sip:{first.address}", f"sip:{second.address}")
    calls = 0
    for contact in (f"sip:{second.address}", f"sip:{first.address}", f"sip:8809999@{second.address}",
                    "sip:vendor.example", f"sip:{t.switch.ip}:{t.switch.port}", "sip:0.0.0.0", "sip:224.0.0.1",
                    "sip:255.255.255.255", "tel:88017", "sips:203.0.113.9"):
        first.plan = moved(contact)
        await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
        calls += 1
    assert len(spare.legs) == calls and len(second.legs) == 1


async def test_a_redirected_vendor_that_wants_a_password(t):
    """At another address than the gateway's own only for a realm that was named (security.md A7)."""
    caller, first, second, spare = await vendors(t, redirect="any", user="u", password="p-of-vendor-1")
    thief = await t.carrier("thief", last=6)
    thief.plan = reject(401, headers=[("WWW-Authenticate", 'Digest realm="x", nonce="1", qop="auth"')])
    first.plan = moved(f"sip:{thief.address}")
    await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
    assert len(thief.legs) == 1 and not thief.legs[0].invite.get("Authorization")
    assert not second.legs


async def test_retry_after_of_a_vendor(t):
    """Honoured only if switched on, for the prefix of the call alone, and shown; at most 60 s."""
    caller, first, _second, spare = await vendors(t, prefix=["880", "8801"])
    first.plan = reject(503, headers=[("Retry-After", "3600 (busy);duration=9")])
    for _ in range(2):
        await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
    assert (await status(t, "v"))["held_s"] == 0 and len(first.legs) == 2
    await t.ctl.ask("routing-gateway.set", name="v", retry_after=True)
    await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
    for i in range(4):  # whichever worker has it
        await t.cdr(await caller.place(f"88017{i}"), routing_gateway="spare", tries=1)
    assert 0 < (await status(t, "v"))["held_s"] <= 60 and len(first.legs) == 3
    assert ["v"] == [a["object"] for a in await t.ctl.ask("alarm.list") if a["type"] == "gateway_held"]
    explained = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017")
    assert any(s["step"] == "v" and "held for" in s["detail"] for s in explained["steps"]), explained
    first.plan = answer()
    await t.cdr(await caller.place("88027"), routing_gateway="v", tries=1)


@scene(idle=True)
async def test_the_circuit_breaker(t):
    """Two failures in a row (500, silence) and no call goes there; after the pause one tries, and what comes of
    it decides. A failure after ringing, or a refusal, does not count."""
    caller, first, _second, _spare = await vendors(t, breaker_failures=2, breaker_pause=2, timeout_invite=1)
    await t.ctl.ask("routing-gateway.set", name="v", address=[first.address])
    for plan in (reject(500), reject(404), reject(503), reject(500, ring=True), reject(500)):
        first.plan = plan
        call = caller.invite("88017")
        if (await call.final()).code == 200:
            await call.hang_up()
    assert len(first.legs) == 5 and (await status(t, "v"))["held_s"] == 0
    first.plan = plans.dead()
    await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=2)
    assert (await status(t, "v"))["held_s"] > 0
    await t.cdr(await caller.place("88017"), routing_gateway="spare", tries=1)

    async def over():
        return (await status(t, "v"))["held_s"] == 0
    await poll(over, "the end of the pause")
    gate = asyncio.Event()

    async def slow(leg):
        await gate.wait()
        leg.reply(500)
    first.plan = slow
    await t.ctl.ask("routing-gateway.set", name="v", timeout_invite=30)
    trial = caller.invite("88017")
    await first.until(lambda: len(first.legs) == 7, "the one call")
    await t.cdr(await caller.place("88018"), routing_gateway="spare", tries=1)
    gate.set()
    await trial.expect(200)
    await trial.hang_up()
    await t.cdr(trial, routing_gateway="spare", tries=2)
    assert (await status(t, "v"))["held_s"] > 0 and len(first.legs) == 7
    first.plan = answer()
    await poll(over, "the end of the pause")
    await t.cdr(await caller.place("88019"), routing_gateway="v", tries=1)
    for i in range(4):
        await t.cdr(await caller.place(f"8802{i}"), routing_gateway="v", tries=1)
