"""Peak and off-peak: the boundary in the tariff's own zone, in the middle of a call."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from harness.books import clean
from harness.clock import Clock
from harness.control import Refused
from harness.oracle import Terms, charge, money
from harness.scene import scene

PEAK = Terms(price="0.3", unit=1, tax_percent="10")
OFF = Terms(price="0.01", unit=1, first=2, step=2, tax_percent="5")


async def stage(t, mode, **plan):
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, rates={"880": PEAK})
    await t.vendor(carrier)
    await t.rates("night", {"880": OFF})
    await t.ctl.ask("route-plan.add", name="night", **plan)
    await t.ctl.ask("rate.set", key="acme-sell/880", band_mode=mode)
    await t.ctl.ask("rate-group.set", name="acme-sell", off_peak=["night"], off_peak_group="night")
    return caller


def until_evening(zone):
    """Seconds from now to the next 20:00 on that wall."""
    now = datetime.now(timezone.utc)
    evening = now.astimezone(ZoneInfo(zone)).replace(hour=20, minute=0, second=0, microsecond=0)
    while evening.timestamp() < now.timestamp() + 60:
        evening = (evening + timedelta(days=1)).replace(hour=20)
    return evening.timestamp() - now.timestamp(), evening


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@scene(start=False, idle=True)
async def test_a_call_across_the_boundary_is_split(t):
    """Peak until 20:00 in Kolkata, off-peak from then on: each second by its band; the record replays."""
    clock = Clock(t)
    await t.switch.start()
    caller = await stage(t, "split", **{"from": "20:00", "to": "08:00", "zone": "Asia/Kolkata"})
    wait, evening = until_evening("Asia/Kolkata")
    clock.step(wait - 1.4)
    call = await caller.place("88017", hold=2.4)
    cdr = await t.cdr(call)
    left_ms = round((evening.timestamp() - moment(cdr["answer"])) * 1000)
    assert 0 < left_ms <= 1500, "a slow machine: the call began behind the boundary"
    split = PEAK.but(sections=((-(-left_ms // 1000), OFF.price),), of_talk=True)
    want = charge(split, cdr["hold_ms"])
    assert (cdr["billed_s"], money(cdr["fee"]), money(cdr["tax"])) == (want.billed_s, want.fee, want.tax), (want, cdr)
    assert cdr["rate_prefix"] == "880" and want.fee < charge(PEAK, cdr["hold_ms"]).fee
    night = await t.cdr(await caller.place("88018", hold=0.2))
    assert (money(night["fee"]), money(night["tax"])) == (money("0.02"), money("0.001")), night
    assert clean(await t.ctl.ask("cdr.verify"))
    clock.step(0)


async def test_the_answer_decides_by_default(t):
    """All day is off-peak: the other group's rate with its increments; what that has no rate for keeps its own."""
    caller = await stage(t, "start")
    await t.ctl.ask("rate.add", group="acme-sell", prefix="8801", price="0.3", unit=1)
    cdr = await t.cdr(await caller.place("88017", hold=0.2))
    assert (cdr["billed_s"], money(cdr["fee"])) == (2, money("0.02")), cdr
    await t.ctl.ask("rate.del", key="night/880")
    cdr = await t.cdr(await caller.place("88017", hold=0.2))
    assert (cdr["billed_s"], money(cdr["fee"])) == (1, money("0.3")), cdr
    try:
        await t.ctl.ask("cdr.rerate", account="acme", dry_run=True)
    except Refused as e:
        assert "off-peak" in str(e), e
        return
    raise AssertionError("rated again by the rates of the day")


async def test_what_makes_no_sense_is_refused(t):
    await t.rates("day", {"880": PEAK})
    await t.rates("euro", {"880": PEAK}, currency="EUR")
    await t.ctl.ask("route-plan.add", name="night")
    for fields, field in (({"off_peak": ["night"]}, "off_peak_group"),
                          ({"off_peak": ["night"], "off_peak_group": "day"}, "off_peak_group"),
                          ({"off_peak": ["night"], "off_peak_group": "euro"}, "off_peak_group"),
                          ({"off_peak": ["noon"], "off_peak_group": "night"}, "off_peak")):
        try:
            await t.ctl.ask("rate-group.set", name="day", **fields)
        except Refused as e:
            assert e.data["field"].startswith(field[:8]), e
            continue
        raise AssertionError(f"{fields} was taken")
