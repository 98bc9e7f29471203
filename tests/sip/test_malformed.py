"""Hostile and broken messages: answered as security.md says or dropped, never a crash, and the next
good call works as if nothing had been."""

import asyncio
import re

from harness import nasty, net
from harness.scene import scene
from harness.watch import Watch


class Rough(Watch):
    """A source that sends any bytes and keeps what comes back, unparsed."""

    def __init__(self, t, ip):
        super().__init__()
        self.t, self.got = t, []
        self.sock = net.UdpSocket(ip, 0, self._came)
        t.media.append(self)

    def _came(self, data, flow):
        self.t.wire.note("rough", "in", flow.peer, data)
        self.got.append(data)
        self.changed()

    def send(self, data, to):
        self.t.wire.note("rough", "out", to, data[:2000])
        self.sock.to(to).send(data)

    def codes(self, token):
        """Final codes of the answers that carry that token (in Via or Call-ID), in order."""
        found = [re.match(rb"SIP/2\.0 (\d+)", d) for d in self.got if token.encode() in d]
        return [int(m.group(1)) for m in found if m and int(m.group(1)) >= 200]

    def all_codes(self):
        return [int(m.group(1)) for m in (re.match(rb"SIP/2\.0 (\d+)", d) for d in self.got) if m]

    def close(self):
        self.sock.close()


def quiet(reply):
    """ACK for a refusal or 200, so that nothing is repeated."""
    lines = reply.split(b"\r\n\r\n")[0].split(b"\r\n")
    keep = [x for x in lines[1:] if re.match(rb"(?i)(via|v|from|f|to|t|call-id|i|cseq)\s*:", x)]
    keep = [re.sub(rb"(?i)(cseq\s*:\s*\d+) \w+", rb"\1 ACK", x) for x in keep]
    return (b"ACK sip:88017@127.0.0.1 SIP/2.0\r\n" + b"\r\n".join(keep) +
            b"\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")


async def play(t, rows):
    """Each row, then a good call: by its end the nasty message has long been dealt with."""
    caller, carrier = await t.plain()
    rough = Rough(t, t.net.ip(2))
    address = f"{t.address[0]}:{t.address[1]}"
    wrong = []
    for n, row in enumerate(rows):
        token = f"tok{n}x{t.seed % 100000}"
        before = len(rough.got)
        rough.send(nasty.encode(row, caller.ip, rough.sock.address[1], address, token), t.address)
        if None not in row[2]:
            try:
                await rough.until(lambda tk=token: rough.codes(tk), f"answer to {row[0]!r}", within=5)
            except AssertionError:
                wrong.append(f"{row[0]}: no answer, should be {row[2]}")
        call = caller.invite(f"8809{n:05d}")
        await call.expect(200)
        await call.hang_up()
        got = rough.codes(token) or [c for c in rough.all_codes()[before:] if c >= 200]
        for reply in rough.got[before:]:
            rough.send(quiet(reply), t.address)
        if not set(got[:1]) <= row[2]:
            wrong.append(f"{row[0]}: answered {got}, should be {row[2]}")
        assert t.switch.running, f"switchd died of: {row[0]}"
        for leg in [x for x in carrier.legs if x.ok_at and not x.over and x.callee != call.callee]:
            leg.send_bye()
    assert not wrong, "\n    " + "\n    ".join(wrong)


@scene(within=120)
async def test_nasty_headers(t):
    """The table, first half."""
    await play(t, nasty.table()[:45])


@scene(within=120)
async def test_nasty_requests_and_limits(t):
    await play(t, nasty.table()[45:])


async def test_a_second_request_in_a_datagram_is_not_read(t):
    """Octets after the end of a UDP message are ignored: no second call comes of them."""
    caller, carrier = await t.plain()
    rough = Rough(t, t.net.ip(2))
    row = next(r for r in nasty.table() if r[1] == "two")
    rough.send(nasty.encode(row, caller.ip, rough.sock.address[1], "%s:%d" % t.address, "smuggle"), t.address)
    leg = await carrier.leg("88017")
    await rough.until(lambda: 200 in rough.codes("smuggle"), "200")
    for reply in rough.got:
        rough.send(quiet(reply), t.address)
    await caller.place("880999")
    assert sorted(x.callee for x in carrier.legs) == ["88017", "880999"]
    await leg.ack()
    await leg.hang_up()


async def mutate(t, count):
    """count INVITEs and BYEs with random octets changed, cut, doubled or moved; good calls between."""
    t.is_captured = False
    caller, carrier = await t.plain()
    rough = Rough(t, t.net.ip(2))
    r = t.random
    good = nasty.encode(("", nasty.message(), ()), caller.ip, rough.sock.address[1], "%s:%d" % t.address, "{tok}")
    for n in range(count):
        data = bytearray(good.replace(b"{tok}", f"m{n}x{t.seed % 9999}".encode()))
        for _ in range(r.randint(1, 6)):
            at = r.randrange(len(data))
            kind = r.randrange(5)
            if kind == 0:
                data[at] = r.randrange(256)
            elif kind == 1:
                del data[at:at + r.randint(1, 40)]
            elif kind == 2:
                data[at:at] = data[at:at + r.randint(1, 60)]
            elif kind == 3:
                data[at:at] = r.choice([b"\r\n", b"\r\n\r\n", b"\0", b":", b";", b'"', b"<", b">", b"%00", b","])
            else:
                data[at:at] = bytes(r.randrange(256) for _ in range(r.randint(1, 20)))
            if len(data) < 10:
                break
        rough.send(bytes(data), t.address)
        if n % 50 == 49:
            await caller.place(f"8807{n:06d}")
            for reply in rough.got:
                rough.send(quiet(reply), t.address)
            rough.got.clear()
            for leg in [x for x in carrier.legs if x.ok_at and not x.over]:
                leg.send_bye()
    assert t.switch.running


@scene(within=600)
async def test_mutated_messages(t):
    await mutate(t, 20000 if t.long else 500)


@scene(within=90)
async def test_tcp_framing(t):
    """One-byte segments, two messages in a segment, keep-alive of CRLFs: segmentation has no meaning."""
    caller, carrier = await t.plain()
    flow = await caller.tcp_flow()
    whole = flow.send

    def drip(data):
        for i in range(len(data)):
            whole(data[i:i + 1])
    flow.send = drip
    await caller.place("88017", flow=flow)
    flow.send = whole
    flow.send(b"\r\n\r\n")
    held = []
    flow.send = held.append
    calls = [caller.invite(f"88018{i}", flow=flow) for i in range(3)]
    flow.send = whole
    whole(b"".join(held))
    for call in calls:
        await call.expect(200)
        await call.hang_up()
    assert len(carrier.legs) == 4


async def test_tcp_with_a_bad_length_is_closed(t):
    """400 and the connection is closed; a connection beside it is not disturbed."""
    caller, carrier = await t.plain()
    t.excused.append("customer: malformed")
    good = await caller.tcp_flow()
    for lie in ("Content-Length: -1", "Content-Length: abc", "Content-Length: 1\nContent-Length: 2",
                "Content-Length: 99999999999999999999"):
        row = ("", nasty.message(length=lie, via=nasty.HEAD["via"].replace("UDP", "TCP")), ())
        reader, writer = await asyncio.open_connection(*t.address, local_addr=(caller.ip, 0))
        writer.write(nasty.encode(row, caller.ip, 5060, "%s:%d" % t.address, "len"))
        answer = await asyncio.wait_for(reader.read(), 15)
        assert answer == b"" or answer.startswith(b"SIP/2.0 400"), answer
        writer.close()
        await caller.place("88017", flow=good)
    assert len(carrier.legs) == 4


@scene(idle=True)
async def test_a_connection_that_is_reset_ends_nothing_else(t):
    """The caller's TCP connection is reset in mid-call: other calls go on, this one can still be ended."""
    caller, carrier = await t.plain()
    flow = await caller.tcp_flow()
    lost = caller.invite("8801", flow=flow)
    await lost.expect(200)
    flow.writer.transport.abort()
    await caller.place("8802")
    lost.flow = await caller.tcp_flow()
    await lost.hang_up()
    await carrier.legs[0].ended_by_peer()
    await t.cdr(lost, reason="CallerHangup")
