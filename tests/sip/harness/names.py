"""A name server of the test's own: answers what it is told to, or keeps silent."""

import asyncio
import ipaddress
import struct

from .net import free_port

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
    """records: {(name, kind): [value, ...]}. mode: "answer", "silent" or "broken" (SERVFAIL). asked: every question by datagram,
    asked_by_tcp those by connections. cut: no answer fits a datagram; by TCP (tcp) it is whole ("answer"), never comes ("silent"), is
    followed by the end in its midst ("half"), too long ("long"), or there is nobody (refuse_tcp)."""

    def __init__(self):
        self.records, self.mode, self.asked, self.asked_by_tcp = {}, "answer", [], []
        self.cut, self.tcp = False, "answer"
        self.transport = self.server = None

    async def open(self, ip):
        loop = asyncio.get_running_loop()
        port = free_port(ip)
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(ip, port))
        self.server = await asyncio.start_server(self.on_connection, ip, port)
        return f"{ip}:{port}"

    def put(self, name, kind, *values):
        self.records[(name, kind)] = list(values)

    def answer_to(self, data, asked, cut):
        """Octets; None: it keeps silent."""
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        kind, _ = struct.unpack(">HH", data[at + 1:at + 5])
        name = ".".join(labels).lower()
        kind = next((k for k, n in TYPES.items() if n == kind), str(kind))
        asked.append((name, kind))
        if self.mode == "silent":
            return None
        found = self.records.get((name, kind), [])
        known = any(n == name for n, _ in self.records)
        code = 2 if self.mode == "broken" else 0 if known else 3
        found = [] if code or cut else found
        answers = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", TYPES[kind], 1, 1, len(d)) + d
                           for d in (data_of(kind, v) for v in found))
        head = data[:2] + struct.pack(">HHHHH", 0x8180 | code | (0x0200 if cut else 0), 1, len(found), 0, 0)
        return head + data[12:at + 5] + answers

    def datagram_received(self, data, addr):
        answer = self.answer_to(data, self.asked, self.cut)
        if answer is not None:
            self.transport.sendto(answer, addr)

    async def on_connection(self, reader, writer):
        try:
            data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            answer = self.answer_to(data, self.asked_by_tcp, False)
            if self.tcp == "silent":
                await reader.read()
            elif self.tcp == "half":
                writer.write(len(answer).to_bytes(2, "big") + answer[:-1])
            elif self.tcp == "long":
                writer.write((60000).to_bytes(2, "big") + answer)
                await reader.read()
            else:
                for piece in (len(answer).to_bytes(2, "big")[:1], len(answer).to_bytes(2, "big")[1:], answer[:20], answer[20:]):
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def refuse_tcp(self):
        self.server.close()
        self.server = None

    def close(self):
        if self.transport:
            self.transport.close()
        if self.server:
            self.server.close()
