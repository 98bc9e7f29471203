"""Something else than the switch fills the data partition, to the last block that it can have: the machine stays a machine, and
what is up is booked."""

import asyncio

from harness.machine import Machine
from harness.site import BUY, NUMBER, SELL, Lan, Site, enter
from test_boot import BOOT

FILLER = "/data/var/filler"
# In steps, so that not one block is left; by a user who has no more rights than any.
FILL = ("for size in 1M 4k; do start-stop-daemon -S -p /run/none -c nobody -x /usr/bin/dd -- if=/dev/zero bs=$size "
        f">>{FILLER} 2>/dev/null; done; sync; df -k /data | awk 'NR == 2 {{ print $4 }}'")


async def refused(site, caller):
    call = caller.invite(NUMBER)
    await call.expect(503)


async def test_a_disk_that_is_full(image, options):
    """New calls are refused with an alarm, no file is taken, the call that is up gets its exact record; the machine starts again
    like that, with its console; and when there is room calls pass."""
    lan = Lan()
    try:
        site = Site(lan, options.seed)
        with Machine(image, net=lan.network, files=site.files()) as machine:
            enter(lan.outside.namespace)
            await site.power(machine).start()
            await site.switch.set_up()
            await story(site, machine)
    finally:
        lan.close()


async def story(site, machine):
    run = lambda line: asyncio.to_thread(machine.check, line)
    caller, carrier = await site.ends()
    running = caller.invite(NUMBER)
    await running.expect(200)
    await carrier.legs[0].ack()
    assert int(await run(FILL)) < 64

    async def critical():
        return [a for a in await site.ctl.ask("alarm.list") if a["type"] == "disk" and a["level"] == "critical"]
    await site.poll(critical, "the alarm")
    await refused(site, caller)
    said = await asyncio.to_thread(machine.sh, "echo no update | switchctl update install -")
    assert said[0] != 0 and "there is no room for the file" in said[1], said
    await running.hang_up()
    await site.billed(running, carrier.legs[0], SELL, BUY)

    await site.switch.stop()
    await site.switch.start()
    await asyncio.to_thread(machine.console.wait_screen, r"Tandem\s+Login", BOOT)
    await asyncio.to_thread(machine.wait_unit, "tandem-good.service", BOOT)
    await site.switch.answers()
    assert await site.poll(critical, "the alarm")
    await run(f"rm {FILLER}")

    async def over():
        return not await critical()
    await site.poll(over, "room")
    call = caller.invite(NUMBER)
    await call.expect(200)
    await carrier.legs[-1].ack()
    await call.hang_up()
    await site.billed(call, carrier.legs[-1], SELL, BUY)
    await site.settle()
    site.hang_up()
