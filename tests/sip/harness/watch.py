"""Waiting for something to become true, with a deadline, and never by sleeping."""

import asyncio

DEADLINE = 15.0  # how long an event that must come may take on a loaded machine, seconds


class Missed(AssertionError):
    """The event did not come before its deadline."""


class Watch:
    """State that others wait on: whoever changes it calls changed(), waiters look again."""

    def __init__(self):
        self._waiters = []

    def changed(self):
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition, what, within=DEADLINE):
        """The first true value of condition(); Missed, naming what, when the deadline passes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not (value := condition()):
            left = end - loop.time()
            if left <= 0:
                raise Missed(f"{self}: no {what} within {within:g} s")
            waiter = loop.create_future()
            self._waiters.append(waiter)
            await asyncio.wait([waiter], timeout=left)
        return value


async def poll(ask, what, within=DEADLINE, every=0.02):
    """For what nobody announces: asks again and again (await ask()) until the answer is true."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        value = await ask()
        if value:
            return value
        if loop.time() > end:
            raise Missed(f"no {what} within {within:g} s (last answer: {value!r})")
        await asyncio.sleep(every)
