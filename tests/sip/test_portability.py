"""Ported numbers: an LRN server is asked before a call is routed, and routes and vendors' prices go by what it says."""

import asyncio

from harness.control import Refused
from harness.oracle import Terms
from harness.plans import answer, dead, reject, silent_after
from harness.watch import poll


def moved(rn=None, scheme="sip", npdi=True):
    more = (f";rn={rn}" if rn else "") + (";npdi" if npdi else "")
    uri = f"sip:88017{more}@192.0.2.9" if scheme == "sip" else f"tel:88017{more}"
    return reject(302, headers=[("Contact", f"<{uri}>")])


async def stage(t, **server):
    """Vendors a and b: a has the numbers as they seem, b those of the carrier 7701; and the server."""
    caller, a, b, lrn = await t.caller(), await t.carrier("a", 3), await t.carrier("b", 4), await t.carrier("lrn", 5)
    await t.customer(caller)
    await t.vendor(a, prefix=["880"], rates={"880": Terms(price="0.01"), "7701": Terms(price="0.01")})
    await t.vendor(b, prefix=["7701"], rates={"880": Terms(price="0.01"), "7701": Terms(price="0.03")})
    await t.ctl.ask("routing-gateway.add", name="lrn", address=[lrn.address], purpose="portability", prefix=["880"],
                    options_check=False, **server)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", portability="lrn")
    return caller, a, b, lrn


async def steps_of(t, cdr):
    return [s for s in (await t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"] if s["step"] == "portability"]


async def test_a_ported_number_goes_where_it_is(t):
    """Routed and costed by the routing number, charged and sent as dialled; named to a vendor that wants it; kept with the record."""
    caller, a, b, lrn = await stage(t)
    lrn.plan = moved("+770199")
    cdr = await t.cdr(await caller.place("88017"), routing_gateway="b", callee="88017", callee_out="88017", rate_prefix="880",
                      cost_prefix="7701")
    assert lrn.legs[0].callee == "88017" and not lrn.legs[0].invite.body
    assert b.legs[-1].invite.uri.startswith("sip:88017@")
    assert "88017 is at 770199" in str(await steps_of(t, cdr))
    await t.ctl.ask("routing-gateway.set", name="b", send_rn=True)
    await caller.place("88017")
    assert b.legs[-1].invite.uri.startswith("sip:88017;rn=770199;npdi@"), b.legs[-1].invite.uri
    lrn.plan = moved("7701-55", scheme="tel")
    await t.cdr(await caller.place("880171"), routing_gateway="b", cost_prefix="7701")
    lrn.plan = moved(None)
    cdr = await t.cdr(await caller.place("880172"), routing_gateway="a", cost_prefix="880")
    assert "is where it seems" in str(await steps_of(t, cdr))
    for n, plan in enumerate((reject(404), moved("770199"))):
        lrn.plan = plan
        await t.cdr(await caller.place(f"88018{n}"), routing_gateway="ab"[n])


async def test_answers_are_kept(t):
    """For portability_keep seconds, by each worker; 0: not at all."""
    caller, a, b, lrn = await stage(t)
    lrn.plan = moved("770199")
    for _ in range(6):
        await t.cdr(await caller.place("88017"), routing_gateway="b")
    assert 1 <= len(lrn.legs) <= t.workers, len(lrn.legs)
    await t.ctl.ask("routing-gateway.set", name="lrn", portability_keep=0)
    before = len(lrn.legs)
    for _ in range(3):
        await t.cdr(await caller.place("880177"), routing_gateway="b")
    assert len(lrn.legs) == before + 3


async def test_a_server_that_does_not_say(t):
    """Errors, nonsense, an answer of its own, silence, none there: the call is routed as dialled, at once or after the time that it has,
    and the next one asks again."""
    caller, a, b, lrn = await stage(t, portability_timeout=300)
    for plan in (reject(500), reject(486), moved("abc"), moved("1" * 41), moved(None, npdi=False), answer(), dead(), silent_after(100)):
        lrn.plan = plan
        before = len(lrn.legs)
        cdr = await t.cdr(await caller.place("88017"), routing_gateway="a")
        assert len(lrn.legs) == before + 1
        assert [s["verdict"] for s in await steps_of(t, cdr)] == ["failed"], await steps_of(t, cdr)
    await lrn.legs[-1].cancel()
    await t.ctl.ask("routing-gateway.set", name="lrn", status="locked")
    before = len(lrn.legs)
    await t.cdr(await caller.place("88017"), routing_gateway="a")
    assert len(lrn.legs) == before


async def test_no_call_without_an_answer(t):
    """portability_failure=refuse: whose number nobody can say is not called, down or not; a number that has not moved is."""
    caller, a, b, lrn = await stage(t, portability_timeout=300, portability_keep=0)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", portability_failure="refuse")
    for plan in (reject(500), silent_after(100), answer()):
        lrn.plan = plan
        cdr = await t.refused(caller.invite("88017"), 503, "PortabilityUnknown", tries=0)
        steps = await steps_of(t, cdr)
        assert [s["verdict"] for s in steps] == ["failed"] and "as dialled" not in str(steps), steps
    for plan in (reject(404), moved(None)):
        lrn.plan = plan
        await t.cdr(await caller.place("88017"), routing_gateway="a")
    lrn.plan = moved("770199")
    await t.cdr(await caller.place("88017"), routing_gateway="b")
    await t.ctl.ask("mapping-gateway.set", name="acme-in", rate_number="ported")
    await t.ctl.ask("routing-gateway.set", name="lrn", address=[f"{t.net.ip(99)}:5060"])
    await t.refused(caller.invite("88017"), 503, "PortabilityUnknown", tries=0)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", portability_failure="continue")
    await t.cdr(await caller.place("88017"), routing_gateway="a")


async def test_who_gives_up_while_it_is_asked(t):
    """The caller's CANCEL is answered; the server's late answer starts nothing."""
    caller, a, b, lrn = await stage(t, portability_timeout=5000)
    go = asyncio.Event()

    async def plan(leg):
        leg.reply(100)
        await go.wait()
        leg.reply(302, headers=[("Contact", "<sip:88017;rn=770199@x>")])
    lrn.plan = plan
    call = caller.invite("88017")

    async def asked():
        return lrn.legs
    await poll(asked, "question to the server")
    call.cancel()
    await call.expect(487)
    await t.cdr(call, reason="CallerCancel", tries=0)
    go.set()
    lrn.plan = moved("770199")
    await t.cdr(await caller.place("880171"), routing_gateway="b")
    assert not a.legs and len(b.legs) == 1


async def test_who_is_asked(t):
    """Only for its prefixes, only by customers that name it; it gets no calls; `route explain` says so, and takes what it would say."""
    caller, a, b, lrn = await stage(t)
    await t.ctl.ask("rate.add", group="acme-sell", prefix="7701", price="0.05", unit=60, first=1, step=1)
    await t.cdr(await caller.place("770155"), routing_gateway="b")
    assert not lrn.legs
    told = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017")
    names = [s["step"] for s in told["steps"] if s["verdict"] == "candidate"]
    assert names == ["a"] and "would ask lrn first" in str(told["steps"]), told
    told = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017", ported="+770199")
    names = [s["step"] for s in told["steps"] if s["verdict"] == "candidate"]
    assert names == ["b"] and "is at 770199, as was assumed" in str(told["steps"]), told
    await t.ctl.ask("mapping-gateway.set", name="acme-in", portability=None)
    await t.cdr(await caller.place("88017"), routing_gateway="a")
    assert not lrn.legs
    for entity, fields in (("mapping-gateway", dict(name="acme-in", portability="none")),
                           ("mapping-gateway", dict(name="acme-in", portability="a")),
                           ("routing-gateway", dict(name="lrn", portability_timeout=99))):
        try:
            await t.ctl.ask(f"{entity}.set", **fields)
            raise AssertionError(f"{fields} was taken")
        except Refused as e:
            assert e.data["field"] == list(fields)[-1], e.data
