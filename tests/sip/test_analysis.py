"""Where calls fail: counted by what they have in common."""

from harness.control import Refused
from harness.plans import answer, reject
from test_policies import vendors


async def test_failed_calls_are_counted(t):
    caller, carriers = await vendors(t, {"a": dict(priority=1, switch_until_connect="off"),
                                         "b": dict(prefix=["8802"], switch_until_connect="off")})
    await t.ctl.ask("rate.add", group="acme-sell", prefix="8802", price="0.01", unit=60)
    carriers["a"].plan = reject(404)
    carriers["b"].plan = reject(480)
    for callee in ("88011", "88012", "88013", "88021", "999"):
        call = caller.invite(callee)
        await call.final()
        await t.cdr(call)
    carriers["b"].plan = answer()
    await t.cdr(await caller.place("88022"))

    async def rows(**asked):
        found = await t.ctl.ask("call.analysis", **asked)
        return [{k: v for k, v in r.items() if k != "example"} for r in found], found
    by_reason, found = await rows(by=["reason", "sip_code"])
    assert {"reason": "Rejected", "sip_code": 404, "failed": 3, "calls": 3, "percent": 100} == by_reason[0], by_reason
    assert {r["sip_code"] for r in by_reason} == {404, 480, 403} and len(by_reason) == 3
    explained = await t.ctl.ask("cdr.explain", id=found[0]["example"])
    assert any(s["verdict"] == "failed, stop" for s in explained["steps"]), explained
    by_vendor, _ = await rows(by=["routing_gateway"])
    assert {r["routing_gateway"]: (r["failed"], r["calls"], r["percent"]) for r in by_vendor} == {
        "a": (3, 3, 100), "b": (1, 2, 50), "": (1, 1, 100)}, by_vendor
    by_area, _ = await rows(by=["area"])
    assert {r["area"]: r["failed"] for r in by_area} == {"880": 3, "8802": 1, "": 1}, by_area
    by_hour, _ = await rows(by=["hour"], gateway="b")
    assert sum(r["failed"] for r in by_hour) == 1 and by_hour[0]["hour"].endswith(":00:00.000Z"), by_hour
    assert not (await rows(to="2020-01-01T00:00:00Z", **{"from": "2019-01-01T00:00:00Z"}))[0]
    assert len((await rows(reason="NoRate"))[0]) == 1
    for asked, word in (({"by": ["colour"]}, "by"), ({"reason": "Because"}, "reason")):
        try:
            await t.ctl.ask("call.analysis", **asked)
        except Refused as e:
            assert word in str(e)
        else:
            raise AssertionError(asked)
