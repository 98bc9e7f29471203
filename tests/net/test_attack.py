"""The figures of security.md, measured: `tests/net/run.py --bin build/bin --long -k attack.` prints them. What is asserted
is what holds on any machine; a share of success, and memory, but no time."""

import asyncio
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time

from harness import digest, load
from harness.scene import scene
from harness.switch import die_with_parent
from harness.watch import poll
from probe import Udp
from test_bans import PASSWORD, USER, until_state
from wall import MACHINE

SOURCES, RATE = 500, 5000
# Forged INVITEs and OPTIONS, 5,000 a second from 500 addresses, until killed; one line when it has begun.
FLOOD = f"""
import os, socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def packet(n):
    host = f"10.10.{{n // 250}}.{{n % 250 + 1}}"
    method = "INVITE" if n % 2 else "OPTIONS"
    text = (f"{{method}} sip:100{{n}}@{MACHINE} SIP/2.0\\r\\nVia: SIP/2.0/UDP {{host}}:5060;branch=z9hG4bK%s\\r\\n"
            f"From: <sip:1@{{host}}>;tag=1\\r\\nTo: <sip:100{{n}}@{MACHINE}>\\r\\nCall-ID: %s@{{host}}\\r\\nCSeq: 1 {{method}}\\r\\n"
            "Max-Forwards: 70\\r\\nContact: <sip:1@{{host}}>\\r\\nContent-Length: 0\\r\\n\\r\\n")
    return socket.inet_aton(host), text
all = [packet(n) for n in range({SOURCES})]
to, sent, begin = socket.inet_aton("{MACHINE}"), 0, time.monotonic()
print(flush=True)
while True:
    due = int((time.monotonic() - begin) * {RATE})
    while sent < due:
        source, text = all[sent % {SOURCES}]
        body = (text % (sent, sent)).encode()
        udp = struct.pack("!HHHH", 5060, 5060, 8 + len(body), 0) + body
        s.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, to) + udp, ("{MACHINE}", 0))
        sent += 1
        if sent % 1000 == 0:
            os.pwrite(3, str(sent).encode(), 0)
    time.sleep(0.002)
"""


class Flood:
    def __init__(self, t):
        self.path = os.path.join(t.folder, "sent")
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT)
        # By a router, as on the Internet: as neighbours they would fill the table of those.
        t.wall.run("ip", "route", "replace", "10.10.0.0/16", "via", t.net.ip(2))

    def start(self):
        def setup():
            die_with_parent()
            os.dup2(self.fd, 3)
        self.process = subprocess.Popen([sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, preexec_fn=setup,
                                        pass_fds=(3, self.fd))
        self.process.stdout.readline()
        self.begin = time.monotonic()
        return self

    def stop(self):
        took = time.monotonic() - self.begin
        self.process.kill()
        self.process.wait()
        return int(os.pread(self.fd, 20, 0) or b"0") / took


def memory_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
        return int(next(line.split()[1] for line in f if line.startswith("VmRSS")))


async def calls(caller, count, rate=10):
    """Legitimate calls; (how many went well, milliseconds from INVITE to 200, sorted)."""
    took = []

    async def one(i):
        start = time.monotonic()
        call = caller.invite(f"8801{i:06d}")
        await call.expect(200, within=10)
        took.append((time.monotonic() - start) * 1000)
        await call.hang_up(within=10)

    async def tried(i):
        try:
            await one(i)
        except AssertionError:
            return False
        return True
    done = await load.steady(rate, count, tried)
    return sum(done), sorted(took)


def show(what, *figures):
    print(f"     {what}: {'; '.join(figures)}", flush=True)


def spread(took):
    return f"p50 {took[len(took) // 2]:.1f} ms, p95 {took[int(len(took) * .95)]:.1f} ms, most {took[-1]:.1f} ms"


@scene(long=True, heavy=True, within=300)
async def test_a_flood_beside_legitimate_calls(t):
    """5,000 requests a second from 500 sources beside 10 calls a second: 99.9 % of them succeed."""
    await t.lockout.start()
    caller, _ = await t.plain()
    _, calm = await calls(caller, 100)
    before = [memory_kib(d.process) for d in (t.switch, t.lockout)]
    flood = Flood(t).start()
    good, took = await calls(caller, 300)
    rate = flood.stop()
    after = [memory_kib(d.process) for d in (t.switch, t.lockout)]
    show("flood", f"{rate:.0f}/s from {SOURCES} forged sources", f"{good} of 300 calls succeeded",
         f"calm {spread(calm)}", f"flooded {spread(took)}", f"switchd {before[0]} -> {after[0]} kB, "
         f"switch-lockoutd {before[1]} -> {after[1]} kB")
    assert rate > RATE / 4, "the flood was none: this machine is too slow to make it"
    assert good == 300 and after[0] - before[0] < 32 * 1024, (good, before, after)
    assert (await t.ban(caller.ip))["state"] == "exempt"


@scene(heavy=True)
async def test_a_flood_of_newcomers_keeps_no_customer_out(t):
    """5,000 requests a second from 500 forged sources: the kernel lets 2,000 of them in (F2), and a customer known by password alone
    before all of them; afterwards a newcomer becomes one."""
    await t.lockout.start()
    await t.plain()
    known, newcomer = await t.caller("known", 22), await t.caller("newcomer", 23)
    await t.gateway_in("acme", "digest", auth="password", address=[], user=USER, password=PASSWORD)

    async def call(peer, number):
        one = peer.invite(number, credentials=(USER, PASSWORD))
        await one.expect(200)
        await one.hang_up()

    async def packets(why, chain="door"):
        rules = await t.firewall.ask("firewall.show")
        return sum(r["packets"] for r in rules if why in r["why"] and r["chain"] == chain)
    await call(known, "88017")

    async def is_known():
        return known.ip in t.wall.run("nft", "list", "set", "inet", "tandem", "known4")
    await poll(is_known, "the customer in the kernel")
    flood = Flood(t).start()

    async def crowded():
        return await packets("newcomers together") > 3000
    await poll(crowded, "a crowd that is kept out")
    before = await packets("customers who")
    for n in range(20):
        await call(known, f"8801{n:04d}")
    shut_out, through = await packets("newcomers together"), await packets("customers who")
    rate = flood.stop()
    show("newcomers", f"{rate:.0f}/s", f"{shut_out} kept out", "20 of 20 calls of a customer known by password")
    assert through - before >= 60, "the customer's packets did not go before the others"
    await call(newcomer, "880199")


@scene(long=True, heavy=True, within=300)
async def test_500_slow_connections(t):
    """Half a request each, from one stranger, others from many: calls go on, and the slow ones are closed."""
    await t.lockout.start()
    caller, _ = await t.plain()
    slow, refused = [], 0
    for i in range(500):
        s = socket.socket()
        s.settimeout(2)
        s.bind((t.net.ip(6 + i % 30), 0))
        try:
            s.connect((MACHINE, 5060))
            s.send(b"INVITE sip:1@10.9.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.9.0.6;branch=z9hG4bK")
            slow.append(s)
        except OSError:
            refused += 1
        s.setblocking(False)
    begin = time.monotonic()
    good, took = await calls(caller, 100, rate=20)
    still = set(slow)

    async def closed():
        for s in list(still):
            try:
                if s.recv(100) == b"":
                    still.discard(s)
            except BlockingIOError:
                pass
            except OSError:
                still.discard(s)
        return not still
    await poll(closed, "the slow ones closed", within=60, every=0.1)
    show("slow connections", f"{len(slow)} from 30 sources, {refused} refused at once", f"{good} of 100 calls", spread(took),
         f"all closed after {time.monotonic() - begin:.0f} s")
    assert good == 100


@scene(start=False, long=True, heavy=True, within=300)
async def test_ban_lists_that_are_full(t):
    """65,536 bans: a start with all of them, what one more costs, and who makes room for it."""
    await t.lockout.start()
    await t.firewall.ask("ban.add", address=t.net.ip(9), seconds=86400)
    await t.lockout.stop()
    path = os.path.join(t.lockout.data, "bans.jsonl")
    with open(path, encoding="utf-8") as f:
        line = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(line.replace(t.net.ip(9), f"11.0.{n >> 8}.{n & 255}") for n in range(65535))
        f.write(line)
    begin = time.monotonic()
    await t.lockout.start()
    ready = time.monotonic() - begin
    assert (await t.ban("11.0.0.0"))["state"] == "banned"
    begin = time.monotonic()
    for n in range(100):
        await t.firewall.ask("ban.add", address=f"12.0.0.{n}", seconds=86400)
    each = (time.monotonic() - begin) / 100
    assert (await t.ban("11.0.0.0"))["state"] != "banned" and (await t.ban("12.0.0.99"))["state"] == "banned"
    banned, free = Udp(t.net.ip(9)), Udp(t.net.ip(8))
    assert not banned.is_through(15000) and free.is_through(15001)
    show("65,536 bans", f"start with all {ready:.1f} s", f"one more {each * 1000:.1f} ms",
         f"switch-lockoutd {memory_kib(t.lockout.process)} kB")


@scene(long=True, heavy=True, within=300)
async def test_every_daemon_is_started_anew_under_attack(t):
    """switch-lockoutd twice, by SIGKILL and SIGTERM, costs no call; switchd is back at once."""
    await t.lockout.start()
    caller, _ = await t.plain()
    flood = Flood(t).start()
    task = asyncio.create_task(calls(caller, 60))
    t.lockout.kill()
    await t.lockout.start()
    await t.lockout.stop()
    await t.lockout.start()
    good, took = await task
    t.switch.process.send_signal(signal.SIGKILL)
    t.switch.process.wait()
    begin = time.monotonic()
    await t.switch.start()
    ready = time.monotonic() - begin
    again, later = await calls(caller, 20)
    rate = flood.stop()
    show("restarts under attack", f"{rate:.0f}/s", f"{good} of 60 calls while switch-lockoutd was started anew twice",
         spread(took), f"switchd ready after {ready * 1000:.0f} ms", f"then {again} of 20 calls", spread(later))
    assert good == 60 and again == 20
    await until_state(t, caller.ip, "exempt")


@scene(long=True, heavy=True, within=300)
async def test_who_exists_cannot_be_told(t):
    """Right name or wrong: the same answer, and no difference of time that is one."""
    guesser, owner, carrier = await t.caller("guesser", 20), await t.caller("owner", 21), await t.carrier()
    # Known by its password alone. Whoever calls from a gateway's own network finds his refused calls on record, and no secret there.
    await t.customer(owner, auth="password", address=[], user=USER, password=PASSWORD)
    await t.vendor(carrier)
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 0)
    seen, times = {}, {"known": [], "unknown": []}
    for i in range(200):  # strangers are asked 5 times a second a network
        kind = ("known", "unknown")[i % 2]
        user = USER if kind == "known" else f"nobody-{random.randrange(10 ** 6):06d}"
        call = guesser.invite("88017")
        challenge = await call.final()
        call.answer = None
        header = digest.answer(challenge, "INVITE", call.txn.msg.uri, user, "a guess", "MD5")
        start = time.perf_counter()
        guesser.send_invite(call, call.txn.msg.uri, [header])
        answer = await call.final()
        times[kind].append((time.perf_counter() - start) * 1000)
        seen.setdefault(kind, set()).add((answer.code, answer.reason, tuple(n for n, _ in answer.headers)))
    medians = {k: statistics.median(v) for k, v in times.items()}
    show("enumeration", *[f"{k}: median {m:.3f} ms" for k, m in medians.items()],
         f"difference {abs(medians['known'] - medians['unknown']):.3f} ms of 0.3 allowed")
    assert seen["known"] == seen["unknown"] and len(seen["known"]) == 1, seen
    guesser.close()
