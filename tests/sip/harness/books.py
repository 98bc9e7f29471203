"""The checker's own books: what was paid in by the test, against balances and CDRs."""

import json
from collections import Counter
from fractions import Fraction

from . import oracle
from .oracle import money
from .watch import poll

PAGE = 500


async def every(ctl, entity, key="id", **filters):
    """All rows of a list, page by page. A row that comes twice fails."""
    rows, after = [], None
    while True:
        more = {"after": after} if after is not None else {}
        page = await ctl.ask(f"{entity}.list", limit=PAGE, **filters, **more)
        rows += page
        if len(page) < PAGE:
            break
        after = str(page[-1][key])
    twice = [k for k, n in Counter(str(r[key]) for r in rows).items() if n > 1]
    assert not twice, f"{entity}.list gives {twice[:5]} more than once"
    return rows


def charged(cdrs):
    """{account: what these records took from it}."""
    total = Counter()
    for c in cdrs:
        if c["account"]:
            total[c["account"]] += money(c["fee"]) + money(c["tax"])
        if c.get("vendor_account"):
            total[c["vendor_account"]] += money(c["cost"])
        for share in json.loads(c.get("agents") or "[]"):
            total[share["agent"]] -= Fraction(share["income"], 10 ** 8)
    return total


def check_fee(cdr, terms, cost_terms=None):
    """The money of one record is what the oracle makes of its hold time, digit for digit."""
    want = oracle.charge(terms, cdr["hold_ms"])
    got = (cdr["billed_s"], money(cdr["fee"]), money(cdr["tax"]))
    assert got == (want.billed_s, want.fee, want.tax), (
        f"cdr {cdr['id']}: {cdr['hold_ms']} ms charged {cdr['billed_s']} s, fee {cdr['fee']}, tax "
        f"{cdr['tax']}; right is {want.billed_s} s, {oracle.text(want.fee)}, {oracle.text(want.tax)}")
    if cost_terms:
        cost = oracle.charge(cost_terms, cdr["hold_ms"]).total
        assert money(cdr["cost"]) == cost, (
            f"cdr {cdr['id']}: {cdr['hold_ms']} ms cost {cdr['cost']}; right is {oracle.text(cost)}")


def clean(verdict):
    """Whether a cdr.verify or ledger.verify answer names nothing that differs."""
    return verdict["differences"] == []


class Books:
    """Every payment goes through here."""

    def __init__(self, stage):
        self.stage, self.paid = stage, Counter()

    @property
    def ctl(self):
        return self.stage.switch.ctl

    async def pay(self, account, amount, **fields):
        result = await self.ctl.ask("account.recharge", id=account, amount=amount, **fields)
        self.paid[account] += money(amount)
        return result

    async def balance(self, account):
        return money((await self.ctl.ask("account.show", id=account))["balance"])

    async def settled(self):
        """Waits until no call is in progress, every record is booked and every hold given back."""
        async def idle():
            if await self.ctl.ask("call.list"):
                return False
            if (await self.ctl.ask("status.show"))["ledger"]["waiting"]:
                return False
            return all(not money(a["holds"]) for a in await every(self.ctl, "account"))
        await poll(idle, "end of all calls and holds")

    async def journalled(self):
        """Waits until all that calls have told the ledger is written, also of those in progress."""
        async def written():
            return not (await self.ctl.ask("status.show"))["ledger"]["waiting"]
        await poll(written, "the journal")

    async def check(self):
        """For every account: paid in - charges of all records = balance, to the last 1e-8."""
        cdrs = await every(self.ctl, "cdr")
        took = charged(cdrs)
        for account in await every(self.ctl, "account"):
            name = account["id"]
            want = self.paid[name] - took[name]
            assert money(account["balance"]) == want, (
                f"{name}: balance {account['balance']}, but {oracle.text(Fraction(self.paid[name]))} paid "
                f"- {oracle.text(Fraction(took[name]))} charged = {oracle.text(Fraction(want))}")
        return cdrs

    async def verify(self):
        """The switch's own audits agree."""
        for method in ("ledger.verify", "cdr.verify"):
            verdict = await self.ctl.ask(method, within=60)
            assert clean(verdict), f"{method}: {verdict}"
