"""Bytes in and out on loopback: UDP sockets, TCP connections, and a private /24 for each test.

A flow is where a message came from and where its answer goes: it has send(data), peer (address)
and reliable (TCP: nobody repeats).
"""

import asyncio
import fcntl
import os
import random
import socket
import tempfile

BUFFER = 4 << 20


class Subnet:
    """127.A.B.0/24 for one test alone, so that any number of tests and runs go side by side."""

    def __init__(self):
        folder = os.path.join(tempfile.gettempdir(), f"tandem-sip-nets.{os.getuid()}")
        os.makedirs(folder, exist_ok=True)
        for _ in range(1000):
            a, b = random.randint(1, 254), random.randint(0, 254)
            self._lock = open(os.path.join(folder, f"{a}.{b}"), "w", encoding="ascii")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                self._lock.close()
        else:
            raise RuntimeError("no free loopback network")
        self.base = f"127.{a}.{b}."

    def ip(self, last):
        return self.base + str(last)

    @property
    def cidr(self):
        return self.base + "0/24"


def family(ip):
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def host(ip):
    """As it stands in URIs and Via: with brackets if it is of IPv6."""
    return f"[{ip}]" if ":" in ip else ip


def free_port(ip):
    """A port that is free for UDP and TCP alike on that address."""
    for _ in range(200):
        with socket.socket(family(ip), socket.SOCK_DGRAM) as u, socket.socket(family(ip)) as t:
            u.bind((ip, 0))
            try:
                t.bind(u.getsockname())
            except OSError:
                continue
            return u.getsockname()[1]
    raise RuntimeError(f"no free port on {ip}")


class UdpSocket:
    """on_data(data, flow) for each datagram."""

    def __init__(self, ip, port, on_data):
        self.sock = socket.socket(family(ip), socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.sock.bind((ip, port))
        self.address = self.sock.getsockname()[:2]
        self.on_data = on_data
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.sock, self._readable)

    def _readable(self):
        for _ in range(64):
            try:
                data, addr = self.sock.recvfrom(65535)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue
            self.on_data(data, UdpFlow(self, addr[:2]))

    def to(self, addr):
        return UdpFlow(self, addr)

    def close(self):
        if self.sock.fileno() >= 0:
            self.loop.remove_reader(self.sock)
            self.sock.close()


class UdpFlow:
    reliable = False
    transport = "UDP"

    def __init__(self, udp, peer):
        self.udp, self.peer = udp, peer

    @property
    def here(self):
        return self.udp.address

    @property
    def local(self):
        return self.udp.address

    def send(self, data):
        if self.udp.sock.fileno() >= 0:
            self.udp.sock.sendto(data, self.peer)


class TcpFlow:
    """One connection, made by either side; cuts the stream into messages by Content-Length."""

    reliable = True

    def __init__(self, reader, writer, on_data, server):
        self.reader, self.writer, self.on_data = reader, writer, on_data
        self.transport, self.here = server.transport, server.address
        self.peer = writer.get_extra_info("peername")[:2]
        self.local = writer.get_extra_info("sockname")[:2]
        self.closed = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._read())
        self.received = 0

    async def _read(self):
        held = b""
        try:
            while data := await self.reader.read(65536):
                self.received += len(data)
                held += data
                while message := take_message(held):
                    held = held[len(message):]
                    if message.strip(b"\r\n"):
                        self.on_data(message, self)
        except ConnectionError:
            pass
        finally:
            if not self.closed.done():
                self.closed.set_result(None)

    def send(self, data):
        if not self.writer.is_closing():
            self.writer.write(data)

    def close(self):
        self.task.cancel()
        self.writer.close()


def take_message(held):
    """The first whole message of a stream, or b'' if more must come."""
    if held.startswith(b"\r\n"):
        return b"\r\n"
    end = held.find(b"\r\n\r\n")
    if end < 0:
        return b""
    length = 0
    for line in held[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"content-length", b"l"):
            length = int(value)
    whole = end + 4 + length
    return held[:whole] if len(held) >= whole else b""


class TcpServer:
    """Listens, and connects out from the same address (any port). accepts, connects: contexts of TLS."""

    def __init__(self, ip, port, on_data, accepts=None, connects=None):
        self.ip, self.port, self.on_data = ip, port, on_data
        self.accepts, self.connects = accepts, connects
        self.transport = "TLS" if accepts else "TCP"
        self.flows, self.server = [], None

    async def open(self):
        self.server = await asyncio.start_server(self._accept, self.ip, self.port, ssl=self.accepts)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    @property
    def address(self):
        return (self.ip, self.port)

    async def _accept(self, reader, writer):
        self._add(reader, writer)

    def _add(self, reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.flows.append(TcpFlow(reader, writer, self.on_data, self))
        return self.flows[-1]

    async def connect(self, addr, name=None, context=None):
        """A new connection from an ephemeral port of our address; by TLS to a host of that name."""
        secure = {"ssl": context or self.connects, "server_hostname": name or ""} if self.accepts else {}
        return self._add(*await asyncio.open_connection(*addr, local_addr=(self.ip, 0), **secure))

    def close(self):
        for flow in self.flows:
            flow.close()
        if self.server:
            self.server.close()
