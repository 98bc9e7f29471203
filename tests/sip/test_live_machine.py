"""What the machine's own services are told of switchd's parameters."""

import os

from harness.control import Refused
from harness.scene import live, scene
from harness.watch import poll


async def told(t, path, *lines):
    """Until the file that chronyd reads has these sources, in this order."""
    async def are_there():
        if not os.path.exists(path):
            return False
        with open(path, encoding="ascii") as f:
            return [line.strip() for line in f if not line.startswith("#")] == list(lines)
    await poll(are_there, f"the sources {lines}")


@live("SERVER_NTP_SERVER")
@scene(idle=True)
async def test_time_servers_are_written_for_the_time_service(t):
    """One alone has the image's own beside it, two or more stand by themselves, none leaves the image's; what is no host is refused."""
    path = os.path.join(t.folder, "ntp.sources")
    own = [f"pool {n}.debian.pool.ntp.org iburst maxsources 2" for n in (0, 1)]
    t.switch.extra += ["--time-servers", path]
    await t.switch.restart()
    await told(t, path, "server time-a.nist.gov iburst prefer", *own)
    await t.set("SERVER_NTP_SERVER", "192.0.2.123, ntp.example.net")
    await told(t, path, "server 192.0.2.123 iburst prefer", "server ntp.example.net iburst")
    for bad in ("192.0.2.300", "a b", "a.example\nserver b", "x;y", ",".join(f"n{i}.example" for i in range(9))):
        try:
            await t.set("SERVER_NTP_SERVER", bad)
        except Refused as e:
            assert "no time servers" in e.message or "does not accept" in e.message, e.error
        else:
            raise AssertionError(f"{bad!r} was taken")
    await t.set("SERVER_NTP_SERVER", "")
    await told(t, path, *own)
    await t.set("SERVER_NTP_SERVER", "2001:db8::7")
    await t.switch.restart()
    await told(t, path, "server 2001:db8::7 iburst prefer", *own)
