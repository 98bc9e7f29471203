"""The stage of a firewall test: this process outside, a machine with switchd and switch-lockoutd
inside, one cable between them."""

import asyncio
import ctypes
import os
import random
import subprocess

from harness.books import Books
from harness.stage import Stage
from harness.switch import Switch, die_with_parent
from harness.wire import Wire

CLONE_NEWNET = 0x40000000
MACHINE, MACHINE6 = "10.9.0.1", "fd00:9::1"
# Hosts outside: .2 to .40, and one in each of two IPv6 networks.
HOSTS = range(2, 41)
OTHER6 = ("fd00:9::2", "fd00:a::2")
# The machine answers every packet that its firewall lets through to a closed port, at once; its queue is switch-tune's.
LOUD = """
echo 512 >/proc/sys/net/unix/max_dgram_qlen
echo 0 >/proc/sys/net/ipv4/icmp_ratemask
echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
echo 0 >/proc/sys/net/ipv4/tcp_syncookies
"""


def ip(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines).encode(), check=True)


class Wall:
    """Two namespaces: ours, made new, and the machine's, held open by a sleeping process."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "a network namespace is not to be had")
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"],
                                       stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self.holder.stdout.readline()
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-n"]
        ip("link set lo up",
           f"link add out0 type veth peer name in0 netns {self.holder.pid}", "link set out0 up",
           *[f"addr add 10.9.0.{n}/24 dev out0" for n in HOSTS],
           *[f"addr add {a}/64 dev out0 nodad" for a in OTHER6])
        self.run("sh", "-c", LOUD + f"""
            set -e; ip link set lo up; ip link set in0 up
            ip addr add {MACHINE}/24 dev in0
            ip addr add {MACHINE6}/64 dev in0 nodad
            ip route add fd00:a::/64 dev in0
        """)

    def run(self, *words):
        """A command of the machine's; its output."""
        return subprocess.run(self.enter + list(words), stdout=subprocess.PIPE, check=True).stdout.decode()

    def close(self):
        self.holder.kill()
        self.holder.wait()


class Net:
    """What harness/stage.py calls its network."""

    cidr = "10.9.0.0/24"

    @staticmethod
    def ip(last):
        return f"10.9.0.{last}"


class Lockout(Switch):
    """switch-lockoutd, started and asked as switchd is."""

    def __init__(self, binaries, folder, wall):
        self.home = os.path.join(folder, "lockout")
        os.makedirs(self.home)
        super().__init__(binaries, self.home, MACHINE, 0)
        self.path = os.path.join(folder, "lockout.sock")
        self.security = os.path.join(folder, "security.sock")
        self.switch = os.path.join(folder, "control.sock")
        self.conf = os.path.join(folder, "tandem.conf")
        self.wrapper = wall.enter

    def command(self):
        return self.wrapper + [
            os.path.join(self.binaries, "switch-lockoutd"), "--control", self.path, "--state", self.data,
            "--security", self.security, "--switch", self.switch, "--conf", self.conf]


class NetStage(Stage):
    """t.wall, t.lockout, t.firewall (its Control); the switch listens at 10.9.0.1:5060."""

    def __init__(self, binaries, folder, workers, seed, settings=(), long=False):
        self.binaries, self.folder, self.workers, self.long = binaries, folder, workers, long
        self.seed, self.random = seed, random.Random(seed)
        self.wall, self.net, self.wire = Wall(), Net(), Wire()
        self.peers, self.media = [], []
        self.lockout = Lockout(binaries, folder, self.wall)
        self.switch = Switch(binaries, folder, MACHINE, 5060, workers, settings, media_ports=None)
        self.switch.wrapper = self.wall.enter
        self.switch.extra = ["--security", self.lockout.security]
        self.books = Books(self)
        self.audit, self.excused = True, []

    @property
    def firewall(self):
        return self.lockout.ctl

    async def guarded(self):
        """Firewall first, as at boot, then the switch."""
        await self.lockout.start()
        await self.switch.start()

    async def ban(self, address):
        """What is known of an address: a ban or a memory of one, exempt, free."""
        return await self.firewall.ask("ban.show", address=address)

    async def close(self, passed):
        try:
            if passed and self.lockout.running:
                await self.lockout.stop()
            await super().close(passed)
            if passed and self.lockout.starts:
                complaints = self.lockout.complaints()
                assert not complaints, "lockoutd complained:\n" + "".join(complaints[:10])
        except BaseException:
            if self.lockout.starts:
                print("  lockoutd's log:\n" + self.lockout.tail(), flush=True)
            raise
        finally:
            self.lockout.discard()
            await asyncio.to_thread(self.wall.close)
