"""Vendors by name: RFC 3263 with a name server of the test's own, what is kept when it fails, and who is trusted."""

from harness.control import Refused
from harness.names import Names
from harness.plans import dead
from harness.scene import live, scene
from harness.watch import poll


async def with_names(t):
    """A switch that asks our name server: (names, caller)."""
    names = t.keep(Names())
    t.switch.extra += ["--dns", await names.open(t.net.ip(53))]
    await t.switch.restart()
    caller = await t.caller()
    await t.customer(caller)
    return names, caller


async def carrier(t, n, last):
    return await t.carrier(f"v{n}", last=last)


async def knows(t, *addresses, name="vendor"):
    """Until the gateway has exactly these addresses, which are those that are trusted, too."""
    hosts = {a.rsplit(":", 1)[0] for a in addresses}

    async def are_there():
        row, = [g for g in await t.ctl.ask("gateway.status") if g["name"] == name]
        trusted = {a["address"].split("/")[0] for a in await t.ctl.ask("gateway.addresses") if a["gateway"] == name}
        return {a.split()[0] for a in row["addresses"]} == set(addresses) and trusted == hosts
    await poll(are_there, f"the addresses {addresses}")


async def alarms(t):
    return [(a["object"], a["level"]) for a in await t.ctl.ask("alarm.list") if a["type"] == "name"]


async def raised(t, *want):
    async def stands():
        return await alarms(t) == list(want)
    await poll(stands, f"the alarms {want}")


def hosts(leg):
    """Of the Request-URI and of To."""
    return leg.invite.uri.split("@")[1], leg.invite.get("To").split("@")[1].split(">")[0]


@scene(idle=True)
async def test_a_name_with_a_port(t):
    """Its addresses alone are asked for; the vendor is called by its name; a second address is the next try. What is no name is
    refused when entered."""
    names, caller = await with_names(t)
    first = await carrier(t, 1, 3)
    second = await t.carrier("v2", last=4, port=first.port)
    names.put("sip.carrier.example", "A", second.ip, first.ip)
    await t.vendor(first, "vendor", address=[f"sip.carrier.example:{first.port}"])
    await knows(t, first.address, second.address)
    call = await caller.place("88017")
    assert hosts(first.legs[0]) == (f"sip.carrier.example:{first.port}",) * 2, first.legs[0].invite
    assert {kind for _, kind in names.asked} == {"A"}
    await t.cdr(call, routing_gateway="vendor", tries=1)
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    first.plan = dead()
    call = await caller.place("88017")
    await t.cdr(call, routing_gateway="vendor", tries=2)
    assert len(second.legs) == 1
    for wrong in ("sip..example", "-a.example", "1.2.3", "a.example:0", "a_b.example", "a" * 64 + ".example", "a.example."):
        try:
            await t.ctl.ask("routing-gateway.set", name="vendor", address=[wrong])
        except Refused as e:
            assert e.data["field"] == "address", e.data
        else:
            raise AssertionError(f"{wrong} was taken")


@scene(idle=True)
async def test_services(t):
    """SRV by priority, and by weight among equals; a lower priority only once all of the higher are tried. NAPTR leads to SRV
    records elsewhere, of our transport."""
    names, caller = await with_names(t)
    v1, v2, v3 = [await carrier(t, n, 2 + n) for n in (1, 2, 3)]
    for n, v in enumerate((v1, v2, v3), 1):
        names.put(f"h{n}.carrier.example", "A", v.ip)
    names.put("_sip._udp.carrier.example", "SRV", (20, 0, v3.port, "h3.carrier.example"),
              (10, 3, v1.port, "h1.carrier.example"), (10, 1, v2.port, "h2.carrier.example"))
    await t.vendor(v1, "vendor", address=["carrier.example"])
    await knows(t, v1.address, v2.address, v3.address)
    for _ in range(60):
        await caller.place("88017")
    assert len(v1.legs) > len(v2.legs) > 0 and not v3.legs, [len(v.legs) for v in (v1, v2, v3)]
    assert hosts(v1.legs[0]) == ("carrier.example",) * 2
    await t.set("SS_SIP_TIMEOUT_INVITE", 1)
    v1.plan = v2.plan = dead()
    call = await caller.place("88018")
    await t.cdr(call, tries=3)
    assert len(v3.legs) == 1
    names.put("other.example", "NAPTR", (10, 10, "s", "SIP+D2T", "tcp.example"),
              (20, 10, "s", "SIP+D2U", "far.example"), (10, 20, "s", "SIP+D2U", "near.example"))
    names.put("near.example", "SRV", (1, 1, v3.port, "h3.carrier.example"))
    names.put("far.example", "SRV", (1, 1, v2.port, "h2.carrier.example"))
    await t.ctl.ask("routing-gateway.set", name="vendor", address=["other.example"])
    await knows(t, v3.address)


@live("SERVER_DNS_UPDATE_INTERVAL")
@scene(idle=True)
async def test_what_changes_and_what_fails(t):
    """A name is asked for again after the interval. Its last good answer stays when the name server fails or knows it no
    more, and an alarm stands; a name that was never known keeps only its own gateway from calls."""
    names, caller = await with_names(t)
    v1 = await carrier(t, 1, 3)
    names.put("sip.carrier.example", "A", v1.ip)
    port = v1.port
    v2b = await t.carrier("v2b", last=5, port=port)
    await t.vendor(v1, "vendor", address=[f"sip.carrier.example:{port}"])
    await knows(t, v1.address)
    asked = len(names.asked)
    names.put("sip.carrier.example", "A", v2b.ip)
    await caller.place("88017")
    assert len(v1.legs) == 1 and len(names.asked) == asked, "not before the interval"
    await t.set("SERVER_DNS_UPDATE_INTERVAL", 1)
    await knows(t, v2b.address)
    await caller.place("88017")
    assert len(v2b.legs) == 1
    await raised(t)
    names.mode = "broken"
    await raised(t, ("sip.carrier.example", "minor"))
    names.mode = "answer"
    await raised(t)
    del names.records[("sip.carrier.example", "A")]
    await raised(t, ("sip.carrier.example", "minor"))
    await knows(t, v2b.address)
    await caller.place("88017")
    assert len(v2b.legs) == 2
    await t.ctl.ask("routing-gateway.add", name="unknown", address=["nowhere.example"], prefix=["88017"], priority=1)
    await raised(t, ("sip.carrier.example", "minor"), ("nowhere.example", "major"))
    call = await caller.place("88017")
    await t.cdr(call, routing_gateway="vendor", tries=1)
    names.mode = "silent"
    await t.ctl.ask("routing-gateway.del", name="unknown")
    await raised(t, ("sip.carrier.example", "minor"))


@scene(idle=True)
async def test_an_answer_that_does_not_fit_a_datagram(t):
    """It is asked for again by TCP."""
    names, caller = await with_names(t)
    first = await carrier(t, 1, 3)
    names.cut = True
    names.put("sip.carrier.example", "A", first.ip)
    await t.vendor(first, "vendor", address=[f"sip.carrier.example:{first.port}"])
    await knows(t, first.address)
    assert ("sip.carrier.example", "A") in names.asked_by_tcp, names.asked_by_tcp
    await caller.place("88017")
