"""A call through the booted switch: every packet of speech checked at both ends, its record, its charge."""

from harness.rtp import Media
from harness.sip import Sdp
from harness.site import BUY, NUMBER, PAID, SELL

TALK = 100  # packets of 20 ms


async def test_a_call_is_carried_and_billed(site):
    """Two seconds of numbered speech each way; the record agrees with the wire, the charge and the
    balance with exact fractions."""
    caller, carrier = await site.ends()
    near, far = site.keep(Media(caller.ip, "near")), site.keep(Media(carrier.ip, "far"))

    async def plan(leg):
        leg.reply(180)
        leg.accept(Sdp(carrier.ip, far.port))
    carrier.plan = plan
    call = caller.invite(NUMBER, sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    near.aim(call.remote_sdp)
    far.aim(leg.remote_sdp)
    for end, other in ((near, far), (far, near)):
        await end.talk(TALK)
        await other.heard(end, TALK)
    await call.hang_up()
    cdr = await site.billed(call, leg, SELL, BUY, account="acme", mapping_gateway="acme-in",
                            routing_gateway="carrier-a", reason="CallerHangup", caller_packets_in=TALK,
                            callee_packets_out=TALK, callee_packets_in=TALK, caller_packets_out=TALK)
    assert cdr["hold_ms"] >= 2 * TALK * 20, cdr["hold_ms"]
    assert await site.books.balance("acme") < site.books.paid["acme"], f"nothing was charged of {PAID}"
    await site.settle()


async def test_a_stranger_hears_nothing(site):
    """An INVITE from an address that is no gateway: no octet comes back, the switch counts it."""
    stranger = await site.stranger()
    before = (await site.status())["unknown_sources"]
    stranger.invite(NUMBER)

    async def counted():
        return (await site.status())["unknown_sources"] > before
    await site.poll(counted, "the stranger's request to be counted")
    assert not site.wire.bytes_to("stranger")
