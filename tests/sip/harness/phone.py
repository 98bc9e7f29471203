"""A phone: registers, calls and takes calls, all from one address."""

from . import digest, sip
from .ua import Caller, Carrier
from .watch import poll


class Phone(Caller, Carrier):
    """number and password as the switch knows them. raw: datagrams that are no SIP."""

    def __init__(self, name, ip, wire, switch, number, password):
        super().__init__(name, ip, wire, switch)
        self.number, self.password = number, password
        self.call_id, self.reg_cseq = f"{sip.token()}@{self.ip}", 0
        self.raw, self.options = [], []
        self.answers_options = True
        self.algorithm = "MD5"

    def received(self, data, flow):
        if b"SIP/2.0" not in data:
            self.raw.append((data, flow.peer))
            self.changed()
            return
        super().received(data, flow)

    def on_new(self, txn):
        if txn.msg.method == "OPTIONS":
            self.options.append(txn.msg)
            if not self.answers_options:
                return
        super().on_new(txn)

    def own(self, params="", port=None, user=None):
        """A Contact of ours."""
        return f"<sip:{user or self.number}@{self.ip}:{port or self.port}>{params}"

    def send_register(self, contacts=None, headers=(), flow=None, cseq=None, call_id=None, to=None, via=None):
        """One REGISTER, as it is; returns its transaction. contacts None: our own, [] a query."""
        flow = flow or self.udp.to(self.switch)
        if cseq is None:
            self.reg_cseq += 1
            cseq = self.reg_cseq
        host = self.switch[0]
        who = f"<sip:{to or self.number}@{host}>"
        base = [("Via", via or self.via(flow)), ("Max-Forwards", 70), ("From", f"{who};tag={sip.token()}"),
                ("To", who), ("Call-ID", call_id or self.call_id), ("CSeq", f"{cseq} REGISTER")]
        base += [("Contact", c) for c in ([self.own()] if contacts is None else contacts)]
        return self.request(sip.Message("REGISTER", f"sip:{host}", headers=base + list(headers)), flow)

    async def ask_register(self, contacts=None, headers=(), password=None, lies=(), cseq=None, **options):
        """REGISTER, its challenge and the answer to it: the final response."""
        if cseq is not None:
            options["cseq"] = cseq
        first = await self.send_register(contacts, headers, **options).response()
        if first.code not in (401, 407):
            return first
        header = digest.answer(first, "REGISTER", f"sip:{self.switch[0]}", self.number,
                               password or self.password, self.algorithm, **dict(lies))
        if cseq is not None:
            options["cseq"] = cseq + 1
        return await self.send_register(contacts, list(headers) + [header], **options).response()

    async def register(self, contacts=None, headers=(), expires=None, **options):
        """The 200, with what is bound by then."""
        if expires is not None:
            headers = list(headers) + [("Expires", expires)]
        answer = await self.ask_register(contacts, headers, **options)
        assert answer.code == 200, answer.start_line()
        return answer

    def call(self, callee, **options):
        """An INVITE with our password at hand."""
        return self.invite(callee, caller=self.number, credentials=(self.number, self.password, self.algorithm),
                           **options)


def bound(answer):
    """{contact URI: seconds left} of a 200 to REGISTER."""
    found = {}
    for value in answer.all("Contact"):
        found[sip.uri_of(value)] = int(sip.param(value, "expires"))
    return found


async def registered(t, number, count=1):
    """`registration list` for that number, once it has so many contacts."""
    async def rows():
        found = [r for r in await t.ctl.ask("registration.list", text=number) if r.get("phone") == number]
        return (found or True) if len(found) == count else None
    found = await poll(rows, f"{count} registration(s) of {number}")
    return [] if found is True else found
