"""An administrator shuts himself out, by SSH, of the real machine: after 90 seconds he can come in again."""

import asyncio
import time

from harness.site import ADMIN, SSH_PORT, SWITCH
from harness.watch import poll

OTHER_PORT, OTHER_ADDRESS, OTHER_HOST = 2022, "192.0.2.11", "192.0.2.99"
WITHIN = 400  # seconds, of an emulated machine: 90, and set-up twice


async def knocks(port, address=SWITCH):
    """Does sshd answer there?"""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port, local_addr=(ADMIN, 0)), 5)
        hello = await asyncio.wait_for(reader.read(4), 20)
        writer.close()
        return hello == b"SSH-"
    except (asyncio.TimeoutError, OSError):
        return False


async def by_ssh(site, *words, port=SSH_PORT, status=0):
    site.ssh.port = port
    got, out, err = await asyncio.to_thread(site.ssh.run, "switchctl", *words)
    assert got == status, (words, got, out, err)
    return out


async def states(site):
    """{key: (value, state)} of the settings, asked over the serial line, which no network can take away."""
    return {row["key"]: (row["value"], row["state"]) for row in await site.ctl.ask("machine.settings")}


async def until_state(site, key, value, state):
    async def look():
        return (await states(site))[key] == (value, state)
    await poll(look, f"{key}={value} {state}", WITHIN, 1)


async def shut_out(site, key, value, is_out):
    """The change by SSH, the way in lost, nobody confirms; how many seconds until sshd answers as before."""
    before, times = await conf(site), await undone(site)
    await by_ssh(site, "machine", "change", f"{key}={value}")
    began = time.monotonic()
    await until_state(site, key, value, "in force, waiting to be confirmed")
    assert await is_out(), "the way in was not lost"
    site.ssh.forget()

    async def back():
        return await knocks(SSH_PORT)
    await poll(back, "the way in as it was", WITHIN, 1)
    took = time.monotonic() - began
    print(f"     {key}={value}: in again after {took:.0f} s")
    assert took >= 90, "undone before its time"

    async def over():
        return await undone(site) > times
    await poll(over, "the end of the undoing", WITHIN, 1)
    assert await conf(site) == before
    await by_ssh(site, "machine", "settings")


async def undone(site):
    """How many times switch-hostd has undone a change, by its own word."""
    _, text = await asyncio.to_thread(
        site.switch.machine.sh, "journalctl -b -u switch-hostd --no-pager -o cat | grep -c 'undone, all is as it was'")
    return int(text)


async def conf(site):
    return await asyncio.to_thread(site.switch.machine.check, "cat /etc/tandem/tandem.conf")


async def test_a_port_of_ssh_that_nobody_confirms_comes_back(site):
    """The old port is shut, nobody comes by the new one; the unit that does it runs in its sandbox."""
    async def is_out():
        return not await knocks(SSH_PORT) and await knocks(OTHER_PORT)
    await shut_out(site, "ssh_port", str(OTHER_PORT), is_out)


async def test_an_address_where_nobody_finds_it_comes_back(site):
    """The network itself: the machine is away from its address."""
    async def is_out():
        return not await knocks(SSH_PORT)
    await shut_out(site, "ipv4", f"{OTHER_ADDRESS}/24", is_out)


async def test_a_firewall_that_lets_nobody_in_comes_back(site):
    """SSH for one host only, and that is not ours."""
    await by_ssh(site, "machine", "change", f"admin_hosts={OTHER_HOST}")
    await until_state(site, "admin_hosts", OTHER_HOST, "in force, waiting to be confirmed")
    await by_ssh(site, "machine", "confirm")

    async def is_out():
        return not await knocks(SSH_PORT)
    await shut_out(site, "ssh_from", "admin_hosts", is_out)
    assert (await states(site))["admin_hosts"] == (OTHER_HOST, "in force"), "what was confirmed before it stays"


async def test_what_is_confirmed_stays(site):
    """By the new way in, which shows that it works; and back the same way."""
    for old, new in ((SSH_PORT, OTHER_PORT), (OTHER_PORT, SSH_PORT)):
        await by_ssh(site, "machine", "change", f"ssh_port={new}", port=old)
        site.ssh.forget()
        await until_state(site, "ssh_port", str(new), "in force, waiting to be confirmed")
        await by_ssh(site, "machine", "confirm", port=new)
        assert f"ssh_port = {new}" in await conf(site)
        assert await knocks(new) and not await knocks(old)
    assert (await states(site))["ssh_port"] == (str(SSH_PORT), "in force")
