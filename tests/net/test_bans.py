"""Bans: who gets one, who never does, when they end."""

import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time

from harness import digest
from harness.control import Refused
from harness.scene import scene
from harness.switch import die_with_parent
from harness.watch import poll
from probe import Udp, forge

# Takes connections of both families at the port of SSH.
LISTENER = """
import socket, sys
s = socket.create_server(("::", 2222), family=socket.AF_INET6, dualstack_ipv6=True)
print(flush=True)
held = []
while True:
    held.append(s.accept())
"""
USER, PASSWORD = "acme-user", "correct horse 7"
SCAN = (b"OPTIONS sip:100@10.9.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.0.66:5060;branch=z9hG4bK1\r\n"
        b"From: <sip:100@1.1.1.1>;tag=1\r\nTo: <sip:100@1.1.1.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
        b"User-Agent: friendly-scanner\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")


async def refusal(t, **params):
    try:
        await t.firewall.ask("ban.add", **params)
    except Refused as e:
        return e.data
    raise AssertionError(f"{params} was banned")


async def until_state(t, address, state):
    async def look():
        ban = await t.ban(address)
        return ban if ban["state"] == state else None
    return await poll(look, f"{address} {state}")


@scene(start=False)
async def test_a_ban_drops_and_the_kernel_ends_it(t):
    """Dropped from the next packet on, and let in again by the kernel though the daemon stands still."""
    await t.lockout.start()
    for source, other in ((t.net.ip(7), t.net.ip(8)), ("fd00:a::2", "fd00:9::2")):
        banned, free = Udp(source), Udp(other)
        assert banned.is_through(15000)
        made = await t.firewall.ask("ban.add", address=source, seconds=4, reason="a test")
        assert made["state"] == "banned" and made["reason"] == "a test" and made["left_s"] == 4, made
        t.lockout.process.send_signal(signal.SIGSTOP)
        banned.answered.clear()
        banned.send(15001)
        free.answered.clear()
        free.send(15001)
        assert free.until(15001) and not banned.answered, "the ban has no effect"

        async def back():
            return banned.is_through(15002)
        await poll(back, "end of the ban")
        t.lockout.process.send_signal(signal.SIGCONT)
        await until_state(t, source, "over")


@scene(start=False)
async def test_connections_of_a_banned_address_are_cut(t):
    """They leave the kernel's table of connections; those of others stay."""
    await t.lockout.start()
    program = subprocess.Popen(t.wall.enter + [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE,
                               preexec_fn=die_with_parent)
    program.stdout.readline()
    peers = [socket.create_connection(("fd00:9::1" if ":" in source else "10.9.0.1", 2222), 5, (source, 0))
             for source in (t.net.ip(7), t.net.ip(8), "fd00:a::2")]

    def tracked(source):
        text = t.wall.run("cat", "/proc/net/nf_conntrack")
        long = ipaddress.ip_address(source).exploded
        return [line for line in text.splitlines() if f"src={long} " in line and "dport=2222" in line]
    sources = [peer.getsockname()[0] for peer in peers]
    assert all(tracked(source) for source in sources), t.wall.run("cat", "/proc/net/nf_conntrack")
    for source in (t.net.ip(7), "fd00:a::2"):
        await t.firewall.ask("ban.add", address=source, seconds=600)
        assert not tracked(source), source
    assert tracked(t.net.ip(8))
    for peer in peers:
        peer.close()
    program.kill()
    program.wait()


@scene(start=False)
async def test_a_network_may_be_banned_whole(t):
    """All of it and nothing beside it, over a restart; never one with an exempt address in it."""
    await t.lockout.start()
    inside, outside, v6 = Udp(t.net.ip(34)), Udp(t.net.ip(31)), Udp("fd00:a::2")
    made = await t.firewall.ask("ban.add", address="10.9.0.32/29", seconds=600, reason="a farm")
    assert made["address"] == "10.9.0.32/29", made
    await t.firewall.ask("ban.add", address="fd00:a::/48", seconds=600)
    for _ in range(2):
        assert not inside.is_through(15000) and not v6.is_through(15000)
        assert outside.is_through(15000) and Udp("fd00:9::2").is_through(15001)
        shown = await t.ban(t.net.ip(34))
        assert shown["state"] == "banned" and shown["address"] == "10.9.0.32/29" and shown["packets"] > 0, shown
        assert {r["address"] for r in await t.firewall.ask("ban.list")} == {"10.9.0.32/29", "fd00:a::/48"}
        t.lockout.kill()
        await t.lockout.start()
    await t.firewall.ask("ban.add", address="10.9.0.32/29", seconds=500)  # again: the new time counts
    assert (await refusal(t, address="10.9.0.32/30"))["code"] == "exists"
    assert (await refusal(t, address="10.9.0.0/24"))["code"] == "forbidden", "the machine itself is in it"
    for wrong in ("10.9.0.33/29", "10.0.0.0/7", "fd00::/16", "10.9.0.34:5060"):
        assert (await refusal(t, address=wrong))["code"] == "bad_value", wrong
    await t.firewall.ask("ban.del", address="10.9.0.32/29")
    assert inside.is_through(15002)
    assert (await t.ban(t.net.ip(34)))["state"] == "free"


@scene(start=False)
async def test_bans_are_listed_with_what_they_dropped(t):
    """switchctl goes to the daemon that owns them; packets are counted by the kernel."""
    await t.lockout.start()
    udp = Udp(t.net.ip(7))
    status, out, err = await t.switch.cli("ban", "add", t.net.ip(7), "seconds=600", "reason=port scan")
    assert status == 0 and "port scan" in out, (status, out, err)
    for port in range(15000, 15005):
        udp.send(port)

    async def counted():
        return (await t.ban(t.net.ip(7)))["packets"] == 5
    await poll(counted, "five packets dropped")
    rows = await t.firewall.ask("ban.list", text="port scan")
    assert [r["address"] for r in rows] == [t.net.ip(7)] and rows[0]["by"] == "root", rows
    await t.firewall.ask("ban.add", address="fd00:a::2")
    rows = await t.firewall.ask("ban.list")
    assert [r["address"] for r in rows] == ["fd00:a::/64", t.net.ip(7)], rows
    assert await t.firewall.ask("ban.list", after="fd00:a::/64", limit=1) == rows[1:]
    status, out, err = await t.switch.cli("ban", "del", t.net.ip(7))
    assert status == 0 and udp.is_through(15010), (status, out, err)
    status, out, err = await t.switch.cli("ban", "del", t.net.ip(7))
    assert status == 1 and "not_found" in err, (status, out, err)
    status, out, err = await t.switch.cli("ban", "add", "example.org")
    assert status == 1 and "bad_value" in err, (status, out, err)
    for wrong in ({"seconds": 0}, {"seconds": 10 ** 9}, {"seconds": "soon"}, {"for": 5}):
        assert (await refusal(t, address=t.net.ip(8), **wrong))["code"] in ("bad_value", "unknown_field")


async def test_nobody_bans_a_gateway(t):
    """Neither an operator, nor packets forged in its name, nor its own scanner's name."""
    await t.lockout.start()
    caller, carrier = await t.plain()
    for address in (caller.ip, carrier.ip):
        await until_state(t, address, "exempt")
        assert (await refusal(t, address=address))["code"] == "forbidden"
    forge(caller.ip, SCAN, count=300)
    forge(carrier.ip, b"\0" * 50, count=300)
    forge("10.9.0.66", SCAN)  # what was sent after all of that has had its effect
    await until_state(t, "10.9.0.66", "banned")
    for address in (caller.ip, carrier.ip):
        assert (await t.ban(address))["state"] == "exempt"
    for address in ("10.9.0.1", "fd00:9::1", "127.0.0.1", "fe80::1", "224.0.0.5", "::1"):
        assert (await refusal(t, address=address))["code"] == "forbidden", address
    call = caller.invite("88017")
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, reason="CallerHangup")


async def test_an_address_that_becomes_a_gateway_is_let_go(t):
    """And it stays exempt when switchd is gone, over a restart of the daemon."""
    await t.lockout.start()
    caller = await t.caller()
    await t.firewall.ask("ban.add", address=caller.ip, seconds=600)
    await t.customer(caller)
    await until_state(t, caller.ip, "exempt")
    await t.switch.stop()
    t.lockout.kill()
    await t.lockout.start()
    shown = await t.ban(caller.ip)
    assert shown["state"] == "exempt" and "acme-in" in shown["reason"], shown


async def guess(t, caller, count, good=False):
    """INVITEs with a digest that is wrong, each answering a challenge that was sent to us."""
    for n in range(count):
        call = caller.invite(f"8801{n}")
        challenge = await call.final()
        assert challenge.code in (401, 407), challenge.start_line()
        call.answer = None
        header = digest.answer(challenge, "INVITE", call.txn.msg.uri, USER,
                               PASSWORD if good else f"guess {n}", "MD5")
        caller.send_invite(call, call.txn.msg.uri, [header])
        yield await call.final()


async def test_guessing_passwords_ends_after_ten(t):
    """The guesser is locked out with his evidence, the account is not, and the next time is longer."""
    await t.lockout.start()
    guesser, owner, carrier = await t.caller("guesser", 20), await t.caller("owner", 21), await t.carrier()
    await t.customer(owner, auth="password", address=[t.net.cidr], user=USER, password=PASSWORD)
    await t.vendor(carrier)
    # His network is that of the gateway, and whoever is of a gateway's network is exempt.
    await t.ctl.ask("mapping-gateway.set", name="acme-in", address=[])
    await until_state(t, guesser.ip, "free")
    for seconds in (600, 1200):
        async for answer in guess(t, guesser, 10):
            assert answer.code == 403, answer.start_line()
        ban = await until_state(t, guesser.ip, "banned")
        assert ban["seconds"] == seconds and ban["cause"] == "failures", ban
        assert "auth_failed by udp (nonce) as acme-user INVITE 88019" in ban["evidence"], ban
        guesser.invite("880177")  # nobody hears it
        call = owner.invite("88017", credentials=(USER, PASSWORD))
        await call.expect(200)
        await call.hang_up()

        async def dropped():
            return (await t.ban(guesser.ip))["packets"] > 0
        await poll(dropped, "the guesser's packets dropped")
        await end_early(t, guesser.ip)
    guesser.close()


async def end_early(t, address):
    """As if the ban had just run out: in the daemon's own file, read at its next start."""
    await t.lockout.stop()
    path = os.path.join(t.lockout.data, "bans.jsonl")
    with open(path, encoding="utf-8") as f:
        bans = [json.loads(line) for line in f]
    for ban in bans:
        ban["until"] = int(time.time() * 1000) - 1000
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(ban) + "\n" for ban in bans)
    await t.lockout.start()
    assert (await t.ban(address))["state"] == "over"


async def test_a_customers_address_is_not_banned(t):
    """Where a customer has called from lately, the user who fails is suspended and nobody else."""
    await t.lockout.start()
    await t.set("SS_AUTHENTICATION_MAX_RETRY", 3)
    await t.set("SS_AUTHENTICATION_FAILED_SUSPEND", 3600)
    both, carrier = await t.caller("both", 22), await t.carrier()
    await t.customer(both, auth="password", address=[], user=USER, password=PASSWORD)
    await t.vendor(carrier)
    await t.gateway_in("acme", "second", auth="password", user="second", password=PASSWORD + "b")
    call = both.invite("88017", credentials=(USER, PASSWORD))
    await call.expect(200)

    async def known():
        return (await t.ban(both.ip)).get("last_good")
    await poll(known, "the address as a customer's")
    async for answer in guess(t, both, 12):
        assert answer.code == 403
    forge(both.ip, SCAN, count=50)

    async def spared():
        return "is a customer's address and not banned" in t.lockout.tail()
    await poll(spared, "the word that it was spared")
    assert (await t.ban(both.ip))["state"] == "free"
    async for answer in guess(t, both, 1, good=True):
        assert answer.code == 403, "a suspended user got in with the right password"
    other = both.invite("88018", credentials=("second", PASSWORD + "b"))
    await other.expect(200)
    await other.hang_up()
    await call.hang_up()


async def test_forged_packets_ban_for_a_minute_at_most(t):
    """Any stranger may be forged: scanners and floods in his name cost him 60 s and no more."""
    await t.lockout.start()
    forge("10.9.0.70", SCAN, count=5)
    ban = await until_state(t, "10.9.0.70", "banned")
    assert ban["seconds"] == 60 and ban["cause"] == "knocking" and "friendly-scanner" in ban["evidence"], ban
    forge("10.9.0.71", b"INVITE sip:1@10.9.0.1 SIP/2.0\r\n\r\n", count=250)
    ban = await until_state(t, "10.9.0.71", "banned")
    assert ban["seconds"] == 60 and "unknown_source x" in ban["evidence"], ban
    forge("10.9.0.70", SCAN, count=50)
    assert (await t.ban("10.9.0.70"))["times"] == 1


@scene(start=False)
async def test_events_of_others_are_not_believed(t):
    """The security socket takes what root or the switch sends; another user's datagram is dropped."""
    await t.lockout.start()
    event = (b'{"v":1,"event":"scanner","proof":"none","src":"%s"}')
    os.chmod(t.folder, 0o755)
    os.chmod(t.lockout.security, 0o666)
    pid = os.fork()
    if pid == 0:
        os.setgid(65534)
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(event % b"10.9.0.80", t.lockout.security)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, "the datagram could not be sent"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"rubbish", t.lockout.security)
        s.sendto(event % b"10.9.0.81", t.lockout.security)
    await until_state(t, "10.9.0.81", "banned")
    assert (await t.ban("10.9.0.80"))["state"] == "free"
