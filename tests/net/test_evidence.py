"""What bans a source, as operators set it, and what the ban can show for it."""

import json
import os
import socket
import struct
import subprocess

from harness.control import Refused
from harness.scene import live, scene
from harness.watch import poll
from probe import Tcp, Udp, forge
from test_bans import PASSWORD, SCAN, USER, guess, until_state
from wall import MACHINE, MACHINE6


def packets(data):
    """[(captured octets, length as it came)] of a capture file of IP packets."""
    magic, major, _minor, _zone, _sigfigs, _snap, link = struct.unpack_from("=IHHIIII", data)
    assert (magic, major, link) == (0xa1b2c3d4, 2, 101), (hex(magic), major, link)
    at, found = 24, []
    while at < len(data):
        _s, _us, captured, length = struct.unpack_from("=IIII", data, at)
        found.append((data[at + 16:at + 16 + captured], length))
        at += 16 + captured
    return found


def connect(source, port):
    """A whole handshake; what the other side says, which is nothing."""
    to = MACHINE6 if ":" in source else MACHINE
    with socket.create_connection((to, port), 5, (source, 0)) as s:
        return s.recv(100)


async def export(t, address, status=0):
    path = os.path.join(t.folder, "ban.pcap")
    got = await t.switch.cli("ban", "packets", address, f"file={path}")
    assert got[0] == status, got
    return path, got[2]


@live("SS_LOCKOUT_MAX_RETRY", "SS_LOCKOUT_FIND_TIME", "SS_LOCKOUT_BAN_TIME", "SS_LOCKOUT_BAN_TIME_MAX")
@scene(start=False)
async def test_maxretry_findtime_bantime_and_what_was_sent(t):
    """By the names that fail2ban has for them (maxretry, findtime, ...); the packets are kept, exported, and outlive the daemon."""
    await t.guarded()
    guesser, owner, carrier = await t.caller("guesser", 20), await t.caller("owner", 21), await t.carrier()
    await t.customer(owner, auth="password", address=[t.net.cidr], user=USER, password=PASSWORD)
    await t.vendor(carrier)
    for name, value in (("maxretry", 3), ("findtime", 300), ("bantime", 1200), ("SS_LOCKOUT_BAN_TIME_MAX", 3600)):
        status, _, err = await t.switch.cli("parameter", "set", name, str(value))
        assert status == 0, err
    await t.ctl.ask("mapping-gateway.set", name="acme-in", address=[])

    async def known():
        try:
            with open(os.path.join(t.lockout.data, "settings.json"), encoding="ascii") as f:
                return json.load(f)["SS_LOCKOUT_BAN_TIME"] == "1200"
        except FileNotFoundError:
            return False
    await poll(known, "the limits at switch-lockoutd")
    await until_state(t, guesser.ip, "free")
    async for answer in guess(t, guesser, 3):
        assert answer.code == 403, answer.start_line()
    ban = await until_state(t, guesser.ip, "banned")
    assert ban["seconds"] == 1200 and ban["reason"] == "3 failures within 300 s", ban
    for _ in range(2):
        path, _ = await export(t, guesser.ip)
        with open(path, "rb") as f:
            kept = packets(f.read())
        assert len(kept) == (await t.ban(guesser.ip))["packets_kept"] >= 6, len(kept)
        assert all(p[12:16] == socket.inet_aton(guesser.ip) for p, _ in kept), "of somebody else"
        assert any(b"INVITE sip:88012@" in p for p, _ in kept), kept
        shown = subprocess.run(["tshark", "-r", path, "-d", "udp.port==5060,sip", "-Y", "sip.Method"],
                               check=True, capture_output=True).stdout.decode()
        assert "INVITE sip:88012" in shown, shown
        await t.switch.stop()  # its word is kept, too
        t.lockout.kill()
        await t.lockout.start()
    assert (await t.ban(guesser.ip))["seconds"] == 1200
    await t.firewall.ask("ban.del", address=guesser.ip)
    assert os.listdir(os.path.join(t.lockout.data, "packets")) == []
    t.audit = False  # the switch is gone
    guesser.close()


@live("SS_LOCKOUT_HONEYPOT_PORTS")
@scene(start=False)
async def test_who_connects_to_a_honeypot_port_is_banned(t):
    """Two real connections, of either family; a scan without handshake is none."""
    await t.guarded()
    await t.set("SS_LOCKOUT_HONEYPOT_PORTS", "13389,15038")
    for source in (t.net.ip(9), "fd00:a::2"):
        tcp = Tcp(source)

        async def open_():
            heard = t.wall.run("ss", "-Hltn")
            return tcp.is_through(13389) and ":13389" in heard and ":15038" in heard
        await poll(open_, "a port that answers")
        assert (await t.ban(source))["state"] == "free"
        assert connect(source, 13389) == b"" and connect(source, 15038) == b""
        ban = await until_state(t, source, "banned")
        assert "honeypot by tcp (tcp) port 15038" in ban["evidence"] and ban["packets_kept"] > 0, ban
    await t.set("SS_LOCKOUT_HONEYPOT_PORTS", "")
    tcp = Tcp(t.net.ip(10))

    async def shut():
        return not tcp.is_through(13389)
    await poll(shut, "a port that is shut")
    for name, wrong in (("SS_LOCKOUT_HONEYPOT_PORTS", "22"), ("SS_LOCKOUT_HONEYPOT_PORTS", ",".join(["5000"] * 17)),
                        ("SS_LOCKOUT_IGNORE_IP", "10.9.0.300"), ("SS_LOCKOUT_MAX_RETRY", 0)):
        try:
            await t.set(name, wrong)
        except Refused as e:
            assert e.data["code"] == "bad_value", e
        else:
            raise AssertionError(f"{name}={wrong} was taken")


@live("SS_LOCKOUT_HONEYPOT_UDP_PORTS")
@scene(start=False)
async def test_a_packet_to_a_honeypot_port_bans_for_a_minute_at_most(t):
    """Of either family, and nothing is answered; in a gateway's or a customer's name it bans nobody, and a flood of them is let pass by."""
    await t.guarded()
    caller, carrier = await t.plain()
    customer = await t.caller("customer", 22)
    await t.gateway_in("acme", "digest", auth="password", address=[], user=USER, password=PASSWORD)
    await t.set("SS_LOCKOUT_HONEYPOT_UDP_PORTS", "5160,4569")
    call = customer.invite("88017", credentials=(USER, PASSWORD))
    await call.expect(200)
    await call.hang_up()

    async def open_():
        heard = t.wall.run("ss", "-Hlun")
        shown = {r["what"] for r in await t.firewall.ask("firewall.show") if "honeypot" in r["why"]}
        good = (await t.ban(customer.ip)).get("last_good")
        return ":5160 " in heard and ":4569 " in heard and {"udp 5160", "udp 4569"} <= shown and good
    await poll(open_, "a trap that is set, and a known customer")
    assert (await t.ban(caller.ip))["state"] == "exempt"
    for peer in (caller, carrier, customer):
        forge(peer.ip, b"who is there", port=5160, count=5)
    for source in ("10.9.0.24", "fd00:a::2"):
        udp = Udp(source)
        assert (await t.ban(source))["state"] == "free"
        udp.send(5160)
        ban = await until_state(t, source, "banned")
        assert ban["seconds"] == 60 and ban["cause"] == "knocking", ban
        assert "honeypot by udp port 5160" in ban["evidence"], ban
        udp.read()
        assert not udp.answered, "a honeypot answered"
        path, _ = await export(t, source)
        with open(path, "rb") as f:
            assert b"probe" in packets(f.read())[-1][0]
    forge("10.9.0.66", b"x", port=4569, count=20000)
    assert sum(r["packets"] for r in await t.firewall.ask("firewall.show") if r["what"] == "udp 4569" and r["chain"] == "input") < 10000
    assert [(await t.ban(p.ip))["state"] for p in (caller, carrier, customer)] == ["exempt", "exempt", "free"]
    for wrong in ("10000", "22", ",".join(["5000"] * 17)):
        try:
            await t.set("SS_LOCKOUT_HONEYPOT_UDP_PORTS", wrong)
        except Refused as e:
            assert e.data["code"] == "bad_value", e
        else:
            raise AssertionError(f"{wrong} was taken")


@live("SS_LOCKOUT_IGNORE_IP")
@scene(start=False)
async def test_who_is_ignored_is_never_banned(t):
    """ignoreip: a ban in force ends, and no other comes; what the ring still holds of anybody can be exported."""
    await t.guarded()
    forge("10.9.0.90", SCAN)
    await until_state(t, "10.9.0.90", "banned")
    assert not os.listdir(os.path.join(t.lockout.data, "packets")), "forged packets wrote to the disk"
    path, _ = await export(t, "10.9.0.90")
    with open(path, "rb") as f:
        assert b"friendly-scanner" in packets(f.read())[0][0]
    await t.set("SS_LOCKOUT_IGNORE_IP", "10.9.0.88/29, 2001:db8::/32")
    shown = await until_state(t, "10.9.0.90", "exempt")
    assert "SS_LOCKOUT_IGNORE_IP" in shown["reason"], shown
    forge("10.9.0.90", SCAN, count=20)

    async def banned():
        forge("10.9.0.96", SCAN)  # events that come all at once may be lost
        return (await t.ban("10.9.0.96"))["state"] == "banned"
    await poll(banned, "one beside that network banned")
    assert (await t.ban("10.9.0.90"))["state"] == "exempt"
    _, err = await export(t, "10.9.0.97", status=1)
    assert "no packet of it is kept" in err, err
