"""Crowds on one account: the bounds of rating.md hold however many calls and payments race."""

import asyncio
from fractions import Fraction

from harness import load
from harness.books import check_fee, every
from harness.oracle import Terms, hold_for, money
from harness.scene import scene
from harness.wire import now

CENT = Terms(price="0.6", unit=60, first=1, step=1)
OPEN = {"SS_MAX_CALL_PER_SECOND": "10000", "SS_MAX_CONCURRENT_CALL": "5000", "SS_MEDIA_TIMEOUT": "0"}
MONEY = Fraction("6.05")     # ten holds of 0.60, and five cents more


async def crowd(t, **fields):
    """500 calls at once on money for ten: exactly ten are admitted, the rest get 403."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay="6.05", rates={"880": CENT}, account=fields)
    await t.vendor(carrier)
    calls = [caller.invite(f"880{i:05d}") for i in range(500)]
    for call in calls:
        await call.final(within=60)
    up = [c for c in calls if c.ok]
    assert len(up) == 10, f"{len(up)} calls were admitted on money for ten"
    assert {c.answer.code for c in calls if not c.ok} == {403}
    assert len(carrier.legs) == 10, f"{len(carrier.legs)} calls reached the vendor"
    shown = await t.ctl.ask("account.show", id="acme")
    assert money(shown["holds"]) == 10 * hold_for(CENT, 60) and money(shown["available"]) == Fraction("0.05")
    return caller, carrier, up


async def records(t, up):
    """The records of the ten calls, each with the right charge; the others cost nothing."""
    rows = await every(t.ctl, "cdr")
    ids = {c.call_id for c in up}
    ours = [r for r in rows if r["call_id"] in ids]
    assert len(ours) == 10
    for row in rows:
        if row["call_id"] in ids:
            check_fee(row, CENT)
        elif row["reason"] == "CustomerBalanceNotEnough":
            assert money(row["fee"]) == 0
    return ours


@scene(settings=OPEN, idle=True, within=150)
async def test_five_hundred_calls_with_cut_off(t):
    """Each of the ten gets its minute, the five cents are talked away by somebody, then all are cut:
    the balance never passes zero, at no moment."""
    _caller, carrier, up = await crowd(t, cut_off=True)
    lowest = MONEY
    while not all(c.bye_seen for c in up):
        shown = await t.ctl.ask("account.show", id="acme")
        lowest = min(lowest, money(shown["balance"]), money(shown["available"]))
        assert lowest >= 0, shown
        assert asyncio.get_running_loop().time() - t.wire.began < 110, "not all calls were cut"
        await asyncio.sleep(0.25)  # the talk itself
    for leg in carrier.legs:
        await leg.ended_by_peer()
    await t.books.settled()
    ours = await records(t, up)
    assert {r["reason"] for r in ours} == {"BalanceCutOff"} and {r["hangup_side"] for r in ours} == {"switch"}
    assert all(r["billed_s"] >= 60 for r in ours), [r["billed_s"] for r in ours]
    balance = await t.books.balance("acme")
    assert balance >= 0 and balance == MONEY - sum(money(r["fee"]) for r in ours)
    assert sum(r["billed_s"] for r in ours) <= 605


@scene(settings=OPEN, idle=True, within=150)
async def test_five_hundred_calls_without_cut_off(t):
    """The ten run on beyond their holds and no other starts; the debt is at most the sum of
    (charge - hold); then the account is locked until it is paid."""
    caller, carrier, up = await crowd(t)
    until = max(c.ok_at for c in up) + 63
    await asyncio.sleep(max(0, until - now()))  # the talk itself, three seconds beyond the holds
    assert not any(c.over for c in up), "a call was cut although cut_off is off"
    more = caller.invite("880999")
    await more.expect(403)
    assert (await t.cdr(more))["reason"] in ("CustomerBalanceNotEnough", "AccountLocked")
    shown = await t.ctl.ask("account.show", id="acme")
    bound = money(shown["debt_bound"])
    await asyncio.gather(*(c.hang_up() for c in up))
    await t.books.settled()
    ours = await records(t, up)
    balance = await t.books.balance("acme")
    over = sum(money(r["fee"]) - hold_for(CENT, 60) for r in ours)
    assert -over <= balance < 0, (balance, over)
    assert 0 < bound <= over, (bound, over)  # what it was while they ran, seconds before their end
    assert (await t.ctl.ask("account.show", id="acme"))["lock_auto"] is True
    await t.refused(caller.invite("880998"), 403, "AccountLocked")
    await t.books.pay("acme", "5")
    await caller.place("880997")
    assert len(carrier.legs) == 11


@scene(settings=OPEN)
async def test_short_calls_on_little_money(t):
    """300 calls at 150/s on money for five holds, each talking a moment: some pass, some are refused,
    the balance stays at zero or above all the time, and every unit is accounted for."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay="3", rates={"880": CENT.but(first=6, step=6)}, account={"cut_off": True})
    await t.vendor(carrier)

    async def one(i):
        call = caller.invite(f"880{i:05d}")
        answer = await call.final()
        if answer.code == 200:
            await asyncio.sleep(0.05)  # the talk itself
            await call.hang_up()
        return answer.code
    codes = await load.steady(150, 300, one)
    assert set(codes) <= {200, 403} and codes.count(200) >= 5, set(codes)
    await t.books.settled()
    for row in await t.books.check():
        check_fee(row, CENT.but(first=6, step=6))
    assert await t.books.balance("acme") >= 0


@scene(settings=OPEN)
async def test_payments_race_calls(t):
    """200 calls and 200 payments, deductions among them, at once: the balance is what was paid less
    what was charged, to the last unit, for customer and vendor."""
    caller, _carrier = await t.plain()

    async def one(i):
        if i % 2:
            sign, kind = ("-", "deduction") if i % 10 == 1 else ("", "refund")
            await t.books.pay("acme", f"{sign}0.{i + 1:08d}", memo=str(i), kind=kind)
        else:
            await caller.place(f"880{i:05d}", hold=0.2)
    await load.steady(200, 400, one)
    await t.books.settled()
    cdrs = await t.books.check()
    assert len(cdrs) == 200 and {c["reason"] for c in cdrs} == {"CallerHangup"}


@scene(settings=OPEN)
async def test_parallel_payments_lift_a_lock_once(t):
    """A hundred payments at once on a locked account: the sum is exact, the lock is gone, calls pass."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay=None, rates={"880": CENT})
    await t.vendor(carrier)
    await t.refused(caller.invite("88017"), 403, "AccountLocked")
    await asyncio.gather(*(t.books.pay("acme", "0.1") for _ in range(100)))
    assert await t.books.balance("acme") == 10
    await caller.place("88018")
