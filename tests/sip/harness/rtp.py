"""Media ends: each numbers what it sends, so that the other can say exactly what arrived.

A payload is stream (8 bytes), number (4 bytes), then a pattern that depends on both: one changed
octet, one packet of another call, one packet twice, all show.
"""

import asyncio
import hashlib
import secrets
import socket
import struct

from . import net
from .watch import Watch, DEADLINE

SIZE = 160


def payload(stream, number):
    head = stream + struct.pack("!I", number)
    fill = hashlib.blake2s(head, digest_size=32).digest()
    return (head + fill * 5)[:SIZE]


class Media(Watch):
    """One RTP/RTCP port pair. send() to wherever the SDP of the other side says."""

    def __init__(self, ip, name="media", wire_ip=None):
        super().__init__()
        self.name, self.ip = name, ip
        self.stream, self.ssrc = secrets.token_bytes(8), secrets.randbits(32)
        self.seq, self.sent = secrets.randbits(16), 0
        self.rtcp_sent = []
        self.packets = []      # (payload, source address) as they came
        self.raw = []
        self.rtcp = []         # (datagram, source address)
        self.to = self.to_rtcp = None
        self.payload_type = 8
        self.bind(ip)

    def __repr__(self):
        return self.name

    def bind(self, ip):
        """An even port and the odd one above it."""
        for _ in range(200):
            port = net.free_port(ip) & ~1
            try:
                self.sock = net.UdpSocket(ip, port, self._rtp)
            except OSError:
                continue
            try:
                self.control = net.UdpSocket(ip, port + 1, self._rtcp)
                return
            except OSError:
                self.sock.close()
        raise RuntimeError("no free pair of ports")

    @property
    def port(self):
        return self.sock.address[1]

    def aim(self, sdp):
        """Sends to that description from now on."""
        self.to, self.to_rtcp = (sdp.ip, sdp.port), (sdp.ip, sdp.port + 1)
        return self

    def packet(self, number, seq=None):
        seq = (self.seq + number) & 0xffff if seq is None else seq
        head = struct.pack("!BBHII", 0x80, self.payload_type, seq, (number * SIZE) & 0xffffffff, self.ssrc)
        return head + payload(self.stream, number)

    def send(self, to=None):
        """The next packet."""
        self.sock.sock.sendto(self.packet(self.sent), to or self.to)
        self.sent += 1

    async def talk(self, count, interval=0.02):
        """count packets at that interval, which is what a voice stream is."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for i in range(count):
            self.send()
            await asyncio.sleep(max(0.0, start + (i + 1) * interval - loop.time()))

    def report(self):
        """An RTCP sender report; returned so that the other end can be asked for it."""
        data = struct.pack("!BBHIIIIII", 0x80, 200, 6, self.ssrc, 0x83AA7E80, len(self.rtcp_sent), 0,
                           self.sent, self.sent * SIZE)
        self.rtcp_sent.append(data)
        self.control.sock.sendto(data, self.to_rtcp)
        return data

    def _rtp(self, data, flow):
        self.raw.append(data)
        self.packets.append((data[12:], flow.peer))
        self.changed()

    def _rtcp(self, data, flow):
        self.rtcp.append((data, flow.peer))
        self.changed()

    async def heard(self, other, count, within=DEADLINE):
        """Waits until count packets came, then they must be exactly what other sent, in order."""
        await self.until(lambda: len(self.packets) >= count, f"{count} packets (has {len(self.packets)})",
                         within)
        want = [payload(other.stream, n) for n in range(count)]
        got = [p for p, _ in self.packets]
        assert got == want, f"{self}: {diagnose(got, other)}"

    def close(self):
        self.sock.close()
        self.control.close()


def diagnose(got, other):
    """Says in words how the packets differ from what was sent."""
    numbers = []
    for p in got:
        stream, number = p[:8], struct.unpack("!I", p[8:12])[0] if len(p) >= 12 else -1
        if stream != other.stream:
            numbers.append("alien")
        elif p != payload(stream, number):
            numbers.append(f"{number} damaged")
        else:
            numbers.append(number)
    return f"{len(got)} packets came of {other.sent} sent: {numbers[:60]}"


def closed_port(ip):
    """A port where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((ip, 0))
        return s.getsockname()[1]
