"""What a vendor does with a call: coroutines over a Leg. A test may write its own."""

import asyncio


def answer(after=0.0, ring=True, early=None, sdp="own", bye_after=None):
    """180 (or 183 with early media), then 200 after that many seconds; may hang up by itself."""
    async def plan(leg):
        if early:
            leg.reply(183, sdp=early)
        elif ring:
            leg.reply(180)
        if after:
            await asyncio.sleep(after)
        leg.accept(sdp)
        if bye_after is not None:
            await leg.ack()
            await asyncio.sleep(bye_after)
            await leg.hang_up()
    return plan


def reject(code, reason=None, headers=(), after=0.0, ring=False):
    """Refuses, at once or after ringing."""
    async def plan(leg):
        if ring:
            leg.reply(180)
        if after:
            await asyncio.sleep(after)
        leg.reply(code, reason, headers)
    return plan


def dead():
    """No answer at all, not even 100."""
    async def plan(_leg):
        return
    return plan


def silent_after(code, sdp=None):
    """One provisional answer (100, 180, 183) and then nothing."""
    async def plan(leg):
        leg.reply(code, sdp=sdp)
    return plan


def answer_when_cancelled(ring=True):
    """The 200 that crosses the CANCEL: answers 200 to both."""
    async def plan(leg):
        leg.heed_cancel = False
        leg.reply(180 if ring else 100)
        await leg.cancel(within=60)
        leg.accept()
    return plan


def answer_when(event):
    """Rings, and answers when the test sets the event."""
    async def plan(leg):
        leg.reply(180)
        await event.wait()
        leg.accept()
    return plan
