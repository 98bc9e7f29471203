"""Spend rules: money and calls within a minute, an hour, a day; who goes beyond is stopped, at once or while his calls
are up, and stays so over a restart."""

import os
import sqlite3
import time

from harness import plans
from harness.control import Refused
from harness.oracle import Terms, money
from harness.scene import scene
from harness.watch import poll

EACH = Terms(price="0", setup_fee="1")                      # an answered call of 50 ms and more costs 1
SECOND = Terms(price="1", unit=1, first=1, step=1)          # a second costs 1


async def stage(t, rates=None, **account):
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, rates=rates or {"880": EACH}, account=account)
    await t.vendor(carrier)
    return caller, carrier


async def rule(t, **fields):
    return await t.ctl.ask("spend-rule.add", **{"name": "r", **fields})


async def counted(t, account="acme", name="r"):
    rows = await t.ctl.ask("spend.list", rule=name, account=account)
    return rows[0] if rows else None


async def state(t, want, **which):
    async def there():
        row = await counted(t, **which) or {"state": "normal"}
        return row if row["state"] == want else None
    return await poll(there, f"the state {want}")


async def alarm(t):
    return next((a for a in await t.ctl.ask("alarm.list") if a["type"] == "spend_limit"), None)


async def refused(asked, *words):
    try:
        await asked
    except Refused as e:
        assert all(w in str(e) for w in words), (str(e), words)
    else:
        raise AssertionError(f"accepted, but {words} were expected")


async def test_a_burst_is_stopped_at_the_call_that_reaches_the_limit(t):
    """Without waiting for anybody's look; other numbers and the white list go on; it outlives a restart; `spend reset`
    lets go, and counts anew."""
    caller, _ = await stage(t, {"880": EACH, "881": EACH})
    await t.ctl.ask("routing-gateway.set", name="vendor", prefix=["880", "881"])
    await t.ctl.ask("rate.add", group="vendor-buy", prefix="881", price="0.001")
    await t.ctl.ask("whitelist.add", number="880112")
    await rule(t, callee=["880"], callee_not=["8809"], hour_money="3")
    await state(t, "normal")
    for _ in range(3):
        await caller.place("88017", hold=0.06)
    cdr = await t.refused(caller.invite("88017"), 403, "SpendLimit")
    assert "spend rule r" in str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    for number in ("88117", "88097", "880112"):
        await caller.place(number, hold=0.06)
    told = await t.ctl.ask("route.explain", gateway="acme-in", caller="1", callee="88017")
    assert told["verdict"] == "SpendLimit", told
    row = await state(t, "blocked")
    # the white one is counted, and refused never
    assert money(row["hour_money"]) == 4 == row["hour_calls"] and row["until"] is None, row
    assert "USD within an hour, limit 3" in row["why"], row
    shown = await alarm(t)
    assert shown["object"] == "r/acme" and shown["level"] == "major" and "spend reset" in shown["info"], shown
    assert (await t.ctl.ask("spend-rule.show", name="r"))["over"] == 1
    await t.switch.stop()
    await t.switch.start()
    await t.refused(caller.invite("88018"), 403, "SpendLimit")
    row = await counted(t)
    assert row["state"] == "blocked" and money(row["day_money"]) == 4 and row["since"], row
    await refused(t.ctl.ask("spend.reset", rule="r", account="nobody"), "account")
    await t.ctl.ask("spend.reset", rule="r", account="acme")
    for _ in range(3):
        await caller.place("88017", hold=0.06)
    await t.refused(caller.invite("88017"), 403, "SpendLimit")
    assert not await counted(t, "acme", "other")
    await t.ctl.ask("spend-rule.del", name="r")
    await caller.place("88017", hold=0.06)
    assert not await t.ctl.ask("spend.list") and not await alarm(t)


async def test_a_crowd_at_once_does_not_pass_the_limit(t):
    """None is answered yet: each counts with its first increment. Those that are not answered are given back."""
    caller, carrier = await stage(t)
    await rule(t, minute_money="3")

    async def ring(leg):
        leg.reply(180)
    carrier.plan = ring
    calls = [caller.invite(f"8801{i:02}") for i in range(30)]
    for call in calls:
        await call.until(lambda c=call: c.answer or any(m.code == 180 for _, m in c.provisional), "any answer")
    ringing = [call for call in calls if not call.answer]
    assert len(ringing) == 3 == len(carrier.legs), (len(ringing), len(carrier.legs))
    for call in ringing:
        call.cancel()
        await t.refused(call, 487, "CallerCancel")
    carrier.plan = plans.answer()
    await caller.place("88017", hold=0.06)
    assert (await counted(t))["state"] == "normal"


@scene(idle=True)
async def test_calls_that_are_up_count_while_they_last(t):
    """A call at 1 a second: block refuses the next one while it runs on; cut ends it, for little more than the limit."""
    caller, carrier = await stage(t, {"880": SECOND})
    await rule(t, minute_money="2", action="block")
    call = caller.invite("88017")
    await call.expect(200)
    await state(t, "blocked")
    assert not call.over
    await t.refused(caller.invite("88018"), 403, "SpendLimit")
    assert not call.over
    await t.ctl.ask("spend-rule.set", name="r", action="cut")
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    cdr = await t.billed(call, carrier.legs[0], sell=SECOND, reason="SpendLimit", hangup_side="switch", sip_code=200)
    await t.books.settled()
    row = await counted(t)
    assert row["state"] == "cut" and money(row["minute_money"]) == money(cdr["fee"]) >= 2, (row, cdr)


@scene(idle=True)
async def test_it_lasts_as_long_as_the_rule_says(t):
    """...and longer while the limit is passed; an alarm stops nobody; a locked rule does nothing."""
    caller, _ = await stage(t)
    await rule(t, hour_money="1", action="alarm", lasts=1)
    await caller.place("88017", hold=0.06)
    row = await state(t, "alarm")
    assert row["until"]
    shown = await alarm(t)
    assert shown["level"] == "minor" and "nothing is stopped" in shown["info"], shown
    await caller.place("88017", hold=0.06)
    await t.ctl.ask("spend-rule.set", name="r", action="block")
    await state(t, "blocked")
    await t.refused(caller.invite("88017"), 403, "SpendLimit")
    await t.ctl.ask("spend-rule.set", name="r", hour_money="5")
    await state(t, "normal")
    await caller.place("88017", hold=0.06)
    await t.ctl.ask("spend-rule.set", name="r", hour_money="1")
    await state(t, "blocked")
    await t.ctl.ask("spend-rule.set", name="r", status="locked")
    await state(t, "normal")
    await caller.place("88017", hold=0.06)
    assert not await alarm(t)


@scene(idle=True)
async def test_only_while_its_time_plan_is_in_force(t):
    caller, _ = await stage(t)
    await t.ctl.ask("route-plan.add", name="over", last="2020-01-01")
    await rule(t, hour_money="1", plan="over")
    for _ in range(2):
        await caller.place("88017", hold=0.06)
    await poll(lambda: counted(t), "the count")
    await t.ctl.ask("route-plan.set", name="over", last=None)
    await state(t, "blocked")
    await t.refused(caller.invite("88017"), 403, "SpendLimit")


@scene(idle=True)
async def test_how_many_calls_to_an_area_from_everybody(t):
    """counts=together: the calls of two accounts to an area; those that nobody answers count as well. That it is blocked is
    on disk at once."""
    caller, carrier = await stage(t)
    other = await t.caller("other", last=5)
    await t.customer(other, name="beta", rates={"880": EACH})
    await t.ctl.ask("area.add", prefix="8801", name="Dhaka")
    await rule(t, counts="together", areas=["Dhaka"], minute_calls=3)
    await state(t, "normal", account="*")

    async def busy(leg):
        leg.reply(486)
    carrier.on("880111", busy)
    await t.refused(caller.invite("880111"), 486, "UserBusy")
    await other.place("88017", hold=0.06)
    await caller.place("88017", hold=0.06)
    await t.refused(other.invite("88017"), 403, "SpendLimit")
    await other.place("88027", hold=0.06)
    row = await state(t, "blocked", account="*")
    assert row["minute_calls"] == 3 and row["why"] == "3 calls within a minute, limit 3", row
    t.switch.kill()
    await t.switch.start()
    await t.refused(caller.invite("88017"), 403, "SpendLimit")


@scene(idle=True)
async def test_an_agent_with_all_below_it(t):
    """One count for the calls of the agent's customers; another customer's are not in it."""
    caller, _ = await stage(t)
    await t.account("agent", kind="agent")
    for last, name in ((5, "beta"), (6, "gamma")):
        other = await t.caller(name, last=last)
        await t.customer(other, name=name, rates={"880": EACH}, account={"agent": "agent"})
        if name == "beta":
            beta = other
    await rule(t, account="agent", hour_calls=2)
    await beta.place("88017")
    await other.place("88017")
    await t.refused(beta.invite("88017"), 403, "SpendLimit")
    await t.refused(other.invite("88017"), 403, "SpendLimit")
    await caller.place("88017")
    assert (await state(t, "blocked", account="agent"))["hour_calls"] == 2


async def test_rules_that_make_no_sense_are_refused(t):
    await stage(t)
    await refused(rule(t), "at least one of")
    await refused(rule(t, hour_money="0"), "hour_money")
    await refused(rule(t, hour_money="1", account="nobody"), "account")
    await refused(rule(t, hour_money="1", plan="nothing"), "plan")
    await refused(rule(t, hour_money="1", callee=["44"], callee_not=["44"]), "44")
    await refused(rule(t, hour_money="1", account="acme", counts="together"), "counts")
    for i in range(16):
        await rule(t, name=f"r{i}", day_calls=1000)
    await refused(rule(t, day_calls=1000), "16")
    await refused(t.ctl.ask("spend.reset", rule="nothing"), "rule")
    assert len(await t.ctl.ask("spend-rule.list")) == 16


async def history(t, hours, money_each, calls_each):
    """Puts into the store what a switch that was up for so many hours would have counted in each half hour."""
    await t.switch.stop()
    slots = "".join(f"{1800 * n}:{money_each}:{calls_each}," for n in range(2, 2 * hours))
    db = sqlite3.connect(os.path.join(t.switch.data, "switch.db"))
    with db:
        db.execute("UPDATE spend SET slots = ';' || ?, saved = ?", (slots, int(time.time() * 1000)))
    db.close()
    await t.switch.start()


async def test_so_many_times_the_average_hour(t):
    """Nothing while there are few hours to compare with, or little is spent; beyond, the account is stopped and told why."""
    caller, _ = await stage(t)
    await rule(t, hour_times=3, least_calls=2, least_money="1000")
    await caller.place("88017", hold=0.06)
    await state(t, "normal")
    await history(t, 4, 0, 1)
    for _ in range(3):
        await caller.place("88017")
    assert (await counted(t))["state"] == "normal"
    await history(t, 20, 10**8, 1)
    for _ in range(6):
        await t.cdr(await caller.place("88017"))
    row = await state(t, "blocked")
    assert "6 calls within an hour, at least 3 times the average of 2" in row["why"], row
    await t.refused(caller.invite("88017"), 403, "SpendLimit")
    assert "at least 3 times" in (await alarm(t))["info"]
    await refused(rule(t, name="s", hour_times=1), "hour_times")
