"""Limits: lines and calls a second, of gateways, accounts and the whole switch. Never one too many."""

import asyncio

from harness import plans
from harness.plans import silent_after
from harness.scene import scene


def never_more(calls, limit, seconds=1.0):
    """No (limit + 1) accepted calls can have been admitted within one second.

    A call was admitted after its INVITE left and before its answer was seen, so the time between two
    admissions is at most the later one's answer minus the earlier one's INVITE: if even that is under
    a second, the limit was broken for certain. No tolerance is needed."""
    passed = sorted((c for c in calls if c.ok), key=lambda c: c.invited)
    for first, last in zip(passed, passed[limit:]):
        span = last.answered_at - first.invited
        assert span >= seconds, f"{limit + 1} calls admitted within {span:.3f} s"
    return passed


async def answers(calls):
    for call in calls:
        await call.final()


async def hang_up(calls):
    await asyncio.gather(*(c.hang_up() for c in calls if c.ok))


async def burst(t, caller, limit, reason, retry_after=None, count=20):
    """count calls at once: exactly limit pass (if all was done within the second), the rest get 503."""
    calls = [caller.invite(f"88017{i:03d}") for i in range(count)]
    await answers(calls)
    passed = never_more(calls, limit)
    within_a_second = max(c.answered_at for c in calls) - calls[0].invited < 1.0
    assert len(passed) == limit or (not within_a_second and len(passed) > limit), len(passed)
    for call in calls:
        if not call.ok:
            await refused(t, call, reason, retry_after)
    await hang_up(calls)


async def refused(t, call, reason, retry_after=None):
    await t.refused(call, 503, reason)
    after = call.answer.get("Retry-After")
    if retry_after:
        assert after and 1 <= int(after) <= 5, f"Retry-After {after}"
    else:
        assert after is None, f"Retry-After {after} on a limit of the customer's own"


async def test_rate_limit_of_a_mapping_gateway(t):
    caller, _carrier = await t.plain(rate_limit=5)
    await burst(t, caller, 5, "RateLimit")


async def test_rate_limit_in_any_second(t):
    """30 calls a second against a limit of 7 for 3 seconds: no window of a second holds 8."""
    caller, _carrier = await t.plain(rate_limit=7)
    calls = []
    for i in range(90):
        calls.append(caller.invite(f"88017{i:03d}"))
        await asyncio.sleep(1 / 30)  # the offered rate
    await answers(calls)
    passed = never_more(calls, 7)
    assert len(passed) >= 14, f"only {len(passed)} of 90 calls passed in 3 s with a limit of 7 a second"
    await hang_up(calls)


async def test_cps_of_the_whole_switch(t):
    """SS_MAX_CALL_PER_SECOND: SystemLimit with our own Retry-After of 1 to 5 s."""
    caller, _carrier = await t.plain()
    await t.set("SS_MAX_CALL_PER_SECOND", 5)
    await burst(t, caller, 5, "SystemLimit", retry_after=True)


async def test_concurrent_calls_of_the_whole_switch(t):
    caller, carrier = await t.plain()
    await t.set("SS_MAX_CONCURRENT_CALL", 4)
    carrier.plan = silent_after(180)
    await lines(t, caller, 4, "SystemLimit", retry_after=True)


async def lines(t, caller, limit, reason, retry_after=None):
    """40 calls at once, all ringing: exactly limit pass, and one ended makes room for one more."""
    calls = [caller.invite(f"88018{i:03d}") for i in range(40)]
    for call in calls:
        await call.until(lambda c=call: c.answer or any(m.code == 180 for _, m in c.provisional),
                         "180 or a refusal")
    ringing = [c for c in calls if not c.answer]
    assert len(ringing) == limit, f"{len(ringing)} calls ring, the limit is {limit}"
    for call in calls:
        if call.answer:
            await refused(t, call, reason, retry_after)
    await refused(t, caller.invite("880199"), reason, retry_after)
    ringing[0].cancel()
    await ringing[0].expect(487)
    again = caller.invite("880198")
    await again.rings()
    for call in ringing[1:] + [again]:
        call.cancel()
        await call.expect(487)


async def test_lines_of_a_mapping_gateway(t):
    """Ringing counts: a line is taken from the INVITE to the leg's end."""
    caller, carrier = await t.plain(line_limit=10)
    carrier.plan = silent_after(180)
    await lines(t, caller, 10, "LineLimit")


async def test_lines_of_an_account(t):
    """Two gateways of one account share its lines."""
    caller, carrier = await t.caller(), await t.carrier()
    other = await t.caller("second-gateway", last=8)
    await t.customer(caller, account={"line_limit": 3})
    await t.gateway_in("acme", "acme-in-2", address=[other.ip])
    await t.vendor(carrier)
    carrier.plan = silent_after(180)
    ringing = [caller.invite("8801"), caller.invite("8802"), other.invite("8803")]
    for call in ringing:
        await call.rings()
    await refused(t, other.invite("8804"), "AccountLineLimit")
    for call in ringing:
        call.cancel()
        await call.expect(487)


async def test_calls_a_second_of_an_account(t):
    caller, _carrier = await t.caller(), await t.carrier()
    await t.customer(caller, account={"rate_limit": 4})
    await t.vendor(_carrier)
    calls = [caller.invite(f"88017{i}") for i in range(12)]
    await answers(calls)
    never_more(calls, 4)
    assert any(not c.ok for c in calls) or calls[-1].answered_at - calls[0].invited > 1
    assert all(c.answer.code == 503 for c in calls if not c.ok)
    await hang_up(calls)


async def test_lines_of_a_routing_gateway(t):
    """A full vendor is passed over for the next; with none left: AllGatewayBusy."""
    caller, first = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=20, line_limit=1)
    await t.ctl.ask("routing-gateway.set", name="vendor", line_limit=2, priority=1)
    first.plan = second.plan = silent_after(180)
    ringing = []
    for i in range(3):
        ringing.append(caller.invite(f"88017{i}"))
        await ringing[-1].rings()
    assert (len(first.legs), len(second.legs)) == (2, 1)
    await t.refused(caller.invite("880179"), 503, "AllGatewayBusy")
    for call in ringing:
        call.cancel()
        await call.expect(487)


async def test_rate_limit_of_a_routing_gateway(t):
    """The vendor never sees more than its calls a second; the rest overflow to the next."""
    caller, first = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=20)
    await t.ctl.ask("routing-gateway.set", name="vendor", rate_limit=3, priority=1)
    calls = [caller.invite(f"88017{i:02d}") for i in range(20)]
    for call in calls:
        await call.expect(200)
    numbers = {leg.callee for leg in first.legs}
    never_more([c for c in calls if c.callee in numbers], 3)
    assert len(first.legs) + len(second.legs) == 20 and len(second.legs) >= 1
    await hang_up(calls)


async def test_lines_come_back_after_every_kind_of_end(t):
    """With one line only: answered, busy, cancelled, unroutable, refused at the vendor: each gives its
    line back, at the mapping gateway, the account and the routing gateway."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, account={"line_limit": 1}, line_limit=1)
    await t.vendor(carrier, line_limit=1)
    await t.ctl.ask("rate.add", group="acme-sell", prefix="99", price="1")
    carrier.on("8801", plans.reject(486)).on("8802", silent_after(180)).on("8804", plans.reject(503))
    for _ in range(3):
        await caller.place("8800")
        await caller.invite("8801").expect(486)
        call = caller.invite("8802")
        await call.rings()
        call.cancel()
        await call.expect(487)
        await caller.invite("9903").expect(503)
        await caller.invite("8804").expect(503)
        leg_of_cancel = [x for x in carrier.legs if x.callee == "8802"][-1]
        await leg_of_cancel.cancel()
        await carrier.until(lambda leg=leg_of_cancel: leg.first.acked, "end of the cancelled leg")
    shown = [await t.ctl.ask("mapping-gateway.show", name="acme-in"),
             await t.ctl.ask("routing-gateway.show", name="vendor"), await t.ctl.ask("account.show", id="acme")]
    assert [x["calls"] for x in shown] == [0, 0, 0], shown


@scene(settings={"SS_MAX_CALL_PER_SECOND": "1000"})
async def test_racing_for_the_last_lines(t):
    """Ten rounds of 30 calls for 5 lines, from three gateways at once: never a sixth."""
    callers = [await t.caller(f"c{i}", last=10 + i) for i in range(3)]
    carrier = await t.carrier()
    await t.customer(callers[0], account={"line_limit": 5})
    for i in (1, 2):
        await t.gateway_in("acme", f"acme-in-{i}", address=[callers[i].ip])
    await t.vendor(carrier)
    for r in range(10):
        calls = [callers[i % 3].invite(f"880{r}{i:03d}") for i in range(30)]
        await answers(calls)
        passed = [c for c in calls if c.ok]
        assert len(passed) == 5, f"round {r}: {len(passed)} calls up on 5 lines"
        await hang_up(passed)
        await t.books.settled()
