"""Every routing situation of situations.py, asked of `route explain` and then called: both must say what the table says."""

import asyncio

from harness.oracle import Terms
from harness.scene import scene
from situations import CUSTOMERS, GROUPS, PLANS, PRICES, SELL, all_situations

ADDRESSES = "abcde"


async def accounts(t):
    """A clearing account for each price, and the customer with its mapping gateways, each known by a tech prefix."""
    asks = []
    for name, terms in PRICES.items():
        await t.rates(name, {"7": terms} if terms else {})
        await t.account(name, kind="clearing", rate_group=name)
    await t.rates("sell", {"7": Terms(price=SELL)})
    await t.account("acme", "1000", rate_group="sell")
    for name in GROUPS:
        await t.ctl.ask("gateway-group.add", name=name)
    await t.ctl.ask("number-list.add", name="one")
    await t.ctl.ask("listed-number.add", list="one", number="4471")
    for name, fields in PLANS.items():
        await t.ctl.ask("route-plan.add", name=name, **fields)
    for i, fields in enumerate(CUSTOMERS.values()):
        asks.append(t.ctl.ask("mapping-gateway.add", name=f"in{i}", account="acme", address=[t.peers[0].ip],
                              tech_prefix=[f"9{i:02}"], **fields))
    await asyncio.gather(*asks)


def number_of(place):
    return f"7{place:03}"


def gateway(place, vendor, carriers):
    number = number_of(place)
    carrier = carriers[vendor.name if vendor.name in carriers else "e"]
    fields = {"name": f"{number}-{vendor.name}", "address": [carrier.address], "options_check": False,
              "prefix": [vendor.split + number + p for p in vendor.prefixes], **vendor.fields}
    if vendor.price != "free":
        fields["account"] = vendor.price
    return fields


def names_of(steps, verdict, number):
    return [s["step"].removeprefix(number + "-") for s in steps if s["verdict"] == verdict and s["step"].startswith(number)]


class Played:
    """One situation in the switch."""

    def __init__(self, t, place, situation):
        self.t, self.situation, self.number = t, situation, number_of(place)
        self.customer = list(CUSTOMERS).index(situation.who)
        self.callee = f"9{self.customer:02}{self.number}{situation.dials}"

    async def explain(self):
        told = await self.t.ctl.ask("route.explain", gateway=f"in{self.customer}", callee=self.callee)
        return names_of(told["steps"], "candidate", self.number), told["verdict"]

    async def call(self, caller):
        """(vendors that the call was sent to, its code, its reason)"""
        call = caller.invite(self.callee)
        code = (await call.final(within=20)).code
        if code == 200:
            await (call.ended_by_peer() if self.situation.bye else call.hang_up())
        cdr = await self.t.cdr(call)
        steps = (await self.t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"]
        return names_of(steps, "sent", self.number), code, cdr["reason"]

    def faults(self, explained, called):
        s = self.situation
        order, verdict = explained
        sent, code, reason = called
        if order != s.order:
            yield f"explain says {order}, not {s.order}"
        if not s.order and s.reason != verdict:
            yield f"explain says {verdict}, not {s.reason}"
        if sent != s.sent:
            yield f"the call went to {sent}, not {s.sent}"
        if code != s.code:
            yield f"the caller heard {code}, not {s.code}"
        if s.reason and reason != s.reason:
            yield f"the record says {reason}, not {s.reason}"


@scene(settings={"SS_MAX_CALL_PER_SECOND": "1000"}, heavy=True)
async def test_explain_and_calls_agree(t):
    caller = await t.caller()
    carriers = {n: await t.carrier(n, last=3 + i) for i, n in enumerate(ADDRESSES)}
    await accounts(t)
    table = all_situations()
    assert len(table) >= 189, len(table)
    asks = []
    for place, s in enumerate(table):
        for vendor in s.vendors:
            fields = gateway(place, vendor, carriers)
            asks.append(t.ctl.ask("routing-gateway.add", within=60, **fields))
            carrier = carriers[vendor.name if vendor.name in carriers else "e"]
            for callee in (number_of(place) + s.dials, "11" + number_of(place) + s.dials):
                carrier.on(callee, vendor.does)
    await asyncio.gather(*asks)
    played = [Played(t, place, s) for place, s in enumerate(table)]
    explained = [await p.explain() for p in played]
    called = await asyncio.gather(*(p.call(caller) for p in played))
    faults = [f"{p.situation.name} ({p.callee}): {fault}" for p, e, c in zip(played, explained, called)
              for fault in p.faults(e, c)]
    assert not faults, f"{len(faults)} of {len(table)}:\n  " + "\n  ".join(faults)
