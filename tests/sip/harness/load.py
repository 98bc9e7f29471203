"""Many calls at a steady rate."""

import asyncio


async def steady(rate, count, place):
    """Runs place(i) for i in 0..count-1, one started every 1/rate seconds; their results in order.

    A late start is caught up and never skipped: the count is exact, the rate is what the machine can.
    """
    loop = asyncio.get_running_loop()
    start, tasks = loop.time(), []
    for i in range(count):
        await asyncio.sleep(max(0.0, start + i / rate - loop.time()))
        tasks.append(asyncio.create_task(place(i)))
    return await asyncio.gather(*tasks)


class Stream:
    """Calls at a steady rate until stopped; place(i) is a coroutine, errors are kept in failures."""

    def __init__(self, rate, place):
        self.rate, self.place, self.started = rate, place, 0
        self.tasks, self.failures = [], []
        self.task = asyncio.create_task(self._run())

    async def _run(self):
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(max(0.0, start + self.started / self.rate - loop.time()))
            self.tasks.append(asyncio.create_task(self._one(self.started)))
            self.started += 1

    async def _one(self, i):
        try:
            await self.place(i)
        except AssertionError as e:
            self.failures.append(e)

    def stop(self):
        """No new calls; those under way go on."""
        self.task.cancel()

    async def done(self):
        """Until every call that was started has come to its end."""
        self.stop()
        await asyncio.gather(*self.tasks)
