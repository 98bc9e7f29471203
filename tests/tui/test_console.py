"""switch-console as an operator uses it, on a vt220 of 80 by 24, before a real switch."""

import signal

from harness.scene import scene
from harness.stage import SELL
from harness.watch import poll
from terminal import console


async def test_account_is_made_and_recharged(t):
    await t.rates("wholesale", {"880": SELL})
    async with console(t) as c:
        await c.see("Tandem  Console", "Calls in progress", "UNLICENSED", "Licence")
        await c.go("a", "Tandem  Accounts", "There is nothing here yet.")
        await c.go("a", "New account", "limit_money *")
        c.press("acme", "tab", "Acme Telecom", "tab", "tab", "tab", "tab", "0", "tab")
        # The rate group is picked from the list of those that there are.
        await c.go(["f4"], "wholesale")
        await c.go(["enter"], "rate_group             wholesale")
        await c.go(["f2"], "account acme: saved", "1 of 1")
        assert "Acme Telecom" in c.line_with("acme  "), c.text

        await c.go("p", "Book a payment", "amount ")
        await c.go(["-", "5", "f2"], "! this kind of payment adds money")
        await c.go(["clear", "100.5", "f2"], "account acme: booked", "100.5")
        t.books.paid["acme"] += 100 + 0.5
        await c.go("y", "Tandem  Payments", "recharge", "100.5")
        await c.go("c", "Take a payment back", "memo")
        await c.go(["f2"], "payment 1: taken back", "correction", "-100.5")
        await c.go(["esc"], "Tandem  Accounts")
        t.books.paid["acme"] -= 100 + 0.5
        await t.books.pay("acme", "100.5")
        await c.go("r")
        await c.go(["enter"], "balance:        100.5", "rate_group:     wholesale")
    shown = await t.ctl.ask("account.show", id="acme")
    assert (shown["name"], shown["balance"], shown["rate_group"]) == ("Acme Telecom", "100.5", "wholesale"), shown


async def test_a_refusal_stands_at_its_field(t):
    await t.account("acme")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("a", "acme")
        await c.go("e", "Change account acme", "id                     acme")
        # By our own check, when the field is left; by the switch, when it is saved.
        c.press("tab", "tab", "tab", "tab", "clear", "1,5")
        await c.go(["tab"], "! limit_money does not accept this value", "at most 8 decimals")
        c.press("up", "clear", "0", "tab")
        await c.go(["nobody", "f2"], "! ", "rate_group")
        await c.go(["esc"], "Tandem  Accounts")
    assert (await t.ctl.ask("account.show", id="acme"))["rate_group"] is None


async def test_a_customer_and_a_vendor_are_set_up_and_a_call_is_seen_and_hung_up(t):
    """Everything by keys: rates, gateways, the call that then comes, its end, its record."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.account("acme", pay="10")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("t", "Tandem  Rate groups")
        await c.go("a", "New rate-group")
        await c.go(["retail", "f2"], "rate-group retail: saved", "1 of 1")
        await c.go(["enter"], "Tandem  Rates", "group retail")
        await c.go("a", "New rate", "group *", "retail")
        c.press("tab", "880", "tab", "tab", "tab", "tab", "0.0123")
        await c.go(["f2"], "saved", "1 of 1", "0.0123")
        await c.go("e", "Change rate retail/880")
        c.press("tab", "tab", "tab", "clear")
        await c.go(["0.02", "f2"], "rate retail/880: saved", "of 2", "0.02")
        c.press("esc")
        await c.see("Tandem  Rate groups")
        await c.go(["esc"], "Tandem  Console")

        await c.go("a", "acme")
        await c.go("e", "Change account acme")
        c.press("tab", "tab", "tab", "tab", "tab")
        await c.go(["retail", "f2"], "account acme: saved")
        await c.go(["esc"], "Tandem  Console")

        await c.go("m", "Tandem  Mapping gateways")
        await c.go("a", "New mapping-gateway")
        c.press("acme-in", "tab", "acme", "tab", "tab", caller.ip)
        await c.go(["f2"], "mapping-gateway acme-in: saved", "1 of 1")
        await c.go(["esc"], "Tandem  Console")

        await c.go("v", "Tandem  Routing gateways")
        await c.go("a", "New routing-gateway")
        c.press("carrier-a", "tab", "tab", "{}:{}".format(*carrier.address.rsplit(":", 1)))
        await c.go(["f2"], "routing-gateway carrier-a: saved", "1 of 1")
        await c.go(["esc"], "Tandem  Console")

        await c.go("e", "Explain a route", "gateway *")
        await c.go(["acme-in", "tab", "1001", "tab", "8801712345678", "f2"],
                   "verdict: ok", "carrier-a", "candidate", "price 0.02")
        await c.go(["esc"], "gateway *", "acme-in")
        await c.go(["clear", "999", "f2"], "gateway *")
        c.press("esc")
        await c.see("Tandem  Console", "Calls in progress")

        call = caller.invite("8801712345678")
        await call.expect(200)
        leg = await carrier.leg()
        await c.go("c", "Tandem  Calls in progress", "8801712345678", "connected")
        await c.go(["enter"], "mapping_gateway:    acme-in", "routing_gateway:    carrier-a")
        await c.go(["esc"], "h Hang up")
        await c.go("h", "End the call from 1001 to 8801712345678", "[ Cancel ]")
        await c.go(["enter"], "connected")          # Cancel has the cursor
        await c.go("h", "[ Hang up ]")
        await c.go(["tab", "enter"], "The call was ended", "There is nothing here yet.")
        await call.ended_by_peer()
        await leg.ended_by_peer()
        await c.go(["esc"], "Tandem  Console")

        await c.go("d", "Tandem  Call records", "8801712345678", "OperatorHangup")
        await c.go("e", "Why the call went", "numbers", "carrier-a", "answered", "hangup")
        await c.go(["esc"], "Tandem  Call records")
        await c.go("f", "Which records", "reason")
        c.press(*["tab"] * 7, "NoRate")
        await c.go(["f2"], "reason NoRate", "There is nothing here yet.")
        await c.go(["esc"], "Tandem  Console")
        await c.go("k", "Done: 3 of 3 passed, 0 failed")
        await c.go("q", "Tandem  Console")
        await t.ctl.ask("account.set", id="acme", line_limit=7)
        await c.go("l", "Log of changes", "account.set", "routing-gateway.add", "carrier-a")
        await c.go(["enter"], "before:    line_limit=0", "after:     line_limit=7")   # not the whole rows
        await c.go(["esc", "esc"], "Tandem  Console")
    await t.cdr(call, reason="OperatorHangup")


async def test_parameter_is_searched_refused_set_and_reset(t):
    name = "SS_MAX_CALL_PER_SECOND"
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("o", "Tandem  Parameters", "1 of")
        await c.go("/", "Only rows that hold:")
        await c.go([name.lower(), "enter"], "1 of 1", name)
        await c.go(["enter"], "Tandem  Parameter", "default", "effect                 live")
        await c.go(["clear", "many", "f2"], "! ", "does not accept")
        await c.go(["clear", "7", "f2"], f"{name}: saved")
        assert (await t.ctl.ask("parameter.show", name=name))["value"] == "7"
        await c.go("x", "back to its default")
        await c.go(["right", "enter"], f"{name}: at its default")
        assert (await t.ctl.ask("parameter.show", name=name))["changed"] is False


async def test_delete_asks_first(t):
    await t.account("acme")
    async with console(t) as c:
        await c.see("Tandem  Console")
        await c.go("a", "acme")
        await c.go("x", "account acme: delete it?")
        await c.go(["enter"], "acme")
        assert await t.ctl.ask("account.list")
        await c.go("x", "account acme: delete it?")
        await c.go(["tab", "enter"], "account acme: deleted", "There is nothing here yet.")
    assert await t.ctl.ask("account.list") == []


async def test_another_size_is_another_picture(t):
    async with console(t) as c:
        await c.see("Tandem  Console")
        c.resize(40, 120)
        await c.see("F1/? Help")
        await c.until(lambda: c.line(39).startswith(" F1/? Help"), "help in the last line")
        c.resize(10, 40)
        await c.see("the screen must have 80 x 24")
        c.resize(24, 80)
        await c.until(lambda: c.line(23).startswith(" F1/? Help"), "help in the last line")
        await c.go("a", "Tandem  Accounts")


async def test_a_switch_that_is_gone_comes_back(t):
    await t.account("acme")
    async with console(t) as c:
        await c.see("Tandem  Console", "Ledger")
        await c.go("a", "acme")
        t.switch.kill()
        await c.see("switchd cannot be reached", "acme")
        # A change then says that it was not made.
        await c.go("a", "New account")
        await c.go(["b", "tab", "tab", "tab", "tab", "tab", "0", "f2"], "switchd cannot be reached")
        await c.go(["esc"], "Tandem  Accounts")
        await c.go(["esc"], "Tandem  Console", "switchd cannot be reached")
        await t.switch.start()
        await c.see("Ledger")
        await c.hides("cannot be reached: Connection refused\n")
        await c.go("a", "acme")
        await c.hides("cannot be reached")
    assert [a["id"] for a in await t.ctl.ask("account.list")] == ["acme"]


async def test_a_switch_that_hangs_does_not_hang_the_console(t):
    async with console(t) as c:
        await c.see("Tandem  Console", "Ledger")
        t.switch.process.send_signal(signal.SIGSTOP)
        try:
            await c.see("switchd gave no answer")
            await c.go("a", "Tandem  Accounts", within=30)
            await c.go(["esc"], "Tandem  Console", within=30)
        finally:
            t.switch.process.send_signal(signal.SIGCONT)
        await c.see("Ledger", within=30)


async def test_read_only_changes_nothing(t):
    await t.account("acme")
    async with console(t, "--read-only") as c:
        await c.see("Tandem  Console")
        await c.go("a", "acme", "Enter Show")
        assert "Add" not in c.line(23) and "Recharge" not in c.line(23), c.line(23)
        c.press("a", "e", "x", "p", "del", "f2")
        await c.go(["enter"], "balance:")
        await c.go(["esc"], "Tandem  Accounts")
        await c.go(["esc"], "Tandem  Console")
        # A parameter can be looked at.
        await c.go("o", "Tandem  Parameters", "1 of")
        await c.go(["enter"], "default")
        await c.go(["1", "f2"], "this console is read-only")
    assert [a["id"] for a in await t.ctl.ask("account.list")] == ["acme"]
    assert {r["operation"] for r in await t.ctl.ask("log.list")} == {"account.add"}


async def works(c):
    """Arrows in both forms, function keys and what stands for them."""
    await c.see("Tandem  Console", "Calls in progress")
    c.press("\x1b[B", "\x1bOB", "\x1b[B", "\x1bOB")
    await c.go(["enter"], "Tandem  Accounts", "There is nothing here yet.")
    await c.go(["\x1b1"], "This help")          # Esc and 1: F1
    await c.go(["esc"], "Enter Show")
    await c.go("a", "New account")
    await c.go(["x\x0f"], "! limit_money must be given")   # ^O saves
    await c.go(["\x18"], "Tandem  Accounts", "F1/? Help")  # ^X leaves


async def test_every_terminal_will_do(t):
    for term, lang in (("vt220", "C.UTF-8"), ("vt220", "C"), ("linux", "C.UTF-8"), ("xterm", "C.UTF-8"),
                       ("vt100", "C"), ("xterm-256color", "en_XX.UTF-8"), ("nobody-knows-it", "C")):
        async with console(t, term=term, lang=lang) as c:
            await works(c)
            if lang == "C":
                assert c.sent.isascii(), f"{term}: not ASCII in the locale C"


async def test_a_serial_line_of_unknown_size_is_80_by_24(t):
    async with console(t, rows=0, cols=0) as c:
        await works(c)
        assert c.line(23).startswith(" F1/? Help"), c.text


async def test_the_keyboards_signals_are_keys(t):
    async with console(t) as c:
        await c.see("Tandem  Console")
        c.press("\x1a", "\x1c", "\x19")
        await c.go(["\x03"], "Leave the console?")      # ^C is Esc
        await c.go(["esc"], "F10/q Quit")
        await c.go("a", "Tandem  Accounts")
        c.press("!", ":", "|", "\x1a")
        await c.go(["esc"], "Tandem  Console")
        await c.go("q", "Leave the console?")
        c.press("tab", "enter")
        assert await c.ended() == 0


@scene(idle=True)
async def test_nobody_there_is_the_end(t):
    async with console(t, "--idle", "1") as c:
        await c.see("closed, as no key was pressed")
        assert await c.ended() == 0


async def test_a_field_more_in_the_tables_is_on_the_screen(t):
    """Every field that `help` of switchctl names is in the form: both walk the same table."""
    _, out, _ = await t.switch.cli("help", "routing-gateway", "add")
    fields = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line[2] != " "]
    assert len(fields) > 20, out
    async with console(t, rows=120) as c:
        await c.see("Tandem  Console")
        await c.go("v", "Tandem  Routing gateways", "There is nothing")
        await c.go("a", "New routing-gateway", *fields)


async def test_a_registration_that_failed_and_its_alarm(t):
    """Where the switch is registered is a key away from the gateways' status; an alarm is acknowledged by one."""
    carrier = await t.carrier()
    await t.ctl.ask("routing-gateway.add", name="trunk", address=[carrier.address], user="u", password="p-of-trunk-1",
                    registration=True)
    async with console(t, cols=132) as c:
        await c.see("Tandem  Console")
        await c.go("s", "Tandem  Gateway status", "trunk")
        await c.go("r", "Registrations", "trunk", "failed", "405")
        await c.go(["esc"], "Gateway status")
        await c.go(["esc"], "Tandem  Console")
        await c.go("w", "Tandem  Alarms", "registration_failed")
        await c.go("a", "registration_failed is acknowledged")
    (alarm,) = [a for a in await t.ctl.ask("alarm.list") if a["type"] == "registration_failed"]
    assert alarm["acked_by"], alarm
    await t.ctl.ask("routing-gateway.del", name="trunk")
    assert "registration_failed" not in str(await t.ctl.ask("alarm.list"))
    async with console(t, cols=132) as c:
        await c.see("Tandem  Console")
        await c.go("w", "Tandem  Alarms")
        await c.go("h", "Alarms that are over", "registration_failed")


async def test_calls_are_counted_on_the_first_page(t):
    caller, _ = await t.plain()
    async with console(t) as c:
        await c.see("Tandem  Console", "0 admitted")
        call = caller.invite("8801712345678")
        await call.expect(200)
        await c.see("1 admitted, 1 answered", "highest 1")
        await call.hang_up()
        await poll(lambda: t.ctl.ask("cdr.list"), "record")


async def test_the_menu_shows_the_pages_around_the_selected_one(t):
    """There are more pages than lines: what a page is for never stands over another page's name."""
    async with console(t) as c:
        await c.see("Tandem  Console", "Calls in progress", "more below", "Who talks to whom")
        assert "more above" not in c.text, c.text
        await c.go(["up"], "About, licence", "more above", "Version, licence, this")
        assert "Calls in progress" not in c.text and "more below" not in c.text, c.text
        await c.go(["down"], "Calls in progress", "more below", "Who talks to whom")
