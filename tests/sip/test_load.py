"""Check (a): a thousand calls at a hundred a second, every record and every balance exact."""

from harness import load, plans
from harness.books import check_fee, every
from harness.oracle import Terms, charge, money
from harness.record import pair
from harness.scene import scene

SELL = Terms(price="0.0123", first=1, step=1, tax_percent="7.5", fee_precision=4)
BUY = (Terms(price="0.0071", first=6, step=6), Terms(price="0.00993", first=1, step=1, setup_fee="0.001"))
OPEN = {"SS_MAX_CALL_PER_SECOND": "10000", "SS_MAX_CONCURRENT_CALL": "5000"}
COUNT, RATE = 1000, 100


@scene(settings=OPEN, heavy=True, within=120)
async def test_a_thousand_calls(t):
    """All answered; one record each; hold times within what the wire allows; charges and costs equal
    the oracle's; both balances exact; nothing is left over."""
    caller, carriers = await t.caller(), []
    await t.customer(caller, pay="1000", rates={"8800": SELL, "8801": SELL})
    for i, terms in enumerate(BUY):
        carriers.append(await t.carrier(f"v{i}", last=3 + i))
        carriers[i].plan = plans.answer(after=0.02)
        await t.vendor(carriers[i], rates={f"880{i}": terms}, prefix=[f"880{i}"])
    holds = [t.random.uniform(0.1, 2.4) for _ in range(COUNT)]

    async def one(i):
        call = caller.invite(f"880{i % 2}{i:05d}", caller=f"1{i:04d}")
        await call.expect(200, within=30)
        try:
            await call.ended_by_peer(within=holds[i])
        except AssertionError:
            await call.hang_up(within=30)
        return call
    calls = await load.steady(RATE, COUNT, one)
    assert all(c.ok for c in calls) and not any(c.bye_seen for c in calls)
    await t.books.settled()
    await compare(t, calls, carriers)


async def compare(t, calls, carriers):
    """The switch's records against ours, one by one; then the balances against our own sums."""
    legs = [leg for carrier in carriers for leg in carrier.legs]
    records = {r.call.call_id: r for r in pair(calls, legs)}
    cdrs = await every(t.ctl, "cdr")
    assert len(cdrs) == COUNT and {c["call_id"] for c in cdrs} == set(records)
    took, cost = 0, [0, 0]
    for cdr in cdrs:
        record = records[cdr["call_id"]]
        side = int(record.call.callee[3])
        record.check_hold(cdr["hold_ms"])
        check_fee(cdr, SELL, BUY[side])
        wanted = {"callee": record.call.callee, "account": "acme", "reason": "CallerHangup", "sip_code": 200,
                  "hangup_side": "caller", "routing_gateway": f"v{side}", "vendor_account": f"v{side}-acc",
                  "caller": "1" + record.call.callee[4:][1:], "call_id_out": record.leg.call_id}
        assert {k: cdr[k] for k in wanted} == wanted, (cdr, wanted)
        took += charge(SELL, cdr["hold_ms"]).total
        cost[side] += charge(BUY[side], cdr["hold_ms"]).total
    assert await t.books.balance("acme") == 1000 - took
    for i in (0, 1):
        assert await t.books.balance(f"v{i}-acc") == -cost[i]
    shown = await t.ctl.ask("account.show", id="acme")
    assert money(shown["holds"]) == 0 and shown["calls"] == 0


@scene(settings=OPEN, heavy=True, within=120)
async def test_load_of_every_kind(t):
    """600 calls at 100/s of which a third each are answered, busy and cancelled, over UDP and TCP."""
    caller, carrier = await t.plain()
    flow = await caller.tcp_flow()

    async def one(i):
        number = f"880{i:05d}"
        if i % 3 == 1:
            carrier.on(number, plans.reject(486))
        if i % 3 == 2:
            carrier.on(number, plans.silent_after(180))
        call = caller.invite(number, flow=flow if i % 2 else None)
        if i % 3 == 0:
            await call.expect(200, within=30)
            await call.hang_up(within=30)
        elif i % 3 == 1:
            await call.expect(486, within=30)
        else:
            await call.rings(within=30)
            call.cancel()
            await call.expect(487, within=30)
    await load.steady(RATE, 600, one)
    await t.books.settled()
    cdrs = await t.books.check()
    reasons = [c["reason"] for c in cdrs]
    assert [reasons.count(r) for r in ("CallerHangup", "UserBusy", "CallerCancel")] == [200, 200, 200]
