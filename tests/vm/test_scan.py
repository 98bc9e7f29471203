"""The machine as a stranger's port scanner sees it, from outside."""

import asyncio
import re
import socket

from harness.site import MEDIA_PORTS, SIP_PORT, SSH_PORT, STRANGER, SWITCH

SIP_TLS_PORT = 5061
# What may answer at all: with a service behind it, or with a refusal where none is running.
LET_IN = {SIP_PORT, SIP_TLS_PORT, SSH_PORT}


async def nmap(*words):
    """{port: state} of the ports that are not simply filtered."""
    process = await asyncio.create_subprocess_exec(
        "nmap", "-n", "-Pn", "-S", STRANGER, "-e", "eth0", "--max-retries", "1", "-oG", "-", *words, SWITCH,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 300)
    assert process.returncode == 0, err.decode()
    return {int(p): state for p, state in re.findall(r"(\d+)/(open|closed|unfiltered|open\|filtered)/", out.decode())}


async def test_a_port_scan_finds_what_was_configured_and_no_more(site):
    """All 65,535 TCP ports: SIP and SSH are open; every other one but those of services that are let in
    gives no answer whatever."""
    found = await nmap("-sS", "-p-", "--min-rate", "3000")
    assert found.get(SIP_PORT) == "open" and found.get(SSH_PORT) == "open", found
    assert set(found) <= LET_IN, f"answers from {set(found) - LET_IN}"
    site.hang_up()


async def test_closed_udp_ports_say_nothing(site):
    """No ICMP error tells a scanner which UDP ports are closed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((STRANGER, 0))
        probe.setblocking(False)
        loop = asyncio.get_running_loop()
        for port in (53, 69, 111, 123, 161, 500, 1900, 5353, 9999, MEDIA_PORTS[1] + 1, 50000):
            probe.connect((SWITCH, port))
            await loop.sock_sendall(probe, b"\0" * 16)
        # A stranger's own ping is answered: what came before it has been dealt with.
        await ping()
        for port in (53, 111, 50000):
            probe.connect((SWITCH, port))
            await loop.sock_sendall(probe, b"\0")
            await ping()
            try:
                probe.recv(1)  # an ICMP error would be an OSError here
                raise AssertionError(f"port {port} answered")
            except BlockingIOError:
                pass


async def ping():
    process = await asyncio.create_subprocess_exec(
        "ping", "-n", "-c", "1", "-W", "30", "-I", STRANGER, SWITCH,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0, "no answer to a ping"
