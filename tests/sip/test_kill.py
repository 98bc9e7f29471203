"""Check (c): SIGKILL at random moments under 50 calls a second, and the promises of design.md §4 after
each: one record for every answered call, cut calls closed as SwitchRestarted, the books in balance to
the last unit, and both ends of every cut call told within 5 s of the restart."""

import asyncio

from harness import plans
from harness.books import check_fee, every
from harness.load import Stream
from harness.oracle import Terms, charge, money
from harness.record import CallRecord
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.watch import Missed

SELL = Terms(price="0.0123", first=1, step=1, tax_percent="7.5")
BUY = Terms(price="0.0071", first=6, step=6)
# A vendor of ours that is slow, because the machine is, has not failed: what it takes decides nothing here.
OPEN = {"SS_MAX_CALL_PER_SECOND": "10000", "SS_MAX_CONCURRENT_CALL": "5000", "SS_SIP_TIMEOUT_INVITE": "120",
        "SS_SIP_TIMEOUT_TRYING": "600", "SS_HUNT_TIMEOUT": "600"}
TOLD_WITHIN = 5.0
SETTING_UP = 32  # calls at once that wait for their answer: a slow machine gets fewer calls, and none that nobody comes to


class Storm:
    """Calls of every length while the switch lives; what became of each is read off its two ends."""

    def __init__(self, t, caller, carrier, rate=50):
        self.t, self.caller, self.carrier, self.rate = t, caller, carrier, rate
        self.calls, self.killed, self.serial = [], None, 0
        self.cut_ever = {}  # calls that a kill cut: the moment of the first kill
        self.room = asyncio.Semaphore(SETTING_UP)

    async def invite(self, caller, delays):
        """A call that was answered, with whatever code; None: the kill came before."""
        async with self.room:
            if self.killed:
                return None
            self.serial += 1
            number = f"880{self.serial:07d}"
            self.carrier.on(number, plans.answer(after=self.t.random.choice(delays)))
            call = caller.invite(number)
            self.calls.append(call)
            await call.until(lambda: call.answer or self.killed, "answer or the kill", within=120)
        return call if call.answer else None

    async def talk(self, call, holds):
        """Until the kill, or one of these times is over and its BYE answered."""
        try:
            await call.until(lambda: call.bye_seen or self.killed, "the kill", within=self.t.random.choice(holds))
        except Missed:
            call.send_bye()
            await call.until(lambda: call.bye_done or self.killed, "answer to BYE or the kill", within=120)

    async def place(self, _i):
        call = await self.invite(self.caller, (0, 0, 0.05, 0.3))
        if call:
            assert call.answer.code == 200, f"{call}: {call.answer.start_line()}"
            await self.talk(call, (0.02, 0.1, 0.5, 1.5, 60))

    async def rage(self, seconds):
        """Calls at the rate for that long, then the kill; afterwards nobody begins or answers anything."""
        self.killed = None
        stream = Stream(self.rate, self.place)
        await asyncio.sleep(seconds)  # the load itself
        stream.stop()
        self.killed = self.t.switch.kill()
        for leg in self.carrier.legs:
            leg.task.cancel()
        for _ in range(100):
            await asyncio.sleep(0)  # a turn of the loop: reads what was sent before the kill
        for call in self.calls:
            call.txn.stop()
            call.changed()
        await stream.done()
        assert not stream.failures, stream.failures[0]
        return stream.started

    def answered(self):
        return [c for c in self.calls if c.ok]

    def legs(self):
        """{called number: leg}"""
        return {x.callee: x for x in self.carrier.legs}


def told(session):
    """This end knows that the call is over: a BYE came, or its own BYE was answered."""
    return session.bye_seen or session.bye_done


async def both_ends_hear(t, storm, cut, within=TOLD_WITHIN, but=lambda session: False):
    """Every call that the crash cut is ended at both sides, that soon after the moment of readiness. but:
    ends that need not hear."""
    legs = storm.legs()
    ends = [s for c in cut for s in (c, legs[c.callee]) if not but(s)]
    deadline = t.switch.ready_at + within
    for end in ends:
        await end.until(lambda e=end: told(e), "word that the call is over", within=30)
    late = [e for e in ends if told(e) > deadline]
    assert not late, f"{len(late)} of {len(ends)} ends heard later than {within} s after the restart"


def cost(row):
    """A call that a crash cut costs the vendor's first increment, however little of it is proven."""
    hold = row["hold_ms"]
    return charge(BUY, max(hold, BUY.first * 1000) if row["reason"] == "SwitchRestarted" else hold).total


async def reckon(t, storm):
    """Promises 1 and 3: records, charges and balances, by our own count."""
    await t.books.settled()
    # A slot that came by an update proves itself by a call of its own (tests/vm/test_update.py).
    rows, paid = [r for r in await every(t.ctl, "cdr") if not r["account"].startswith("golive-")], {}
    for row in rows:
        paid.setdefault(row["call_id"], []).append(row)
        check_fee(row, SELL)
        assert not row["vendor_account"] or money(row["cost"]) == cost(row), row
    twice = {k: [r["reason"] for r in v] for k, v in paid.items() if len(v) > 1}
    assert not twice, f"more than one record for a call: {list(twice.items())[:3]}"
    missing = [c for c in storm.answered() if c.call_id not in paid]
    assert not missing, f"{len(missing)} answered calls without a record, first: {missing[0]}"
    legs = storm.legs()
    for call in storm.answered():
        judge(paid[call.call_id][0], call, legs[call.callee], storm.cut_ever.get(call))
    took = sum(charge(SELL, r["hold_ms"]).total for r in rows)
    assert await t.books.balance("acme") == t.books.paid["acme"] - took
    assert await t.books.balance("vendor-acc") == t.books.paid["vendor-acc"] - sum(
        cost(r) for r in rows if r["vendor_account"])
    await t.books.verify()


def judge(row, call, leg, killed):
    """The record of one answered call: never longer than the wire allows. killed: when a crash cut it."""
    restarted = row["reason"] == "SwitchRestarted"
    if not killed:
        # The 200 to BYE may leave without the commit 300 ms after the loop turn began that read the BYE; one
        # that came sooner promises it.
        prompt = call.bye_done - call.bye_sent < 0.25
        assert not (restarted and prompt), f"{call} ended before the kill, its record says SwitchRestarted"
    if restarted:
        most = (killed or call.bye_done) - leg.ok_at
        assert 0 <= row["hold_ms"] / 1000 <= most + 0.001, (row["hold_ms"], most)
        assert row["hangup_side"] == "switch"
    else:
        assert call.bye_sent and row["reason"] == "CallerHangup", f"{call}: {row}"
        record = CallRecord(call, leg)
        if record.end_seen():
            record.check_hold(row["hold_ms"])
        else:  # it was booked, and then the switch was gone before anybody heard of it
            assert row["hold_ms"] / 1000 <= killed - leg.ok_at + 0.001, row["hold_ms"]


async def open_books(t):
    """(caller, carrier), with accounts and rates."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, pay="1000", rates={"880": SELL})
    await t.vendor(carrier, rates={"880": BUY})
    return caller, carrier


async def cut_down(storm, seconds):
    """Load for that long, then the kill; the answered calls whose end one of their ends has not heard."""
    await storm.rage(seconds)
    legs = storm.legs()
    cut = [c for c in storm.answered() if not (c.bye_done and legs[c.callee].bye_seen)]
    storm.cut_ever.update({c: storm.killed for c in cut if c not in storm.cut_ever})
    return cut


async def battle(t, rounds, again=False):
    storm = Storm(t, *await open_books(t))
    carrier = storm.carrier
    for _ in range(rounds):
        cut = await cut_down(storm, t.random.uniform(0.3, 2.5))
        await t.switch.start()
        if again:
            await asyncio.sleep(t.random.uniform(0, 0.3))  # the moment of the second kill
            t.switch.kill()
            await t.switch.start()
        await both_ends_hear(t, storm, cut)
        for leg in carrier.legs:
            leg.stop()
        await reckon(t, storm)


@scene(settings=OPEN, heavy=True, within=900)
async def test_sigkill_under_load(t):
    """5 kills in a normal run, 50 in a long one."""
    await battle(t, 50 if t.long else 5)


@scene(settings=OPEN, heavy=True, within=300)
async def test_sigkill_while_recovering(t):
    """Killed again just after the restart, while the ends are being told: still one record each."""
    t.excused.append("in a dialog with CSeq")  # the BYE of the first and of the second recovery
    await battle(t, 10 if t.long else 2, again=True)


@scene(idle=True)
async def test_a_cut_call_is_charged_to_the_last_proof_of_life(t):
    """Six seconds of talk, then the kill: the heartbeat of a second is what bounds the loss; the call
    is charged for at least three of the six, and for no moment after the kill."""
    caller, carrier = await t.plain(media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    await near.aim(call.remote_sdp).talk(300)
    killed = t.switch.kill()
    await asyncio.sleep(2)  # the time that the switch is away, which nobody pays
    await t.switch.start()
    await call.ended_by_peer(within=TOLD_WITHIN)
    await leg.ended_by_peer(within=TOLD_WITHIN)
    cdr = await t.cdr(call, reason="SwitchRestarted", hangup_side="switch", sip_code=200)
    assert 3 <= cdr["hold_ms"] / 1000 <= killed - leg.ok_at + 0.001, cdr["hold_ms"]


async def test_a_bye_that_crosses_the_restart(t):
    """The caller hangs up while the switch is away: its repeated BYE is answered (200 or 481), the
    vendor hears BYE, one record."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    t.switch.kill()
    txn = call.send_bye()
    await t.switch.start()
    answer = await txn.response(within=30)
    assert answer.code in (200, 481), answer.start_line()
    await carrier.legs[0].ended_by_peer()
    cdr = await t.cdr(call)
    assert cdr["reason"] in ("SwitchRestarted", "CallerHangup")


async def test_a_tcp_caller_is_told_too(t):
    """The connection died with the switch: the BYE finds the caller by a new one, to its Contact."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", flow=await caller.tcp_flow())
    await call.expect(200)
    t.switch.kill()
    await t.switch.start()
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    await t.cdr(call, reason="SwitchRestarted")


async def test_a_call_after_a_reinvite_is_ended_with_the_right_dialog(t):
    """CSeq, tags, route and target of the row written at the answer follow the dialog's changes."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    for version in range(2, 5):
        sdp = call.sdp
        sdp.version = version
        assert (await call.reinvite(sdp)).code == 200
    t.switch.kill()
    await t.switch.start()
    bye = await leg.ended_by_peer()
    assert bye.cseq[0] > leg.reinvites[-1].cseq[0]
    await call.ended_by_peer()
    await t.cdr(call, reason="SwitchRestarted")


async def test_a_graceful_stop_ends_and_books_what_is_up(t):
    """SIGTERM with a call up: both sides hear BYE, the record is there after the next start."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    await t.switch.stop(within=60)
    await t.switch.start()
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    await t.cdr(call)


async def test_killed_with_nothing_to_do(t):
    """Ten kills in a row, right after READY: it starts again each time and the books are right."""
    caller, _carrier = await t.plain()
    await caller.place("88017")
    for _ in range(10):
        t.switch.kill()
        await t.switch.start()
    await caller.place("88018")
    await t.books.settled()
    assert len(await t.books.check()) == 2


async def test_a_contact_that_moved_is_told_there(t):
    """The vendor's answer to a re-INVITE names another Contact: after a crash the BYE goes there."""
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    new = f"sip:moved@{carrier.address}"
    leg.on_reinvite = lambda s, txn: s.send_ok(txn, s.sdp, contact=f"<{new}>")
    assert (await call.reinvite(Sdp(caller.ip, 40000, version=2))).code == 200
    await caller.place("88018")  # its end is durable, and so is all that was said before it
    t.switch.kill()
    await t.switch.start()
    assert (await leg.ended_by_peer()).uri == new
    await call.ended_by_peer()
    await t.cdr(call, reason="SwitchRestarted")


@scene(idle=True, within=90)
async def test_media_that_paused_and_came_back_is_charged(t):
    """A pause longer than a look at the media is marked in the journal, and the mark goes when the talk
    goes on: a crash after it charges up to the heartbeat, not up to the pause."""
    caller, carrier = await t.plain(media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    near.aim(call.remote_sdp)
    await near.talk(10)
    await asyncio.sleep(12)  # the pause itself
    await near.talk(400)
    killed = t.switch.kill()
    await t.switch.start()
    await call.ended_by_peer(within=TOLD_WITHIN)
    await leg.ended_by_peer(within=TOLD_WITHIN)
    cdr = await t.cdr(call, reason="SwitchRestarted")
    assert 16 <= cdr["hold_ms"] / 1000 <= killed - leg.ok_at + 0.001, cdr["hold_ms"]


@scene(idle=True, within=90)
async def test_media_that_stopped_is_not_charged_beyond(t):
    """Silent since its first second, killed 12 s later: the last proof of life is the last packet."""
    caller, carrier = await t.plain(media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    near.aim(call.remote_sdp)
    await near.talk(20)
    await asyncio.sleep(12)  # the silence itself
    t.switch.kill()
    await t.switch.start()
    await call.ended_by_peer(within=TOLD_WITHIN)
    await carrier.legs[0].ended_by_peer(within=TOLD_WITHIN)
    cdr = await t.cdr(call, reason="SwitchRestarted")
    assert cdr["hold_ms"] < 5000, cdr["hold_ms"]
