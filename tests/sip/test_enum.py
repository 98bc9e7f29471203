"""Ported numbers by ENUM: a name server is asked where the number is, and the customer is charged by what it says, if so set."""

import asyncio
import contextlib
import os
import shutil

from harness.control import Refused
from harness.names import Names
from harness.net import free_port
from harness.oracle import Terms
from harness.scene import scene
from harness.stage import rate_fields
from harness.watch import poll

PSTN, SIP = "E2U+pstn:tel", "E2U+sip"


def name_of(number, zone="e164.arpa"):
    return ".".join(reversed(number)) + "." + zone


def naptr(service, uri, order=10, preference=10, flags="u", pattern="^.*$"):
    return (order, preference, flags, service, ".", f"!{pattern}!{uri}!")


async def stage(t, address=None, **server):
    """Vendors a and b: a has the numbers as they seem, b those of the carrier 7701; and the name server."""
    names = t.keep(Names())
    at = address or [await names.open(t.net.ip(53))]
    caller, a, b = await t.caller(), await t.carrier("a", 3), await t.carrier("b", 4)
    await t.customer(caller)
    await t.vendor(a, prefix=["880"], rates={"880": Terms(price="0.01"), "7701": Terms(price="0.01")})
    await t.vendor(b, prefix=["7701"], rates={"880": Terms(price="0.01"), "7701": Terms(price="0.03")})
    await t.ctl.ask("routing-gateway.add", name="enum", address=at, purpose="portability", portability_by="enum", prefix=["880"],
                    **server)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", portability="enum")
    return caller, a, b, names


async def steps_of(t, cdr, step="portability"):
    return [s for s in (await t.ctl.ask("cdr.explain", id=cdr["id"]))["steps"] if s["step"] == step]


async def test_a_number_that_a_name_server_knows(t):
    """Routed, costed and recorded by the routing number; of several records the first in order that says something counts; a
    number that it does not know is where it seems; answers are kept."""
    caller, a, b, names = await stage(t)
    for number, records in (
            ("88017", [naptr(PSTN, "tel:\\1;npdi;rn=+770199", pattern="^\\+(.*)$")]),
            ("880171", [naptr(SIP, "sip:880171;rn=7701-5;npdi@carrier.example")]),
            ("880172", [naptr(PSTN, "tel:+1;npdi;rn=+1", order=20), naptr("E2U+mailto", "mailto:x@y", order=1),
                        naptr(PSTN, "tel:+1;npdi;rn=+7701", order=5), naptr(PSTN, "tel:+1;npdi;rn=+2", order=5, preference=20)])):
        names.put(name_of(number), "NAPTR", *records)
        cdr = await t.cdr(await caller.place(number), routing_gateway="b", callee=number, callee_out=number, rate_prefix="880",
                          cost_prefix="7701")
        assert cdr["ported"].startswith("7701") and f"is at {cdr['ported']}" in str(await steps_of(t, cdr)), cdr
    for number, records in (("880173", []), ("880174", [naptr(PSTN, "tel:+880174;npdi")]), ("880175", [naptr(PSTN, "tel:+880175")])):
        if records:
            names.put(name_of(number), "NAPTR", *records)
        cdr = await t.cdr(await caller.place(number), routing_gateway="a", cost_prefix="880", ported=None)
        assert "is where it seems" in str(await steps_of(t, cdr))
    asked = len(names.asked)
    assert names.asked[0] == (name_of("88017"), "NAPTR")
    for _ in range(4):
        await t.cdr(await caller.place("88017"), routing_gateway="b")
    assert len(names.asked) - asked < 4, names.asked
    told = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017")
    assert "would ask enum first" in str(told["steps"]), told
    told = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017", ported="770199")
    assert [s["step"] for s in told["steps"] if s["verdict"] == "candidate"] == ["b"], told


async def test_a_name_server_that_does_not_say(t):
    """Failure, silence, a port where nobody is, records about something else, expressions that are wrong or try too much: the call is
    routed as dialled, and the record says why. A second server is asked where the first one fails."""
    second = t.keep(Names())
    caller, a, b, names = await stage(t, portability_timeout=300, portability_keep=0)
    for number, regexp in (("880180", "!^.*$!tel:+1;rn=x!"), ("880181", "!^.((([0-9]*)*)*)*x!tel:+1;npdi;rn=+7701!"), ("880182", "!^.*$"),
                           ("880183", "!(*UTF).*!tel:+1;npdi;rn=+7701!"), ("880184", "!^9!tel:+1;npdi;rn=+7701!")):
        names.put(name_of(number), "NAPTR", (1, 1, "u", PSTN, ".", regexp))
        cdr = await t.cdr(await caller.place(number), routing_gateway="a")
        said = [s["verdict"] for s in await steps_of(t, cdr)]
        assert said == ["failed"], (number, await steps_of(t, cdr))
    names.put(name_of("88017"), "NAPTR", naptr(PSTN, "tel:+1;npdi;rn=+770199"))
    for mode, why in (("broken", "does not know"), ("silent", "in time")):
        names.mode = mode
        cdr = await t.cdr(await caller.place("88017"), routing_gateway="a")
        assert why in str(await steps_of(t, cdr)), (mode, await steps_of(t, cdr))
    nobody = f"{t.net.ip(54)}:{free_port(t.net.ip(54))}"
    address = (await t.ctl.ask("routing-gateway.show", name="enum"))["address"][0]
    await t.ctl.ask("routing-gateway.set", name="enum", address=[nobody])
    cdr = await t.cdr(await caller.place("88017"), routing_gateway="a")
    assert "nobody listens" in str(await steps_of(t, cdr)), await steps_of(t, cdr)
    other = await second.open(t.net.ip(55))
    second.put(name_of("88017"), "NAPTR", naptr(PSTN, "tel:+1;npdi;rn=+770199"))
    names.mode = "broken"
    for first in (address, nobody):
        await t.ctl.ask("routing-gateway.set", name="enum", address=[first, other], portability_timeout=5000)
        await t.cdr(await caller.place("88017"), routing_gateway="b")
    for fields in (dict(address=["names.example"]), dict(portability_zone="a..b"), dict(registration=True, user="u", password="p")):
        try:
            await t.ctl.ask("routing-gateway.set", name="enum", **fields)
            raise AssertionError(f"{fields} was taken")
        except Refused as e:
            assert e.data["field"] == list(fields)[0], e.data


async def test_an_answer_that_does_not_fit_a_datagram(t):
    """It is asked for again by TCP (RFC 7766), in whatever pieces it comes. Where that fails, the next server is asked, or the call goes as
    dialled, within the time."""
    second = t.keep(Names())
    caller, a, b, names = await stage(t, portability_keep=0, portability_timeout=1000)
    names.put(name_of("88017"), "NAPTR", naptr(PSTN, "tel:+1;npdi;rn=+770199"))
    names.cut = True
    await t.cdr(await caller.place("88017"), routing_gateway="b", ported="770199")
    assert names.asked_by_tcp == [(name_of("88017"), "NAPTR")], names.asked_by_tcp
    await t.cdr(await caller.place("880170"), routing_gateway="a")
    for names.tcp, why in (("half", "none came by TCP"), ("long", "longer than 16384"), ("silent", "in time")):
        cdr = await t.cdr(await caller.place("88017"), routing_gateway="a")
        assert why in str(await steps_of(t, cdr)), (names.tcp, await steps_of(t, cdr))
    names.refuse_tcp()
    cdr = await t.cdr(await caller.place("88017"), routing_gateway="a")
    assert "none came by TCP" in str(await steps_of(t, cdr)), await steps_of(t, cdr)
    first = (await t.ctl.ask("routing-gateway.show", name="enum"))["address"][0]
    second.put(name_of("88017"), "NAPTR", naptr(PSTN, "tel:+1;npdi;rn=+770199"))
    await t.ctl.ask("routing-gateway.set", name="enum", address=[first, await second.open(t.net.ip(55))], portability_timeout=5000)
    await t.cdr(await caller.place("88017"), routing_gateway="b")


async def test_records_that_lead_to_another_domain(t):
    """Non-terminal records are followed, five domains on at most, to their end or round in circles; where they lead nowhere the next best
    record counts (RFC 6116)."""
    caller, a, b, names = await stage(t, portability_keep=0)

    def on(domain, order=1, service=""):
        return (order, 1, "", service, domain, "")
    there = naptr(PSTN, "tel:+1;npdi;rn=+770199")
    for n, steps in (("880170", 1), ("880171", 5), ("880172", 6)):
        names.put(name_of(n), "NAPTR", on(f"d1.x{n}.example"))
        for i in range(1, steps):
            names.put(f"d{i}.x{n}.example", "NAPTR", on(f"d{i + 1}.x{n}.example", service=PSTN))
        names.put(f"d{steps}.x{n}.example", "NAPTR", there)
        cdr = await t.cdr(await caller.place(n), routing_gateway="a" if steps > 5 else "b")
        assert steps < 6 or "without end" in str(await steps_of(t, cdr)), await steps_of(t, cdr)
    names.put("d1.x880171.example", "NAPTR", on("d1.x880171.example"))
    cdr = await t.cdr(await caller.place("880171"), routing_gateway="a")
    assert "without end" in str(await steps_of(t, cdr)), await steps_of(t, cdr)
    names.put(name_of("880173"), "NAPTR", on("nowhere.example"), naptr(PSTN, "tel:+1;npdi;rn=+7701", order=2))
    await t.cdr(await caller.place("880173"), routing_gateway="b", ported="7701")
    names.put(name_of("880174"), "NAPTR", on("nowhere.example"))
    cdr = await t.cdr(await caller.place("880174"), routing_gateway="a")
    assert "nothing about portability" in str(await steps_of(t, cdr)), await steps_of(t, cdr)
    names.put(name_of("880175"), "NAPTR", on("nowhere.example", order=99), there)
    names.asked.clear()
    await t.cdr(await caller.place("880175"), routing_gateway="b", ported="770199")
    assert len(names.asked) == 1, names.asked


async def test_charged_by_the_ported_number(t):
    """rate_number=ported: the price is that of the routing number, looked up before money is held; a prefix stands before it where
    caller and number are in different areas, another where one of them is in none. What has no price is refused then."""
    caller, a, b, names = await stage(t)
    t.audit = False  # its own reckoning is by the number dialled
    for prefix, price in (("7701", "0.5"), ("87701", "0.7"), ("97701", "0.9")):
        await t.ctl.ask("rate.add", group="acme-sell", prefix=prefix, **rate_fields(Terms(price=price)))
    names.put(name_of("88017"), "NAPTR", naptr(PSTN, "tel:+1;npdi;rn=+770199"))
    await t.cdr(await caller.place("88017"), rate_prefix="880", ported="770199", rated_number=None)
    await t.ctl.ask("mapping-gateway.set", name="acme-in", rate_number="ported")
    cdr = await t.cdr(await caller.place("88017"), rate_prefix="7701", callee="88017", rated_number="770199", routing_gateway="b")
    assert "770199, ported" in str(await steps_of(t, cdr, "charged number"))
    await t.ctl.ask("mapping-gateway.set", name="acme-in", interstate_prefix="8", undetermined_prefix="9")
    await t.cdr(await caller.place("88017"), rate_prefix="97701", rated_number="9770199")
    await t.ctl.ask("area.add", prefix="77", name="There")
    await t.ctl.ask("area.add", prefix="1001", name="Here")
    cdr = await t.cdr(await caller.place("88017"), rate_prefix="87701", rated_number="8770199")
    told = await t.ctl.ask("route.explain", gateway="acme-in", caller=cdr["caller"], callee="88017", ported="770199")
    assert "8770199, ported, not the caller's area" in str(told["steps"]), told
    await t.ctl.ask("area.set", prefix="1001", name="There")
    await t.cdr(await caller.place("88017"), rate_prefix="7701", rated_number="770199")
    await t.ctl.ask("rate.add", group="acme-sell", prefix="7701", **{**rate_fields(Terms(price="2")), "effective": "2020-01-01T00:00:00Z"})
    names.put(name_of("880172"), "NAPTR", naptr(PSTN, "tel:+1;npdi;rn=+4400"))
    call = caller.invite("880172")
    await call.expect(403)
    await t.cdr(call, reason="NoRate", ported="4400", tries=0)
    try:
        await t.ctl.ask("mapping-gateway.set", name="acme-in", interstate_prefix="x")
        raise AssertionError("x was taken")
    except Refused as e:
        assert e.data["field"] == "interstate_prefix", e.data


ZONE = r"""$ORIGIN numbers.example.
@ 3600 SOA ns hostmaster 1 3600 600 86400 60
@ 3600 NS ns
ns 3600 A 192.0.2.1
7.1.0.8.8 3600 NAPTR 10 10 "u" "E2U+pstn:tel" "!^\\+(.*)$!tel:+\\1;npdi;rn=+770199!" .
*.8.1.0.8.8 3600 NAPTR 10 10 "u" "E2U+pstn:sip+sip" "!^(.*)$!sip:\\1;npdi;rn=+7701@carrier.example;user=phone!" .
""" + "".join(f'9.1.0.8.8 3600 NAPTR {n} 10 "u" "E2U+sip" "!^.*$!sip:a-rather-long-user-name-{n:04}@carrier.example!" .\n'
              for n in range(2, 11)) + '9.1.0.8.8 3600 NAPTR 1 1 "u" "E2U+pstn:tel" "!^.*$!tel:+1;npdi;rn=+770177!" .\n'


@contextlib.asynccontextmanager
async def knot(t, at, port):
    """Knot, an authoritative name server of others' making."""
    folder = os.path.join(t.switch.folder, "knot")
    os.mkdir(folder)
    with open(f"{folder}/numbers.zone", "w", encoding="ascii") as f:
        f.write(ZONE)
    with open(f"{folder}/knot.conf", "w", encoding="ascii") as f:
        f.write(f"server:\n  rundir: {folder}\n  listen: {at}@{port}\ndatabase:\n  storage: {folder}\n"
                f"zone:\n  - domain: numbers.example\n    storage: {folder}\n    file: numbers.zone\n    zonefile-sync: -1\n"
                "    journal-content: none\n")
    program = shutil.which("knotd") or "/usr/sbin/knotd"
    server = await asyncio.create_subprocess_exec(program, "-c", f"{folder}/knot.conf", stdout=asyncio.subprocess.DEVNULL,
                                                  stderr=asyncio.subprocess.DEVNULL)
    try:
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


@scene(heavy=True)
async def test_beside_knot(t):
    """A name server that others made: records with expressions, wild cards, an answer of more than 512 octets, and one that is not there."""
    at = t.net.ip(53)
    port = free_port(at)
    caller, a, b, _names = await stage(t, address=[f"{at}:{port}"], portability_zone="numbers.example", portability_keep=0)
    async with knot(t, at, port) as server:
        async def is_there():
            assert server.returncode is None, "knotd has ended"
            cdr = await t.cdr(await caller.place("88017"))
            return cdr["routing_gateway"] == "b"
        await poll(is_there, "knot's answers")
        for number, ported in (("88017", "770199"), ("88018123", "7701"), ("88019", "770177"), ("880170", None)):
            await t.cdr(await caller.place(number), routing_gateway="b" if ported else "a", ported=ported)
