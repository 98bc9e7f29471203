"""Every daemon killed and started anew while the machine is attacked: no ban is lost, no moment is open, no stranger slips in."""

import os
import signal
import time

from harness.scene import scene
from harness.watch import poll
from probe import forge
from test_attack import Flood, calls
from test_bans import PASSWORD, SCAN, USER, guess, until_state
from test_change import Host
from test_wall import Traffic

FORGED = "10.9.0.70"


async def bans(t):
    """{address: (state, cause, times)}, and when each ends, in seconds from now."""
    rows = {r["address"]: r for r in await t.firewall.ask("ban.list")}
    return ({a: (r["state"], r["cause"], r["times"]) for a, r in rows.items()},
            {a: r["left_s"] for a, r in rows.items()})


async def earned(t, guesser):
    """A ban of each kind: an operator's, a guesser's, a forged scanner's; of an address, and of a network."""
    await t.gateway_in("acme", "digest", auth="password", address=[], user=USER, password=PASSWORD)
    await until_state(t, guesser.ip, "free")
    await t.firewall.ask("ban.add", address=t.net.ip(9), seconds=3600, reason="an operator's")
    await t.firewall.ask("ban.add", address="fd00:a::/48", seconds=3600)
    async for _ in guess(t, guesser, 10):
        pass
    await until_state(t, guesser.ip, "banned")
    forge(FORGED, SCAN)
    await until_state(t, FORGED, "banned")


class Restarts:
    """Under traffic and a flood; at the end of each one the bans are what they were."""

    def __init__(self, t, traffic):
        self.t, self.traffic = t, traffic

    async def start(self):
        self.before, self.left = await bans(self.t)
        self.begin = time.monotonic()
        return self

    async def rounds(self, more):
        least = self.traffic.rounds + more

        async def passed():
            return self.traffic.rounds >= least
        await poll(passed, f"{more} rounds of traffic")

    async def same(self):
        await self.rounds(10)
        now, left = await bans(self.t)
        passed = time.monotonic() - self.begin
        for address, was in self.before.items():
            if self.left[address] > passed + 2:
                assert now.get(address) == was, (address, was, now.get(address))
                # The end stays where it was: not a second later, and at most the part of a second that a file rounds off earlier.
                assert self.left[address] - passed - 3 <= left[address] <= self.left[address] - passed + 2, (address, left)


@scene(start=False, heavy=True, within=120)
async def test_every_daemon_under_attack(t):
    """By SIGKILL and by SIGTERM, one after the other: switch-lockoutd, switchd, switch-hostd with a change that nobody confirms."""
    host = Host(t, 3)
    await t.guarded()
    caller, _ = await t.plain()
    guesser = await t.caller("guesser", 20)
    await earned(t, guesser)
    traffic, flood = Traffic(t.net.ip(9), t.net.ip(10)), Flood(t)
    flood.start()
    traffic.start()
    restarts = await Restarts(t, traffic).start()
    try:
        for _ in range(2):
            t.lockout.kill()
            await restarts.rounds(10)
            await t.lockout.start()
            await restarts.same()
            await t.lockout.stop()
            await restarts.rounds(10)
            await t.lockout.start()
            await restarts.same()
        for sign in (signal.SIGKILL, signal.SIGTERM):
            t.switch.process.send_signal(sign)
            t.switch.process.wait()
            await restarts.rounds(10)
            await t.switch.start()
            await restarts.same()
            assert (await t.ban(caller.ip))["state"] == "exempt"
        host.start()
        await host.listens()
        await host.ctl("machine", "change", "ssh_port=2022")
        host.kill()
        await restarts.same()
        host.start()

        async def is_back():
            return not host.pending() and "ssh_port = 2022" not in host.text()
        await poll(is_back, "the change undone")
        await restarts.same()
        rounds = traffic.end()
        # Not before: a port that a call's media have is open, and silent.
        assert (await calls(caller, 20))[0] == 20
    finally:
        if host.process:
            host.kill()
        rate = flood.stop()
        traffic.end()
    print(f"     {rounds} rounds of traffic, {traffic.lost} kept out, beside {rate:.0f} requests a second", flush=True)
    assert traffic.lost == 0, f"{traffic.lost} of {rounds} rounds kept out"
    assert 9 not in traffic.stranger.answered, "a closed port answered"
    assert not traffic.banned.answered, "a banned host got through"
    assert os.path.getsize(os.path.join(t.lockout.data, "bans.jsonl")) > 0
    guesser.close()
