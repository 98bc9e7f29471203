"""SIP over TLS: calls, whom the switch believes, whom it lets in, and what it does with the hostile."""

import asyncio
import contextlib
import os
import signal
import ssl

from harness import sip
from harness.scene import scene
from harness.sip import Sdp
from harness.stage import BUY
from harness.tls import Authority, Secure


async def secure_pair(t, mapping=None, **routing):
    """Customer and vendor by TLS, everything in order: (secure, caller, carrier)."""
    s = Secure(t)
    await t.switch.start()
    caller, carrier = await t.caller(), await t.carrier()
    await s.speak(caller)
    await s.speak(carrier)
    await t.customer(caller, **{"transport": "tls", **(mapping or {})})
    await s.vendor(carrier, **routing)
    return s, caller, carrier


@scene(start=False)
async def test_calls(t):
    """Both legs by TLS: Via, Contact and targets say so, one connection a worker carries all calls to the
    vendor, and the caller's own carries the callee's BYE back."""
    s, caller, carrier = await secure_pair(t)
    flow = await s.flow(caller)
    calls = [caller.invite(f"8801{i}", flow=flow) for i in range(12)]
    for call in calls:
        await call.expect(200)
    for call in calls:
        leg = await carrier.leg(call.callee)
        invite = leg.invite
        assert invite.get("Via").startswith(f"SIP/2.0/TLS {s.ip}:{s.port};"), invite.get("Via")
        assert invite.contact == f"sip:{s.ip}:{s.port};transport=tls", invite.contact
        assert invite.uri == f"sip:{call.callee}@{carrier.ip}:{carrier.tls.port};transport=tls", invite.uri
        assert call.answer.contact == f"sip:{s.ip}:{s.port};transport=tls", call.answer.contact
        assert leg.first.flow.transport == "TLS"
        await leg.ack()
    assert 1 <= len(carrier.tls.flows) <= t.workers, len(carrier.tls.flows)
    for i, call in enumerate(calls):
        leg = await carrier.leg(call.callee)
        if i % 2:
            await call.hang_up()
            await leg.ended_by_peer()
        else:
            await leg.hang_up()
            await call.ended_by_peer()
    for call in calls:
        await t.billed(call, await carrier.leg(call.callee))
    assert len(caller.tls.flows) == 1 and not flow.closed.done()
    versions = {f.writer.get_extra_info("ssl_object").version() for f in carrier.tls.flows + [flow]}
    assert versions == {"TLSv1.3"}, versions


@scene(start=False)
async def test_what_is_spoken(t):
    """TLS 1.2 and 1.3 with forward secrecy; nothing older, no other key exchange, no renegotiation, no
    compression; the host that was asked for gets its own certificate."""
    s = Secure(t)
    s.root.issue("other", "DNS:other.test", folder=s.folder)
    await t.switch.start()
    caller = await t.caller()
    await s.speak(caller)
    await t.customer(caller)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = s.root.trusting(minimum_version=version, maximum_version=version)
        for name in ("switch.test", "other.test"):
            flow = await s.flow(caller, name, context)
            link = flow.writer.get_extra_info("ssl_object")
            assert (await caller.ask("OPTIONS", flow=flow).response()).code == 200
            assert link.getpeercert()["subjectAltName"][-1] == ("DNS", name), link.getpeercert()
            assert link.compression() is None and not link.session_reused
            assert "TLS_" in link.cipher()[0] or "ECDHE" in link.cipher()[0], link.cipher()
    old = s.root.trusting(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    static = s.root.trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
    static.set_ciphers("kRSA:DHE:@SECLEVEL=0")
    for context in (old, static):
        try:
            await s.flow(caller, None, context)
        except (ssl.SSLError, ConnectionError):
            continue
        raise AssertionError("a weak handshake was accepted")
    async with s_client(s, caller, "-tls1_2") as process:
        await said(process, b"Verify return code")
        process.stdin.write(b"R\n")
        await said(process, b"no renegotiation")


@contextlib.asynccontextmanager
async def s_client(s, caller, *words):
    """openssl s_client from the caller's address."""
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", f"{s.ip}:{s.port}", "-bind", f"{caller.ip}:0", "-CAfile",
        s.root.path, *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def said(process, word):
    """Reads on until that was printed."""
    text = b""
    while word not in text:
        piece = await asyncio.wait_for(process.stdout.read(65536), 20)
        assert piece, text[-2000:]
        text += piece


@scene(start=False)
async def test_openssl_as_a_peer(t):
    """s_client verifies our certificate by name, and gets an answer to its OPTIONS."""
    s = Secure(t)
    await t.switch.start()
    caller = await t.caller()
    await t.customer(caller)
    request = (f"OPTIONS sip:{s.ip} SIP/2.0\r\nVia: SIP/2.0/TLS {caller.ip}:5061;branch=z9hG4bKx;rport\r\n"
               f"From: <sip:a@{caller.ip}>;tag=1\r\nTo: <sip:{s.ip}>\r\nCall-ID: openssl\r\nCSeq: 1 OPTIONS\r\n"
               "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
    async with s_client(s, caller, "-verify_return_error", "-verify_hostname", "switch.test", "-quiet") as process:
        process.stdin.write(request.encode())
        await said(process, b"SIP/2.0 200 OK\r\n")


@scene(start=False)
async def test_whom_it_believes(t):
    """Vendors by what their certificate is and what their gateway asks for: the call goes through, or to
    nobody, whatever listens there by UDP or TCP."""
    s = Secure(t)
    stranger = Authority(os.path.join(t.folder, "stranger"), "stranger")
    await t.switch.start()
    caller, bad = await t.caller(), []
    await t.customer(caller)
    cases = {
        # number: (names in it, authority, days, does it pass, fields of the gateway)
        "8801": (["IP"], s.root, 1, True, {}),
        "8802": (["DNS:vendor.test"], s.root, 1, True, {"tls_name": "vendor.test"}),
        "8803": (["DNS:vendor.test"], s.root, 1, False, {"tls_name": "other.test"}),
        "8804": (["DNS:vendor.test"], s.root, 1, False, {}),
        "8805": (["IP"], s.root, -1, False, {}),
        "8806": (["IP"], stranger, 1, False, {}),
        "8807": (["IP"], stranger, 1, True, {"tls_verify": "off"}),
        "8808": ([], stranger, -1, True, {"tls_verify": "pin", "tls_pin": "own"}),
        "8809": (["IP"], s.root, 1, False, {"tls_verify": "pin", "tls_pin": "other"}),
    }
    for i, (number, (names, root, days, passes, fields)) in enumerate(cases.items()):
        carrier = await t.carrier(f"v{number}", last=10 + i)
        names = [n.replace("IP", f"IP:{carrier.ip}") for n in names]
        certificate = root.issue(f"v{number}", *names, days=days)
        # Its UDP, TCP and TLS are on one port: who falls back is seen.
        port = carrier.port
        carrier.tcp.close()
        await s.speak(carrier, certificate, port=port)
        if "tls_pin" in fields:
            pins = [s.own.pin] + ([certificate.pin] if fields["tls_pin"] == "own" else [])
            fields = {**fields, "tls_pin": pins}
        await s.vendor(carrier, rates={number: BUY}, prefix=[number], **fields)
        if not passes:
            bad.append(carrier)
    calls = {n: caller.invite(f"{n}7") for n in cases}
    for number, call in calls.items():
        if cases[number][3]:
            await call.expect(200)
            await call.hang_up()
        else:
            await t.refused(call, 503, "UpstreamFailure")
    for carrier in bad:
        assert not carrier.legs and not carrier.strangers, carrier
    why = {n: str(await t.ctl.ask("cdr.show", id=(await t.cdr(c))["id"])) for n, c in calls.items()
           if not cases[n][3]}
    assert "another name" in why["8803"] and "another name" in why["8804"] and "expired" in why["8805"], why
    assert "trusted" in why["8806"] and "pinned" in why["8809"], why


@scene(start=False)
async def test_never_by_less(t):
    """A vendor by TLS whose port is shut gets nothing by UDP or TCP; a customer by TLS is a stranger by
    both, also inside a call that is up."""
    s, caller, carrier = await secure_pair(t)
    shut = await t.carrier("shut", last=9)
    await s.speak(shut, port=0)
    port = shut.tls.port
    shut.tls.close()
    await t.vendor(shut, transport="tls", address=[f"{shut.ip}:{shut.port}", f"{shut.ip}:{port}"],
                   prefix=["8809"], rates={"8809": BUY})
    shut.tcp.close()
    flow = await s.flow(caller)
    call = caller.invite("88097", flow=flow)
    await call.expect(200)  # the other vendor's prefix fits too
    await call.hang_up()
    assert not shut.legs and not shut.strangers
    call = caller.invite("8801", flow=flow)
    await call.expect(200)
    leg = await carrier.leg("8801")
    await leg.ack()
    # What holds of the dialog is said by UDP and TCP: nobody hears it.
    tcp = await caller.tcp_flow()
    for other in (caller.udp.to(t.address), tcp):
        bye = call.build("BYE", call.cseq + 1)
        bye.set("Via", caller.via(other))
        assert (await caller.request(bye, other).response()).code in (481, 403)
        cancelled = caller.invite("8802", flow=other)
        cancelled.txn.stop()
    await call.hang_up()
    await leg.ended_by_peer()
    await t.billed(call, leg)
    assert not any(leg.callee == "8802" for leg in carrier.legs)


@scene(start=False)
async def test_certificates_of_customers(t):
    """Two gateways at one address are told apart by the client's certificate; without one neither takes
    the call, if both ask for it."""
    s = Secure(t)
    await t.switch.start()
    caller, carrier = await t.caller(), await t.carrier()
    red, blue = s.root.issue("red"), Authority(os.path.join(t.folder, "other"), "other").issue("blue")
    await t.customer(caller, "red", tls_pin=[red.pin])
    await t.customer(caller, "blue", tls_pin=[blue.pin, s.own.pin])
    await t.vendor(carrier)
    await s.speak(caller)
    for name, certificate in (("red", red), ("blue", blue)):
        flow = await s.flow(caller, None, s.root.trusting(certificate))
        call = await caller.place(f"8801{len(name)}", flow=flow)
        await t.cdr(call, account=name, mapping_gateway=f"{name}-in")
    caller.invite("88019", flow=await s.flow(caller))
    flow = await s.flow(caller, None, s.root.trusting(red))
    await caller.place("88018", flow=flow)
    assert not any(leg.callee == "88019" for leg in carrier.legs)


@scene(start=False)
async def test_our_certificate_to_a_vendor(t):
    """A vendor that asks for one gets the certificate of the switch."""
    s = Secure(t)
    await t.switch.start()
    caller, carrier = await t.caller(), await t.carrier()
    own = s.root.issue("vendor", f"IP:{carrier.ip}")
    await s.speak(carrier, own, own.serving(ask=s.root))
    await t.customer(caller)
    await s.vendor(carrier)
    await caller.place("88017")
    shown = carrier.tls.flows[0].writer.get_extra_info("ssl_object").getpeercert()
    assert ("DNS", "switch.test") in shown["subjectAltName"], shown


async def reload(t, word):
    with open(t.switch.log, "rb") as f:
        f.seek(0, os.SEEK_END)
        t.switch.process.send_signal(signal.SIGHUP)
        said = b""
        while word not in said:
            said += f.read()
            await asyncio.sleep(0.01)  # until the log says it; the test has a deadline


@scene(start=False)
async def test_reload(t):
    """SIGHUP: new handshakes see the new certificate, old connections and their calls go on; what cannot
    be read changes nothing."""
    s, caller, _carrier = await secure_pair(t)
    flow = await s.flow(caller)

    async def serial():
        fresh = await s.flow(caller)
        return fresh.writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]

    first = await serial()
    call = caller.invite("8801", flow=flow)
    await call.expect(200)
    s.root.issue("switch", f"IP:{s.ip}", folder=s.folder)
    await reload(t, b"TLS: 1 certificates")
    second = await serial()
    assert first != second
    with open(os.path.join(s.folder, "switch.key"), "w", encoding="ascii") as f:
        f.write("no key")
    await reload(t, b"stay as they were")
    assert await serial() == second
    await call.hang_up()
    await caller.place("8802", flow=flow)


@scene(start=False)
async def test_certificates_that_were_taken_back(t):
    """crl.pem: after a reload a vendor whose certificate is in it gets no calls, believed by its name or by its key, and neither
    does a customer with one get in; others, and those of a root that has no list, are believed as before; an unreadable list
    changes nothing."""
    s = Secure(t)
    other = Authority(os.path.join(t.folder, "other"), "other")
    await t.switch.start()
    caller, good, bad, pinned = (await t.caller(), await t.carrier("good", last=4), await t.carrier("bad", last=5),
                                 await t.carrier("pinned", last=6))
    await s.speak(caller)
    own = {carrier: await s.speak(carrier, s.root.issue(carrier.name, f"IP:{carrier.ip}"))
           for carrier in (good, bad, pinned)}
    client, foreign = s.root.issue("client"), other.issue("foreign")
    await t.customer(caller, tls_pin=[client.pin, foreign.pin])
    for i, carrier in enumerate((good, bad, pinned), 1):
        more = {"tls_verify": "pin", "tls_pin": [own[carrier].pin]} if carrier is pinned else {}
        await s.vendor(carrier, prefix=[f"880{i}"], rates={f"880{i}": BUY}, options_check=False, **more)

    async def flow(certificate):
        return await s.flow(caller, None, s.root.trusting(certificate))

    first = await flow(client)
    crl = os.path.join(s.folder, "crl.pem")
    with open(crl, "w", encoding="ascii") as f:
        f.write("no list")
    await reload(t, b"stay as they were")
    s.root.revoke(own[bad], own[pinned], client, path=crl)
    await reload(t, b"1 lists of revoked")
    call = await caller.place("88011", flow=first)  # a connection that is open goes on
    await t.billed(call, await good.leg("88011"))
    for number in ("88021", "88031"):
        call = caller.invite(number, flow=first)
        await t.refused(call, 503, "UpstreamFailure")
        row = await t.cdr(call)
        assert "revoked" in str(await t.ctl.ask("cdr.show", id=row["id"])), row
    await caller.place("88012", flow=await flow(foreign))
    try:
        fresh = await flow(client)
        answer = caller.ask("OPTIONS", flow=fresh)
        await asyncio.wait_for(fresh.closed, 20)
        answer.stop()
    except (ssl.SSLError, ConnectionError):
        pass


@scene(start=False)
async def test_segments(t):
    """The records of a handshake and a call, an octet a segment; and many messages in one record."""
    s, caller, _carrier = await secure_pair(t)
    reader, writer = await asyncio.open_connection(*s.address, local_addr=(caller.ip, 0))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    link = s.root.trusting().wrap_bio(incoming, outgoing, server_side=False, server_hostname="switch.test")

    async def trickle():
        for octet in outgoing.read():
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0)

    async def until(operation):
        while True:
            try:
                result = operation()
                await trickle()
                return result
            except ssl.SSLWantReadError:
                await trickle()
                data = await reader.read(65536)
                assert data, "the switch closed the connection"
                incoming.write(data)

    await until(link.do_handshake)
    request = caller.ask("OPTIONS", flow=Into(caller)).msg.encode()
    link.write(request)
    await trickle()
    assert (await until(lambda: link.read(65536))).startswith(b"SIP/2.0 200 OK\r\n")
    link.write(b"\r\n\r\n" + b"".join(request.replace(b"z9hG4bK", b"z9hG4bK%d" % i) for i in range(20)))
    await trickle()
    held = b""
    while held.count(b"SIP/2.0 200 OK") < 20:
        held += await until(lambda: link.read(65536))
    assert held.startswith(b"\r\nSIP/2.0 200 OK"), held[:60]
    writer.close()


class Into:
    """A flow that goes nowhere: only the message is wanted."""
    reliable, transport = True, "TLS"

    def __init__(self, peer):
        self.here, self.peer = (peer.ip, 5061), (peer.ip, 5061)

    def send(self, data):
        pass


@scene(start=False, idle=True)
async def test_the_hostile(t):
    """Garbage instead of a handshake, a handshake that never ends, one that is cut off, a stranger's, one
    that nothing follows: each connection ends, the stranger's without an octet, and calls go on."""
    s, caller, _carrier = await secure_pair(t)
    stranger, idler = t.net.ip(77), await t.caller("idler", last=78)
    await t.gateway_in("acme", "idler-in", address=[idler.ip])
    await s.speak(idler)

    async def open_from(ip):
        return await asyncio.open_connection(*s.address, local_addr=(ip, 0))

    loop = asyncio.get_running_loop()
    # T1: ten at most from a source that has not sent anything yet, and those for ten seconds.
    idle_since = loop.time()
    idle = [await s.flow(idler) for _ in range(10)]
    for _ in range(3):
        try:
            await s.flow(idler)
        except (ConnectionError, ssl.SSLError):
            continue
        raise AssertionError("an eleventh connection of nobody known")
    slow_reader, slow_writer = await open_from(caller.ip)
    slow_writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    began = loop.time()
    silent_reader, _silent = await open_from(caller.ip)
    for garbage in (b"OPTIONS sip:x SIP/2.0\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", os.urandom(3000), b"\x16\x03\x01\x00\x00" * 50,
                    b"\x80\x2e\x01\x03\x01" + bytes(60)):
        reader, writer = await open_from(caller.ip)
        writer.write(garbage)
        await drained(reader)
        writer.close()
    reader, _writer = await open_from(stranger)
    assert await drained(reader) == b""
    flow = await s.flow(caller)
    await caller.place("8801", flow=flow)
    _reader, cut = await open_from(caller.ip)
    cut.write(b"\x16\x03")
    cut.close()
    await drained(slow_reader)
    await drained(silent_reader)
    assert loop.time() - began >= 4.9  # T1: five seconds, on one clock with the switch
    await caller.place("8802", flow=flow)
    for connection in idle:
        await asyncio.wait_for(connection.closed, 20)
    assert loop.time() - idle_since >= 9.9
    await idler.place("8803", flow=await s.flow(idler))


async def drained(reader):
    """All that comes until the other side closes."""
    data = b""
    try:
        while piece := await asyncio.wait_for(reader.read(65536), 20):
            data += piece
    except ConnectionError:
        pass
    return data


@scene(start=False)
async def test_sips(t):
    """A sips: call goes by TLS all the way and to no vendor by less; its Contacts are sips: too. By UDP it
    is refused."""
    s, caller, carrier = await secure_pair(t)
    plain = await t.carrier("plain", last=8)
    await t.vendor(plain, prefix=["8801", "8802"], priority=1)
    flow = await s.flow(caller)
    host = f"{s.ip}:{s.port}"
    call = caller.invite("8801", flow=flow, uri=f"sips:8801@{host}", to=f"<sips:8801@{host}>",
                         headers=[("Contact", f"<sips:peer@{caller.ip}:{caller.tls.port}>")])
    await call.expect(200)
    assert call.answer.contact == f"sips:{host}", call.answer.contact
    leg = await carrier.leg("8801")
    assert leg.invite.uri == f"sips:8801@{carrier.ip}:{carrier.tls.port}", leg.invite.uri
    assert leg.invite.contact == f"sips:{host}", leg.invite.contact
    await leg.ack()
    await call.hang_up()
    await leg.ended_by_peer()
    assert not plain.legs
    await t.ctl.ask("routing-gateway.set", name="vendor", status="locked")
    call = caller.invite("8802", flow=flow, uri=f"sips:8802@{host}", to=f"<sips:8802@{host}>")
    await t.refused(call, 503, "AllGatewayBusy")
    assert not plain.legs
    await t.ctl.ask("mapping-gateway.set", name="acme-in", transport="any")
    call = caller.invite("8803", uri=f"sips:8803@{host}")
    await call.expect(480)
    await t.cdr(call, reason="SipsInClear", sip_code=480)


@scene(start=False)
async def test_a_new_connection(t):
    """The caller's connection breaks in the call: what is to go to it goes to its Contact by a new one,
    or by the one that it opened since."""
    s, caller, carrier = await secure_pair(t)
    for number, opens in (("8801", False), ("8802", True)):
        flow = await s.flow(caller)
        call = caller.invite(number, flow=flow)
        await call.expect(200)
        leg = await carrier.leg(number)
        await leg.ack()
        flow.close()
        if opens:
            call.flow = await s.flow(caller)
            answer = await call.reinvite(Sdp(caller.ip, 40000, version=2))
            assert answer.code == 200, answer.code
        await leg.hang_up()
        await call.ended_by_peer()
        await t.billed(call, leg)


@scene(start=False)
async def test_a_peers_connection_is_no_way_to_it(t):
    """RFC 5923: a vendor connects, with its certificate, and asks by `alias` for calls to come that way. It is answered there, and
    the call that comes goes by a connection of ours, whose certificate is looked at."""
    s = Secure(t)
    await t.switch.start()
    caller, carrier = await t.caller(), await t.carrier()
    own = s.root.issue("vendor", f"IP:{carrier.ip}")
    await s.speak(carrier, own, shows=own)
    await t.customer(caller)
    await s.vendor(carrier)
    flow = await s.flow(carrier)
    for way in (flow, await carrier.tcp.connect(t.address)):
        here = carrier.tls.port if way is flow else carrier.port
        via = f"SIP/2.0/{way.transport} {carrier.ip}:{here};branch={sip.COOKIE}{sip.token()};alias"
        ask = sip.Message("OPTIONS", f"sip:{s.ip}", headers=[
            ("Via", via), ("Max-Forwards", 70), ("From", f"<sip:v@{carrier.ip}>;tag=1"), ("To", f"<sip:{s.ip}>"),
            ("Call-ID", sip.token()), ("CSeq", "1 OPTIONS")])
        assert (await carrier.request(ask, way).response()).code == 200
    call = caller.invite("88017")
    await call.expect(200)
    leg = await carrier.leg()
    assert leg.first.flow.transport == "TLS" and leg.first.flow is not flow
    assert "alias" not in leg.invite.get("Via")
    await call.hang_up()
    await leg.ended_by_peer()


@scene(start=False)
async def test_start_without_certificates(t):
    """A listener of TLS without a certificate is no start, and says so."""
    s = Secure(t)
    os.unlink(os.path.join(s.folder, "switch.crt"))
    try:
        await t.switch.start()
    except AssertionError as e:
        assert "no certificate in the folder" in str(e), e
    else:
        raise AssertionError("it started")


@scene(start=False)
async def test_after_a_crash(t):
    """Both peers of a call that a crash cut off are told by TLS, over new connections, and the vendor only
    as its gateway says whom to believe."""
    s = Secure(t)
    await t.switch.start()
    caller, carrier = await t.caller(), await t.carrier()
    await s.speak(caller)
    pinned = await s.speak(carrier, Authority(os.path.join(t.folder, "own"), "own").issue("own"))
    await t.customer(caller, transport="tls")
    await s.vendor(carrier, tls_verify="pin", tls_pin=[pinned.pin])
    call = caller.invite("88017", flow=await s.flow(caller))
    await call.expect(200)
    leg = await carrier.leg()
    await leg.ack()
    before = len(carrier.tls.flows), len(caller.tls.flows)
    t.switch.kill()
    await t.switch.start()
    await call.ended_by_peer()
    await leg.ended_by_peer()
    assert (len(carrier.tls.flows), len(caller.tls.flows)) == (before[0] + 1, before[1] + 1)
    await t.cdr(call, reason="SwitchRestarted")
