"""Calls with sipp, shown as a stranger would want to see them: the SIP ladder, the records, the charges
worked out again, the balances."""

import asyncio
import json
import os
import subprocess
import sys

from . import oracle
from .switch import die_with_parent
from .watch import poll

SIPP = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sipp")
CALLS, TALK_MS = 3, 2300
SELL = oracle.Terms(price="0.0123", first=1, step=1)
BUY = oracle.Terms(price="0.0071", first=6, step=6)


class Trouble(Exception):
    """What the one who looks should read, without a traceback."""


def title(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}\n{'-' * len(text)}")


class Demo:
    """The calls and what is said of them; tests/vm/demo.py has a switch of another kind."""

    def __init__(self, switch, folder, customer, vendor):
        self.switch, self.folder, self.customer, self.vendor = switch, folder, customer, vendor
        self.sipps = []

    async def say(self, *words):
        """Types a switchctl command where everybody can see it."""
        print("  switchctl " + " ".join(f'{k}="{v}"' if " " in v else w for w in words
                                        for k, _, v in [w.partition("=")]))
        status, out, err = await self.switch.cli(*words)
        if status:
            raise Trouble(f"switchctl refused: {err}")
        return out

    async def ask(self, *words):
        status, out, err = await self.switch.cli("--json", *words)
        if status:
            raise Trouble(f"switchctl refused: {err}")
        return json.loads(out)

    async def enter(self):
        title("A customer, a vendor and what they pay")
        for line in (
                "parameter set SERVER_DISPLAY_MONEY_PRECISION 6",
                "rate-group add name=retail", "rate-group add name=purchase",
                f"rate add group=retail prefix=880 price={SELL.price} unit=60 first={SELL.first} step={SELL.step}",
                f"rate add group=purchase prefix=880 price={BUY.price} unit=60 first={BUY.first} step={BUY.step}",
                "account add id=acme limit_money=0 rate_group=retail",
                "account add id=carrier kind=clearing limit_money=0 rate_group=purchase",
                "account recharge acme amount=10.00 memo=opening",
                f"mapping-gateway add name=acme-in account=acme auth=ip address={self.customer}",
                f"routing-gateway add name=carrier-a account=carrier address={self.vendor}:5060 prefix=880 "
                # sipp would take the switch's OPTIONS for one of its calls.
                "options_check=false"):
            await self.say(*line.split())

    def sipp(self, scenario, ip, *words):
        """sipp in the background; its messages go to SCENARIO.log."""
        command = ["sipp", "-sf", os.path.join(SIPP, f"{scenario}.xml"), "-i", ip, "-p", "5060",
                   "-mi", ip, "-m", str(CALLS), "-nostdin", "-trace_shortmsg", "-shortmessage_file",
                   f"{scenario}.log", *words]
        with open(os.path.join(self.folder, f"{scenario}.out"), "w", encoding="utf-8") as out:
            self.sipps.append(subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out,
                                               stderr=out, preexec_fn=die_with_parent))
        return self.sipps[-1]

    async def call(self):
        title(f"{CALLS} calls of {TALK_MS / 1000:g} s through {self.switch.ip}:{self.switch.port}, with RTP both ways")
        with open(os.path.join(self.folder, "tone.alaw"), "wb") as tone:
            tone.write(bytes((i * 7) & 0xff for i in range(8000)))
        carrier = self.sipp("carrier", self.vendor, "-mp", "30000", "-rtp_echo")
        await self.bound(self.vendor)
        caller = self.sipp("caller", self.customer, "-s", "8801712345678", "-r", "2", "-d", str(TALK_MS),
                           f"{self.switch.ip}:{self.switch.port}")
        for name, process in (("caller", caller), ("carrier", carrier)):
            status = await asyncio.wait_for(asyncio.to_thread(process.wait), 60)
            if status:
                self.show_out(name)
                raise Trouble(f"sipp ({name}) ended with {status}; the switch said:\n{self.switch.tail()}")

    async def bound(self, ip):
        """Until sipp listens there."""
        wanted = "%02X%02X%02X%02X:13C4" % tuple(int(x) for x in reversed(ip.split(".")))

        async def listens():
            with open("/proc/net/udp", encoding="ascii") as f:
                return wanted in f.read()
        await poll(listens, "sipp as the vendor")

    def show_out(self, name):
        with open(os.path.join(self.folder, f"{name}.out"), encoding="utf-8", errors="replace") as f:
            print(f.read()[-3000:])

    def messages(self, scenario):
        """(seconds, 'S' or 'R', Call-ID, first line) of each message of that end."""
        with open(os.path.join(self.folder, f"{scenario}.log"), encoding="utf-8") as f:
            for line in f:
                _day, _clock, at, way, call_id, _cseq, first = line.rstrip("\n").split("\t")[-7:]
                yield float(at), way, call_id, first

    def ladder(self):
        title("The first call, as both ends saw it")
        rows = []
        for side, scenario in (("in", "caller"), ("out", "carrier")):
            found = list(self.messages(scenario))
            rows += [(at, side, way, first) for at, way, call_id, first in found if call_id == found[0][2]]
        rows.sort()
        print(f"  {'seconds':>8}   {'customer':<12}{'switch':^44}{'vendor':>12}")
        for at, side, way, first in rows:
            what = first.replace(" SIP/2.0", "").replace("SIP/2.0 ", "")
            what = what.split(":")[0].replace(" sip", "") if "sip:" in what else what
            right = (way == "S") == (side == "in")
            arrow = f"── {what} ".ljust(24, "─") + "▶" if right else "◀" + f"── {what} ".ljust(24, "─")
            place = 3 if side == "in" else 36
            print(f"  {at - rows[0][0]:8.3f}   " + "│".ljust(place) + arrow.ljust(27) + ("" if place > 3 else "│"))

    async def books(self):
        """Records and charges, each worked out again in exact fractions."""
        async def all_there():
            rows = await self.ask("cdr", "list")
            return rows if len(rows) == CALLS else None
        cdrs = await poll(all_there, f"{CALLS} records")
        title("The records")
        print(await self.say("cdr", "list", "fields=id,caller,callee,hold_ms,billed_s,fee,cost,reason,hangup_side"))
        print(await self.say("cdr", "list", "fields=id,codec,caller_packets_in,callee_packets_out,"
                             "callee_packets_in,caller_packets_out,caller_lost,callee_lost"))
        title("The charges, worked out again")
        good = True
        for c in reversed(cdrs):
            fee, cost = oracle.charge(SELL, c["hold_ms"]), oracle.charge(BUY, c["hold_ms"])
            same = (oracle.money(c["fee"]), oracle.money(c["cost"])) == (fee.total, cost.total)
            good = good and same and c["callee_packets_out"] > 0 and c["caller_packets_out"] > 0
            print(f"  {c['hold_ms']} ms = {fee.billed_s} s × {SELL.price}/60 = {oracle.text(fee.fee)}; vendor "
                  f"{cost.billed_s} s × {BUY.price}/60 = {oracle.text(cost.fee)}  {'✓' if same else '✗ differs'}")
        title("The balances")
        for account, paid in (("acme", "10"), ("carrier", "0")):
            shown = await self.ask("account", "show", account)
            took = sum(oracle.money(c["fee"]) + oracle.money(c["tax"]) if account == "acme" else
                       oracle.money(c["cost"]) for c in cdrs)
            want = oracle.money(paid) - took
            good = good and oracle.money(shown["balance"]) == want
            print(f"  {account:<8} {paid} paid - {oracle.text(took)} charged = {oracle.text(want)}; "
                  f"the switch says {shown['balance']}")
        print()
        print(await self.say("status"))
        return good

    async def show(self):
        """Calls, ladder, books; whether all is as it should be."""
        try:
            await self.call()
            self.ladder()
            return await self.books()
        finally:
            for process in self.sipps:
                process.kill()
                process.wait()
