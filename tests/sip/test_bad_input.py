"""security.md §1: limits hold exactly, scanners find nothing, and what the switch itself says is well formed."""

import asyncio
import os
import re

from harness import plans
from harness.plans import reject
from harness.scene import scene
from harness.sip import Sdp
from harness.sip import token as fresh
from test_malformed import Rough, quiet
from test_torture import Stream, quiet_end
from test_trace import kept, packets_of, tshark
from test_ctl import done

OWN = 10  # header lines of `options` below, and one Via, one Contact


def options(ip, port, mark, add=(), body="", kind="application/sdp", method="OPTIONS", own=OWN):
    """A good OPTIONS with further header lines; `own` lines of its own."""
    lines = [f"{method} sip:8801@x SIP/2.0", f"Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK{mark}",
             "Max-Forwards: 70", f"From: <sip:1@{ip}>;tag={mark}", "To: <sip:8801@x>", f"Call-ID: {mark}@{ip}",
             f"CSeq: 1 {method}", f"Contact: <sip:1@{ip}:{port}>", f"Content-Type: {kind}",
             f"Content-Length: {len(body)}", "Subject: x"]
    assert len(lines) == own + 1
    return ("\r\n".join(lines + list(add)) + "\r\n\r\n" + body).encode()


def sdp(ip, media=1, payloads=1):
    text = f"v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n"
    kinds = " ".join(["8", *map(str, range(20, 127))][:payloads])
    return text + "".join(f"m=audio {40000 + 2 * i} RTP/AVP {kinds}\r\n" for i in range(media))


async def ask(rough, t, mark, data):
    rough.send(data, t.address)
    await rough.until(lambda: rough.codes(mark), f"an answer to {data[:40]!r}")
    for answer in [a for a in rough.got if mark.encode() in a]:
        rough.send(quiet(answer), t.address)
    return rough.codes(mark)[0]


async def test_limits_hold_exactly(t):
    """P1 over UDP: what is at the limit is taken, one more is refused."""
    caller, carrier = await t.plain()
    carrier.plan = reject(486)
    rough = Rough(t, caller.ip)
    ip, port = caller.ip, rough.sock.address[1]
    via = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"
    for what, line, most, extra in (
            ("header lines", "X-A: b", 256, OWN), ("Vias", via, 34, 1), ("Routes", "Route: <sip:192.0.2.1;lr>", 32, 0),
            ("Record-Routes", "Record-Route: <sip:192.0.2.1;lr>", 32, 0),
            ("Contacts", "Contact: <sip:1@192.0.2.1>", 16, 1)):
        codes = []
        for n in (most, most + 1):
            mark = fresh()
            codes.append(await ask(rough, t, mark, options(ip, port, mark, [line] * (n - extra))))
        assert codes[0] == 200 and codes[1] in (400, 413, 513), (what, codes)
    for what, at, over in (("media lines", {"media": 8}, {"media": 9}), ("payload types", {"payloads": 64},
                                                                          {"payloads": 65})):
        codes = []
        for body in (sdp(ip, **at), sdp(ip, **over)):
            mark = fresh()
            codes.append(await ask(rough, t, mark, options(ip, port, mark, body=body, method="INVITE").replace(
                b"8801@x", b"88017@x")))
        assert codes[0] == 486 and codes[1] in (400, 413, 488), (what, codes)


async def test_limits_of_a_stream(t):
    """P1 over TCP, of a peer that has placed a call on the connection: 16 kB of headers and 64 kB of body; what is longer
    is refused once and the connection ended."""
    caller, carrier = await t.plain()
    carrier.plan = reject(486)
    for fill, body, wanted in ((15000, 0, [200]), (17000, 0, [400, 513]), (0, 65536, [200]), (0, 65537, [413])):
        stream = await Stream.open(t, caller.ip)

        def say(**more):
            return options(caller.ip, 5060, fresh(), **more).replace(b"/UDP", b"/TCP").replace(b"8801@x", b"88017@x")
        stream.writer.write(say(method="INVITE", body=sdp(caller.ip)))
        refusal = await code_of(stream, [486])
        stream.writer.write(quiet(refusal))
        stream.writer.write(say(add=[f"X: {'x' * fill}"], body="y" * body, kind="text/plain"))
        await code_of(stream, wanted)
        if wanted != [200]:
            assert not await quiet_end(stream)
        stream.writer.close()


async def code_of(stream, wanted):
    """The next answer but for provisional ones; none of ours has a body."""
    while True:
        answer = await asyncio.wait_for(stream.reader.readuntil(b"\r\n\r\n"), 15)
        code = int(answer.split()[1])
        if code >= 200:
            assert code in wanted, answer
            return answer


async def test_a_header_that_nobody_listed_stays_here(t):
    """P5: the vendor's INVITE is made of what was understood; text of a display name is clean on the way."""
    caller, carrier = await t.plain()
    carrier.plan = reject(486)
    rough = Rough(t, caller.ip)
    mark = fresh()
    data = options(caller.ip, rough.sock.address[1], mark, ["X-Inner: secret-word", "Identity: secret-word", "Subject: secret-word"],
                   body=sdp(caller.ip), method="INVITE").replace(b"8801@x", b"88017@x")
    data = data.replace(b"From: <", b'From: "a\x1b[31m\xff\xe2\x80\xae" <')
    assert await ask(rough, t, mark, data) in (486, 400)
    mark = fresh()
    assert await ask(rough, t, mark, options(caller.ip, rough.sock.address[1], mark, ["X-Inner: secret-word"],
                                             body=sdp(caller.ip), method="INVITE").replace(b"8801@x", b"88018@x")) == 486
    for leg in carrier.legs:
        sent = leg.invite.encode()
        assert b"secret-word" not in sent and b"\x1b" not in sent
    assert [leg.callee for leg in carrier.legs][-1] == "88018"


# ---- scanners ----


async def scan(*words):
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return out.decode(errors="replace")


@scene(idle=True)
async def test_scanners_find_nothing(t):
    """svmap and svwar from a stranger's address: no device, no extension, not an octet; they are counted."""
    caller, _carrier = await t.plain()
    port, maps, wars = str(t.switch.port), ("OPTIONS", "INVITE", "REGISTER"), ("REGISTER", "INVITE")
    here = [t.net.ip(9 + i) for i in range(len(maps) + len(wars))]
    found = await asyncio.gather(
        *(scan("svmap", "-b", ip, "-x", ip, "-p", port, "-m", method, t.switch.ip) for ip, method in zip(here, maps)),
        *(scan("svwar", "-b", ip, "-x", ip, "-p", port, "-m", method, "-e", "100-104,880100-880102", t.switch.ip)
          for ip, method in zip(here[len(maps):], wars)))
    for text in found:
        assert t.switch.ip + ":" not in text.replace("|", ""), text
        assert not re.search(r"\| *(10\d|8801\d\d) *\|", text) and "Traceback" not in text, text
    assert (await t.status())["unknown_sources"] >= 3
    await t.cdr(await caller.place("88017"))


# ---- what we say ----


@scene(within=90)
async def test_what_the_switch_says_is_well_formed(t):
    """Typical calls of every kind over UDP and TCP, as the trace exports them: tshark finds no malformed frame."""
    caller, carrier = await t.caller(), await t.carrier()
    stream = await t.carrier("streamer", last=6)
    await t.customer(caller, auth="password", user="u1", password="correct horse battery")
    await t.vendor(carrier)
    await t.vendor(stream, transport="tcp", priority=2)
    key = {"credentials": ("u1", "correct horse battery")}
    await t.ctl.ask("trace.start")
    calls = []
    for plan in (reject(486), reject(404), reject(503), reject(302, headers=[("Contact", "<sip:1@192.0.2.1>")]),
                 plans.answer(early=Sdp(carrier.ip, 50000)), plans.answer(ring=False)):
        carrier.plan = stream.plan = plan
        call = caller.invite("88017", **key)
        await call.final()
        if call.ok:
            await call.reinvite(Sdp(caller.ip, 40000, direction="sendonly"))
            await call.hang_up()
        calls.append(call)
    carrier.plan = stream.plan = plans.silent_after(180)
    call = caller.invite("88018", flow=await caller.tcp_flow(), **key)
    await call.until(lambda: call.provisional, "180")
    call.cancel()
    await call.expect(487)
    refused = [caller.invite("88019", credentials=("u1", "wrong")), caller.invite("99", **key)]
    for other in refused:
        await other.final()
    for one in [*calls, call, refused[1]]:
        await t.cdr(one)
        await kept(t, one, 4)
    file = os.path.join(t.folder, "bundle.pcap")
    await done(t, "trace", "export", file)
    ports = {t.switch.port, caller.port, carrier.port, stream.port}
    fields = ("sip.CSeq", "_ws.malformed", "_ws.expert.message", "_ws.expert.severity", "sip.Status-Code")
    lines = [line.split("\t") for line in await tshark(
        file, "-T", "fields", *(w for f in fields for w in ("-e", f)), ports=ports)]
    assert sum(bool(line[0]) for line in lines) >= 100 and len(lines) == len(packets_of(file)), len(lines)
    assert {"100", "180", "183", "200", "302", "401", "404", "486", "487", "503"} <= {line[4] for line in lines}
    bad = [line for line in lines if line[1] or "alform" in line[2] or "nrecogni" in line[2]]
    assert not bad, bad[:5]
    # Errors of tshark's experts (0x800000): none; its warnings are about what a peer chose.
    assert not [line for line in lines if any(int(x, 0) >= 0x800000 for x in line[3].split(",") if x)], lines
