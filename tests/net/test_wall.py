"""What the wall lets in, and that it stands at every moment."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading

from harness.scene import scene
from harness.watch import poll
from probe import Tcp, Udp

EVERY = range(1, 65536)
SOME = sorted({*range(1, 1100), *range(5000, 5100), *range(8000, 8100), *range(9990, 10010),
               *range(19990, 20010), 2222, 65535})
PORTS = {"ipv4": "10.9.0.1/24", "sip_port": 5070, "sip_tls_port": 5071, "api_port": 8443, "ssh_port": 2022,
         "media_ports": "12000-12999"}

STRANGER = "fd00:a::2"  # of another network: the machine's own is exempt


def write_conf(t, **answers):
    with open(t.lockout.conf, "w", encoding="ascii") as f:
        f.writelines(f"{k} = {v}\n" for k, v in answers.items())


@scene(start=False)
async def test_a_scan_finds_what_is_open_and_nothing_else(t):
    """Every TCP and UDP port, IPv4 and IPv6, as tandem.conf says."""
    write_conf(t, **PORTS)
    await t.lockout.start()
    media = set(range(12000, 13000))
    for source, ports in ((t.net.ip(2), EVERY), ("fd00:a::2", SOME)):
        got = Tcp(source).scan(ports, 5070)
        assert got == {p for p in (5070, 5071, 8443, 2022) if p in ports}, sorted(got)[:50]
        got = Udp(source).scan(ports, 5070)
        assert got == (media | {5070}) & set(ports), sorted(got)[:50]


def older(t, *unknown):
    """The kernel does not know these expressions."""
    library = os.path.join(t.folder, "older.so")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, os.path.join(os.path.dirname(__file__), "older.c"), "-ldl"],
                   check=True, timeout=60)
    t.lockout.wrapper = t.wall.enter + ["env", f"LD_PRELOAD={library}", f"OLDER={','.join(unknown)}"]


async def stands(t):
    """Open is what is to be open, and who is banned is out, also after a reload of the rules."""
    write_conf(t, **PORTS)
    await t.lockout.start()
    for _ in range(2):
        got = Tcp(STRANGER).scan({*SOME, 8443, 2022}, 5070)
        assert got == {5070, 5071, 8443, 2022}, sorted(got)[:50]
        await t.firewall.ask("ban.add", address=STRANGER, seconds=60)
        assert not Tcp(STRANGER).is_through(5070)
        await t.firewall.ask("ban.del", address=STRANGER)
        t.lockout.process.send_signal(signal.SIGHUP)


def missing(t):
    return [line.split("does without ")[1].split(":")[0] for line in t.lockout.tail().splitlines() if "does without" in line]


@scene(start=False)
async def test_a_kernel_that_cannot_leave_out_tracking(t):
    """Only that is left out, and said once."""
    older(t, "notrack")
    await stands(t)
    assert missing(t) == ["SIP and media without connection tracking"], missing(t)
    shown = [r["verdict"] for r in await t.firewall.ask("firewall.show")]
    assert "notrack" not in shown and "drop" in shown, shown


@scene(start=False)
async def test_a_kernel_that_knows_none_of_the_newer_ways(t):
    """CentOS 7's may be such: the wall stands all the same, and what it does without is said."""
    older(t, "notrack", "dynset", "log")
    await stands(t)
    assert len(missing(t)) == 3, missing(t)


@scene(start=False)
async def test_ssh_may_be_for_administrators_alone(t):
    """ssh_from=admin_hosts: the port is silent for everybody else, and a SIGHUP opens it again."""
    v6 = "fd00:9::2"
    write_conf(t, **PORTS, admin_hosts=f"{t.net.ip(3)},{v6}", ssh_from="admin_hosts")
    await t.lockout.start()
    assert Tcp(t.net.ip(3)).is_through(2022) and Tcp(v6).is_through(2022)
    assert not Tcp(t.net.ip(4)).is_through(2022) and not Tcp("fd00:a::2").is_through(2022)
    assert Tcp(t.net.ip(4)).is_through(5070), "only SSH is closed"
    shown = [r for r in await t.firewall.ask("firewall.show") if r["what"] == "tcp 2022"]
    assert {r["from"] for r in shown} == {t.net.ip(3), v6} and {r["verdict"] for r in shown} == {"accept"}, shown
    write_conf(t, **PORTS, ssh_from="admin_hosts")
    t.lockout.process.send_signal(signal.SIGHUP)

    async def refused():
        return "nobody could log in by SSH" in t.lockout.tail()
    await poll(refused, "a door that would be shut for everybody")
    write_conf(t, **PORTS, admin_hosts=t.net.ip(3))
    t.lockout.process.send_signal(signal.SIGHUP)
    tcp = Tcp(t.net.ip(4))

    async def opened():
        return tcp.is_through(2022)
    await poll(opened, "SSH for everybody")


@scene(start=False)
async def test_the_rules_are_what_nft_lists(t):
    """The table as another program reads it from the kernel, and `firewall show` says the same."""
    await t.lockout.start()
    listed = t.wall.run("nft", "list", "ruleset")
    for part in (
            "table inet tandem {",
            "type filter hook input priority filter; policy drop;",
            "type filter hook forward priority filter; policy drop;",
            "type filter hook prerouting priority raw; policy accept;",
            "ip saddr @ban4 counter", "ip6 saddr & ffff:ffff:ffff:ffff:: == @ban6 counter",
            "udp dport 10000-20000 counter packets 0 bytes 0 notrack",
            "tcp dport 2222 counter packets 0 bytes 0 accept comment \"SSH\"",
            "ct state established,related counter"):
        assert part in listed, f"{part!r} is not in\n{listed}"
    assert listed.count("table ") == 1
    door = listed[listed.index("chain door"):listed.index("chain input")]
    assert door.index("@exempt4") < door.index("@ban4"), door
    shown = await t.firewall.ask("firewall.show")
    assert len(shown) == listed.count(" comment "), (len(shown), listed)
    assert any(r["verdict"] == "accept" and r["what"] == "tcp 2222" and r["why"] == "SSH" for r in shown)
    status, out, err = await t.switch.cli("firewall", "show")
    assert status == 0 and "everything else" in out, (status, out, err)


# Opens what its words say: proto, host, port; says whether something of it arrived outside.
CALL_OUT = """
import socket, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET, kind)
s.settimeout(float(sys.argv[4]))
try:
    s.connect((sys.argv[2], int(sys.argv[3])))
    s.send(b"x")
    print(s.recv(1).decode())
except OSError as e:
    print(type(e).__name__)
"""


class Outside:
    """Answers whoever asks, by TCP and UDP, on both families."""

    def __init__(self, *hosts):
        self.tcp = [socket.create_server((h, 0), family=socket.AF_INET6 if ":" in h else socket.AF_INET) for h in hosts]
        self.port = {h: s.getsockname()[1] for h, s in zip(hosts, self.tcp)}
        self.udp = []
        for h in hosts:
            s = socket.socket(socket.AF_INET6 if ":" in h else socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((h, self.port[h]))
            self.udp.append(s)
        for s in self.tcp:
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()
        for s in self.udp:
            threading.Thread(target=self.echo, args=(s,), daemon=True).start()

    @staticmethod
    def accept(s):
        while True:
            c, _ = s.accept()
            c.sendall(c.recv(1))
            c.close()

    @staticmethod
    def echo(s):
        while True:
            data, peer = s.recvfrom(100)
            s.sendto(data, peer)


async def test_programs_without_business_outside_do_not_get_there(t):
    """H2, output: a user that is none of those who need it reaches nobody, by TCP or UDP, IPv4 or IPv6; who needs it does, an answer on
    a connection that was let in goes out whoever sends it, and `firewall show` counts what was kept in."""
    await t.lockout.start()
    hosts = (t.net.ip(7), "fd00:a::2")
    outside = Outside(*hosts)

    def call(user, proto, host, within):
        drop = ["setpriv", "--reuid", str(user), "--clear-groups"]
        return t.wall.run(*drop, sys.executable, "-c", CALL_OUT, proto, host, str(outside.port[host]), str(within)).strip()

    async def kept_in():
        return sum(r["packets"] for r in await t.firewall.ask("firewall.show") if "no business" in r["why"])
    for host in hosts:
        for proto in ("tcp", "udp"):
            assert await asyncio.to_thread(call, 0, proto, host, 10) == "x", (proto, host)
            before = await kept_in()
            assert await asyncio.to_thread(call, 65534, proto, host, 1) != "x", (proto, host)
            assert await kept_in() > before, (proto, host)
    caller, _ = await t.plain()  # and calls are made beside it
    call = caller.invite("88017")
    await call.expect(200)
    await call.hang_up()


async def test_ports_follow_the_configuration(t):
    """A new range of switchd, a new tandem.conf and SIGHUP: rules change, a broken file changes none."""
    await t.lockout.start()
    udp = Udp(t.net.ip(2))

    async def through(port, wanted):
        async def look():
            return udp.is_through(port) is wanted
        await poll(look, f"port {port} {'open' if wanted else 'closed'}")
    await through(15000, True)
    await t.set("SS_MEDIA_PORT_RANGE", "30000,30999")
    await through(30500, True)
    await through(15000, False)
    write_conf(t, **PORTS)
    t.lockout.process.send_signal(signal.SIGHUP)
    tcp = Tcp(t.net.ip(3))

    async def moved():
        return tcp.is_through(2022)
    await poll(moved, "the new SSH port")
    assert not Tcp(t.net.ip(4)).is_through(2222)
    assert udp.is_through(30500), "switchd's range is the one that counts"
    write_conf(t, sip_port="everything")
    t.lockout.process.send_signal(signal.SIGHUP)

    async def refused():
        return "not reloaded" in t.lockout.tail()
    await poll(refused, "refusal of the broken file")
    assert Tcp(t.net.ip(5)).is_through(2022)


class Traffic(threading.Thread):
    """Round after round: a banned host, a closed port, and an open one whose answer ends the round."""

    def __init__(self, banned, stranger):
        super().__init__(daemon=True)
        self.banned, self.stranger = Udp(banned), Udp(stranger)
        self.rounds, self.lost, self.over = 0, 0, threading.Event()

    def run(self):
        while not self.over.is_set():
            port = 12000 + self.rounds % 500  # in every range that the test sets
            self.stranger.answered.discard(port)
            self.banned.send(port)
            self.stranger.send(9)
            self.stranger.send(port)
            self.lost += not self.stranger.until(port)
            self.banned.read()
            self.rounds += 1

    def end(self):
        self.over.set()
        self.join()
        return self.rounds


async def test_no_moment_is_open_or_closed(t):
    """Reloads and restarts, SIGKILL among them, under traffic: nothing slips in, nothing is kept out."""
    await t.lockout.start()
    await t.firewall.ask("ban.add", address=t.net.ip(9), seconds=600)
    traffic = Traffic(t.net.ip(9), t.net.ip(10))
    traffic.start()

    async def turns(least):
        async def passed():
            return traffic.rounds >= least
        await poll(passed, f"{least} rounds of traffic")
    for i in range(20):
        await t.set("SS_MEDIA_PORT_RANGE", f"{11000 + i},20000")
        await turns(traffic.rounds + 20)
    for i in range(6):
        if i % 2:
            await t.lockout.stop()
        else:
            t.lockout.kill()
        await turns(traffic.rounds + 20)
        await t.lockout.start()
        await turns(traffic.rounds + 20)
    t.lockout.process.send_signal(signal.SIGHUP)
    await turns(traffic.rounds + 20)
    rounds = traffic.end()
    assert traffic.lost == 0, f"{traffic.lost} of {rounds} rounds kept out"
    assert 9 not in traffic.stranger.answered, "a closed port answered"
    assert not traffic.banned.answered, "a banned host got through"
    assert (await t.ban(t.net.ip(9)))["state"] == "banned"
    assert os.path.exists(os.path.join(t.lockout.data, "bans.jsonl"))
