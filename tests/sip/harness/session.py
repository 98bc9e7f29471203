"""One call as one end sees it: the dialog, what happened when, and what can be done in it."""

from . import sip
from .peer import T1, T2
from .watch import Watch, DEADLINE
from .wire import now


class Session(Watch):
    """Times are of the wire record (None until it happened)."""

    def __init__(self, peer, call_id, flow):
        super().__init__()
        self.peer, self.call_id, self.flow = peer, call_id, flow
        self.tag = sip.token()
        self.local = self.remote = self.target = None  # From and To values as we send them; URI
        self.route, self.cseq, self.remote_cseq = [], 0, 0
        self.server = None                    # transaction of the INVITE that came to us
        self.sdp = self.remote_sdp = None
        self.invited = self.ok_at = self.acked = None
        self.bye_sent = self.bye_done = self.bye_seen = None
        self.bye = None                       # the BYE that came
        self.acks = []                        # every ACK that came for a 2xx
        self.requests = []                    # every other request in the dialog
        self.reinvites = []                   # re-INVITEs that came
        self.on_reinvite = None               # f(session, txn): default answers 200 with our SDP
        self.bye_code = 200                   # what a BYE to us is answered with; None = never
        self._ok = None
        self._timer = None

    def __repr__(self):
        return f"{self.peer.name} call {self.call_id[:20]}"

    def open(self):
        self.peer.sessions[(self.call_id, self.tag)] = self

    @property
    def up(self):
        return bool(self.ok_at) and not self.over

    @property
    def over(self):
        """A BYE went or came."""
        return bool(self.bye_sent or self.bye_seen)

    def stop(self):
        if self._timer:
            self._timer.cancel()
            self._timer = None

    # -- sending --------------------------------------------------------------------------------

    def next_hop(self):
        if self.flow.reliable:
            return self.flow
        uri = sip.uri_of(self.route[0]) if self.route else self.target
        return self.peer.udp.to(sip.host_port(uri))

    def build(self, method, cseq=None, headers=(), body=b"", branch=None):
        flow = self.next_hop()
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        base = [("Via", self.peer.via(flow, branch))] + [("Route", r) for r in self.route]
        base += [("Max-Forwards", 70), ("From", self.local), ("To", self.remote),
                 ("Call-ID", self.call_id), ("CSeq", f"{cseq} {method}")]
        if method == "INVITE":
            base.append(("Contact", self.peer.contact(flow)))
        if body:
            base.append(("Content-Type", "application/sdp"))
        return sip.Message(method, self.target, headers=base + list(headers), body=body)

    def request(self, method, headers=(), body=b"", on_response=None):
        return self.peer.request(self.build(method, None, headers, body), self.next_hop(), on_response)

    def send_bye(self):
        """Sends BYE and does not wait."""
        self.bye_sent = now()
        return self.request("BYE", on_response=self._bye_answered)

    def _bye_answered(self, _txn, msg):
        if msg.code >= 200 and not self.bye_done:
            self.bye_done = now()
            self.changed()

    async def hang_up(self, within=DEADLINE):
        """BYE and its answer, which must be 200."""
        answer = await self.send_bye().response(within)
        assert answer.code == 200, f"{self}: BYE answered {answer.code} {answer.reason}"
        return answer

    async def reinvite(self, sdp, within=DEADLINE):
        """A re-INVITE with that description; acknowledges and returns the final answer."""
        txn = self.request("INVITE", body=sdp.encode(), on_response=self._reinvite_answered)
        return await txn.response(within)

    def _reinvite_answered(self, txn, msg):
        if 200 <= msg.code < 300:
            self.remote_sdp = msg.sdp
            ack = self.build("ACK", txn.msg.cseq[0])
            self.peer.send(ack, self.next_hop())

    # -- receiving ------------------------------------------------------------------------------

    def on_request(self, txn):
        msg = txn.msg
        if msg.cseq[0] <= self.remote_cseq:
            self.peer.fault(f"{msg.method} in a dialog with CSeq {msg.cseq[0]} after {self.remote_cseq}")
        self.remote_cseq = max(self.remote_cseq, msg.cseq[0])
        self.requests.append(msg)
        if msg.method == "BYE":
            self._bye_came(txn)
        elif msg.method == "INVITE":
            self._reinvite_came(txn)
        else:
            txn.reply(msg.reply(200))
        self.changed()

    def _bye_came(self, txn):
        self.bye_seen = self.bye_seen or now()
        self.bye = txn.msg
        self.stop()
        if self.bye_code:
            txn.reply(txn.msg.reply(self.bye_code))

    def _reinvite_came(self, txn):
        self.server = txn
        self.reinvites.append(txn.msg)
        if txn.msg.body:
            self.remote_sdp = txn.msg.sdp
        if self.on_reinvite:
            self.on_reinvite(self, txn)
        else:
            self.send_ok(txn, self.sdp)

    def on_ack(self, msg):
        self.acks.append(msg)
        self.acked = self.acked or now()
        if msg.body:
            self.remote_sdp = msg.sdp
        if self._ok and msg.cseq[0] == self._ok[0].msg.cseq[0]:
            self.stop()
        self.changed()

    def on_cancel(self, txn):
        txn.reply(txn.msg.reply(200, tag=self.tag))

    def send_ok(self, txn, sdp, headers=(), contact=None):
        """200 to an INVITE or re-INVITE, repeated on UDP until its ACK (RFC 3261 §13.3.1.4)."""
        contact = [("Contact", contact or self.peer.contact(txn.flow))]
        body = sdp.encode() if sdp else b""
        kind = [("Content-Type", "application/sdp")] if body else []
        msg = txn.msg.reply(200, tag=self.tag, headers=contact + kind + list(headers), body=body)
        self._ok = (txn, msg)
        txn.reply(msg)
        if not txn.flow.reliable:
            self._wait, self._until = T1, now() + 32
            self._timer = self.peer.loop.call_later(T1, self._repeat_ok)

    def _repeat_ok(self):
        if now() > self._until:
            return
        txn, msg = self._ok
        self.peer.send(msg, txn.flow)
        self._wait = min(self._wait * 2, T2)
        self._timer = self.peer.loop.call_later(self._wait, self._repeat_ok)

    # -- waiting --------------------------------------------------------------------------------

    async def ended_by_peer(self, within=DEADLINE):
        """The BYE that the other side sent."""
        return await self.until(lambda: self.bye, "BYE", within)
