"""Early and confirmed dialogs: forks, UPDATE, INFO, Reason, what is refused inside; records of refused INVITEs."""

import asyncio

from harness import plans
from harness.dialogs import asked, early, expires, fork, listed, of_method, prack, reliable, up
from harness.scene import scene
from harness.sip import Sdp, token
from harness.watch import poll

EVERY = "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, INFO"


# -- forks ------------------------------------------------------------------------------------------

async def test_a_second_fork_answers(t):
    """18x of several To tags; the 200 of another one than rang last is the call; one tag at the caller."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.twin, leg.third = fork(leg), fork(leg)
        for one in (leg, leg.twin, leg.third):
            one.reply(180)
        leg.reply(183, sdp=leg.sdp)
        leg.twin.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    ok = await call.expect(200)
    leg = await carrier.leg()
    await leg.twin.ack()
    assert len(call.to_tags()) == 1 and ok.sdp
    await call.hang_up()
    await leg.twin.ended_by_peer()
    assert not leg.bye_seen and not leg.acks and not leg.third.acks
    await t.billed(call, leg.twin, reason="CallerHangup")


async def test_every_further_200_is_acknowledged_and_ended(t):
    """RFC 3261 §13.2.2.4: two forks answer; the first is the call, the other gets ACK and BYE, and an ACK
    again for each repeat; the caller hears of one answer and pays one call."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.twin = fork(leg)
        leg.reply(180)
        leg.accept()
        leg.twin.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    await call.expect(200)
    leg = await carrier.leg()
    await leg.twin.ack()
    await leg.twin.ended_by_peer()
    await leg.ack()
    carrier.send(leg.twin._ok[1], leg.flow)
    await leg.twin.until(lambda: len(leg.twin.acks) >= 2, "ACK of the other fork's repeated 200")
    carrier.send(leg._ok[1], leg.flow)
    await leg.until(lambda: len(leg.acks) >= 2, "ACK of the first one's repeated 200")
    assert len(of_method(leg.twin, "BYE")) == 1 and not leg.bye_seen
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200 and leg.reinvites
    await call.hang_up()
    await t.billed(call, leg, reason="CallerHangup")
    assert len(await t.ctl.ask("cdr.list", call_id=call.call_id)) == 1


async def test_a_200_after_the_refusal(t):
    """One fork refuses the cancelled INVITE, another answers it after that: ACK and BYE, not charged."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.twin = fork(leg)
        leg.reply(180)
        await leg.cancel()
        await carrier.until(lambda: leg.first.acked, "ACK of the 487")
        leg.twin.accept()
    carrier.plan = plan
    call = caller.invite("88017")
    await call.rings()
    call.cancel()
    await t.refused(call, 487, "CallerCancel")
    leg = await carrier.leg()
    await leg.until(lambda: getattr(leg, "twin", None), "fork")
    await leg.twin.ack()
    await leg.twin.ended_by_peer()


@scene(idle=True)
async def test_a_bye_of_a_try_that_was_given_up(t):
    """The first vendor answers too late and hangs up by itself: the call with the second goes on."""
    caller, carrier = await t.plain()
    second = await t.carrier("second", last=4)
    await t.vendor(second, priority=90)
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)

    async def late(leg):
        leg.heed_cancel = False
        leg.bye_code = None
        leg.reply(100)
        await leg.cancel()
        await second.leg()
        leg.accept()
        await leg.ack()
        leg.bye_txn = leg.send_bye()
    carrier.plan = late
    call = caller.invite("88017")
    await call.expect(200)
    leg, other = carrier.legs[0], second.legs[0]
    await other.ack()
    await leg.until(lambda: getattr(leg, "bye_txn", None), "BYE of the late one")
    assert (await leg.bye_txn.response()).code == 200
    assert not call.bye_seen and not other.bye_seen
    for txn in carrier.servers.values():
        if txn.msg.method == "BYE":
            txn.reply(txn.msg.reply(200))
    await call.hang_up()
    await other.ended_by_peer()
    await t.cdr(call, reason="CallerHangup", routing_gateway="second")


# -- UPDATE -----------------------------------------------------------------------------------------

async def agreed(t, caller, carrier, number="88017"):
    """An early dialog on both legs in which offer and answer are over (RFC 3311 §5.1)."""
    async def plan(leg):
        reliable(leg, 183, 1, leg.sdp)
        await leg.go_on.wait()
        leg.accept(sdp=None)
    number_plan = plan

    async def with_event(leg):
        leg.go_on = asyncio.Event()
        await number_plan(leg)
    carrier.on(number, with_event)
    call = caller.invite(number, headers=[("Require", "100rel"), ("Allow", EVERY)])
    first = await call.rings(183)
    assert "UPDATE" in listed(first, "Allow")
    assert (await prack(call, first).response()).code == 200
    return call, await carrier.leg(number)


async def test_update_in_an_early_dialog(t):
    """RFC 3311: a change by either side reaches the other and its answer comes back; nothing of it is a
    session timer's business; then the call is answered and goes on as any other."""
    caller, carrier = await t.plain()
    call, leg = await agreed(t, caller, carrier)
    leg.on_update = call.on_update = None
    for side in (call, leg):
        answer_updates(side)
    before = leg.remote_sdp.version
    sdp = Sdp(caller.ip, 40020, direction="sendonly", version=2)
    answer = await call.request("UPDATE", body=sdp.encode(), headers=[("Contact", caller.contact())]).response()
    assert answer.code == 200 and answer.sdp.ip == t.switch.ip, answer.start_line()
    assert expires(answer) is None
    seen = await asked(leg, "UPDATE")
    assert seen.sdp.direction == "sendonly" and seen.sdp.version > before and seen.contact
    sdp = Sdp(carrier.ip, 50020, (8, 101), version=2)
    answer = await leg.request("UPDATE", body=sdp.encode()).response()
    assert answer.code == 200 and answer.sdp.ip == t.switch.ip, answer.start_line()
    assert (await asked(call, "UPDATE")).sdp.ip == t.switch.ip
    assert (await call.request("UPDATE").response()).code == 200, "about nothing: answered by the switch"
    assert len(of_method(leg, "UPDATE")) == 1
    leg.go_on.set()
    await call.expect(200)
    await leg.ack()
    await call.hang_up()
    await t.billed(call, leg)


def answer_updates(session, code=200):
    """This end answers UPDATE with its description."""
    default = session.on_request

    def on_request(txn):
        if txn.msg.method != "UPDATE":
            default(txn)
            return
        session.remote_cseq = txn.msg.cseq[0]
        session.requests.append(txn.msg)
        body = session.sdp.encode() if txn.msg.body and code == 200 else b""
        headers = [("Contact", session.peer.contact())] + ([("Content-Type", "application/sdp")] if body else [])
        txn.reply(txn.msg.reply(code, headers=headers, body=body))
        session.changed()
    session.on_request = on_request


async def test_an_offer_before_the_answer_of_the_last_one(t):
    """RFC 3311 §5.2: UPDATE with an offer while the INVITE's is not answered: 500 with Retry-After to its
    sender, 491 to the vendor whose answer we wait for; a re-INVITE likewise (RFC 3261 §14.2)."""
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    early(call, await call.rings())
    leg = await carrier.leg()
    offer = Sdp(caller.ip, 40020, version=2).encode()
    for method in ("UPDATE", "INVITE"):
        answer = await call.request(method, body=offer).response()
        assert answer.code == 500 and 0 <= int(answer.get("Retry-After")) <= 10, answer.start_line()
        answer = await leg.request(method, body=Sdp(carrier.ip, 50020, version=2).encode()).response()
        assert answer.code == 491, answer.start_line()
    assert not leg.requests
    call.cancel()
    await call.expect(487)


async def test_update_of_a_call_that_is_up(t):
    """A hold by UPDATE reaches a peer that allows it as UPDATE and any other as a re-INVITE."""
    caller, carrier, call, leg = await up(t, headers=[("Allow", EVERY)])
    answer_updates(call)
    held = Sdp(caller.ip, 40000, direction="sendonly", version=2).encode()
    answer = await call.request("UPDATE", body=held).response()
    assert answer.code == 200 and leg.reinvites[0].sdp.direction == "sendonly", answer.start_line()
    await leg.until(lambda: len(leg.acks) >= 2, "ACK of the re-INVITE")
    answer = await leg.request("UPDATE", body=Sdp(carrier.ip, 50030, (8, 101), version=2).encode()).response()
    assert answer.code == 200 and answer.sdp, answer.start_line()
    assert len(of_method(call, "UPDATE")) == 1 and not call.reinvites
    await call.hang_up()
    await t.billed(call, leg)


# -- offers and codecs ------------------------------------------------------------------------------

async def test_a_late_offer_inside_the_call(t):
    """RFC 3261 §14.1: a re-INVITE without a description; the offer comes in the 200, the answer in the
    ACK; from each side."""
    caller, carrier, call, leg = await up(t)
    for near, far, sdp in ((call, leg, Sdp(caller.ip, 40040, (8,), version=2)),
                           (leg, call, Sdp(carrier.ip, 50040, (8,), version=3))):
        acks = len(far.acks)
        txn = near.request("INVITE")
        ok = await txn.response()
        assert ok.code == 200 and ok.sdp.ip == t.switch.ip
        assert not far.reinvites[-1].body
        ack = near.build("ACK", txn.msg.cseq[0], headers=[], body=sdp.encode())
        near.peer.send(ack, near.next_hop())
        await far.until(lambda far=far, acks=acks: len(far.acks) > acks, "ACK")
        assert far.acks[-1].body and far.acks[-1].cseq[0] == far.reinvites[-1].cseq[0]
        assert Sdp.parse(far.acks[-1].body).ip == t.switch.ip
    await call.hang_up()
    await t.billed(call, leg)


async def test_another_codec(t):
    caller, carrier, call, leg = await up(t)
    leg.on_reinvite = lambda session, txn: session.send_ok(txn, Sdp(carrier.ip, 50000, (18,), version=2))
    answer = await call.reinvite(Sdp(caller.ip, 40000, (18, 0), version=2))
    assert answer.sdp.payloads == [18] and leg.reinvites[0].sdp.payloads == [18, 0]
    await call.hang_up()
    await t.billed(call, leg)


async def test_a_cancelled_reinvite(t):
    """CANCEL of a re-INVITE reaches the vendor too; the call goes on with what it had."""
    caller, _carrier, call, leg = await up(t)

    def hold(_session, txn):
        txn.reply(txn.msg.reply(180, tag=leg.tag))
    leg.on_reinvite = hold
    leg.on_cancel = lambda txn: (txn.reply(txn.msg.reply(200, tag=leg.tag)),
                                 leg.server.reply(leg.server.msg.reply(487, tag=leg.tag)),
                                 setattr(leg, "cancelled", 1), leg.changed())
    txn = call.request("INVITE", body=Sdp(caller.ip, 40050, version=2).encode())
    await leg.until(lambda: leg.reinvites, "re-INVITE")
    await txn.until(lambda: txn.responses, "100")
    call.txn = txn
    call._send_cancel()
    assert (await txn.response()).code == 487
    await leg.cancel()
    leg.on_reinvite = None

    async def served():
        return (await call.reinvite(Sdp(caller.ip, 40000, version=3))).code == 200
    await poll(served, "a re-INVITE after the cancelled one")
    await call.hang_up()
    await leg.ended_by_peer()


# -- other requests ---------------------------------------------------------------------------------

async def test_digits_do_not_wait_for_each_other(t):
    """INFO (RFC 6086): several under way at once, each answered by the vendor's own code; none of them
    holds up a re-INVITE; bodies that are no digits stay behind."""
    caller, _carrier, call, leg = await up(t)
    waiting = []
    default = leg.on_request

    def on_request(txn):
        if txn.msg.method != "INFO":
            default(txn)
            return
        leg.remote_cseq = max(leg.remote_cseq, txn.msg.cseq[0])
        leg.requests.append(txn.msg)
        waiting.append(txn)
        leg.changed()
    leg.on_request = on_request
    digits = [f"Signal={d}\r\nDuration=160\r\n".encode() for d in "159"]
    kind = [("Content-Type", "application/dtmf-relay")]
    txns = []
    for body in digits:
        msg = call.build("INFO", headers=kind)
        msg.body = body
        txns.append(caller.request(msg, call.next_hop()))
    await leg.until(lambda: len(waiting) == 3, "three INFOs at once")
    assert [m.body for m in of_method(leg, "INFO")] == digits
    assert (await call.reinvite(Sdp(caller.ip, 40002, version=2))).code == 200
    for txn, code in zip(waiting, (200, 481, 488)):
        txn.reply(txn.msg.reply(code))
    assert [(await txn.response()).code for txn in txns] == [200, 481, 488]
    for body, content, code in ((b"Signal=1\r\nX: secret", "application/dtmf-relay", 400),
                                (b"<xml/>", "application/media_control+xml", 415)):
        msg = call.build("INFO", headers=[("Content-Type", content)])
        msg.body = body
        answer = await caller.request(msg, call.next_hop()).response()
        assert answer.code == code, answer.start_line()
    assert len(waiting) == 3
    await call.hang_up()
    await leg.ended_by_peer()
    await t.billed(call, leg)


async def test_what_is_refused_inside_a_call(t):
    """MESSAGE, NOTIFY, SUBSCRIBE and REFER are not passed on: 405 with Allow, from either side; a
    required extension is 420 and Max-Forwards 0 is 483; OPTIONS is answered; the call goes on."""
    caller, _carrier, call, leg = await up(t)
    for side in (call, leg):
        for method, more in (("MESSAGE", []), ("NOTIFY", [("Event", "refer")]), ("SUBSCRIBE", []),
                             ("REFER", [("Refer-To", "<sip:88099@127.0.0.1>")]), ("PUBLISH", [])):
            answer = await side.request(method, headers=more).response()
            assert answer.code == 405 and {"INVITE", "UPDATE", "PRACK"} <= listed(answer, "Allow"), method
        answer = await side.request("INVITE", headers=[("Require", "timer, x-none")]).response()
        assert answer.code == 420 and listed(answer, "Unsupported") == {"x-none"}
        msg = side.build("INFO").set("Max-Forwards", 0)
        assert (await side.peer.request(msg, side.next_hop()).response()).code == 483
        answer = await side.request("OPTIONS").response()
        assert answer.code == 200 and "INVITE" in listed(answer, "Allow")
    assert not leg.requests and not call.requests
    outside = await caller.ask("REFER", headers=[("Refer-To", "<sip:88099@127.0.0.1>")]).response()
    assert outside.code == 405
    await call.hang_up()
    await t.billed(call, leg)


async def test_bye_in_an_early_dialog(t):
    """RFC 3261 §15.1.2: a caller may end an early dialog: 200 to the BYE, 487 to the INVITE, CANCEL to the
    vendor."""
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    call = caller.invite("88017")
    early(call, await call.rings())
    await call.hang_up()
    await t.refused(call, 487, "CallerCancel", hangup_side="caller")
    await (await carrier.leg()).cancel()


async def test_a_bye_that_is_lost(t):
    """Ours is repeated until it is answered; the caller's repeat is answered as the first would have been."""
    caller, carrier, call, leg = await up(t)
    lost = []

    def lose(msg):
        if msg.method == "BYE" and not lost:
            lost.append(msg)
        return lost and msg is lost[0]
    carrier.lose = lose
    call.send_bye()
    await leg.ended_by_peer()
    assert lost and lost[0].branch == leg.bye.branch and lost[0].cseq == leg.bye.cseq
    await t.billed(call, leg, reason="CallerHangup")


async def test_reasons_pass_as_numbers(t):
    """RFC 3326: protocol and cause of BYE and CANCEL reach the other side, the text does not; where none
    came the switch names its own."""
    caller, carrier, call, leg = await up(t)
    call.bye_sent = 1
    txn = call.request("BYE", headers=[("Reason", 'SIP ;cause=480 ;text="secret"'),
                                       ("Reason", 'Q.850;cause=31;text="a, secret;cause=1", X.1;cause=5')])
    assert (await txn.response()).code == 200
    bye = await leg.ended_by_peer()
    assert set(bye.all("Reason")) == {"SIP;cause=480", "Q.850;cause=31"}, bye.headers
    call = caller.invite("88018")
    await call.expect(200)
    await (await carrier.leg("88018")).hang_up()
    bye = await call.ended_by_peer()
    assert bye.all("Reason") == ["Q.850;cause=16"]
    carrier.plan = plans.silent_after(180)
    for i, (value, want) in enumerate((('SIP;cause=200;text="elsewhere"', ["SIP;cause=200"]),
                                       ("Q.850;cause=999", ["Q.850;cause=16"]), (None, ["Q.850;cause=16"]))):
        call = caller.invite(f"88019{i}")
        await call.rings()
        inv = call.txn.msg
        headers = [("Via", inv.get("Via")), ("Max-Forwards", 70), ("From", inv.get("From")),
                   ("To", inv.get("To")), ("Call-ID", inv.call_id), ("CSeq", f"{inv.cseq[0]} CANCEL")]
        headers += [("Reason", value)] if value else []
        caller.request(type(inv)("CANCEL", inv.uri, headers=headers), call.flow)
        await call.expect(487)
        leg = await carrier.leg(f"88019{i}")
        await leg.cancel()
        cancel = carrier.servers[(leg.invite.branch, "CANCEL")].msg
        assert cancel.all("Reason") == want, cancel.headers
    t.excused.append("hold")


# -- INVITEs that come to nothing ----------------------------------------------------------------------

async def test_every_refused_invite_of_a_gateway_is_on_record(t):
    """What is wrong with the request itself: code, reason, numbers and gateway are in the record."""
    caller, carrier = await t.plain()
    carrier.plan = plans.silent_after(180)
    for i, (code, reason, headers, change) in enumerate((
            (420, "BadExtension", [("Require", "x-one, 100rel"), ("Proxy-Require", "x-two")], None),
            (483, "TooManyHops", [("Max-Forwards", "0")], None),
            (415, "BodyNotSupported", [], ("Content-Type", "text/plain")),
            (400, "BadRequest", [], ("Contact", None)))):
        number = f"88017{i}"
        call = odd_invite(caller, number, headers, change)
        await t.refused(call, code, reason, callee_in=number, mapping_gateway="acme-in", account="acme", tries=0,
                        hangup_side="switch")
        if code == 420:
            assert listed(call.answer, "Unsupported") == {"x-one", "x-two"}
        if code == 415:
            assert "application/sdp" in listed(call.answer, "Accept")
    call = caller.invite("88018")
    await call.rings()
    again = type(call.txn.msg)("INVITE", call.txn.msg.uri, headers=call.txn.msg.headers, body=call.txn.msg.body)
    again.set("Via", caller.via(call.flow))
    assert (await caller.request(again, call.flow).response()).code == 482

    async def written():
        rows = await t.ctl.ask("cdr.list", call_id=call.call_id)
        return [r for r in rows if r["reason"] == "MergedRequest" and r["sip_code"] == 482]
    assert len(await poll(written, "record of the merged INVITE")) == 1
    call.cancel()
    await call.expect(487)
    assert len(carrier.legs) == 1


def odd_invite(caller, number, headers, change):
    """An INVITE with one header less, or with another value."""
    send = caller.request

    def changed(msg, flow, on_response=None):
        if change:
            msg.drop(change[0])
            msg.headers += [change] if change[1] else []
        return send(msg, flow, on_response)
    caller.request = changed
    try:
        return caller.invite(number, headers=headers)
    finally:
        caller.request = send


async def test_wrong_passwords_of_a_gateway_are_on_record(t):
    """From an address that the gateway has: AuthenticationFailed. From anywhere else, and under unknown
    names, nothing is written (security.md F3)."""
    caller, carrier = await t.caller(), await t.carrier()
    stranger = await t.caller("stranger", last=9)
    await t.customer(caller, auth="password", address=[caller.ip], user="u", password="a pass word 9")
    await t.vendor(carrier)
    await t.set("SERVER_BILLING_RECORD_ILLEGAL_CALL", "Off")
    call = caller.invite("88017", credentials=("u", "wrong", "MD5"))
    await t.refused(call, 403, "AuthenticationFailed", mapping_gateway="acme-in", callee_in="88017")
    silent = stranger.invite("88018", credentials=("u", "wrong", "MD5"))
    call = caller.invite("88018", credentials=("nobody", "wrong", "MD5"))
    assert (await call.final()).code == 403
    call = caller.invite("88019", credentials=("u", "a pass word 9", "MD5"))
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, reason="CallerHangup")
    assert len(await t.ctl.ask("cdr.list")) == 2 and not silent.answer
    silent.txn.stop()


async def test_a_loop_and_a_spiral(t):
    """Our own INVITE that comes back unchanged is 482 LoopDetected; with another number it is a call."""
    caller, carrier = await t.plain()
    await t.gateway_in("acme", "back", address=[carrier.ip])
    codes = {}

    async def plan(leg):
        if leg.callee == "88019":  # the spiral's second turn
            leg.reply(404)
            return
        there = leg.callee.replace("88018", "88019")
        msg = type(leg.invite)("INVITE", leg.invite.uri, headers=leg.invite.headers,
                               body=Sdp(carrier.ip, 50300).encode())  # our own media address would be refused
        msg.uri = msg.uri.replace(leg.callee, there)
        msg.set("Max-Forwards", int(msg.get("Max-Forwards")) - 1).set("Contact", carrier.contact())
        msg.set("To", msg.get("To").replace(leg.callee, there))
        msg.headers.insert(0, ("Via", carrier.via(leg.flow, branch=f"z9hG4bK{token()}")))
        codes[leg.callee] = (await carrier.request(msg, carrier.udp.to(t.address)).response()).code
        leg.reply(486)
    carrier.plan = plan
    t.excused += ["with 2 Via", "with another Via"]
    for number in ("88017", "88018"):
        await t.refused(caller.invite(number), 486, "UserBusy")
    # Another worker than the one that sent it takes it for a spiral; Max-Forwards ends that.
    assert codes["88017"] == 482 or t.workers > 1, codes
    assert codes["88018"] == 404, codes


@scene(settings={"SS_MAX_CALL_PER_SECOND": "1000"})
async def test_nothing_is_left_behind(t):
    """Calls with all of it at once: reliable ringing, forks, timers, digits, refused changes; afterwards
    no call and no hold."""
    caller, carrier = await t.plain()

    async def plan(leg):
        leg.twin = fork(leg)
        reliable(leg, 183, 5, leg.sdp)
        reliable(leg.twin, 180, 9)
        await asked(leg, "PRACK")
        leg.accept(headers=[("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Allow", EVERY)])
        leg.twin.accept()
    carrier.plan = plan

    async def one(i):
        call = caller.invite(f"88017{i:03d}", headers=[
            ("Require", "100rel"), ("Supported", "timer"), ("Allow", EVERY)])
        first = await call.rings(183)
        assert (await prack(call, first).response()).code == 200
        await call.expect(200)
        digit = call.build("INFO", headers=[("Content-Type", "application/dtmf")])
        digit.body = b"5"
        info = caller.request(digit, call.next_hop())
        change = call.request("INVITE", body=Sdp(caller.ip, 40100, version=2).encode(),
                              on_response=call._reinvite_answered)
        if i % 2:
            assert (await change.response()).code == 200
            assert (await info.response()).code == 200
        await call.hang_up()
    for start in range(0, 60, 20):
        await asyncio.gather(*(one(i) for i in range(start, start + 20)))
    await t.books.settled()
    assert len(await t.books.check()) == 60
