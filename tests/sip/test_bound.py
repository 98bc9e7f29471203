"""The bounds of rating.md when the switch is killed: what a call may cost with cut_off on, whatever the clock of the
last proof of life says, and small balances that thousands of calls race for."""

import asyncio
import os
import sqlite3

from harness.books import check_fee, every
from harness.oracle import Terms, hold_for, money
from harness.scene import scene
from test_kill import BUY, OPEN, Storm, both_ends_hear, cut_down
from test_money import account, stage


def age_heartbeat(t, ms):
    """The last proof of life of the killed switch comes later than any call's money allows: a busy machine, whose
    worker did not come to cutting the call."""
    with sqlite3.connect(os.path.join(t.switch.data, "ledger.db")) as db:
        db.execute("UPDATE heartbeat SET mono = mono + ?", (ms,))
    db.close()


async def cut_by_a_crash(t, call, carrier):
    t.switch.kill()
    age_heartbeat(t, 30000)
    await t.switch.start()
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    return await t.cdr(call, reason="SwitchRestarted")


async def with_cut_off(t, pay="0.03"):
    """A call on money for three seconds."""
    caller, carrier = await stage(t, pay=pay, cut_off=True)
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 0)
    call = caller.invite("88017")
    await call.expect(200)
    return call, carrier


async def test_a_crash_charges_no_more_than_was_held(t):
    call, carrier = await with_cut_off(t)
    cdr = await cut_by_a_crash(t, call, carrier)
    assert cdr["billed_s"] == 3 and await t.books.balance("acme") == 0, cdr


@scene(idle=True)
async def test_a_crash_charges_what_was_held_later(t):
    """The hold grew by a payment during the call, and the journal with it."""
    call, carrier = await with_cut_off(t)
    await t.books.pay("acme", "0.05")
    while money((await account(t))["holds"]) == money("0.03"):
        assert not call.over
        await asyncio.sleep(0.1)  # the talk itself
    cdr = await cut_by_a_crash(t, call, carrier)
    assert cdr["billed_s"] == 8 and await t.books.balance("acme") == 0, cdr


@scene(idle=True)
async def test_without_cut_off_a_crash_charges_to_the_proof_of_life(t):
    caller, carrier = await stage(t, pay="1")
    call = caller.invite("88017")
    await call.expect(200)
    cdr = await cut_by_a_crash(t, call, carrier)
    assert cdr["billed_s"] >= 29, cdr


# 0.0133 held for a minute, 0.001205 spent by a call of up to a second: two at once on 0.03, and a quarter of all stay
RACE = Terms(price="0.0123", setup_fee="0.001")
SMALL = "0.03"
ACCOUNTS = 6
HOLDS = hold_for(RACE, 60)


class Race(Storm):
    """Calls of several customers at random, each on little money; half of them with cut_off."""

    def __init__(self, t, callers, carrier, rate):
        super().__init__(t, None, carrier, rate)
        self.callers, self.refused = callers, 0

    async def place(self, _i):
        call = await self.invite(self.t.random.choice(self.callers), (0, 0, 0.05))
        if not call:
            return
        assert call.answer.code in (200, 403), f"{call}: {call.answer.start_line()}"
        if call.answer.code == 403:
            self.refused += 1
        else:
            await self.talk(call, (0.02, 0.1, 0.5, 20))


async def customers(t):
    callers = []
    for i in range(ACCOUNTS):
        caller = await t.caller(f"customer {i}", last=20 + i)
        await t.customer(caller, f"a{i}", pay=SMALL, rates={"880": RACE}, account={"cut_off": i % 2 == 0})
        callers.append(caller)
    return callers


async def no_debt(t):
    """What each account has; none is below zero, for no call here outlives its hold."""
    shown = await every(t.ctl, "account")
    poor = [(a["id"], a["balance"]) for a in shown if a["kind"] == "customer" and money(a["balance"]) < 0]
    assert not poor, f"below zero: {poor}"
    return {a["id"]: a for a in shown}


async def hold_together(t, callers):
    """Three calls on each account at once: holds and calls in progress are theirs, to the last unit."""
    for i in range(ACCOUNTS):
        await t.books.pay(f"a{i}", "0.1")
    up = [c.invite(f"8809{i}{n}") for i, c in enumerate(callers) for n in range(3)]
    for call in up:
        await call.expect(200)
    for name, a in (await no_debt(t)).items():
        if a["kind"] == "customer":
            assert (money(a["holds"]), a["calls"]) == (3 * HOLDS, 3), (name, a["holds"], a["calls"])
    return up


@scene(settings=OPEN, heavy=True, within=1200)
async def test_small_balances_race_and_the_switch_is_killed(t):
    """10,000 calls and 40 kills in a long run: no balance passes zero, every unit is accounted for, what is held is
    what the calls that are up hold, and nothing is held after the crash that ends them."""
    callers, carrier = await customers(t), await t.carrier()
    await t.set("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", 0)
    await t.vendor(carrier, rates={"880": BUY})
    storm = Race(t, callers, carrier, rate=60)
    while storm.serial < (10000 if t.long else 120):
        cut = await cut_down(storm, t.random.uniform(0.8, 6 if t.long else 1.5))
        await t.switch.start()
        await both_ends_hear(t, storm, cut)
        await t.books.settled()
        await no_debt(t)
        for i in range(ACCOUNTS):
            await t.books.pay(f"a{i}", SMALL)
    assert storm.refused and storm.answered(), "nobody raced for money"
    up = await hold_together(t, callers)
    t.switch.kill()
    await t.switch.start()
    for call in up:
        await call.ended_by_peer()
    await t.books.settled()
    for row in await t.books.check():
        if row["answer"] and row["account"]:
            check_fee(row, RACE)
