"""A switch at its first customer's: the image in a network of its own, set up from a tandem.conf, and
the two ends outside it.

    192.0.2.10   the switch
    192.0.2.1    the router, where the administrator sits
    192.0.2.20   the customer's gateway
    192.0.2.30   the vendor's
    203.0.113.66 a stranger, who is no neighbour: those of the switch's own network are never banned
"""

import base64
import ctypes
import hashlib
import os
import random
import tempfile

from harness.books import Books
from harness.guest import Guest, Ssh
from harness.network import Network
from harness.oracle import Terms, money
from harness.stage import Stage
from harness.ua import Caller
from harness.watch import poll
from harness.wire import Wire

SWITCH, ADMIN, CUSTOMER, VENDOR = (f"192.0.2.{n}" for n in (10, 1, 20, 30))
STRANGER = "203.0.113.66"
SIP_PORT, SSH_PORT, MEDIA_PORTS = 5060, 2222, (10000, 20000)
SELL = Terms(price="0.0123", unit=60, first=1, step=1)
BUY = Terms(price="0.0071", unit=60, first=6, step=6)
PAID = "10.00"
NUMBER = "8801712345678"
PASSWORD = "correct horse 7"
CLONE_NEWNET = 0x40000000

SETTINGS = f"""\
# How this switch is set up; read once, from the volume labelled TANDEM.
hostname = tandem-demo
timezone = UTC
interface = auto
ipv4 = {SWITCH}/24
gateway = {ADMIN}
sip_port = {SIP_PORT}
media_ports = {MEDIA_PORTS[0]}-{MEDIA_PORTS[1]}
ssh_port = {SSH_PORT}
"""

# The vendor is there only while a test plays him, and sipp would take an OPTIONS for one of its calls: he is not asked.
CUSTOMERS = f"""\
ctl = parameter set SERVER_DISPLAY_MONEY_PRECISION 6
ctl = rate-group add name=retail
ctl = rate-group add name=purchase
ctl = rate add group=retail prefix=880 price={SELL.price} unit=60 first={SELL.first} step={SELL.step}
ctl = rate add group=purchase prefix=880 price={BUY.price} unit=60 first={BUY.first} step={BUY.step}
ctl = account add id=acme limit_money=0 rate_group=retail
ctl = account add id=carrier kind=clearing limit_money=0 rate_group=purchase
ctl = account recharge acme amount={PAID} memo=opening
ctl = mapping-gateway add name=acme-in account=acme auth=ip address={CUSTOMER}
ctl = routing-gateway add name=carrier-a account=carrier address={VENDOR}:5060 prefix=880 options_check=false
"""


def hash_of(password):
    """As lib/base/password.h keeps it."""
    salt = os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)
    return "$scrypt$ln=15,r=8,p=1$" + "$".join(base64.b64encode(x).decode().rstrip("=") for x in (salt, made))


def enter(namespace):
    """This thread, and what it starts from here on, is in that network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {namespace}")
    finally:
        os.close(fd)


class Lan:
    """The outside: one namespace with all addresses but the switch's."""

    def __init__(self):
        self.network = Network()
        self.outside = self.network.outside("out", *(f"{a}/24" for a in (ADMIN, CUSTOMER, VENDOR, STRANGER)))

    @staticmethod
    def ip(last):
        """For harness/stage.py: customer 2, vendor 3."""
        return f"192.0.2.{last}0"

    def close(self):
        self.network.close()


class Site(Stage):
    """The stage of tests/sip around a guest. machine: a Machine that is not started yet, made with
    network=lan.network and files=site.files()."""

    def __init__(self, lan, seed=0, extra="", customers=CUSTOMERS):
        self.net, self.wire = lan, Wire()
        self.place = tempfile.TemporaryDirectory(prefix="tandem-site-")
        self.folder = self.place.name
        self.ssh = Ssh(self.folder, SWITCH, SSH_PORT)
        self.conf = (SETTINGS + f"ssh_key = {self.ssh.public}\nadmin_password_hash = {hash_of(PASSWORD)}\n"
                     + extra + customers)
        self.peers, self.media, self.excused = [], [], []
        self.seed, self.random, self.workers, self.long, self.audit = seed, random.Random(seed), 1, False, True
        self.books = Books(self)
        if customers:
            self.books.paid["acme"] += money(PAID)
        self.switch = None

    def files(self):
        """What stands on the volume TANDEM."""
        return {"tandem.conf": self.conf}

    def power(self, machine, shell=None):
        self.switch = Guest(machine, SWITCH, shell, SIP_PORT)
        return self.switch

    async def ends(self):
        """(caller, carrier) as the tandem.conf knows them."""
        return await self.caller(), await self.carrier(port=5060)

    async def stranger(self):
        """Somebody whom the switch does not know."""
        return await self._open(Caller("stranger", STRANGER, self.wire, self.address), 0)

    async def poll(self, ask, what):
        return await poll(ask, what, 60, 0.5)

    async def settle(self):
        """After a test: the books balance, the audits agree, no end saw a breach of the protocol."""
        await self.books.settled()
        await self.books.check()
        await self.books.verify()
        self._no_faults()

    def hang_up(self):
        """Closes the ends of one test."""
        for end in self.peers + self.media:
            end.close()
        self.peers, self.media = [], []
