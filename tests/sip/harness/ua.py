"""The two ends a test plays: Caller (a customer's gateway) and Carrier (a vendor's)."""

import asyncio

from . import digest, net, plans, sip
from .peer import Peer
from .session import Session
from .watch import DEADLINE
from .wire import now


class Call(Session):
    """A call that we make. answer is the final response, after any digest exchange."""

    def __init__(self, peer, call_id, flow):
        super().__init__(peer, call_id, flow)
        self.txn = self.answer = self.answered_at = None
        self.provisional = []     # (time, message) of every 1xx
        self.ok_times = []        # every 2xx that came, repeats too
        self.challenges = []
        self.credentials = None
        self.send_ack = True      # False: the caller that never acknowledges
        self.give_up = False      # True: the CANCEL of RFC 3261 waits for the first 1xx
        self.invite_headers, self.callee = (), None

    @property
    def ok(self):
        return self.answer is not None and self.answer.code == 200

    def to_tags(self):
        """Every To tag the switch used on this call: one, if it hides what is behind it."""
        return {m.to_tag for _, m in self.provisional if m.to_tag} | (
            {self.answer.to_tag} if self.answer else set())

    def on_response(self, txn, msg):
        if txn is not self.txn:
            return
        if msg.code < 200:
            self.provisional.append((now(), msg))
            if self.give_up:
                self._send_cancel()
        elif msg.code < 300:
            self._accepted(msg)
        elif msg.code in (401, 407) and self.credentials and len(self.challenges) < self.tries:
            self.challenges.append(msg)
            self._try_again(msg)
        else:
            self.answer, self.answered_at = msg, now()
        self.changed()

    def _accepted(self, msg):
        self.ok_times.append(now())
        if not self.answer:
            self.answer, self.answered_at, self.ok_at = msg, now(), now()
            self.remote, self.target = msg.get("To"), msg.contact
            self.route = [r.strip() for v in reversed(msg.all("Record-Route")) for r in v.split(",")]
            self.remote_sdp = msg.sdp
        if self.send_ack:
            self.send_an_ack()

    def send_an_ack(self):
        self.acked = self.acked or now()
        self.peer.send(self.build("ACK", self.txn.msg.cseq[0]), self.next_hop())

    def _try_again(self, challenge):
        """The same INVITE with credentials: next CSeq, same Call-ID and From tag."""
        headers = list(self.invite_headers)
        headers.append(digest.answer(challenge, "INVITE", self.txn.msg.uri, *self.credentials))
        self.peer.send_invite(self, self.txn.msg.uri, headers)

    def cancel(self):
        """CANCEL now if a 1xx came, else with the first that comes."""
        if self.provisional:
            self._send_cancel()
        else:
            self.give_up = True

    def _send_cancel(self):
        self.give_up = False
        inv = self.txn.msg
        headers = [("Via", inv.get("Via"))] + [("Route", r) for r in inv.all("Route")]
        headers += [("Max-Forwards", 70), ("From", inv.get("From")), ("To", inv.get("To")),
                    ("Call-ID", inv.call_id), ("CSeq", f"{inv.cseq[0]} CANCEL")]
        self.cancel_txn = self.peer.request(sip.Message("CANCEL", inv.uri, headers=headers), self.txn.flow)

    async def final(self, within=DEADLINE):
        """The final answer to the INVITE."""
        return await self.until(lambda: self.answer, "final answer to INVITE", within)

    async def expect(self, code, within=DEADLINE):
        answer = await self.final(within)
        assert answer.code == code, f"{self}: got {answer.code} {answer.reason}, expected {code}"
        return answer

    async def rings(self, code=180, within=DEADLINE):
        """The first provisional answer of that code."""
        def found():
            assert not self.answer or any(m.code == code for _, m in self.provisional), \
                f"{self}: {self.answer.code} {self.answer.reason} before {code}"
            return next((m for _, m in self.provisional if m.code == code), None)
        return await self.until(found, f"{code}", within)


class Caller(Peer):
    """Sends calls to one switch. switch is its (ip, port)."""

    def __init__(self, name, ip, wire, switch):
        super().__init__(name, ip, wire)
        self.switch = self.home = switch
        self.calls = []

    def invite(self, callee, flow=None, caller="1001", sdp="default", headers=(), uri=None, to=None,
               credentials=None, tries=1, call_id=None, ack=True, from_value=None):
        """Starts a call over UDP, or over the TCP flow given. sdp=None makes a late offer."""
        call = Call(self, call_id or f"{sip.token()}@{self.ip}", flow or self.udp.to(self.switch))
        host = f"{net.host(self.switch[0])}:{self.switch[1]}"
        call.callee, call.credentials, call.tries, call.send_ack = callee, credentials, tries, ack
        call.local = f"{from_value or f'<sip:{caller}@{net.host(self.ip)}>'};tag={call.tag}"
        call.remote = to or f"<sip:{callee}@{host}>"
        call.sdp = sip.Sdp(self.ip, 40000) if sdp == "default" else sdp
        call.invite_headers = headers
        call.open()
        self.calls.append(call)
        self.send_invite(call, uri or f"sip:{callee}@{host}", headers)
        return call

    def send_invite(self, call, uri, headers):
        call.cseq += 1
        body = call.sdp.encode() if call.sdp else b""
        base = [("Via", self.via(call.flow)), ("Max-Forwards", 70), ("From", call.local),
                ("To", call.remote), ("Call-ID", call.call_id), ("CSeq", f"{call.cseq} INVITE"),
                ("Contact", self.contact(call.flow))]
        base = [h for h in base if h[0] not in {sip.canonical(n) for n, _ in headers}]
        if body:
            base.append(("Content-Type", "application/sdp"))
        msg = sip.Message("INVITE", uri, headers=base + list(headers), body=body)
        call.invited = call.invited or now()
        call.txn = None
        call.txn = self.request(msg, call.flow, call.on_response)

    async def tcp_flow(self):
        return await self.tcp.connect(self.switch)

    async def place(self, callee, hold=0.0, **options):
        """A whole good call: INVITE, 200, ACK, hold seconds of talk, BYE, 200."""
        call = self.invite(callee, **options)
        await call.expect(200)
        await asyncio.sleep(hold)  # the talk itself
        await call.hang_up()
        return call

    def ask(self, method, uri=None, headers=(), flow=None, body=b"", kind=None):
        """A request outside every dialog, such as OPTIONS; returns its transaction."""
        flow = flow or self.udp.to(self.switch)
        uri = uri or f"sip:{net.host(self.switch[0])}:{self.switch[1]}"
        base = [("Via", self.via(flow)), ("Max-Forwards", 70),
                ("From", f"<sip:1001@{net.host(self.ip)}>;tag={sip.token()}"), ("To", f"<{uri}>"),
                ("Call-ID", f"{sip.token()}@{self.ip}"), ("CSeq", f"1 {method}"),
                ("Contact", self.contact(flow))]
        base = [h for h in base if h[0] not in {sip.canonical(n) for n, _ in headers}]
        if kind:
            base.append(("Content-Type", kind))
        return self.request(sip.Message(method, uri, headers=base + list(headers), body=body), flow)


class Leg(Session):
    """A call that came to us as the vendor."""

    def __init__(self, peer, txn):
        msg = txn.msg
        super().__init__(peer, msg.call_id, txn.flow)
        self.server, self.invite, self.task = txn, msg, None
        self.first = txn
        self.invited, self.remote_cseq = now(), msg.cseq[0]
        self.local, self.remote = f"{msg.get('To')};tag={self.tag}", msg.get("From")
        self.target = msg.contact
        self.route = [r.strip() for v in msg.all("Record-Route") for r in v.split(",")]
        self.callee, self.caller = sip.user_of(msg.uri), sip.user_of(sip.uri_of(msg.get("From")))
        self.remote_sdp = msg.sdp
        self.sdp = sip.Sdp(peer.ip, 50000, payloads=(8, 101))
        self.cancelled = self.refused = None
        self.heed_cancel = True  # False: the vendor that answers 200 all the same
        self.final_sent = False
        self.open()

    def reply(self, code, reason=None, headers=(), sdp=None):
        """A provisional or refusing answer."""
        if self.final_sent:
            return
        self.final_sent = code >= 200
        if code >= 300:
            self.refused = code
        extra = [("Contact", self.peer.contact(self.first.flow))] if code < 300 else []
        body = sdp.encode() if sdp else b""
        if body:
            extra.append(("Content-Type", "application/sdp"))
        tag = self.tag if code > 100 else None
        self.first.reply(self.invite.reply(code, reason, tag, extra + list(headers), body))
        self.changed()

    def accept(self, sdp="own", headers=()):
        """200 with our description."""
        if self.final_sent:
            return
        self.final_sent = True
        self.ok_at = now()
        self.send_ok(self.first, self.sdp if sdp == "own" else sdp, headers)
        self.changed()

    def on_cancel(self, txn):
        self.cancelled = now()
        txn.reply(txn.msg.reply(200, tag=self.tag))
        if self.heed_cancel:
            self.reply(487)
        self.changed()

    async def ack(self, within=DEADLINE):
        return await self.until(lambda: self.acked, "ACK of the 200", within)

    async def cancel(self, within=DEADLINE):
        return await self.until(lambda: self.cancelled, "CANCEL", within)


class Carrier(Peer):
    """Takes calls by a plan (plans.py): a coroutine over each leg."""

    def __init__(self, name, ip, wire):
        super().__init__(name, ip, wire)
        self.plan, self.plans = plans.answer(), {}
        self.legs = []
        self.options, self.options_code = [], 200  # OPTIONS that came; None: they get no answer
        self.registrar = None                      # takes REGISTERs (registrar.py)

    def on(self, callee, plan):
        """A plan for one called number."""
        self.plans[callee] = plan
        return self

    def on_new(self, txn):
        if txn.msg.method == "OPTIONS":
            self.options.append(txn.msg)
            if self.options_code:
                txn.reply(txn.msg.reply(self.options_code, tag=sip.token()))
            self.changed()
            return
        if txn.msg.method == "REGISTER" and self.registrar:
            self.registrar.received(txn)
            self.changed()
            return
        if txn.msg.method != "INVITE":
            super().on_new(txn)
            return
        leg = Leg(self, txn)
        self.legs.append(leg)
        plan = self.plans.get(leg.callee, self.plan)
        leg.task = self.loop.create_task(plan(leg))
        leg.task.add_done_callback(self._plan_done)
        self.changed()

    def _plan_done(self, task):
        if not task.cancelled() and task.exception():
            self.fault(f"plan failed: {task.exception()!r}")

    async def leg(self, callee=None, nth=0, within=DEADLINE):
        """The nth call that came (to that number)."""
        def found():
            legs = [x for x in self.legs if callee in (None, x.callee)]
            return legs[nth] if len(legs) > nth else None
        return await self.until(found, f"INVITE for {callee or 'any number'} (#{nth + 1})", within)

    def close(self):
        for leg in self.legs:
            if leg.task:
                leg.task.cancel()
        super().close()
