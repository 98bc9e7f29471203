"""A home router between a phone and the switch: the phone in a namespace of its own, our own namespace
is the router, with nftables for its NAT."""

import contextlib
import ctypes
import subprocess

from harness.rtp import Media, payload
from harness.switch import die_with_parent
from harness.ua import Caller
from wall import CLONE_NEWNET, ip

PHONE, PUBLIC, PUBLIC_MEDIA = "192.168.77.2", "10.9.0.20", "10.9.0.21"

# What is for the router itself is not answered: nothing but a mapping leads in.
TABLE = """
table ip home {
	chain pre { type nat hook prerouting priority dstnat; }
	chain post {
		type nat hook postrouting priority srcnat
		%s
	}
	chain in {
		type filter hook input priority filter
		ip daddr { 10.9.0.20, 10.9.0.21 } drop
	}
}
"""
# The port stays, and lets in whoever it was used towards.
RESTRICTED = "ip saddr 192.168.77.0/24 snat to 10.9.0.20"
# A port of its own for each destination.
SYMMETRIC = "ip saddr 192.168.77.0/24 ip protocol udp snat to 10.9.0.20:30000-60000 fully-random"
# Signalling and media leave by different addresses.
CGNAT = """ip saddr 192.168.77.0/24 udp dport 5060 snat to 10.9.0.20
		ip saddr 192.168.77.0/24 snat to 10.9.0.21"""
# Ports are opened one by one, for everybody (Nat.open).
FULL_CONE = ""

libc = ctypes.CDLL(None, use_errno=True)


def nft(text):
    subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)


class Nat:
    """t: a NetStage. Sockets of the phone are made inside and belong there ever after."""

    def __init__(self, t, rules):
        self.t = t
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"],
                                       stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self.holder.stdout.readline()
        t.keep(self)
        ip(f"link add lan0 type veth peer name eth0 netns {self.holder.pid}", "link set lan0 up",
           "addr add 192.168.77.1/24 dev lan0")
        subprocess.run(["nsenter", "-t", str(self.holder.pid), "-n", "ip", "-batch", "-"], check=True,
                       input=(f"link set lo up\nlink set eth0 up\naddr add {PHONE}/24 dev eth0\n"
                              "route add default via 192.168.77.1\n").encode())
        self.sysctl("net/ipv4/ip_forward", 1)
        nft(TABLE % rules)

    @staticmethod
    def sysctl(name, value):
        with open(f"/proc/sys/{name}", "w", encoding="ascii") as f:
            f.write(str(value))

    def forget_after(self, seconds):
        """A mapping that nobody uses for that long is gone."""
        for name in ("udp_timeout", "udp_timeout_stream"):
            self.sysctl(f"net/netfilter/nf_conntrack_{name}", seconds)

    def open(self, port, public):
        """A full cone: one public port for a port of the phone, whoever is at the other end."""
        nft(f"""
            add rule ip home pre ip daddr {PUBLIC} udp dport {public} dnat to {PHONE}:{port}
            add rule ip home post ip saddr {PHONE} udp sport {port} snat to {PUBLIC}:{public}
        """)

    @contextlib.contextmanager
    def inside(self):
        """Sockets that are made in here are the phone's. Nothing may be awaited."""
        with open("/proc/thread-self/ns/net", "rb") as back, open(f"/proc/{self.holder.pid}/ns/net", "rb") as there:
            self._enter(there)
            try:
                yield
            finally:
                self._enter(back)

    @staticmethod
    def _enter(namespace):
        if libc.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    async def phone(self, **gateway):
        """A customer's phone that calls through the router: its Via, Contact and SDP name its own address."""
        peer = Caller("phone", PHONE, self.t.wire, self.t.address)
        peer.home = self.t.address
        with self.inside():
            await peer.open(5060, tcp=False)  # without TCP it awaits nothing
        self.t.peers.append(peer)
        await self.t.customer(peer, **{"address": [PUBLIC], **gateway})
        return peer

    def media(self):
        with self.inside():
            return self.t.keep(Media(PHONE, "phone's media"))

    def close(self):
        self.holder.kill()
        self.holder.wait()


async def hears(media, other, count):
    """The next `count` packets of the other arrive, whole and in order, and nothing but them."""
    before, first = len(media.packets), other.sent
    await other.talk(count)
    await media.until(lambda: len(media.packets) >= before + count, f"{count} packets of {other}")
    got = [p for p, _ in media.packets[before:]]
    assert got == [payload(other.stream, n) for n in range(first, first + count)], f"{media} heard others"


def sources(media):
    return {address for _, address in media.packets}


