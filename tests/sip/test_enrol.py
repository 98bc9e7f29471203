"""Registrations of the switch at vendors: made with a digest, refreshed, retried, taken back; calls only where one stands."""

import asyncio
import os
import shutil
import signal
import subprocess

from harness import sip
from harness.control import Refused
from harness.net import free_port
from harness.registrar import Registrar
from harness.scene import scene
from harness.watch import poll

PASSWORD = "trunk-pass-42"


async def trunk(t, name, last, priority=1, registrar=None, **fields):
    """A vendor that wants to be registered at."""
    carrier = await t.carrier(name, last=last)
    carrier.registrar = registrar or Registrar(name, PASSWORD)
    await t.vendor(carrier, **{"priority": priority, "registration": True, "user": name,
                               "password": PASSWORD, **fields})
    return carrier


async def rows(t, name):
    return [r for r in await t.ctl.ask("registration.list") if r["name"] == name]


async def stands(t, name, state="registered", within=15):
    async def ask():
        found = await rows(t, name)
        return found[0] if found and found[0]["state"] == state else None
    return await poll(ask, f"{name} {state}", within=within)


async def alarms(t, kind):
    return [a["object"] for a in await t.ctl.ask("alarm.list") if a["type"] == kind]


async def asked(carrier, n, within=15):
    """The nth REGISTER (from 1) with its answer."""
    await carrier.until(lambda: len(carrier.registrar.asked) >= n, f"REGISTER {n}", within)
    return carrier.registrar.asked[n - 1]


async def test_registered_with_both_digests(t):
    """401, the right answer, a binding at our own address; the list, the gateway and the call show it."""
    caller = await t.caller()
    await t.customer(caller)
    one = await trunk(t, "one", 3)
    two = await trunk(t, "two", 4, 2, Registrar("two", PASSWORD, "SHA-256"), transport="tcp",
                      register_user="4711", register_domain="trunk.example", contact_user="line-7")
    row = await stands(t, "one")
    first, second = one.registrar.asked[0][0], one.registrar.asked[1][0]
    assert [code for _, code in one.registrar.asked] == [401, 200]
    assert first.uri == f"sip:{one.address}" and not first.get("Expires"), "Auto asks for nothing"
    assert first.call_id == second.call_id and second.cseq[0] == first.cseq[0] + 1
    assert sip.uri_of(first.get("To")) == sip.uri_of(first.get("From")) == f"sip:one@{one.ip}"
    contact = f"sip:one@{t.switch.ip}:{t.switch.port}"
    assert one.registrar.bindings == {"one": contact} and row["contact"] == contact and row["expires"], row
    assert row["kind"] == "vendor" and row["last_error"] == "" and row["address"] == one.address, row
    await stands(t, "two")
    (msg, _) = two.registrar.asked[-1]
    assert msg.uri == "sip:trunk.example" and sip.uri_of(msg.get("To")) == "sip:4711@trunk.example"
    assert msg.contact == f"sip:line-7@{t.switch.ip}:{t.switch.port};transport=tcp"
    assert (await t.ctl.ask("routing-gateway.show", name="two"))["registered"] == "registered"
    await t.cdr(await caller.place("88017"), routing_gateway="one")


async def test_only_the_registered_one_is_routed_to(t):
    """A refused registration keeps the gateway out, says why, and raises an alarm; with no other left the
    call ends VendorNotRegistered. The right password and it is back, without waiting for the retry."""
    caller = await t.caller()
    await t.customer(caller)
    bad = await trunk(t, "bad", 3, password="wrong-pass-1")
    good = await trunk(t, "good", 4, 2)
    await stands(t, "good")
    row = await stands(t, "bad", "failed")
    assert row["last_error"].startswith("401") and row["expires"] is None, row
    assert await alarms(t, "registration_failed") == [f"bad {bad.address}"]
    for i in range(4):
        await t.cdr(await caller.place(f"88017{i}"), routing_gateway="good", tries=1)
    assert not bad.legs and len(good.legs) == 4
    explained = await t.ctl.ask("route.explain", gateway="acme-in", callee="88017")
    assert any(s["step"] == "bad" and "401" in s["detail"] for s in explained["steps"]), explained
    await t.ctl.ask("routing-gateway.set", name="good", status="locked")
    await t.ctl.ask("routing-gateway.set", name="good", prefix=["99"])
    await t.refused(caller.invite("88018"), 503, "VendorNotRegistered")
    await t.ctl.ask("routing-gateway.set", name="bad", password=PASSWORD)
    await stands(t, "bad")
    assert not await alarms(t, "registration_failed")
    await t.cdr(await caller.place("88019"), routing_gateway="bad")


@scene(idle=True)
async def test_refreshed_before_its_end_and_longer_if_asked(t):
    """A grant of 2 s is refreshed before it is over, in the same Call-ID; 423 is answered with Min-Expires."""
    short = await trunk(t, "short", 3, registrar=Registrar("short", PASSWORD, expires=2))
    strict = Registrar("strict", PASSWORD, expires=3600)
    strict.least = 1800
    long = await trunk(t, "long", 4, registrar=strict, user="strict", register_expire=60)
    await stands(t, "long")
    assert [c for _, c in long.registrar.asked] == [401, 423, 401, 200]
    assert [m.get("Expires") for m, _ in long.registrar.asked] == ["60", "60", "1800", "1800"]
    await asked(short, 6)
    good = [m for m, code in short.registrar.asked if code == 200]
    times = [s.at for s in t.wire.seen if s.who == "short" and s.way == "out" and b"SIP/2.0 200" in s.data
             and b" REGISTER" in s.data]
    assert len({m.call_id for m in good}) == 1 and len(good) >= 3
    assert (await rows(t, "short"))[0]["state"] == "registered"
    assert times[1] - times[0] >= 1.5, "refreshed long before it was due"


async def test_taken_back_on_removal_change_and_stop(t):
    """Expires: 0 for what stood: a removed gateway, one whose account changed (before the new one is made),
    and all at the end of the switch. Not with SEND_UNREGISTER off."""
    gone, moved, kept = await trunk(t, "gone", 3), await trunk(t, "moved", 4), await trunk(t, "kept", 5)
    for name in ("gone", "moved", "kept"):
        await stands(t, name)
    await t.ctl.ask("routing-gateway.del", name="gone")
    await gone.until(lambda: not gone.registrar.bindings, "the end of the binding")
    assert gone.registrar.asked[-1][0].get("Expires") == "0"
    await t.ctl.ask("routing-gateway.set", name="moved", contact_user="elsewhere")
    await moved.until(lambda: "elsewhere" in str(moved.registrar.bindings), "the new Contact")
    ends = [m.get("Expires") == "0" for m, _ in moved.registrar.asked]
    assert ends == sorted(ends[:4]) + [False, False], "the old one goes before the new one comes"
    assert not await rows(t, "gone") and len(await t.ctl.ask("registration.list")) == 2
    await t.switch.stop()
    assert not moved.registrar.bindings and not kept.registrar.bindings


async def test_redirected_registrations(t):
    """302 is a failure unless the gateway allows it; then only to its own addresses, and never in circles."""
    async def pair(name, last, **fields):
        front, back = await t.carrier(f"{name}-front", last=last), await t.carrier(f"{name}-back", last=last + 1)
        front.registrar = Registrar()
        front.registrar.refuse = (302, [("Contact", f"<sip:{name}@{back.address}>")])
        back.registrar = Registrar(name, PASSWORD)
        await t.vendor(front, name=name, registration=True, user=name, password=PASSWORD, **fields)
        return front, back

    _front, back1 = await pair("plain", 10)
    _front, back2 = await pair("own", 20, redirect="own")
    front3, back3 = await pair("any", 30, redirect="any", realm="vendor.example")
    front4, back4 = await pair("loop", 40, redirect="any")
    back4.registrar.refuse = (302, [("Contact", f"<sip:loop@{front4.address}>")])
    _front, back5 = await pair("thief", 50, redirect="any")
    await stands(t, "any")
    assert back3.registrar.bindings
    for name, code in (("plain", "302"), ("own", "302"), ("loop", "302"), ("thief", "401")):
        assert (await stands(t, name, "failed"))["last_error"].startswith(code)
    assert not back1.registrar.asked and not back2.registrar.asked
    assert len(back4.registrar.asked) == 1 and len(front4.registrar.asked) == 1
    assert not any(m.get("Authorization") for m, _ in back5.registrar.asked), "a password for a stranger"
    assert front3.registrar.asked


async def test_calls_to_our_contact(t):
    """An INVITE of the vendor for the Contact that stands is a call of the gateway named for it; to anything
    else, from somebody else, or where none is named, it is not."""
    caller, out = await t.plain()
    line = await trunk(t, "line", 4, prefix=["77"], contact_user="our-line", inbound="acme-in")
    mute = await trunk(t, "mute", 5, prefix=["77"], contact_user="our-line")
    await stands(t, "line")
    await stands(t, "mute")
    caller_there = await t.caller("vendor-side", last=4)
    contact = line.registrar.bindings["line"]
    call = caller_there.invite("88017", uri=contact)
    await call.expect(200)
    await call.hang_up()
    await t.cdr(call, account="acme", mapping_gateway="acme-in", routing_gateway="vendor", callee="88017")
    refused = (await t.caller("mute-side", last=5)).invite("88018", uri=contact)
    await refused.expect(403)
    other = caller_there.invite("88019", uri=f"sip:somebody@{t.switch.ip}:{t.switch.port}")
    await caller.place("88020")
    assert not other.answer and not other.provisional
    other.txn.stop()
    assert len(out.legs) == 2 and mute.registrar.bindings


async def test_two_lines_at_one_address(t):
    """Two gateways with an account each at the same vendor: two registrations, and a call to each Contact is its own
    customer's. One may fail without the other."""
    caller, _out = await t.plain()
    other = await t.caller("other", last=8)
    await t.customer(other, name="beta")
    carrier = await t.carrier("pbx", last=4)
    carrier.registrar = Registrar()  # takes anybody
    for name, customer in (("line1", "acme-in"), ("line2", "beta-in")):
        await t.ctl.ask("routing-gateway.add", name=name, address=[carrier.address], prefix=["77"], user=name,
                        password=PASSWORD, registration=True, inbound=customer)
        await stands(t, name)
    assert set(carrier.registrar.bindings) == {"line1", "line2"}
    there = await t.caller("pbx-side", last=4)
    for name, account in (("line1", "acme"), ("line2", "beta")):
        call = there.invite("88017", uri=carrier.registrar.bindings[name])
        await call.expect(200)
        await call.hang_up()
        await t.cdr(call, account=account)
    await t.ctl.ask("routing-gateway.del", name="line1")
    await carrier.until(lambda: set(carrier.registrar.bindings) == {"line2"}, "the end of the one binding")
    assert (await rows(t, "line2"))[0]["state"] == "registered"


async def test_what_cannot_be_a_registration_is_refused_at_entry(t):
    carrier = await t.carrier()
    for fields, field in ((dict(user="u"), "password"), (dict(password="p" * 9), "user"),
                          (dict(user="a b", password="p" * 9), "user"),
                          (dict(user="u", password="p" * 9, contact_user="a@b"), "contact_user"),
                          (dict(user="u", password="p" * 9, register_domain="x>;y"), "register_domain")):
        try:
            await t.vendor(carrier, name=f"v-{field}-{len(fields)}", registration=True, **fields)
            raise AssertionError(f"{fields} was accepted")
        except Refused as e:
            assert e.data["field"] == field, (fields, e.error)
    assert not await t.ctl.ask("registration.list")


CONFIG = """
#!KAMAILIO
debug=0
log_stderror=yes
children=1
auto_aliases=no
disable_tcp=yes
listen=udp:{address}
mpath="{modules}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "siputils.so"
loadmodule "textops.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "default_expires", 3600)
modparam("registrar", "min_expires", 120)
request_route {{
	if (is_method("OPTIONS")) {{ sl_send_reply("404", "Who knows"); exit; }}
	if (is_method("REGISTER")) {{
		if (!pv_www_authenticate("kam.example", "{password}", "0")) {{
			www_challenge("kam.example", "1"); exit;
		}}
		save("location"); exit;
	}}
	sl_send_reply("404", "Not here");
}}
"""
MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"


async def test_kamailio_as_the_registrar(t):
    """A registrar that we did not write: digest, a Min-Expires of its own, a probe answered 404, the end."""
    program = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
    if not program:
        raise AssertionError("no kamailio on this machine")
    ip = t.net.ip(7)
    address = f"{ip}:{free_port(ip)}"
    path = os.path.join(t.folder, "kamailio.cfg")
    with open(path, "w", encoding="ascii") as f:
        f.write(CONFIG.format(address=address, modules=MODULES, password=PASSWORD))
    run = os.path.join(t.folder, "kam")
    os.makedirs(run)
    with open(os.path.join(t.folder, "kamailio.log"), "wb") as log:
        kamailio = subprocess.Popen([program, "-f", path, "-DD", "-E", "-m", "16", "-M", "4", "-Y", run, "-w", run,
                                     "-P", os.path.join(run, "pid")], stdout=log, stderr=log, start_new_session=True)
    try:
        await t.ctl.ask("routing-gateway.add", name="kam", address=[address], prefix=["880"], user="trunk9",
                        password=PASSWORD, registration=True, register_expire=60)
        row = await stands(t, "kam", within=60)
        assert row["contact"] == f"sip:trunk9@{t.switch.ip}:{t.switch.port}" and row["expires"], row
        status = [g for g in await t.ctl.ask("gateway.status") if g["name"] == "kam"][0]
        assert status["health"] == "up" and status["registered"] == "registered", status
        await t.ctl.ask("routing-gateway.set", name="kam", password="another-pass-1")
        assert (await stands(t, "kam", "failed"))["last_error"].startswith("401")
    finally:
        os.killpg(kamailio.pid, signal.SIGTERM)
        await asyncio.to_thread(kamailio.wait)
