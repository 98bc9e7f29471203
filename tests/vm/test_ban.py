"""Bans from outside: what earns one, that it ends, and that nobody has another one banned by a forged
address."""

import asyncio
import socket

from harness.guest import Refused
from harness.site import CUSTOMER, NUMBER, SIP_PORT, STRANGER, SWITCH

SCANNER = "friendly-scanner"


def request(source, serial, transport):
    return (f"OPTIONS sip:{SWITCH} SIP/2.0\r\nVia: SIP/2.0/{transport} {source}:5060;branch=z9hG4bK{serial}\r\n"
            f"From: <sip:x@{source}>;tag={serial}\r\nTo: <sip:{SWITCH}>\r\nCall-ID: {serial}@{source}\r\n"
            f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nUser-Agent: {SCANNER}\r\nContent-Length: 0\r\n\r\n").encode()


async def ban_of(site, address):
    """The ban of that address, or None."""
    rows = await site.ctl.ask("ban.list")
    return next((r for r in rows if r["address"] == address and r["state"] == "banned"), None)


async def reaches_tcp(source, within):
    """Whether a TCP connection to the SIP port comes about."""
    try:
        _reader, writer = await asyncio.wait_for(
            asyncio.open_connection(SWITCH, SIP_PORT, local_addr=(source, 0)), within)
        writer.close()
        return True
    except (asyncio.TimeoutError, OSError):
        return False


async def scan_by_tcp(times):
    """A scanner that is really there: each request over a connection of its own."""
    for serial in range(times):
        try:
            _reader, writer = await asyncio.wait_for(
                asyncio.open_connection(SWITCH, SIP_PORT, local_addr=(STRANGER, 0)), 10)
        except (asyncio.TimeoutError, OSError):
            return
        writer.write(request(STRANGER, serial, "TCP"))
        try:
            await writer.drain()
        except OSError:
            pass
        writer.close()


async def test_a_scanner_is_banned_and_its_ban_ends(site):
    """A scanner over TCP earns a ban with its reason and evidence; it no longer gets a connection; the ban
    that an operator makes shorter ends by itself."""
    assert await reaches_tcp(STRANGER, 30), "the stranger cannot connect even before"

    async def banned():
        await scan_by_tcp(3)
        return await ban_of(site, STRANGER)
    row = await site.poll(banned, "a ban of the scanner")
    assert SCANNER in str(row) or "scanner" in str(row), row
    assert not await reaches_tcp(STRANGER, 5), "a banned address gets a connection"
    await site.ctl.ask("ban.del", address=STRANGER)
    assert await reaches_tcp(STRANGER, 30), "an address whose ban was lifted gets no connection"
    await site.ctl.ask("ban.add", address=STRANGER, seconds=10, reason="test")
    assert not await reaches_tcp(STRANGER, 3)

    async def is_over():
        return await ban_of(site, STRANGER) is None
    await site.poll(is_over, "the end of a ban of 10 s")
    assert await reaches_tcp(STRANGER, 30), "the ban is over, but there is no connection"


async def test_forged_packets_ban_no_customer(site):
    """Three hundred scanner's requests with the customer's address as their source: no ban, and its call
    goes through. The operator cannot ban it either."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
        forger.bind((CUSTOMER, 0))  # the host is the whole outside: any address is as good as forged
        for serial in range(300):
            forger.sendto(request(CUSTOMER, serial, "UDP"), (SWITCH, SIP_PORT))
    caller, carrier = await site.ends()
    call = caller.invite(NUMBER)
    await call.expect(200)
    await carrier.legs[0].ack()
    await call.hang_up()
    assert await ban_of(site, CUSTOMER) is None
    try:
        await site.ctl.ask("ban.add", address=CUSTOMER, seconds=60, reason="test")
        raise AssertionError("a customer's gateway could be banned")
    except Refused:
        pass


async def test_forged_packets_ban_a_stranger_for_a_minute_at_most(site):
    """A flood with a stranger's address, which anybody may have forged."""
    other = "203.0.113.77"
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for serial in range(400):
            raw.sendto(forged(other, request(other, serial, "UDP")), (SWITCH, 0))

    async def banned():
        return await ban_of(site, other)
    row = await site.poll(banned, "a ban of the forged address")
    assert row["left_s"] <= 60, row
    await site.ctl.ask("ban.del", address=other)


def forged(source, payload):
    """An IPv4 packet with a UDP datagram in it; the kernel fills in checksum and length."""
    udp = (5060).to_bytes(2, "big") + SIP_PORT.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
    head = bytes([0x45, 0, 0, 0, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0, 0])
    return head + socket.inet_aton(source) + socket.inet_aton(SWITCH) + udp + payload


async def guess_by_ssh(site, times):
    """Somebody at the stranger's address tries to log in; whether he got no answer in the end."""
    for _ in range(times):
        words = site.ssh.words("-b", STRANGER, "-o", "ControlMaster=no", "-o", "ControlPath=none", "-o",
                               "IdentitiesOnly=yes", "-o", "ConnectTimeout=20", "-i", "/dev/null")
        guess = await asyncio.create_subprocess_exec(*words[:1], *words[3:], stdin=asyncio.subprocess.DEVNULL,
                                                     stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
        if b"Permission denied" not in (await guess.communicate())[1]:
            return True
    return False


async def test_guessing_at_ssh_is_banned(site):
    """sshd's own words in the journal are the evidence: ten failures within a minute and the stranger gets no connection; the
    administrator still does."""
    assert await guess_by_ssh(site, 40), "forty tries were let through"
    row = await site.poll(lambda: ban_of(site, STRANGER), "a ban of who guesses at SSH")
    assert "ssh" in str(row).lower(), row
    assert not await reaches_tcp(STRANGER, 5)
    status, out, err = await asyncio.to_thread(site.ssh.run, "true")
    assert status == 0 or "denied" not in err, (status, out, err)
    await site.ctl.ask("ban.del", address=STRANGER)
    assert await reaches_tcp(STRANGER, 30)
