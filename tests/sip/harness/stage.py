"""The stage of one test: a network, a switch, its customers and vendors, and the final audit."""

import base64
import random

from . import net
from .books import Books, check_fee
from .oracle import Terms, money
from .phone import Phone
from .record import CallRecord
from .switch import Switch
from .ua import Caller, Carrier
from .watch import poll
from .wire import Wire

SELL = Terms(price="0.0123", unit=60, first=1, step=1)
BUY = Terms(price="0.0071", unit=60, first=6, step=6)


def rate_fields(terms):
    """Terms of the oracle as the fields of a rate."""
    fields = {"price": terms.price, "unit": terms.unit, "first": terms.first, "step": terms.step,
              "setup_fee": terms.setup_fee, "tax_percent": terms.tax_percent}
    if terms.sections:
        fields["sections"] = [f"{s}:{p}" for s, p in terms.sections]
    return fields


def group_fields(terms):
    fields = {}
    if terms.hold_time_precision_ms:  # 0: as the parameter says
        fields["hold_time_precision"] = terms.hold_time_precision_ms
    if terms.fee_precision:
        fields["fee_precision"] = terms.fee_precision
    if terms.fee_unit != "0":
        fields["fee_unit"] = terms.fee_unit
    if terms.free_time_s:
        fields["free_time"] = terms.free_time_s
    return fields


class Stage:
    """What a test gets. Attributes: net, wire, switch, books, workers, seed, random."""

    def __init__(self, binaries, folder, workers, seed, settings=(), long=False):
        self.binaries, self.folder, self.workers, self.long = binaries, folder, workers, long
        self.seed, self.random = seed, random.Random(seed)
        self.net, self.wire = net.Subnet(), Wire()
        self.peers, self.media = [], []
        ip = self.net.ip(1)
        self.switch = Switch(binaries, folder, ip, net.free_port(ip), workers, settings)
        self.books = Books(self)
        self.audit = True   # False: the test left the switch in a state that has no final audit
        self.is_captured = True  # False: what others describe, and is passed on, is wrong on purpose
        self.excused = []   # parts of fault texts that this test provokes itself

    @property
    def ctl(self):
        return self.switch.ctl

    @property
    def address(self):
        return (self.switch.ip, self.switch.port)

    # -- ends -----------------------------------------------------------------------------------

    async def caller(self, name="customer", last=2, port=0):
        return await self._open(Caller(name, self.net.ip(last), self.wire, self.address), port)

    async def carrier(self, name="vendor", last=3, port=0):
        return await self._open(Carrier(name, self.net.ip(last), self.wire), port)

    async def phone(self, number="1001", last=11, account="acme", password="a pass word 1", port=0, **fields):
        """The entity and the device; the account must be there (phones_account)."""
        await self.ctl.ask("phone.add", number=number, account=account, password=password, **fields)
        return await self._open(Phone(f"phone {number}", self.net.ip(last), self.wire, self.address, number,
                                      password), port)

    async def phones_account(self, name="acme", pay="100", rates=None, **fields):
        """An account for phones, with rates for vendors' numbers and for those of phones."""
        await self.rates(f"{name}-sell", rates or {"880": SELL, "1": SELL})
        await self.account(name, pay, rate_group=f"{name}-sell", **fields)

    async def _open(self, peer, port):
        peer.home = self.address
        await peer.open(port)
        self.peers.append(peer)
        return peer

    def keep(self, media):
        """Closes a media end after the test."""
        self.media.append(media)
        return media

    # -- what an operator enters ----------------------------------------------------------------

    async def rates(self, group, rates, **fields):
        """A rate group with {prefix: Terms}."""
        any_terms = next(iter(rates.values()), SELL)
        await self.ctl.ask("rate-group.add", name=group, **{**group_fields(any_terms), **fields})
        for prefix, terms in rates.items():
            await self.ctl.ask("rate.add", group=group, prefix=prefix, **rate_fields(terms))

    async def account(self, name, pay=None, **fields):
        await self.ctl.ask("account.add", id=name, **{"limit_money": "0", "name": name, **fields})
        if pay:
            await self.books.pay(name, pay)

    async def customer(self, caller, name="acme", pay="100", rates=None, account=(), **gateway):
        """An account with its own rate group NAME-sell and the gateway NAME-in on the caller's address."""
        await self.rates(f"{name}-sell", rates or {"880": SELL})
        await self.account(name, pay, rate_group=f"{name}-sell", **dict(account))
        await self.gateway_in(name, f"{name}-in", **{"address": [caller.ip], **gateway})

    async def gateway_in(self, account, name, **fields):
        await self.ctl.ask("mapping-gateway.add", name=name, account=account, **fields)

    async def vendor(self, carrier, name=None, rates=None, account=(), **gateway):
        """A clearing account NAME-acc with rate group NAME-buy, and the routing gateway NAME."""
        name = name or carrier.name
        await self.rates(f"{name}-buy", rates or {"880": BUY})
        await self.account(f"{name}-acc", kind="clearing", rate_group=f"{name}-buy", **dict(account))
        await self.ctl.ask("routing-gateway.add", **{
            "name": name, "account": f"{name}-acc", "address": [carrier.address], "prefix": ["880"],
            "transport": "udp", **gateway})

    async def plain(self, **gateway):
        """One customer, one vendor, both on UDP: (caller, carrier)."""
        caller, carrier = await self.caller(), await self.carrier()
        await self.customer(caller, **gateway)
        await self.vendor(carrier)
        return caller, carrier

    async def set(self, name, value):
        return await self.ctl.ask("parameter.set", name=name, value=str(value))

    # -- what the switch wrote down -------------------------------------------------------------

    async def cdr_of(self, call_id):
        """The one record of that call, once it is there. An abandoned try that answered late may have
        a record of its own beside it (LateAnswer): that one is the vendor's, not the call's."""
        async def rows():
            return await self.ctl.ask("cdr.list", call_id=call_id)
        found = await poll(rows, f"CDR of {call_id}")
        if len(found) > 1:
            found = [c for c in found if c["reason"] != "LateAnswer"]
        assert len(found) == 1, f"{len(found)} CDRs of one call: {[c['id'] for c in found]}"
        return found[0]

    async def exported(self, **question):
        """The text of `cdr.export`, all pages of it."""
        text, after = b"", {}
        while True:
            page = await self.ctl.ask("cdr.export", **question, **after)
            text += base64.b64decode(page["content"])
            if page["next"] is None:
                return text.decode()
            after = {"after": page["next"]}

    async def cdr(self, call, **want):
        """The one record of a call, with the fields as given."""
        cdr = await self.cdr_of(call.call_id)
        differ = {k: (cdr.get(k), v) for k, v in want.items() if cdr.get(k) != v}
        assert not differ, f"CDR fields (is, should be): {differ} in {cdr}"
        return cdr

    async def billed(self, call, leg, sell=SELL, buy=BUY, **want):
        """The record of an answered call agrees with the wire and with the oracle."""
        record = CallRecord(call, leg)
        cdr = await self.cdr(call, **want)
        record.check_hold(cdr["hold_ms"])
        check_fee(cdr, sell, buy)
        assert cdr["hangup_side"] == record.hung_up_by(), (cdr["hangup_side"], record.hung_up_by())
        return cdr

    async def refused(self, call, code, reason, within=15, **want):
        """The call got that code, and its record says why and charges nothing."""
        await call.expect(code, within)
        cdr = await self.cdr(call, reason=reason, sip_code=code, hold_ms=0, billed_s=0, **want)
        assert money(cdr["fee"]) == 0 == money(cdr["tax"]), cdr
        return cdr

    async def status(self):
        return await self.ctl.ask("status.show")

    # -- begin and end --------------------------------------------------------------------------

    async def close(self, passed):
        """After a test that passed: the books balance, the audits agree, the switch ends well."""
        try:
            if passed and self.switch.running:
                if self.audit:
                    await self.books.settled()
                    await self.books.check()
                    await self.books.verify()
                await self.switch.stop()
            if passed:
                self._no_faults()
        finally:
            self.switch.discard()
            for end in self.peers + self.media:
                end.close()

    def _no_faults(self):
        faults = [f for f in self.wire.faults if not any(e in f for e in self.excused)]
        assert not faults, "the ends saw breaches of the protocol:\n  " + "\n  ".join(faults[:10])
        if self.switch.starts:
            complaints = self.switch.complaints()
            assert not complaints, "switchd complained:\n" + "".join(complaints[:10])


def count_in(status, *words):
    """The counter of `status` whose name holds all the words; names it may have are not fixed."""
    return next((v for k, v in flatten(status) if isinstance(v, int) and all(w in k for w in words)), None)


def flatten(value, path=""):
    if isinstance(value, dict):
        for k, v in value.items():
            yield from flatten(v, f"{path}.{k}")
    else:
        yield path, value
