"""Single packets at the wall, and what comes back.

A port that the firewall lets through answers in any case, though nobody listens there: TCP with RST,
UDP with ICMP port unreachable. What it drops is silent. That nothing came is shown by an answer to a
later packet: the cable keeps the order.
"""

import select
import socket
import struct

from wall import MACHINE, MACHINE6

ROOM = 64 << 20
SYN, RST, ACK = 2, 4, 16
SO_RCVBUFFORCE = 33
IPV6_CHECKSUM = 7
WITHIN = 15


def family_of(source):
    return socket.AF_INET6 if ":" in source else socket.AF_INET


def machine(source):
    return MACHINE6 if ":" in source else MACHINE


def raw(source, protocol):
    s = socket.socket(family_of(source), socket.SOCK_RAW, protocol)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
    s.bind((source, 0))
    s.setblocking(False)
    return s


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Prober:
    """Probes from one address; replies() are the ports that have answered so far."""

    def __init__(self, source):
        self.source, self.to = source, machine(source)
        self.answered = set()

    def send_all(self, ports):
        for n, port in enumerate(ports):
            self.send(port)
            if n % 256 == 0:
                self.read()

    def read(self, wait=0.0):
        """Takes in what is there; true if it was anything."""
        if not select.select([self.listener], [], [], wait)[0]:
            return False
        while True:
            try:
                port = self.port_of(self.listener.recv(2048))
            except BlockingIOError:
                return True
            if port:
                self.answered.add(port)

    def until(self, port):
        """Reads until that port has answered; false if it does not."""
        while port not in self.answered:
            if not self.read(WITHIN):
                return False
        return True

    def scan(self, ports, sentinel):
        """Those of the ports that answer. sentinel: one that does, and is sent last."""
        self.answered.clear()
        self.send_all(p for p in ports if p != sentinel)
        self.send(sentinel)
        assert self.until(sentinel), f"no answer from {sentinel}, which is open"
        return set(self.answered) - ({sentinel} - set(ports))

    def is_through(self, port):
        """One packet to a port that nobody listens on: does the firewall let it in?"""
        self.answered.clear()
        self.send(port)
        return self.read(0.3) and port in self.answered

    def close(self):
        self.listener.close()


class Udp(Prober):
    def __init__(self, source):
        super().__init__(source)
        self.is_v6 = ":" in source
        self.listener = raw(source, socket.IPPROTO_ICMPV6 if self.is_v6 else socket.IPPROTO_ICMP)
        self.sock = socket.socket(family_of(source), socket.SOCK_DGRAM)
        self.sock.bind((source, 0))

    def send(self, port):
        try:
            self.sock.sendto(b"probe", (self.to, port))
        except ConnectionError:
            self.sock.sendto(b"probe", (self.to, port))

    def port_of(self, packet):
        """Of the packet that an ICMP error is about, the port it was for."""
        if self.is_v6:
            return struct.unpack_from("!H", packet, 8 + 40 + 2)[0] if packet[:2] == b"\x01\x04" else None
        icmp = packet[(packet[0] & 15) * 4:]
        return struct.unpack_from("!H", icmp, 8 + 20 + 2)[0] if icmp[:2] == b"\x03\x03" else None


class Tcp(Prober):
    PORT = 40000

    def __init__(self, source):
        super().__init__(source)
        self.is_v6 = ":" in source
        self.listener = raw(source, socket.IPPROTO_TCP)
        if self.is_v6:
            self.listener.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, 16)

    def send(self, port):
        head = struct.pack("!HHIIBBHHH", self.PORT, port, port, 0, 5 << 4, SYN, 1024, 0, 0)
        if not self.is_v6:
            pseudo = (socket.inet_aton(self.source) + socket.inet_aton(self.to)
                      + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head)))
            head = head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
        self.listener.sendto(head, (self.to, 0))

    def port_of(self, packet):
        tcp = packet if self.is_v6 else packet[(packet[0] & 15) * 4:]
        source, port, _seq, _ack, _offset, flags = struct.unpack_from("!HHIIBB", tcp)
        return source if port == self.PORT and flags & (RST | ACK) else None


def forge(source, payload, port=5060, count=1):
    """UDP with somebody else's address written on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        udp = struct.pack("!HHHH", 5060, port, 8 + len(payload), 0) + payload
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                           socket.inet_aton(source), socket.inet_aton(MACHINE))
        for _ in range(count):
            s.sendto(head + udp, (MACHINE, 0))
