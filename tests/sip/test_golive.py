"""The go-live test of the deployment: ready on a good switch; what is broken fails its own test, and says so."""

import asyncio
import json
import os
import signal
import subprocess

from harness.licence import sign
from harness.oracle import Terms
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.watch import poll

MANY = {"SS_MAX_CALL_PER_SECOND": "1000"}


def command(t, *words):
    """Its ends are at .101 to .119 of the test's own net."""
    return [os.path.join(t.binaries, "switch-golive"), "--control", t.switch.path, "--base", t.net.ip(0),
            "--sip", f"{t.switch.ip}:{t.switch.port}", *words]


async def run(t, *words, within=100):
    """(exit status, {name: test}, all); nothing of the test may be left in the switch."""
    process = await asyncio.create_subprocess_exec(
        *command(t, "--json", *words), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await asyncio.wait_for(process.communicate(), within)
    assert process.returncode in (0, 1), f"exit {process.returncode}: {err.decode()}"
    await nothing_left(t)
    result = json.loads(out)
    return process.returncode, {x["name"]: x for x in result["tests"]}, result


async def nothing_left(t):
    for entity, key in (("account", "id"), ("rate-group", "name"), ("mapping-gateway", "name"),
                        ("routing-gateway", "name")):
        rows = await t.ctl.ask(f"{entity}.list")
        left = [r[key] for r in rows if r[key].startswith("golive-")]
        assert not left, f"left in the switch: {left}"
    assert [r for r in await t.ctl.ask("rate.list") if r["group"].startswith("golive-")] == []
    t.excused.append("not from the switch")  # the engine asks vendors itself, by OPTIONS
    t.audit = False  # its payments and records are not in our books; the engine asks for the audits itself
    for audit in ("ledger.verify", "cdr.verify"):
        assert (await t.ctl.ask(audit))["differences"] == []


async def fails(t, name, *says, words=(), only=None):
    """That test fails, with these words in its reason, a remedy, and exit status 1."""
    status, tests, _ = await run(t, "--only", only or name, "--no-scan", *words)
    found = tests[name]
    assert status == 1 and found["result"] == "FAILED", found
    assert all(s in found["reason"] for s in says), (says, found["reason"])
    assert len(found["remedy"]) > 20, found
    return tests


class Echo(Media):
    """Sends back what it gets."""

    def _rtp(self, data, flow):
        super()._rtp(data, flow)
        self.sock.sock.sendto(data, self.to)


def echoing(t, carrier):
    """The vendor answers with an echo."""
    far = t.keep(Echo(carrier.ip, "far"))

    async def plan(leg):
        leg.sdp = Sdp(carrier.ip, far.port, (8, 0))
        far.aim(leg.remote_sdp)
        leg.reply(180)
        leg.accept()
    carrier.plan = plan


# ---- a good switch ----


@scene(settings=MANY, within=150, heavy=True)
async def test_a_good_switch_is_ready(t):
    """All of it on an operator's switch with customer, vendor and licence: nothing fails."""
    caller, carrier = await t.plain()
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=40))
    status, tests, result = await run(t, "--no-scan", "--record", t.folder, within=140)
    bad = {n: x for n, x in tests.items() if x["result"] == "FAILED"}
    assert not bad, bad
    assert sum(x["calls"] for x in tests.values()) >= 20
    left_out = {n for n, x in tests.items() if x["result"] != "passed"}
    assert left_out == {"registration", "real-call", "real-call-billing", "firewall"}, left_out
    assert "40 calls up" in tests["load"]["evidence"] and "LicenceLinesExceeded" in tests["load"]["evidence"]
    assert status == 1 and tests["firewall"]["result"] == "not run", "what was not looked at is not ready"
    record_is_whole(result["record"], tests)


def record_is_whole(path, tests):
    with open(path + ".txt", encoding="utf-8") as f:
        text = f.read()
    with open(path + ".html", encoding="utf-8") as f:
        page = f.read()
    for name, test in tests.items():
        assert name in text and name in page
        assert test["title"] in text and test["evidence"][:30] in text
    for word in ("Version", "Licence", "Acme Telecom", "Kernel", "Customers", "acme-in", "vendor", "NOT READY"):
        assert word in text and word in page, word
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")


async def test_the_record_escapes_what_others_wrote(t):
    await t.rates("<script>alert(1)</script>&\"'", {"880": Terms(price="0.01", unit=60, first=1, step=1)})
    _, _, result = await run(t, "--only", "switch", "--record", t.folder)
    with open(result["record"] + ".html", encoding="utf-8") as f:
        page = f.read()
    assert "<script>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;" in page


@scene(within=90)
async def test_a_real_call_over_the_operators_route(t):
    """Charged to the operator's first customer, by its rate; the vendor's side sees the test caller."""
    _caller, carrier = await t.plain()
    echoing(t, carrier)
    before = await t.ctl.ask("account.show", id="acme")
    _, tests, _ = await run(t, "--no-scan", "--test-number", "8801712345678", "--test-caller", "4930901820",
                            "--only", "real-call,real-call-billing,customers,routes,vendors")
    (leg,) = carrier.legs
    assert leg.callee == "8801712345678" and leg.caller == "4930901820", (leg.callee, leg.caller)
    after = await t.ctl.ask("account.show", id="acme")
    (cdr,) = await t.ctl.ask("cdr.list", account="acme")
    assert cdr["routing_gateway"] == "vendor" and before["balance"] != after["balance"]
    assert all(x["result"] == "passed" for x in tests.values()), [x for x in tests.values() if x["result"] != "passed"]
    assert cdr["fee"] in tests["real-call-billing"]["evidence"], (cdr["fee"], tests["real-call-billing"])


async def test_a_vendor_without_audio_is_found(t):
    await t.plain()
    await fails(t, "real-call", "no audio came back", "vendor", words=("--test-number", "8801712345678"))


async def test_interrupted_it_cleans_up(t):
    """SIGTERM in the middle: a tidy end; SIGKILL: the next run takes away what was left."""
    await t.plain()
    process = await asyncio.create_subprocess_exec(*command(t, "--no-scan"), stdout=subprocess.DEVNULL)
    await poll(lambda: golive_calls(t), "a test call in progress")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 1
    await nothing_left(t)

    process = await asyncio.create_subprocess_exec(*command(t, "--no-scan"), stdout=subprocess.DEVNULL)
    await poll(lambda: golive_calls(t), "a test call in progress")
    process.kill()
    await process.wait()
    process = await asyncio.create_subprocess_exec(*command(t, "--clean"), stdout=subprocess.PIPE)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0 and int(out.split()[0]) > 0, out
    await nothing_left(t)


async def golive_calls(t):
    return [c for c in await t.ctl.ask("call.list") if c["mapping_gateway"].startswith("golive-")]


# ---- what is broken fails its own test ----


async def namespaced(t, rules, *words, extra=()):
    """The switch and the test in a network namespace of their own, with that firewall."""
    if os.geteuid() != 0:
        raise AssertionError("needs root, for a network namespace")
    t.audit = False
    path = os.path.join(t.folder, "rules")
    with open(path, "w", encoding="utf-8") as f:
        f.write(rules)
    script = (f"ip link set lo up && nft -f {path} || exit 9; {' '.join(t.switch.command())} {' '.join(extra)} & "
              f"until {os.path.join(t.binaries, 'switchctl')} -s {t.switch.path} status >{t.folder}/up 2>&1; do "
              f"kill -0 $! || exit 8; done; {' '.join(command(t, '--json', *words))}; kill $!; wait $!")
    done = await asyncio.to_thread(subprocess.run, ["unshare", "-n", "sh", "-c", script], capture_output=True,
                                   text=True, timeout=100)
    assert done.stdout, done.stderr
    return {x["name"]: x for x in json.loads(done.stdout)["tests"]}


async def test_no_way_out_is_found(t):
    """The vendor's prefix does not cover what is sold: routes says which customer, prefix and why."""
    await t.plain()
    await t.ctl.ask("routing-gateway.set", name="vendor", prefix=["881"])
    tests = await fails(t, "routes", "acme-in", "880", "NoAvailableRouter", only="routes,customers,vendors")
    assert tests["customers"]["result"] == tests["vendors"]["result"] == "passed"
    await fails(t, "real-call", "503", "NoAvailableRouter", words=("--test-number", "8801712345678"))


async def test_what_phones_are_sold_for_needs_no_vendor(t):
    """A rate of the phones' own numbers: registered or not, they are the way out; without a phone of that prefix it is none."""
    await t.plain()
    await t.ctl.ask("rate.add", group="acme-sell", prefix="100", price="0.001")
    await fails(t, "routes", "acme-in", "100", "NoAvailableRouter")
    await t.ctl.ask("phone.add", number="2001", numbers=["1001"], account="acme")
    _, tests, _ = await run(t, "--only", "routes", "--no-scan")
    assert tests["routes"]["result"] == "passed", tests["routes"]


async def test_a_customer_without_a_price_is_found(t):
    await t.plain()
    await t.ctl.ask("rate.del", key="acme-sell/880")
    await fails(t, "customers", "acme-in", "acme-sell", "no rate")
    await fails(t, "real-call", "403", "NoRate", words=("--test-number", "8801712345678"))


async def test_a_price_of_nothing_is_found(t):
    await t.plain()
    await t.ctl.ask("rate.set", key="acme-sell/880", price="0")
    await fails(t, "customers", "acme-in", "880", "is 0")


async def test_a_vendor_without_a_price_is_found(t):
    await t.plain()
    await t.ctl.ask("rate.del", key="vendor-buy/880")
    await fails(t, "routes", "acme-in", "880")


async def test_a_dead_vendor_is_found(t):
    """Nothing listens at its address: vendors names it, and a real call fails with the switch's reason."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller)
    await t.vendor(carrier, address=[f"{t.net.ip(9)}:5060"], timeout_invite=1)
    tests = await fails(t, "vendors", "vendor", t.net.ip(9), only="vendors,routes,customers")
    assert tests["routes"]["result"] == tests["customers"]["result"] == "passed"
    await fails(t, "real-call", "vendor", words=("--test-number", "8801712345678"))


async def test_a_vendor_that_costs_more_than_it_brings_is_found(t):
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller)
    await t.vendor(carrier, rates={"880": Terms(price="9", unit=60, first=1, step=1)})
    echoing(t, carrier)
    await fails(t, "real-call-billing", "it loses money", only="real-call,real-call-billing",
                words=("--test-number", "8801712345678"))


async def test_a_locked_account_is_found(t):
    await t.plain()
    await t.ctl.ask("account.set", id="acme", status="locked")
    await fails(t, "customers", "acme-in", "locked")


SHUT = """table inet shut {
 chain input {
  type filter hook input priority 0;
  udp dport 20000-29999 drop
 }
}
"""


@scene(start=False)
async def test_media_that_does_not_get_through_is_found(t):
    """A firewall shuts the relay's ports: no audio, and the remedy says where to look; the rest is right."""
    tests = await namespaced(t, SHUT, "--no-scan", "--only", "two-way-audio,basic-call,hangup-caller")
    assert tests["two-way-audio"]["result"] == "FAILED", tests
    assert "no audio" in tests["two-way-audio"]["reason"] and "--media" in tests["two-way-audio"]["remedy"]
    assert tests["hangup-caller"]["result"] == "passed", tests


async def test_direct_media_is_not_taken_for_relayed(t):
    await t.set("SS_MEDIA_PROXY_ENABLE", "Off")
    await fails(t, "two-way-audio", "does not pass through the switch")


async def test_a_switch_that_rounds_differently_is_followed(t):
    """Parameters of billing are part of the configuration: the sums are right by them."""
    for name, value in (("SERVER_BILLING_FEE_PRECISION", "2"), ("SERVER_BILLING_HOLD_TIME_PRECISION", "1000"),
                        ("SERVER_BILLING_FREE_TIME", "1")):
        await t.set(name, value)
    _, tests, _ = await run(t, "--only", "billing-per-minute,billing-sections,billing-setup-and-tax")
    assert all(x["result"] == "passed" for x in tests.values()), [x for x in tests.values() if x["result"] != "passed"]


async def test_a_switch_that_answers_strangers_is_named(t):
    """A gateway as wide as the world takes the stranger for a customer."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, address=["127.0.0.0/8"])
    await t.vendor(carrier)
    await fails(t, "unknown-source", "was answered (403)")


async def test_too_few_lines_are_found(t):
    await t.plain()
    await t.set("SS_MAX_CONCURRENT_CALL", 12)
    status, tests, _ = await run(t, "--no-scan", "--only", "load")
    assert "12 calls up" in tests["load"]["evidence"], tests
    await t.ctl.ask("license.activate", content=await sign(t.binaries, lines=5))
    await fails(t, "licence", "9 lines are expected", words=("--lines", "9"))


async def test_a_limit_below_the_load_is_found(t):
    await t.plain()
    await t.set("SS_MAX_CALL_PER_SECOND", 3)
    await fails(t, "load", "SystemLimit", words=("--lines", "20"))


# ---- the look from outside ----


DROPPING = """table inet f {
 chain input {
  type filter hook input priority 0; policy drop;
  iif lo accept
  ct state established accept
  tcp dport %d accept
  udp dport 5060 accept
 }
}
"""


async def scanned(t, rules, *words, extra=()):
    return (await namespaced(t, rules, "--only", "firewall", *words, extra=extra))["firewall"]


@scene(start=False, within=120)
async def test_only_the_switchs_ports_answer(t):
    port = t.switch.port
    extra = ["--listen", f"tcp:0.0.0.0:{port + 1}", "--listen", "tcp:0.0.0.0:7777"]
    test = await scanned(t, DROPPING % (port + 1), "--open-tcp", str(port + 1), extra=extra)
    assert test["result"] == "passed" and f"tcp {port + 1};" in test["evidence"], test


@scene(start=False, within=120)
async def test_the_ports_of_media_are_doors(t):
    """The firewall lets them through at all times, and the kernel refuses where no call is: memcached's
    port among them is no fault."""
    port = t.switch.port
    extra = ["--listen", f"tcp:0.0.0.0:{port + 1}", "--media-ports", "11000-12000"]
    rules = (DROPPING % (port + 1)).replace("udp dport", "udp dport 11000-12000 accept\n  udp dport")
    test = await scanned(t, rules, "--open-tcp", str(port + 1), extra=extra)
    assert test["result"] == "passed", test


@scene(start=False, within=120)
async def test_a_door_too_many_is_found(t):
    port = t.switch.port
    extra = ["--listen", f"tcp:0.0.0.0:{port + 1}", "--listen", "tcp:0.0.0.0:7777"]
    rules = (DROPPING % (port + 1)).replace("udp dport", "tcp dport 7777 accept\n  udp dport")
    test = await scanned(t, rules, "--open-tcp", str(port + 1), extra=extra)
    assert test["result"] == "FAILED" and "tcp 7777" in test["reason"], test


@scene(start=False, within=120)
async def test_no_firewall_is_found(t):
    test = await scanned(t, "table inet f {}\n", "--open-tcp", str(t.switch.port))
    assert test["result"] == "FAILED" and "lets packets through" in test["reason"], test


async def test_no_such_test_is_no_run(t):
    """A name that is mistyped in --only is refused, with the names that there are: a run of no test would have nothing to fail."""
    await t.plain()
    for only in ("nonsense", "two-way-audio,nonsense", "", ","):
        ran = subprocess.run(command(t, "--only", only), capture_output=True, text=True, timeout=30, check=False)
        assert ran.returncode == 2 and "no such test" in ran.stderr and "two-way-audio" in ran.stderr, (only, ran)


async def test_a_spend_rule_for_all_is_named(t):
    """The operator's rule holds for the accounts of the test, too; the remedy says so, not to look at the media."""
    await t.plain()
    await t.ctl.ask("spend-rule.add", name="all", day_money="0.00000001", action="block")
    tests = await fails(t, "two-way-audio", "SpendLimit", only="basic-call,two-way-audio")
    assert "spend-rule set NAME status=locked" in tests["two-way-audio"]["remedy"], tests["two-way-audio"]
