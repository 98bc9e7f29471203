"""The page of bans, before a lockoutd of our own beside the switch's socket."""

import os

from fake import Fake
from terminal import console

BAN = {"address": "192.0.2.7", "state": "banned", "left_s": 599, "seconds": 600,
       "since": "2026-11-25T12:00:00.000Z", "cause": "failures", "reason": "10 wrong passwords",
       "by": "lockoutd", "times": 1, "evidence": "REGISTER 1001", "packets": 12}


async def test_bans_are_listed_made_and_lifted(t):
    path = os.path.join(os.path.dirname(t.switch.path), "lockout.sock")
    rows = [BAN]
    refusal = ValueError("conflict", "address", "198.51.100.1 is a gateway's address", "another address")

    def add(params):
        if params["address"] == "198.51.100.1":
            return refusal
        rows.append({**BAN, "address": params["address"], "reason": params.get("reason", "")})
        return rows[-1]

    def lift(params):
        rows[:] = [r for r in rows if r["address"] != params["address"]]
        return {"deleted": params["address"]}
    answers = {"ban.list": lambda _: rows, "ban.show": BAN, "ban.add": add, "ban.del": lift}
    async with console(t) as c:
        await c.see("Tandem  Console", "Bans")
        await c.go("b", "Tandem  Bans", "lockoutd cannot be reached")
        async with Fake(path, answers):
            await c.see("192.0.2.7", "10 wrong passwords")
            await c.go(["enter"], "evidence: REGISTER 1001")
            await c.go(["esc"], "Enter Show")
            await c.go("a", "Ban an address", "address *", "seconds")
            await c.go(["198.51.100.1", "f2"], "! 198.51.100.1 is a gateway's address")
            await c.go(["clear", "203.0.113.9", "f2"], "203.0.113.9")
            await c.go("x", "Lift the ban of")
            await c.go(["tab", "enter"], "may come again", "1 of 1")
        os.unlink(path)
        await c.see("lockoutd cannot be reached")
        await c.go(["esc"], "Tandem  Console")
