"""Changes of network and ports that undo themselves: through switchctl and switch-hostd, with the real firewall."""

import os
import subprocess
import sys
import time

from harness.scene import scene
from harness.switch import die_with_parent
from harness.watch import poll
from probe import Tcp

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "firmware"))

from mk import grubenv  # noqa: E402

CONF = "ipv4 = 10.9.0.1/24\nssh_port = 2222\nmedia_ports = 12000-12999\ninterface = in0\n"
# What tandem-change.service and what it restarts do on a machine: files, the network, the firewall.
APPLY = """#!/bin/sh
[ -e {fail} ] && grep -q "ssh_port = 2022" "$2" && exit 1
{bin}/switch-setup --root {root} --control {control} "$@" || exit
. {root}/etc/sysconfig/network-scripts/ifcfg-in0
for a in $(ip -4 -o addr show dev in0 | awk '{{ print $4 }}'); do
	[ "$a" = "$IPADDR/$PREFIX" ] || ip addr del "$a" dev in0
done
ip addr add "$IPADDR/$PREFIX" dev in0 2>/dev/null
kill -HUP {lockoutd}
"""


class Host:
    """switch-hostd inside the wall, over a machine that is a folder."""

    def __init__(self, t, patience):
        self.t, self.patience, self.process = t, patience, None
        self.folder = os.path.dirname(t.switch.path)
        self.root, self.fail = self.at("machine"), self.at("fail")
        os.makedirs(os.path.join(self.root, "etc/tandem"))
        t.lockout.conf = self.conf = os.path.join(self.root, "etc/tandem/tandem.conf")
        os.makedirs(self.at("slots"))
        for name, data in (("grubenv", grubenv.block({**grubenv.FRESH})), ("image.json", b'{"version": "1", "built": 1}')):
            with open(os.path.join(self.at("slots"), name), "wb") as f:
                f.write(data)
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(CONF)

    def at(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        with open(self.at("apply"), "w", encoding="ascii") as f:
            f.write(APPLY.format(fail=self.fail, bin=self.t.binaries, root=self.root, control=self.t.switch.path,
                                 lockoutd=self.t.lockout.process.pid))
        os.chmod(self.at("apply"), 0o755)
        with open(self.at("hostd.log"), "ab") as log:
            self.process = subprocess.Popen(self.t.wall.enter + [
                os.path.join(self.t.binaries, "switch-hostd"), "--control", self.at("host.sock"), "--state",
                self.at("host"), "--image", os.path.join(self.at("slots"), "image.json"), "--slots",
                self.at("slots"), "--running", "a", "--conf", self.conf, "--apply", self.at("apply"),
                "--patience", str(self.patience)], stderr=log, preexec_fn=die_with_parent)

    def kill(self):
        self.process.kill()
        self.process.wait()

    async def ctl(self, *words, status=0):
        got, out, err = await self.t.switch.cli(*words)
        assert got == status, f"{words}: {got} {out} {err}"
        return out + err

    async def listens(self):
        async def answers():
            return (await self.t.switch.cli("machine", "settings"))[0] == 0
        await poll(answers, "switch-hostd")

    async def until(self, text):
        async def says():
            out = (await self.t.switch.cli("--json", "machine", "settings"))[1]
            return f'"state": "{text}' in out
        await poll(says, text)

    def pending(self):
        return sorted(n for n in os.listdir(self.at("host")) if n.startswith("change"))

    def text(self):
        with open(self.conf, encoding="ascii") as f:
            return f.read()


async def begin(t, patience):
    host = Host(t, patience)
    await t.guarded()
    host.start()
    await host.listens()
    return host


async def through(source, is_open, is_shut):
    tcp = Tcp(source)

    async def look():
        return tcp.is_through(is_open) and not tcp.is_through(is_shut)
    await poll(look, f"{is_open} open and {is_shut} shut")


@scene(start=False)
async def test_a_port_of_ssh_that_nobody_confirms_comes_back(t):
    """Though the daemon that should undo it is killed, and stands again only after the time is up."""
    host = await begin(t, 3)
    try:
        await through(t.net.ip(2), 2222, 2022)
        start = time.monotonic()
        out = await host.ctl("machine", "change", "ssh_port=2022")
        assert "undone_in_s" in out, out
        out = await host.ctl("machine", "change", "ssh_port=2023", status=1)
        assert "not confirmed yet" in out, out
        await host.until("in force, waiting")
        await through(t.net.ip(3), 2022, 2222)
        host.kill()

        async def is_late():
            return time.monotonic() - start > 3
        await poll(is_late, "the end of the time")
        assert "ssh_port = 2022" in host.text() and host.pending(), "undone by nobody"
        host.start()
        await through(t.net.ip(4), 2222, 2022)

        async def is_done():
            return not host.pending()
        await poll(is_done, "the end of the undoing")
        assert "ssh_port = 2022" not in host.text(), host.text()
        assert "nothing to confirm" in await host.ctl("machine", "confirm", status=1)
    finally:
        host.kill()


@scene(start=False)
async def test_another_address_stays_when_it_is_confirmed(t):
    """Confirmed it stays, whatever happens to the daemon; the next one is undone by the clock."""
    host = await begin(t, 60)

    def addresses():
        return t.wall.run("ip", "-4", "-o", "addr", "show", "dev", "in0")
    try:
        await host.ctl("machine", "change", "ipv4=10.9.0.50/24")
        await host.until("in force, waiting")
        assert "10.9.0.50/24" in addresses() and "10.9.0.1/24" not in addresses()
        await host.ctl("machine", "confirm")
        assert host.pending() == []
        for words, wanted in (("admin_hosts=192.0.2.7", True), ("admin_hosts=", False)):
            await host.ctl("machine", "change", words)
            await host.until("in force, waiting")
            await host.ctl("machine", "confirm")
            assert ("admin_hosts = 192.0.2.7" in host.text()) is wanted, host.text()
        host.kill()
        host.patience = 1
        host.start()
        await host.listens()
        assert "10.9.0.50/24" in addresses() and "ipv4 = 10.9.0.50/24" in host.text()
        await host.ctl("machine", "change", "ipv4=10.9.0.60/24")

        async def is_back():
            return not host.pending() and "10.9.0.50/24" in addresses()
        await poll(is_back, "the address before")
        assert "10.9.0.60/24" not in addresses()
    finally:
        host.kill()


@scene(start=False)
async def test_what_cannot_be_applied_or_makes_no_sense_changes_nothing(t):
    host = await begin(t, 60)
    try:
        for words, says in ((["ssh_port=70000"], "ssh_port"), (["sip_port=2222"], "2222"),
                            (["ipv4=10.9.0.300/24"], "ipv4"), ([], "nothing is to be changed"),
                            (["ssh_from=admin_hosts"], "nobody could log in")):
            assert says in await host.ctl("machine", "change", *words, status=1), words
        before = host.text()
        with open(host.fail, "w", encoding="ascii"):
            pass
        await host.ctl("machine", "change", "ssh_port=2022")

        async def is_back():
            return not host.pending()
        await poll(is_back, "undone")
        assert "ssh_port = 2222" in host.text() and "ssh_port = 2022" not in host.text(), before
        await host.ctl("machine", "change", "ssh_port=2024")
        await host.until("in force, waiting")
        await host.ctl("machine", "undo")
        await poll(is_back, "undone by hand")
        await through(t.net.ip(5), 2222, 2024)
    finally:
        host.kill()
