"""Switched off by its power button and on again: everything is kept. Without its firewall it has no network."""

import asyncio

from harness.site import BUY, NUMBER, SELL, SWITCH

KEPT = ("account", "rate-group", "rate", "mapping-gateway", "routing-gateway", "payment", "cdr")


async def everything(site):
    return {entity: [{k: v for k, v in row.items() if k not in ("calls", "health")}
                     for row in await site.ctl.ask(f"{entity}.list", limit=500)] for entity in KEPT}


async def files(site):
    text = await asyncio.to_thread(
        site.switch.machine.check, "cat /etc/tandem/tandem.conf /etc/hostname /etc/ssh/authorized_keys/admin "
        "/var/lib/ssh/ssh_host_ed25519_key.pub; ls /var/lib/tandem-setup")
    return text


async def test_a_second_boot_keeps_everything(site):
    """Rows, balances, records, configuration and host keys are as before; the console asks for the password
    and not for a set-up; and a call is carried and billed."""
    before, had = await everything(site), await files(site)
    await site.switch.stop()
    await site.switch.start()
    await site.switch.answers()
    assert await files(site) == had
    after = await everything(site)
    for entity in KEPT:
        assert after[entity] == before[entity], f"{entity}: {before[entity]} became {after[entity]}"
    await asyncio.to_thread(site.switch.machine.console.wait_screen, r"Tandem\s+Login", 180)
    caller, carrier = await site.ends()
    call = caller.invite(NUMBER)
    await call.expect(200)
    await carrier.legs[0].ack()
    await call.hang_up()
    await site.billed(call, carrier.legs[0], SELL, BUY)
    await site.settle()


async def test_no_firewall_no_network(site):
    """The network does not come up before the firewall is there, and does once it is."""
    machine = site.switch.machine
    run = lambda line: asyncio.to_thread(machine.check, line)
    await run("systemctl stop switch-lockoutd && systemctl stop systemd-networkd && nft flush ruleset")
    await run(f"ip address del {SWITCH}/24 dev $(ip -o -4 address | awk '/ {SWITCH}\\// {{ print $2 }}')")
    await run("systemctl start systemd-networkd")
    assert (await run("systemctl show -P ActiveState systemd-networkd")).strip() == "inactive"
    assert SWITCH not in await run("ip -4 address")
    await run("systemctl start switch-lockoutd")

    async def is_up():
        return SWITCH in await run("ip -4 address")
    await site.poll(is_up, "the address once the firewall is loaded")
    assert "policy drop" in await run("nft list ruleset")
