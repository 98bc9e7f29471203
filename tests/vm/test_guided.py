"""A fresh machine with nothing but a person at its serial console: the set-up, key by key, read back as
the 80 by 24 screen of a vt220, up to a passed go-live test."""

import asyncio

from harness.guest import Guest
from harness.machine import Machine
from harness.rtp import Media
from harness.sip import Sdp
from harness.site import ADMIN, CUSTOMER, NUMBER, PASSWORD, SWITCH, VENDOR, Lan, Site, enter
from harness.watch import poll

SEEN_WITHIN = 400


class Echo(Media):
    """Sends back what it hears."""

    def _rtp(self, data, flow):
        super()._rtp(data, flow)
        self.sock.to(flow.peer).send(data)


class Person:
    """Reads the screen and types."""

    def __init__(self, line):
        self.line = line

    async def see(self, *texts, within=SEEN_WITHIN):
        async def is_there():
            shown = "\n".join(self.line.screen)
            return all(text in shown for text in texts)
        try:
            await poll(is_there, f"{texts}", within, 0.1)
        except AssertionError as e:
            raise AssertionError(f"{e}; the screen:\n" + "\n".join(self.line.screen)) from None

    def press(self, *names):
        self.line.press(*names)

    async def put(self, *values):
        """Fields from the one with the cursor on; None leaves one as it is."""
        for i, value in enumerate(values):
            if i:
                self.press("tab")
            if value is not None:
                self.press("clear", *value)

    async def fill(self, title, *values):
        """One form of the first customer and vendor."""
        self.press("enter")
        await self.see(title, "[ Save ]")
        await self.put(*values)
        self.press("save")
        await self.see("Customer, vendor and rates")


async def the_machine(person):
    await person.see("Press Enter to begin")
    person.press("enter")
    await person.see("Machine and network")
    await person.put("tandem-2", None, None, None, f"{SWITCH}/24", None, ADMIN)
    person.press("save")
    await person.see("SIP and media ports")
    person.press("save")
    await person.see("Administrator", "password again")
    await person.put(PASSWORD, PASSWORD)
    person.press("save")
    await person.see("Licence", "UNLICENSED")
    person.press("save")
    await person.see("Business model")
    person.press("save")
    await person.see("Done: 3 of 3 passed")
    person.press("q")
    await person.see("Customer, vendor and rates")


async def the_first_customer(person):
    await person.fill("Customer's price list", "retail")
    await person.fill("Customer's rate", None, "880", "0.0123")
    person.press("enter")
    await person.see("Customer's account", "[ Save ]")
    await person.put("acme", None, None, None, None, "retail")
    person.press("save")
    await person.see("Customer, vendor and rates")
    await person.fill("Customer's first payment", None, "100")
    await person.fill("Customer's gateway", "acme-in", None, None, CUSTOMER)
    await person.fill("Vendor's price list", "carrier")
    await person.fill("Vendor's rate", None, "880", "0.0071")
    await person.fill("Vendor's account", "carrier")
    await person.fill("Vendor's gateway", "carrier-a", None, f"{VENDOR}:5060")
    person.press("n")


async def the_vendor(site):
    """Whom the go-live test asks whether it is there, and calls: it answers and echoes."""
    carrier = await site.carrier(port=5060)
    echo = site.keep(Echo(carrier.ip, "echo"))

    async def plan(leg):
        leg.reply(180)
        leg.accept(Sdp(carrier.ip, echo.port))
    carrier.plan = plan


async def test_a_guided_set_up_to_a_passed_go_live_test(image, options):
    """Every page by keystrokes; the test calls pass; the console then asks for the password that was set."""
    lan = Lan()
    try:
        site = Site(lan, options.seed, customers="")
        with Machine(image, net=lan.network) as machine:
            enter(lan.outside.namespace)
            site.switch = Guest(machine, SWITCH)
            await asyncio.to_thread(machine.start)
            person = Person(machine.console)
            await the_machine(person)
            await the_first_customer(person)
            await person.see("Go-live test", "test_number")
            await the_vendor(site)
            await person.put(None, NUMBER)
            person.press("save")
            await person.see("Ready", within=600)
            assert "not passed" not in "\n".join(machine.console.screen), machine.console.screen
            person.press("enter")
            await person.see("Tandem", "Login")
            person.press(*PASSWORD, "enter")
            await person.see("Tandem", "Console")
            site.hang_up()
    finally:
        lan.close()
