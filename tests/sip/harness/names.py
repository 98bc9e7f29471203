"""A name server of the test's own: answers what it is told to, or keeps silent."""

import asyncio
import ipaddress
import struct

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def wire_name(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


def text(s):
    return bytes([len(s)]) + s.encode()


def data_of(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "SRV":
        priority, weight, port, host = value
        return struct.pack(">HHH", priority, weight, port) + wire_name(host)
    order, preference, flags, service, target, *regexp = value
    return struct.pack(">HH", order, preference) + text(flags) + text(service) + text("".join(regexp)) + wire_name(target)


class Names(asyncio.DatagramProtocol):
    """records: {(name, kind): [value, ...]}. mode: "answer", "silent" or "broken" (SERVFAIL). asked: every question."""

    def __init__(self):
        self.records, self.mode, self.asked = {}, "answer", []
        self.transport = None

    async def open(self, ip):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(ip, 0))
        return "{}:{}".format(*self.transport.get_extra_info("sockname"))

    def put(self, name, kind, *values):
        self.records[(name, kind)] = list(values)

    def datagram_received(self, data, addr):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        kind, _ = struct.unpack(">HH", data[at + 1:at + 5])
        name = ".".join(labels).lower()
        kind = next((k for k, n in TYPES.items() if n == kind), str(kind))
        self.asked.append((name, kind))
        if self.mode == "silent":
            return
        found = self.records.get((name, kind), [])
        known = any(n == name for n, _ in self.records)
        code = 2 if self.mode == "broken" else 0 if known else 3
        answers = b"" if code else b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", TYPES[kind], 1, 1, len(d)) + d
            for d in (data_of(kind, v) for v in found))
        head = data[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 0 if code else len(found), 0, 0)
        self.transport.sendto(head + data[12:at + 5] + answers, addr)

    def close(self):
        if self.transport:
            self.transport.close()
