"""Packages: talk time and money that a fee includes. What a call takes of them is exact, is never promised twice, and
survives a kill; the fee is booked once in a period."""

import asyncio
import calendar
import time

from harness import plans
from harness.clock import Clock
from harness.control import Refused
from harness.oracle import Terms, charge, half_up, hold_seconds, money, quantum
from harness.scene import scene
from harness.watch import poll

SELL = Terms(price="0.6", first=2, step=2, tax_percent="10", fee_precision=4)


async def left(t, package, account="acme"):
    """The order, once its period is paid."""
    async def active():
        order = await t.ctl.ask("package-order.show", key=f"{account}/{package}")
        return order if order["state"] == "active" else None
    return await poll(active, f"package {package} paid")


async def orders(t, package, account="acme", order=(), **fields):
    await t.ctl.ask("package.add", name=package, **fields)
    await t.ctl.ask("package-order.add", account=account, package=package, **dict(order))
    await left(t, package, account)
    t.books.paid[account] -= money(fields.get("price", "0"))


async def stage(t, pay="100", **account):
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay=pay, rates={"880": SELL}, account=account)
    await t.vendor(carrier)
    return caller, carrier


def agrees(cdr, terms=SELL):
    """Charged is what the oracle makes of the talk less the free seconds, less the free money, and tax of that."""
    fee = charge(terms.but(free_time_s=terms.free_time_s + cdr["package_s"]), cdr["hold_ms"])
    rest = max(0, fee.fee - money(cdr["package_fee"]))
    want = (fee.billed_s, rest, half_up(rest * money(terms.tax_percent) / 100, quantum(terms)))
    assert (cdr["billed_s"], money(cdr["fee"]), money(cdr["tax"])) == want, (want, cdr)


async def rents(t, account="acme"):
    return [money(p["amount"]) for p in await t.ctl.ask("payment.list", account=account, kind="rent")]


async def test_free_seconds_and_then_money(t):
    """Three seconds: the first call takes two of them, the second the last one and pays for the rest."""
    caller, _carrier = await stage(t)
    await orders(t, "talk", price="1.5", free_time=3)
    assert await t.books.balance("acme") == money("98.5")
    for taken, charged in ((2, 0), (1, 2), (0, 2)):
        cdr = await t.cdr(await caller.place("88017", hold=1.2))
        assert hold_seconds(SELL, cdr["hold_ms"]) == 2, "a slow machine: the figures below are for two seconds"
        assert (cdr["package_s"], cdr["billed_s"]) == (taken, charged), cdr
        agrees(cdr)
        await t.books.settled()
    assert (await left(t, "talk"))["left_time"] == 0
    assert await rents(t) == [money("-1.5")]


async def test_the_order_of_application_and_whose_numbers(t):
    """Lowest priority first, by its own step; the next one gives what is missing; other numbers get nothing."""
    caller, _carrier = await stage(t)
    await orders(t, "late", free_time=100, order={"priority": 9})
    await orders(t, "soon", free_time=5, step=4, prefixes=["88017"], order={"priority": 2})
    await orders(t, "other", free_time=100, prefixes=["1"], order={"priority": 1})
    cdr = await t.cdr(await caller.place("88017", hold=0.2))
    assert (cdr["package_s"], money(cdr["fee"])) == (1, 0), cdr
    await t.books.settled()
    assert [(await left(t, p))["left_time"] for p in ("soon", "late", "other")] == [1, 100, 100]
    await t.cdr(await caller.place("88017", hold=1.2), package_s=2)
    await t.books.settled()
    assert [(await left(t, p))["left_time"] for p in ("soon", "late", "other")] == [0, 99, 100]
    await t.cdr(await caller.place("88018", hold=0.2), package_s=1)
    await t.books.settled()
    assert (await left(t, "late"))["left_time"] == 98


async def test_only_in_its_hours(t):
    """A package with a time plan is for calls that begin while it is in force."""
    caller, _carrier = await stage(t)
    await t.ctl.ask("route-plan.add", name="now")
    await t.ctl.ask("route-plan.add", name="another", first="2001-01-01", last="2001-01-02")
    await orders(t, "first", free_time=100, plan="another", order={"priority": 1})
    await orders(t, "second", free_time=100, plan="now", order={"priority": 2})
    await t.cdr(await caller.place("88017", hold=0.2), package_s=1)
    await t.books.settled()
    assert [(await left(t, p))["left_time"] for p in ("first", "second")] == [100, 99]
    try:
        await t.ctl.ask("route-plan.del", name="now")
    except Refused:
        return
    raise AssertionError("a plan that a package names was removed")


async def test_a_share_of_a_period(t):
    """An order from now to the end of the period's half costs and gives what that part comes to, or all of it."""
    await stage(t)
    now = time.time()
    begins, until = int(now) - 3600, int(now) + 7200
    year = time.gmtime(now).tm_year
    whole = calendar.timegm((year + 1, 1, 1, 0, 0, 0)) - calendar.timegm((year, 1, 1, 0, 0, 0))
    assert time.gmtime(begins).tm_year == time.gmtime(until).tm_year == year, "at the turn of the year"
    order = {"from": iso(begins), "until": iso(until)}
    for name, partial in (("part", "share"), ("all", "whole")):
        await t.ctl.ask("package.add", name=name, period="year", partial=partial, price="87.6", free_time=31536000, free_money="1")
        await t.ctl.ask("package-order.add", account="acme", package=name, **order)
    fee = half_up(money("87.6") * (until - begins) / whole, money("0.00000001"))
    part, all_of_it = await left(t, "part"), await left(t, "all")
    assert sorted(await rents(t)) == [money("-87.6"), -fee], (await rents(t), fee)
    assert part["left_time"] == half_up(money(31536000) * (until - begins) / whole, 1) and all_of_it["left_time"] == 31536000, part
    t.books.paid["acme"] -= money("87.6") + fee


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


async def test_free_money(t):
    """It pays fees; tax is of what is charged beside it."""
    caller, _carrier = await stage(t)
    await orders(t, "gift", free_money="0.03")
    first = await t.cdr(await caller.place("88017", hold=1.2))
    assert money(first["package_fee"]) == money("0.02") and money(first["fee"]) == 0 == money(first["tax"]), first
    second = await t.cdr(await caller.place("88018", hold=1.2))
    assert money(second["package_fee"]) == money("0.01") == money(second["fee"]), second
    for cdr in (first, second):
        agrees(cdr)
    await t.books.settled()
    assert money((await left(t, "gift"))["left_money"]) == 0


async def test_nobody_is_promised_the_same_minutes(t):
    """All money went into three free minutes: of ten calls at once three are taken, and the lock does not stop them."""
    caller, carrier = await stage(t, pay="2")
    carrier.plan = plans.answer()
    await orders(t, "talk", price="2", free_time=180)
    shown = await t.ctl.ask("account.show", id="acme")
    assert money(shown["balance"]) == 0 and shown["lock_auto"] is True
    calls = [caller.invite(f"8801{i}") for i in range(10)]
    codes = [(await call.final()).code for call in calls]
    assert sorted(codes) == [200] * 3 + [403] * 7, codes
    assert (await left(t, "talk"))["left_time"] == 0
    await asyncio.sleep(0.2)  # the talk itself: three seconds in all
    for call, code in zip(calls, codes):
        if code == 200:
            await call.hang_up()
    await t.books.settled()
    taken = sum(c["package_s"] for c in await t.ctl.ask("cdr.list"))
    assert 0 < taken < 60 and (await left(t, "talk"))["left_time"] == 180 - taken
    assert await t.books.balance("acme") == 0


async def test_a_kill_gives_back_what_was_held(t):
    """Two calls hold two minutes when the switch is killed: used is what their records say, and no fee is booked again."""
    caller, _carrier = await stage(t)
    await orders(t, "talk", price="1", free_time=120)
    calls = [caller.invite(f"8801{i}") for i in range(2)]
    for call in calls:
        await call.expect(200)
    assert (await left(t, "talk"))["left_time"] == 0
    await asyncio.sleep(1.2)  # a heartbeat, the talk itself
    t.switch.kill()
    await t.switch.start()
    for call in calls:
        await call.ended_by_peer()
    rows = [await t.cdr(call, reason="SwitchRestarted") for call in calls]
    for cdr in rows:
        assert cdr["package_s"] == hold_seconds(SELL, cdr["hold_ms"]) and money(cdr["fee"]) == 0, cdr
        agrees(cdr)
    assert (await left(t, "talk"))["left_time"] == 120 - sum(c["package_s"] for c in rows)
    assert await rents(t) == [-1]


async def test_a_fee_that_is_not_covered_waits(t):
    """No period without its fee, holds of calls count too; a payment begins it. An order made anew is not charged anew."""
    caller, _carrier = await stage(t, pay="1")
    call = caller.invite("88017")
    await call.expect(200)  # holds 0.66
    await t.ctl.ask("package.add", name="talk", price="0.5", free_time=60)
    await t.ctl.ask("package-order.add", account="acme", package="talk")
    row = await t.ctl.ask("package-order.show", key="acme/talk")
    assert row["state"] == "unpaid" and row["left_time"] is None, row
    await call.hang_up()
    await left(t, "talk")
    await t.ctl.ask("package-order.del", key="acme/talk")
    await t.ctl.ask("package-order.add", account="acme", package="talk")
    assert (await left(t, "talk"))["left_time"] == 60
    assert await rents(t) == [money("-0.5")]
    t.books.paid["acme"] -= money("0.5")


@scene(start=False, idle=True)
async def test_once_a_month_whatever_the_clock(t):
    """Put on by 40 days the next month's fee is booked; put back, and on again, none; what was left does not move over."""
    clock = Clock(t)
    await t.switch.start()
    caller, _carrier = await stage(t)
    await orders(t, "talk", price="1", free_time=100, zone="Europe/Berlin")
    await t.cdr(await caller.place("88017", hold=0.2), package_s=1)
    await t.books.settled()
    before = await left(t, "talk")
    for step, fees, seconds in ((40 * 86400, 2, 100), (0, 2, 99), (40 * 86400, 2, 100)):
        clock.step(step)

        async def there(fees=fees, seconds=seconds):
            order = await t.ctl.ask("package-order.show", key="acme/talk")
            return len(await rents(t)) == fees and order["left_time"] == seconds
        await poll(there, f"{fees} fees and {seconds} s")
    assert (await left(t, "talk"))["begins"] > before["begins"]
    clock.step(0)
    t.books.paid["acme"] -= 1


async def test_what_makes_no_sense_is_refused(t):
    await t.account("acme", "1")
    await t.account("euro", currency="EUR")
    await t.ctl.ask("package.add", name="talk", free_time=60)
    for method, fields, word in (
            ("package.add", {"name": "x"}, "free_time"), ("package.add", {"name": "x", "free_time": -1}, "free_time"),
            ("package.add", {"name": "x", "free_time": 1, "zone": "Europe/Nowhere"}, "zone"),
            ("package-order.add", {"account": "acme", "package": "none"}, "package"),
            ("package-order.add", {"account": "nobody", "package": "talk"}, "account"),
            ("package-order.add", {"account": "euro", "package": "talk"}, "currency"),
            ("package-order.add", {"account": "acme", "package": "talk", "from": "2030-01-01T00:00:00Z",
                                   "until": "2029-01-01T00:00:00Z"}, "until")):
        try:
            await t.ctl.ask(method, **fields)
        except Refused as e:
            assert word in str(e) or word in str(e.data), e
            continue
        raise AssertionError(f"{method} {fields} was taken")
    await t.ctl.ask("package-order.add", account="acme", package="talk")
    try:
        await t.ctl.ask("package.del", name="talk")
    except Refused:
        return
    raise AssertionError("a package that is ordered was removed")


@scene(long=True, idle=True, within=120)
async def test_a_call_of_more_than_a_slice(t):
    """Sixty-three free seconds: after the first minute the rest is held, then money is, and the record has both."""
    caller, carrier = await stage(t)
    await orders(t, "talk", free_time=63)
    await t.set("SS_MEDIA_TIMEOUT", 0)
    call = caller.invite("88017")
    await call.expect(200)
    assert (await left(t, "talk"))["left_time"] == 3
    await asyncio.sleep(64.3)  # the talk itself
    await call.hang_up()
    cdr = await t.cdr(call)
    assert cdr["package_s"] == 63 and cdr["billed_s"] == 2, cdr
    agrees(cdr)
    assert carrier.legs
