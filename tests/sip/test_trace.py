"""The debug trace: ladders, filters, captures that other programs read, the live capture server."""

import asyncio
import os
import re
import shutil
import socket

from harness import net
from harness.capture import Capture as Carried
from harness.control import Refused
from harness.plans import reject
from harness.scene import scene
from harness.sip import Sdp
from harness.stage import BUY, SELL
from harness.terminal import Terminal
from harness.watch import poll
from test_ctl import asked, done, fails

KB = 1024
KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"


async def tshark(file, *words, ports=()):
    """tshark's lines over a capture; these ports are said to be SIP's."""
    said = [w for p in ports for w in ("-d", f"udp.port=={p},sip", "-d", f"tcp.port=={p},sip")]
    process = await asyncio.create_subprocess_exec(
        "tshark", "-r", file, *said, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


async def kept(t, call, messages=0):
    """The call's row of `trace list`, once it has so many messages."""
    async def look():
        return [r for r in await t.ctl.ask("trace.list")
                if r["call_id"] == call.call_id and r["messages"] >= messages]
    return (await poll(look, f"trace of {call.call_id}"))[0]


def arrows(ladder):
    return [line for line in ladder.splitlines() if "|" in line]


async def test_a_ladder_shows_both_legs(t):
    """One call as INVITE, 100, 180, 200, ACK, BYE on both sides, each arrow the way it went."""
    caller, _carrier = await t.plain()
    await done(t, "trace", "start")
    call = await caller.place("88017", hold=0.1)
    cdr = await t.cdr(call)
    row = await kept(t, call, 13)
    assert row["id"] == cdr["id"] and row["mapping_gateway"] == "acme-in" and row["routing_gateway"] == "vendor"
    assert row["callee"] == "88017" and row["last"] == "200 OK BYE", row
    ladder = await done(t, "trace", "show", cdr["id"])
    by_other_leg = await done(t, "trace", "show", cdr["call_id_out"])
    assert ladder == by_other_leg == await done(t, "trace", "show", call.call_id)
    left = [r.split("|")[1] for r in arrows(ladder) if r.split("|")[1].strip()]
    right = [r.split("|")[2] for r in arrows(ladder) if r.split("|")[2].strip()]
    assert " INVITE +SDP " in left[0] and left[0].endswith(">") and arrows(ladder)[0].split()[0] == "0.000"
    assert " 100 Trying " in left[1] and left[1].startswith("<")
    assert " INVITE +SDP " in right[0] and right[0].endswith(">")
    for side, is_callers in ((left, True), (right, False)):
        (ok,) = [a for a in side if " 200 OK +SDP " in a]
        (bye,) = [a for a in side if " BYE " in a and "200" not in a]
        assert ok.startswith("<") and bye.endswith(">"), side
    assert all(r.endswith("| 1") for r in arrows(ladder) if r.split("|")[2].strip())
    assert all(len(line) <= 70 for line in ladder.splitlines()), ladder
    await done(t, "trace", "stop")
    quiet = await caller.place("88018", hold=0.1)
    await t.cdr(quiet)
    assert not [r for r in await t.ctl.ask("trace.list") if r["call_id"] == quiet.call_id]
    await fails(t, 1, "trace", "show", quiet.call_id)


async def test_a_ladder_numbers_its_vendors(t):
    """A hunt over two vendors: the second one's arrows say 2."""
    caller, _second = await t.plain()
    first = await t.carrier("first", last=4)
    await t.vendor(first, priority=2)
    first.plan = reject(503)
    await t.ctl.ask("trace.start")
    call = await caller.place("88017", hold=0.1)
    await t.cdr(call)
    row = await kept(t, call, 16)
    ladder = await t.ctl.ask("trace.show", id=row["id"])
    assert any("503" in r and r.endswith("| 1") for r in arrows(ladder)), ladder
    assert any("200 OK" in r and r.endswith("| 2") for r in arrows(ladder)), ladder
    assert row["routing_gateway"] == "vendor"


@scene(settings={"SERVER_TRACE_FILE_LENGTH": "256"})
async def test_filters(t):
    """By number, gateway, address of either side and Call-ID: the calls that meet them, whole, from their first message."""
    caller, carrier = await t.plain()
    other = await t.caller("other", last=5)
    await t.customer(other, "beta")
    for words, meets in (({"number": "88017"}, (True, False)), ({"number": "8801*"}, (True, True)),
                         ({"gateway": "beta-in"}, (False, True)), ({"gateway": "vendor"}, (True, True)),
                         ({"address": caller.ip}, (True, False)), ({"address": carrier.address}, (True, True)),
                         ({"address": f"{other.ip}/32", "number": "88018"}, (False, True)),
                         ({"address": caller.ip, "number": "88018"}, (False, False))):
        await t.ctl.ask("trace.start", **words)
        calls = [await caller.place("88017"), await other.place("88018")]
        for call, is_met in zip(calls, meets):
            await t.cdr(call)
            if is_met:
                row = await kept(t, call, 13)
                assert "INVITE" in arrows(await t.ctl.ask("trace.show", id=row["id"]))[0], words
        found = {r["call_id"] for r in await t.ctl.ask("trace.list")}
        assert [c.call_id in found for c in calls] == list(meets), words
    state = await t.ctl.ask("trace.start", call_id="this-one@x", minutes=5)
    assert state["filter"]["call_id"] == "this-one@x" and state["until"] > state["since"]
    for words in ({"address": "nowhere"}, {"number": "88*0"}, {"gateway": "x" * 65}, {"minutes": 0}):
        try:
            await t.ctl.ask("trace.start", **words)
            raise AssertionError(f"{words} was taken")
        except Refused as e:
            assert e.data["field"] == next(iter(words)) and e.data["accepted"], e.data


async def test_a_stranger_is_traced_by_address_only(t):
    """Who gets no answer is in no trace, unless it is looked for."""
    caller, _carrier = await t.plain()
    stranger = await t.caller("stranger", last=9)
    for words, is_kept in (({}, False), ({"address": stranger.ip}, True)):
        await t.ctl.ask("trace.start", **words)
        before = (await t.status())["unknown_sources"]
        call = stranger.invite("88017")
        await poll(lambda n=before: _more(t, n), "the stranger is counted")
        if is_kept:
            assert (await kept(t, call, 1))["peer"].startswith(stranger.ip)
        else:
            known = await caller.place("88018", hold=0)
            await kept(t, known, 13)
            assert call.call_id not in [r["call_id"] for r in await t.ctl.ask("trace.list")]


async def _more(t, before):
    return (await t.status())["unknown_sources"] > before


async def test_a_trace_knows_calls_that_are_up(t):
    """A trace that begins during a call pairs its legs: the BYE is seen on both sides, under the call's id."""
    caller, _carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    await t.ctl.ask("trace.start", gateway="vendor")
    await call.hang_up()
    cdr = await t.cdr(call)
    row = await kept(t, call, 4)
    assert row["id"] == cdr["id"]

    async def byes():
        """The ACK of the 200 may have come after the start, as one message more."""
        return sum(" BYE " in r for r in arrows(await t.ctl.ask("trace.show", id=row["id"]))) == 4
    await poll(byes, "two BYEs and their answers in the ladder")


@scene(settings={"SERVER_TRACE_FILE_LENGTH": "64"})
async def test_memory_is_bounded(t):
    """64 KB are never exceeded; what is pushed out is counted, and the newest call is whole."""
    caller, _carrier = await t.plain()
    await t.ctl.ask("trace.start")
    for _ in range(12):
        call = await caller.place("88017", hold=0)
        await t.cdr(call)
    await kept(t, call, 13)
    state = await t.ctl.ask("trace.status")
    assert state["limit_bytes"] == 64 * KB >= state["bytes"] > 16 * KB and state["pushed_out"] > 0, state
    assert state["missed"] == 0


async def test_secrets_are_masked_unless_asked_for(t):
    """What answers a challenge, and SDES keys: stars of the same length; with secrets=true as they were. Who it was, by which realm
    and nonce, can be read."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, auth="password", user="u1", password="correct horse battery", address=[])
    await t.vendor(carrier)
    await t.ctl.ask("trace.start")
    sdp = Sdp(caller.ip, 40000, extra=[f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"])
    call = await caller.place("88017", sdp=sdp, credentials=("u1", "correct horse battery"))
    await t.cdr(call)
    row = await kept(t, call, 13)
    ladder = await t.ctl.ask("trace.show", id=row["id"], full=True)
    shown = re.findall(r"response=([^,\s]+)", ladder)
    assert shown and all(set(answer) == {"*"} for answer in shown), ladder
    for word in ('username="u1"', 'realm="tandem"', 'uri="sip:88017', "nonce=", "algorithm="):
        assert word in ladder, (word, ladder)
    assert "a=crypto:" in ladder and KEY not in ladder
    files = [os.path.join(t.folder, name) for name in ("masked.pcap", "plain.pcap")]
    await done(t, "trace", "export", files[0])
    await done(t, "trace", "export", files[1], "secrets=true")
    masked, plain = (packets_of(file) for file in files)
    assert [len(p) for p in masked] == [len(p) for p in plain]
    answers = {found for p in plain for found in re.findall(rb'response="?([0-9a-f]+)', p)}
    assert answers
    for word in (KEY.encode(), *answers):
        assert any(word in p for p in plain) and not any(word in p for p in masked), word


async def test_a_capture_is_read_by_others(t):
    """UDP and TCP on either side: tshark sees every message at its true ends and nothing wrong, sngrep opens it."""
    caller, carrier = await t.caller(), await t.carrier()
    stream = await t.carrier("streamer", last=6)
    await t.customer(caller, rates={"880": SELL, "881": SELL})
    await t.vendor(carrier)
    await t.vendor(stream, rates={"881": BUY}, transport="tcp", prefix=["881"])
    await t.ctl.ask("trace.start")
    flow = await caller.tcp_flow()
    calls = [await caller.place("88017"), await caller.place("88117"), await caller.place("88118", flow=flow)]
    rows = []
    for call in calls:
        await t.cdr(call)
        rows.append(await kept(t, call, 13))
    file, one, again = (os.path.join(t.folder, f"{name}.pcap") for name in ("all", "one", "again"))
    made = await asked(t, "trace", "export", f"file={file}")
    assert made == {"file": file, "bytes": os.path.getsize(file)}
    ports = {t.switch.port, carrier.port, stream.port}
    fields = ("frame.time_epoch", "ip.src", "tcp.srcport", "tcp.dstport", "sip.CSeq", "_ws.expert.message",
              "tcp.analysis.flags", "_ws.malformed", "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status")
    checks = [w for p in ("ip", "udp", "tcp") for w in ("-o", f"{p}.check_checksum:TRUE")]
    lines = [line.split("\t") for line in await tshark(
        file, "-T", "fields", *(w for f in fields for w in ("-e", f)), *checks, ports=ports)]
    calls_lines = [line for line in lines if line[4] and "OPTIONS" not in line[4]]  # the switch probes its vendors
    assert len(calls_lines) == sum(r["messages"] for r in rows), lines
    assert {line[1] for line in lines} == {t.switch.ip, caller.ip, carrier.ip, stream.ip}
    times = [float(line[0]) for line in lines]
    assert times == sorted(times)
    own = {line[2] for line in lines if line[3] == str(stream.port)}
    assert own and str(t.switch.port) not in own, "a connection that we opened has a port of its own"
    assert not [line for line in lines if line[6] or line[7] or "0" in line[8:11]], lines
    assert not [line for line in lines if "alform" in line[5] or "hecksum" in line[5]], lines
    await done(t, "trace", "export", one, f"id={rows[1]['id']}")
    assert len(packets_of(one)) == rows[1]["messages"]
    assert await run("sngrep", "-F", "-N", "-q", "-I", file, "-O", again) == 0
    # Of an OPTIONS whose request came before the trace began, sngrep leaves out the answer.
    told = [p for p in packets_of(again) if b"SIP/2.0" in p and not re.search(rb"\r\nCSeq: *\d+ OPTIONS", p)]
    assert len(told) == len(calls_lines)


def packets_of(file):
    """The packets of a capture in the order of the file."""
    with open(file, "rb") as f:
        data = f.read()
    order = "little" if data[:4] == b"\xd4\xc3\xb2\xa1" else "big"
    packets, at = [], 24
    while at < len(data):
        size = int.from_bytes(data[at + 8:at + 12], order)
        packets.append(data[at + 16:at + 16 + size])
        at += 16 + size
    assert at == len(data)
    return packets


async def run(*words):
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL, env=dict(os.environ, TERM="vt220"))
    return await asyncio.wait_for(process.wait(), 60)


async def test_an_export_of_several_pages(t):
    """More than a page of 4 MB: switchctl puts the pages together, and no message is lost or doubled."""
    caller, _carrier = await t.plain()
    await t.ctl.ask("trace.start", address=caller.ip)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((caller.ip, 0))
        for i in range(160):
            sender.sendto(f"OPTIONS sip:{i}@x SIP/2.0\r\nCall-ID: {i}\r\nX: {'x' * 40000}\r\n\r\n".encode(),
                          t.address)
            if i % 20 == 19:
                messages = await poll(lambda n=i: _messages(t, n + 1), f"{i} long messages")
    file = os.path.join(t.folder, "pages.pcap")
    await done(t, "trace", "export", file)
    sent = [p for p in packets_of(file) if p[12:16] == socket.inet_aton(caller.ip)]
    assert len(sent) <= messages
    assert sorted(p.split(b"\r\n")[1] for p in sent) == sorted(b"Call-ID: %d" % i for i in range(160))


async def _messages(t, least):
    messages = (await t.ctl.ask("trace.status"))["messages"]
    return messages if messages >= least else None


# ---- the capture server ----


class Capture(asyncio.DatagramProtocol):
    """Takes HEPv3: every packet, and its chunks by number."""

    def __init__(self):
        self.packets = []

    def datagram_received(self, data, addr):
        assert data[:4] == b"HEP3" and int.from_bytes(data[4:6], "big") == len(data)
        chunks, at = {}, 6
        while at < len(data):
            size = int.from_bytes(data[at + 4:at + 6], "big")
            assert data[at:at + 2] == b"\0\0" and size > 6
            chunks[int.from_bytes(data[at + 2:at + 4], "big")] = data[at + 6:at + size]
            at += size
        assert at == len(data)
        if not re.search(rb"CSeq: \d+ OPTIONS", chunks[15]):  # the switch probes its vendors
            self.packets.append(chunks)


async def test_the_capture_server_gets_both_legs(t):
    """Every message of a call as HEPv3 with one correlation id, though no trace runs. Debian's tshark does not know HEPv3: what the packets
    carry is laid before it, and is SIP without a fault."""
    caller, carrier = await t.plain()
    transport, capture = await asyncio.get_running_loop().create_datagram_endpoint(
        Capture, local_addr=(t.net.ip(8), 0))
    host, port = transport.get_extra_info("sockname")
    await t.set("TRACE_HEP_ADDRESS", f"{host}:{port}")
    call = await caller.place("88017", hold=0)
    await t.cdr(call)

    async def enough():
        return len(capture.packets) >= 13
    await poll(enough, "13 messages at the capture server")
    assert {c[17].decode() for c in capture.packets} == {call.call_id}
    invites = [c for c in capture.packets if c[15].startswith(b"INVITE ")]
    assert [socket.inet_ntoa(c[3]) for c in invites] == [caller.ip, t.switch.ip]
    assert [socket.inet_ntoa(c[4]) for c in invites] == [t.switch.ip, carrier.ip]
    assert [int.from_bytes(c[8], "big") for c in invites] == [t.switch.port, carrier.port]
    assert all(c[11] == b"\1" and c[1] == b"\2" and c[2] == b"\x11" for c in invites)
    carried = Carried(os.path.join(t.folder, "carried.pcap"))
    carried.add(c[15] for c in capture.packets)
    assert await asyncio.to_thread(carried.complaints) == (len(capture.packets), [])
    assert (await t.ctl.ask("trace.status"))["capture_server"]["sent"] >= len(capture.packets)
    assert not await t.ctl.ask("trace.list")
    await t.set("TRACE_HEP_ADDRESS", "")
    before = len(capture.packets)
    await t.cdr(await caller.place("88018", hold=0))
    assert len(capture.packets) == before
    for bad in ("nowhere", "224.0.0.1:9060", "0.0.0.0:9060"):
        try:
            await t.set("TRACE_HEP_ADDRESS", bad)
            raise AssertionError(f"{bad} was taken")
        except Refused as e:
            assert "9060" in e.data["accepted"]
    transport.close()


async def test_sngrep_shows_the_capture_servers_view(t):
    """sngrep -L: both INVITEs stand on its screen."""
    caller, _carrier = await t.plain()
    port = net.free_port(t.net.ip(8))
    async with Terminal([shutil.which("sngrep"), "-F", "-L", f"udp:{t.net.ip(8)}:{port}"]) as screen:
        await screen.until(lambda: "Method" in screen.text, "sngrep's list")
        await t.set("TRACE_HEP_ADDRESS", f"{t.net.ip(8)}:{port}")
        call = await caller.place("88017", hold=0)
        await t.cdr(call)
        await screen.until(lambda: screen.text.count("INVITE") >= 2, "two INVITEs in sngrep")
        assert caller.ip in screen.text


async def test_a_capture_server_that_is_away_costs_nothing(t):
    """Nobody listens there: calls go on, and what was lost is counted."""
    caller, _carrier = await t.plain()
    await t.set("TRACE_HEP_ADDRESS", f"{t.net.ip(8)}:{net.free_port(t.net.ip(8))}")
    for _ in range(3):
        await t.cdr(await caller.place("88017", hold=0))
    state = await t.ctl.ask("trace.status")
    assert state["capture_server"]["dropped"] > 0 and state["missed"] == 0, state
