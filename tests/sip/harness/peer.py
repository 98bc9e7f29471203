"""A SIP end on one address: sockets, transactions of RFC 3261 §17, and a check of all it receives."""

import asyncio

from . import net, sip
from .watch import Watch, DEADLINE
from .wire import now

T1, T2, GIVE_UP = 0.5, 4.0, 32.0


class ClientTxn(Watch):
    """A request of ours: repeated on UDP until something comes back, all answers kept."""

    def __init__(self, peer, msg, flow, on_response=None):
        super().__init__()
        self.peer, self.msg, self.flow, self.on_response = peer, msg, flow, on_response
        self.responses, self.final, self.final_at = [], None, None
        self.sent, self.sent_at, self.timed_out = 0, None, False
        self._timer = None
        self._wait = T1

    def __repr__(self):
        return f"{self.peer.name} {self.msg.brief()}"

    def start(self):
        self.sent_at = now()
        self._send()

    def _send(self):
        if self.final or self.timed_out:
            return
        if now() - self.sent_at > GIVE_UP:
            self.timed_out = True
            self.changed()
            return
        self.sent += 1
        self.peer.send(self.msg, self.flow)
        if not self.flow.reliable:
            self._timer = self.peer.loop.call_later(self._wait, self._send)
            self._wait = self._wait * 2 if self.msg.method == "INVITE" else min(self._wait * 2, T2)

    def stop(self):
        """No more repeats: answered, or given up by the test."""
        if self._timer:
            self._timer.cancel()

    def received(self, msg):
        self._check(msg)
        self.responses.append(msg)
        if msg.code >= 200 or self.msg.method == "INVITE":
            self.stop()
        if msg.code >= 200 and not self.final:
            self.final, self.final_at = msg, now()
        if msg.code >= 300 and self.msg.method == "INVITE":
            self.peer.send(self._ack(msg), self.flow)
        if self.on_response:
            self.on_response(self, msg)
        self.changed()

    def _ack(self, response):
        """ACK of a non-2xx: the INVITE's own branch and Route."""
        inv = self.msg
        headers = [("Via", inv.get("Via"))] + [("Route", r) for r in inv.all("Route")]
        headers += [("Max-Forwards", 70), ("From", inv.get("From")), ("To", response.get("To")),
                    ("Call-ID", inv.call_id), ("CSeq", f"{inv.cseq[0]} ACK")]
        return sip.Message("ACK", inv.uri, headers=headers)

    def _check(self, msg):
        """A response carries back what the request said."""
        fault = self.peer.fault
        if len(msg.all("Via")) != 1:
            fault(f"{msg.code} with {len(msg.all('Via'))} Via")
        if sip.split_params(msg.get("Via"))[0] != sip.split_params(self.msg.get("Via"))[0]:
            fault(f"{msg.code} with another Via: {msg.get('Via')}")
        for name in ("From", "Call-ID", "CSeq"):
            if msg.get(name) != self.msg.get(name):
                fault(f"{msg.code}: {name} was {self.msg.get(name)!r}, came back {msg.get(name)!r}")
        if self.msg.to_tag and msg.to_tag != self.msg.to_tag:
            fault(f"{msg.code} in a dialog with another To tag: {msg.to_tag}")
        if self.final and msg.code >= 200 and msg.code != self.final.code:
            fault(f"second final answer {msg.code} after {self.final.code}")
        if self.final and msg.code < 200:
            fault(f"{msg.code} after the final {self.final.code}")

    async def response(self, within=DEADLINE):
        """The final answer."""
        return await self.until(lambda: self.final, "final answer", within)


class ServerTxn:
    """A request to us: repeats get the last answer again; a refusal is repeated until its ACK."""

    def __init__(self, peer, msg, flow, data):
        self.peer, self.msg, self.flow, self.data = peer, msg, flow, data
        self.last, self.repeats, self.acked = None, 0, None
        self._timer = None
        self._wait = T1

    def again(self, data):
        self.repeats += 1
        if data != self.data:
            self.peer.fault(f"repeated {self.msg.method} differs from the first")
        if self.last:
            self.peer.send(self.last, self.flow)

    def reply(self, msg):
        self.last = msg
        self.peer.send(msg, self.flow)
        if msg.code >= 300 and self.msg.method == "INVITE" and not self.flow.reliable:
            self._timer = self.peer.loop.call_later(self._wait, self._repeat)

    def _repeat(self):
        self.peer.send(self.last, self.flow)
        self._wait = min(self._wait * 2, T2)
        if self._wait <= T2 and not self.acked:
            self._timer = self.peer.loop.call_later(self._wait, self._repeat)

    def ack(self):
        self.acked = self.acked or now()
        self.stop()

    def stop(self):
        if self._timer:
            self._timer.cancel()


class Peer(Watch):
    """Sockets and dispatch. Sessions register under (call_id, own tag) in self.sessions."""

    def __init__(self, name, ip, wire):
        super().__init__()
        self.name, self.ip, self.wire = name, ip, wire
        self.udp = self.tcp = self.tls = None
        self.clients, self.servers, self.sessions = {}, {}, {}
        self.deaf = False      # True: hears nothing (still recorded)
        self.lose = None       # f(message) -> True: that datagram never arrives
        self.strangers = []    # requests that belong to nothing here
        self.unasked = []      # responses that belong to nothing here
        self.home = None       # (ip, port) of the switch: nothing else may write to us

    def __repr__(self):
        return self.name

    async def open(self, port=0, tcp=True):
        """One port for UDP and TCP."""
        self.loop = asyncio.get_running_loop()
        port = port or net.free_port(self.ip)
        self.udp = net.UdpSocket(self.ip, port, self.received)
        if tcp:
            self.tcp = await net.TcpServer(self.ip, port, self.received).open()
        return self

    @property
    def port(self):
        return self.udp.address[1]

    @property
    def address(self):
        return f"{net.host(self.ip)}:{self.port}"

    def close(self):
        for txn in list(self.clients.values()) + list(self.servers.values()):
            txn.stop()
        for session in self.sessions.values():
            session.stop()
        self.udp.close()
        for server in (self.tcp, self.tls):
            if server:
                server.close()

    def fault(self, text):
        self.wire.fault(self.name, text)

    def send(self, msg, flow):
        data = msg if isinstance(msg, bytes) else msg.encode()
        self.wire.note(self.name, "out", flow.peer, data)
        flow.send(data)

    def via(self, flow, branch=None):
        return (f"SIP/2.0/{flow.transport} {net.host(self.ip)}:{flow.here[1]};rport;"
                f"branch={branch or sip.COOKIE + sip.token()}")

    def contact(self, flow=None, user="peer"):
        port = flow.here[1] if flow else self.port
        way = f";transport={flow.transport.lower()}" if flow and flow.reliable else ""
        return f"<sip:{user}@{net.host(self.ip)}:{port}{way}>"

    def request(self, msg, flow, on_response=None):
        """Sends a request as a client transaction of its own."""
        txn = ClientTxn(self, msg, flow, on_response)
        self.clients[(msg.branch, msg.method)] = txn
        txn.start()
        return txn

    def received(self, data, flow):
        self.wire.note(self.name, "in", flow.peer, data)
        if self.deaf:
            return
        if self.home and (flow.peer[0] if flow.reliable else flow.peer) not in (self.home, self.home[0]):
            self.fault(f"a message from {flow.peer}, not from the switch at {self.home}")
        try:
            msg = sip.parse(data)
        except sip.Malformed as e:
            self.fault(f"malformed: {e}: {data[:200]!r}")
            return
        if self.lose and self.lose(msg):
            return
        if msg.is_request:
            self._request(msg, flow, data)
        else:
            self._response(msg)
        self.changed()

    def _response(self, msg):
        txn = self.clients.get((msg.branch, msg.cseq[1]))
        if txn:
            txn.received(msg)
        else:
            self.unasked.append(msg)

    def _request(self, msg, flow, data):
        session = self.sessions.get((msg.call_id, msg.to_tag)) if msg.to_tag else None
        if msg.method == "ACK":
            txn = self.servers.get((msg.branch, "INVITE"))
            if txn and txn.last and txn.last.code >= 300:
                txn.ack()
            elif session:
                session.on_ack(msg)
            else:
                self.strangers.append(msg)
            return
        txn = self.servers.get((msg.branch, msg.method))
        if txn:
            txn.again(data)
            return
        txn = self.servers[(msg.branch, msg.method)] = ServerTxn(self, msg, flow, data)
        if msg.method == "CANCEL":
            self._cancel(txn)
        elif session:
            session.on_request(txn)
        elif msg.to_tag:
            txn.reply(msg.reply(481))
            self.strangers.append(msg)
        else:
            self.on_new(txn)

    def _cancel(self, txn):
        target = self.servers.get((txn.msg.branch, "INVITE"))
        session = target and next((s for s in self.sessions.values() if s.server is target), None)
        if not session:
            self.strangers.append(txn.msg)
            txn.reply(txn.msg.reply(481, tag=sip.token()))
            return
        if (txn.msg.uri, txn.msg.cseq[0]) != (target.msg.uri, target.msg.cseq[0]):
            self.fault("CANCEL does not repeat the INVITE's URI and CSeq")
        session.on_cancel(txn)

    def on_new(self, txn):
        """A request outside every dialog. Ends that take calls do more."""
        self.strangers.append(txn.msg)
        txn.reply(txn.msg.reply(200 if txn.msg.method == "OPTIONS" else 405, tag=sip.token()))
