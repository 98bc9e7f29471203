"""RFC 4475 and RFC 5118: every message of theirs, over UDP and over TCP. A gateway that we know gets the answer of the table,
a stranger gets nothing; after each message a good call passes."""

import asyncio
import os
import re

from harness.scene import scene
from harness.sip import token as fresh
from test_malformed import Rough, quiet

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "fuzz_message")

# Valid, and refused for what it asks for: "user" is no number that anybody sells (the record says so).
CALL = "a call"
# Valid REGISTERs, of a peer that may not register: never 400.
REGISTER = (405, 401, 403, 404)
NOTHING = ()

# RFC, section, name: the final answer over UDP; and over TCP where that differs.
TABLE = {
    "rfc4475-3.1.1.1-wsinv": (481,),  # it has a To tag: inside a dialog that there is not
    "rfc4475-3.1.1.2-intmeth": (405,),
    "rfc4475-3.1.1.3-esc01": CALL,
    "rfc4475-3.1.1.4-escnull": (400,),  # valid, but security.md P6 wants no %00
    "rfc4475-3.1.1.5-esc02": (405,),  # RE%47IST%45R is not REGISTER
    "rfc4475-3.1.1.6-lwsdisp": (200,),
    "rfc4475-3.1.1.7-longreq": CALL,
    "rfc4475-3.1.1.8-dblreq": REGISTER,  # what stands behind a datagram's message is nobody's; of a stream see below
    "rfc4475-3.1.1.9-semiuri": (200,),
    "rfc4475-3.1.1.10-transports": (200,),
    "rfc4475-3.1.1.11-mpart01": (405,),  # a MESSAGE
    "rfc4475-3.1.1.12-unreason": NOTHING,  # answers to nothing that we asked
    "rfc4475-3.1.1.13-noreason": NOTHING,
    "rfc4475-3.1.2.1-badinv01": (400,),
    "rfc4475-3.1.2.2-clerr": (400,),  # TCP waits for the rest that never comes
    "rfc4475-3.1.2.3-ncl": (400,),
    "rfc4475-3.1.2.4-scalar02": (400,),
    "rfc4475-3.1.2.5-scalarlg": NOTHING,
    "rfc4475-3.1.2.6-quotbal": (400,),
    "rfc4475-3.1.2.7-ltgtruri": (400,),
    "rfc4475-3.1.2.8-lwsruri": (400,),
    "rfc4475-3.1.2.9-lwsstart": (400,),
    "rfc4475-3.1.2.10-trws": (400,),
    "rfc4475-3.1.2.11-escruri": (400,),
    "rfc4475-3.1.2.12-baddate": CALL,  # nobody here reads Date
    "rfc4475-3.1.2.13-regbadct": (400,),
    "rfc4475-3.1.2.14-badaspec": (400,),
    "rfc4475-3.1.2.15-baddn": (400,),
    "rfc4475-3.1.2.16-badvers": (505,),
    "rfc4475-3.1.2.17-mismatch01": (400,),
    "rfc4475-3.1.2.18-mismatch02": (400,),
    "rfc4475-3.1.2.19-bigcode": NOTHING,
    "rfc4475-3.2.1-badbranch": (200,),  # as if it had no branch (RFC 2543)
    "rfc4475-3.3.1-insuf": (400,),
    "rfc4475-3.3.2-unkscm": (416,),
    "rfc4475-3.3.3-novelsc": (416,),
    "rfc4475-3.3.4-unksm2": REGISTER,
    "rfc4475-3.3.5-bext01": (420,),
    "rfc4475-3.3.6-invut": (415,),
    "rfc4475-3.3.7-regaut01": REGISTER,
    "rfc4475-3.3.8-multi01": (400,),
    "rfc4475-3.3.9-mcl01": (400,),
    "rfc4475-3.3.10-bcast": NOTHING,
    "rfc4475-3.3.11-zeromf": (483,),
    "rfc4475-3.3.12-cparam01": REGISTER,
    "rfc4475-3.3.13-cparam02": REGISTER,
    "rfc4475-3.3.14-regescrt": REGISTER,
    "rfc4475-3.3.15-sdp01": CALL,  # 406 is allowed, not asked for
    "rfc4475-3.4.1-inv2543": (400,),  # no Contact: where would the BYE go
    "rfc5118-4.1-ipv6-good": REGISTER,
    "rfc5118-4.2-ipv6-bad": (400,),
    "rfc5118-4.3-port-ambiguous": REGISTER,
    "rfc5118-4.4-port-unambiguous": REGISTER,
    "rfc5118-4.5-received-with-delim": (481,),  # a BYE of no dialog
    "rfc5118-4.5-received-no-delim": (200,),
    "rfc5118-4.6-ipv6-in-sdp": CALL,
    "rfc5118-4.7-mult-ip-in-header": (481,),
    "rfc5118-4.8-mult-ip-in-sdp": CALL,
    "rfc5118-4.9-ipv4-mapped": CALL,
    "rfc5118-4.10-three-colons": (200,),  # RFC 5118 wants it to be taken
    "rfc5118-4.10-two-colons": (200,),
}
OVER_TCP = {"rfc4475-3.1.2.2-clerr": NOTHING}
# A stream's second message gets an answer of its own.
BEHIND = ("rfc4475-3.1.1.8-dblreq",)


def read(name, mark):
    """The message with a branch and a Call-ID of its own: many share theirs, and would be repetitions."""
    with open(os.path.join(CORPUS, name), "rb") as f:
        data = f.read()
    data = re.sub(rb"(?i)z9hG4bK(?=[\w-])", b"z9hG4bK" + mark, data)
    return re.sub(rb"(?im)^(call-id|i)(\s*:\s*)", rb"\g<1>\g<2>" + mark, data)


def call_id(data):
    return re.search(rb"(?im)^(?:call-id|i)\s*:\s*(\S+)", data).group(1).decode()


def cseq(message):
    return re.search(rb"(?im)^cseq\s*:\s*(\d+)\s+(\S+)", message).groups()


def to_it(data, answers):
    """Those to the message itself: who is asked first need not answer first."""
    return [a for a in answers if a and cseq(a) == cseq(data)]


def finals(answers):
    found = [re.match(rb"SIP/2\.0 (\d+)", a) for a in answers]
    return [int(m.group(1)) for m in found if m and int(m.group(1)) >= 200]


class Stream:
    """The same over a connection of its own."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, t, ip):
        return cls(*await asyncio.open_connection(*t.address, local_addr=(ip, 0)))

    async def answers(self):
        """Everything that came until the switch saw that we send no more; the good call was later than the message."""
        self.writer.write_eof()
        data = await asyncio.wait_for(self.reader.read(), 15)
        self.writer.close()
        return re.split(rb"(?=^SIP/2\.0 )", data, flags=re.M)


async def check(t, name, wanted, data, got):
    """None, or what is wrong."""
    if wanted == CALL:
        rows = await t.ctl.ask("cdr.list", call_id=call_id(data))
        if got[:1] != [403] or len(rows) != 1 or rows[0]["sip_code"] != 403 or rows[0]["account"] != "acme":
            return f"{name}: {got} and {len(rows)} records, should be refused as a call"
    elif not (not got and not wanted or got and got[0] in wanted):
        return f"{name}: answered {got}, should be {wanted or 'nothing'}"
    return None


def whole():
    """A row for every file."""
    assert sorted(TABLE) == sorted(n for n in os.listdir(CORPUS) if n.startswith("rfc"))


@scene(within=120)
async def test_over_udp(t):
    whole()
    caller, carrier = await t.plain()
    rough, wrong = Rough(t, caller.ip), []
    for n, (name, wanted) in enumerate(TABLE.items()):
        mark, before = fresh(4).encode(), len(rough.got)
        data = read(name, mark)
        rough.send(data, t.address)
        await t.cdr(await caller.place(f"8809{n:05d}"))
        got = [a for a in rough.got[before:] if mark in a]
        for answer in got:
            rough.send(quiet(answer), t.address)
        wrong.append(await check(t, name, wanted, data, finals(got)))
    assert not any(wrong), "\n    " + "\n    ".join(filter(None, wrong))
    assert len(carrier.legs) == len(TABLE)


@scene(within=120)
async def test_over_tcp(t):
    caller, carrier = await t.plain()
    wrong = []

    async def one(n, name, wanted):
        data = read(name, fresh(4).encode())
        stream = await Stream.open(t, caller.ip)
        stream.writer.write(data)
        await caller.place(f"8809{n:05d}")
        answers = await stream.answers()
        if name in BEHIND:
            answers = to_it(data, answers)
        wrong.append(await check(t, name, wanted, data, finals(answers)))
    for n, (name, wanted) in enumerate({**TABLE, **OVER_TCP}.items()):
        await one(n, name, wanted)
    assert not any(wrong), "\n    " + "\n    ".join(filter(None, wrong))
    assert len(carrier.legs) == len(TABLE)


@scene(within=120)
async def test_a_stranger_gets_nothing(t):
    """Neither over UDP nor over TCP, whatever it says; nothing of it is a call or a record."""
    caller, _carrier = await t.plain()
    await t.set("SERVER_BILLING_RECORD_ILLEGAL_CALL", "Off")
    rough = Rough(t, t.net.ip(9))
    for name in TABLE:
        data = read(name, fresh(4).encode())
        stream = await Stream.open(t, t.net.ip(9))
        stream.writer.write(data)
        rough.send(data, t.address)
        await stream.writer.drain()
        assert not await quiet_end(stream), name
    call = await caller.place("88017")
    await t.cdr(call)
    assert not rough.got
    assert [r["call_id"] for r in await t.ctl.ask("cdr.list")] == [call.call_id]


async def quiet_end(stream):
    """What came before the connection was closed; by us, or by the switch with a reset."""
    try:
        return b"".join(await stream.answers())
    except ConnectionError:
        return b""
