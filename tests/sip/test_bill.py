"""Bills that others keep: the vendor's own, by what it saw on its side of the wire, crash or not; and durations while
somebody sets the clock."""

import asyncio

from harness import plans
from harness.books import every
from harness.clock import Clock
from harness.oracle import Terms, charge, money
from harness.scene import scene
from test_kill import OPEN, SELL, Storm, both_ends_hear, cut_down

MINUTES = Terms(price="0.0071", unit=60, first=60, step=60, hold_time_precision_ms=1)
HOUR, YEAR = 3600, 365 * 86400


class Vendor:
    """Its bill: what its own clock says between its 200 and the BYE that it saw or sent, by its own terms."""

    def __init__(self, carrier, terms):
        self.carrier, self.terms = carrier, terms

    def calls(self):
        return [leg for leg in self.carrier.legs if leg.ok_at]

    def charge(self, leg):
        end = min(x for x in (leg.bye_seen, leg.bye_sent) if x)
        return charge(self.terms, max(1, int((end - leg.ok_at) * 1000))).total

    def bill(self):
        return sum(self.charge(leg) for leg in self.calls())


@scene(settings=OPEN, heavy=True, within=300)
async def test_the_vendors_own_bill_is_our_cost(t):
    """Calls of all lengths, callers that give up, vendors that hang up, kills among them: the vendor bills started
    minutes by its own watch, and its sum is what our clearing account says, call by call."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay="1000", rates={"880": SELL})
    await t.vendor(carrier, rates={"880": MINUTES})
    vendor, storm = Vendor(carrier, MINUTES), Storm(t, caller, carrier, rate=40)
    for _ in range(20 if t.long else 3):
        cut = await cut_down(storm, t.random.uniform(0.5, 1.5))
        await t.switch.start()
        await both_ends_hear(t, storm, cut)
        # What the vendor answered, but whose answer the switch had not read or not made durable: the caller never had
        # it. Such a call hears nothing, and the vendor's own session timer or hand ends it; or the vendor repeats its
        # 200, and the switch that is up again ends at once a call it knows nothing of. Those it does not bill.
        heard = [leg for leg in vendor.calls() if (leg.bye_seen or leg.bye_sent)
                 and leg.acked and leg.acked < storm.killed]
        for leg in carrier.legs:
            leg.stop()
        carrier.legs[:] = heard
        storm.calls.clear()
    late = caller.invite("8809999999")
    carrier.on("8809999999", plans.answer_when_cancelled())
    await late.rings()
    late.cancel()
    await late.expect(487)
    await (await carrier.leg("8809999999")).ended_by_peer()
    carrier.on("8809999998", plans.answer(bye_after=0.2))
    theirs = caller.invite("8809999998")
    await theirs.ended_by_peer()
    await t.books.settled()
    rows = [r for r in await every(t.ctl, "cdr") if r["vendor_account"]]
    ours, its = {r["call_id_out"]: money(r["cost"]) for r in rows}, {x.call_id: x for x in vendor.calls()}
    unbilled = [i for i in its if i not in ours]
    assert not unbilled, f"{len(unbilled)} calls are on the vendor's bill and not on ours: {its[unbilled[0]]}"
    unheard = [r for r in rows if r["call_id_out"] not in its and r["reason"] != "SwitchRestarted"]
    assert not unheard, unheard[:1]
    wrong = [(i, ours[i]) for i, leg in its.items() if ours[i] != vendor.charge(leg)]
    assert not wrong, wrong[:3]
    assert await t.books.balance("vendor-acc") == -sum(ours.values())


async def talk(caller, clock, number, seconds, step):
    """A call during which the clock steps, and one that begins before and ends after many steps."""
    call = caller.invite(number)
    await call.expect(200)
    await asyncio.sleep(seconds / 2)  # the talk itself
    clock.step(step)
    await asyncio.sleep(seconds / 2)
    await call.hang_up()
    return call


@scene(start=False, idle=True)
async def test_durations_do_not_heed_the_wall_clock(t):
    """The clock goes an hour on, an hour back, into the next year and back, with calls up: hold time and charge are what
    the wire says, records are all different, and what was booked is there after a restart and after a kill."""
    clock = Clock(t)
    await t.switch.start()
    caller, carrier = await t.plain()
    await t.set("SERVER_QUERY_CDR_MAX_DAY_INTERVAL", 3660)  # a year is not too long ago
    whole = caller.invite("880170")
    await whole.expect(200)
    for i, step in enumerate((HOUR, -HOUR, YEAR, 0, -30, 0.5), start=1):
        call = await talk(caller, clock, f"88017{i}", 0.6, step)
        await t.billed(call, await carrier.leg(f"88017{i}"))
    await whole.hang_up()
    await t.billed(whole, await carrier.leg("880170"))
    cut = caller.invite("880179")
    await cut.expect(200)
    clock.step(-HOUR)
    await t.books.pay("acme", "1")  # durable after the step
    killed = t.switch.kill()
    await t.switch.start()
    await cut.ended_by_peer()
    leg = await carrier.leg("880179")
    await leg.ended_by_peer()
    cdr = await t.cdr(cut, reason="SwitchRestarted")
    assert 0 <= cdr["hold_ms"] / 1000 <= killed - leg.ok_at + 0.001, cdr["hold_ms"]
    rows = await every(t.ctl, "cdr")
    assert len(rows) == 8 and len({r["id"] for r in rows}) == 8
    clock.step(0)
