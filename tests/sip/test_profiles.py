"""Security profiles: what an account may do while a time plan is in force."""

from harness.control import Refused
from harness.scene import scene

YEARS_AGO = "2020-01-01"


async def refused(asked, *words):
    try:
        await asked
    except Refused as e:
        assert all(w in str(e) for w in words), (str(e), words)
    else:
        raise AssertionError(f"accepted, but {words} were expected")


async def profile(t, **fields):
    return await t.ctl.ask("security-profile.add", **{"name": "p", **fields})


async def test_numbers_are_kept_to_their_times(t):
    caller, _ = await t.plain()
    await t.ctl.ask("route-plan.add", name="plan")
    await profile(t, plan="plan", callee_allow=["8801"], callee_deny=["88012"], caller_deny=["666"])
    await caller.place("88027")     # nobody names it
    await t.ctl.ask("account.set", id="acme", profiles=["p"])
    cdr = await t.refused(caller.invite("88027"), 403, "TimeForbidden")
    told = str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    assert "time plan plan" in told and "callee_allow" in told, told
    await t.refused(caller.invite("88012"), 403, "TimeForbidden")
    await t.refused(caller.invite("88017", caller="6661"), 403, "TimeForbidden")
    await caller.place("88017")
    await t.ctl.ask("whitelist.add", number="88012")
    await caller.place("88012")

    async def verdict(**when):
        return (await t.ctl.ask("route.explain", gateway="acme-in", caller="1", callee="88027", **when))["verdict"]
    assert await verdict() == "TimeForbidden"
    await t.ctl.ask("route-plan.set", name="plan", last=YEARS_AGO)
    assert await verdict(at="2019-06-01") == "TimeForbidden" != await verdict()
    await caller.place("88027")
    await t.ctl.ask("security-profile.set", name="p", plan=None)
    await t.refused(caller.invite("88027"), 403, "DestinationForbidden")
    await t.ctl.ask("security-profile.set", name="p", status="locked")
    await caller.place("88027")


@scene(idle=True)
async def test_fewer_and_shorter_calls(t):
    """Of several the strictest counts, and none gives more than the account has."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, account={"line_limit": 2})
    await t.vendor(carrier)
    await profile(t, applies="all", line_limit=5)
    await profile(t, name="q", applies="all", line_limit=1, call_limit=1)
    first = caller.invite("88017")
    await first.expect(200)
    await t.refused(caller.invite("88017"), 503, "AccountLineLimit")
    await first.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    await t.cdr(first, reason="MaxDuration")
    await t.ctl.ask("security-profile.del", name="q")
    up = [caller.invite("88017") for _ in range(2)]
    for call in up:
        await call.expect(200)
    await t.refused(caller.invite("88017"), 503, "AccountLineLimit")
    for call in up:
        await call.hang_up()


async def test_profiles_that_make_no_sense_are_refused(t):
    await t.phones_account()
    await refused(t.ctl.ask("account.set", id="acme", profiles=["p"]), "no such security profile")
    await refused(profile(t, plan="nothing"), "plan")
    await refused(profile(t, callee_allow=["44"], callee_deny=["44"]), "44")
    await profile(t)
    await t.ctl.ask("account.set", id="acme", profiles=["p"])
    await refused(t.ctl.ask("security-profile.del", name="p"), "no such security profile")
