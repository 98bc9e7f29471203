"""What an operator tries by hand: how a gateway answers, and a call of the switch's own through it."""

import asyncio

from harness.control import Control, Refused
from harness.plans import answer, answer_when_cancelled, dead, reject, silent_after
from harness.rtp import Media, closed_port
from harness.sip import Sdp
from harness.watch import poll


async def refusal(t, operation, **fields):
    try:
        await t.ctl.ask(operation, **fields)
    except Refused as e:
        return e.data
    raise AssertionError(f"{fields} was taken")


async def test_how_a_gateway_answers(t):
    """Each address for itself: answers, loss and times; an error answer is an answer; who does not answer has lost all."""
    caller, carrier = await t.plain()
    (there,) = await t.ctl.ask("routing-gateway.test", name="vendor", count=3)
    assert there["address"] == carrier.address and (there["sent"], there["answered"], there["loss_percent"]) == (3, 3, 0), there
    assert 0 < there["min_us"] <= there["avg_us"] <= there["max_us"] and there["code"] == 200, there
    await t.ctl.ask("routing-gateway.set", name="vendor", address=[carrier.address, f"{t.net.ip(9)}:5060"], options_check=False)
    (there, nobody) = await t.ctl.ask("routing-gateway.test", name="vendor", count=1)
    assert (there["sent"], there["answered"]) == (1, 1), there
    assert (nobody["sent"], nobody["answered"], nobody["loss_percent"], nobody["code"]) == (1, 0, 100, 0), nobody
    assert "min_us" not in nobody
    assert (await refusal(t, "routing-gateway.test", name="none"))["field"] == "name"
    assert (await refusal(t, "routing-gateway.test", name="vendor", count=21))["field"] == "count"


async def test_how_any_address_answers(t):
    """One that is no gateway's: the same answer, by the transport that is asked for, with the address of ours that it sees."""
    carrier = await t.carrier()
    (there,) = await t.ctl.ask("network.test", address=carrier.address, count=2)
    assert (there["address"], there["transport"], there["sent"], there["answered"], there["code"]) == (
        carrier.address, "udp", 2, 2, 200), there
    assert there["local"] == "%s:%d" % t.address, there
    (gone,) = await t.ctl.ask("network.test", address=f"{t.net.ip(9)}:{closed_port(t.net.ip(9))}", transport="tcp", count=1)
    assert (gone["transport"], gone["sent"], gone["answered"], gone["loss_percent"]) == ("tcp", 1, 0, 100) and gone["error"], gone
    for asked, field in (({"address": "carrier.example"}, "address"), ({"address": carrier.address, "transport": "sctp"}, "transport"),
                         ({"address": carrier.address, "count": 0}, "count")):
        assert (await refusal(t, "network.test", **asked))["field"] == field, asked


async def tried(t, callee="88017", **more):
    return await t.ctl.ask("call.test", **{"gateway": "vendor", "callee": callee, "talk": 0, **more}, within=15)


async def test_a_test_call(t):
    """Through the gateway's own rules, with what it answers and the media that comes; nobody is charged and nothing is recorded."""
    caller, carrier = await t.plain()
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_rules=[":99"], caller_rules=["1:44"], status="locked")
    media = t.keep(Media(carrier.ip))

    async def plan(leg):
        media.aim(leg.remote_sdp)
        leg.sdp = Sdp(carrier.ip, media.port, payloads=(8,))
        leg.reply(180)
        leg.accept()
        await leg.ack()
        await media.talk(25, interval=0.005)
    carrier.plan = plan
    got = await tried(t, caller="1001", talk=1)
    leg = carrier.legs[-1]
    assert (leg.callee, leg.caller) == ("9988017", "44001") == (got["callee"], got["caller"]), got
    assert (got["outcome"], got["code"], got["ended_by"]) == ("answered", 200, "switch"), got
    assert [p.split()[0] for p in got["progress"]][-3:] == ["180", "200", "BYE"], got
    # The first packets may come before the media thread has heard of the vendor.
    assert 20 <= got["packets_in"] <= 25 and got["codec"] == "PCMA", got
    assert got["pdd_ms"] <= got["answer_ms"] and got["talk_ms"] >= 990, got
    assert await t.ctl.ask("cdr.list") == [] and await t.ctl.ask("call.list") == []
    account = await t.ctl.ask("account.show", id="vendor-acc")
    assert account["balance"] == "0", account


async def test_test_calls_that_come_to_nothing(t):
    """Refused, silent, ringing for ever, answered as it is given up, ended by the vendor."""
    caller, carrier = await t.plain()
    carrier.plan = reject(486, headers=[("Reason", "Q.850;cause=17")])
    got = await tried(t)
    assert (got["outcome"], got["code"], got["cause"]) == ("refused", 486, 17), got
    assert "answer_ms" not in got and got["packets_in"] == 0
    carrier.plan = silent_after(180)
    got = await tried(t, ring=1)
    assert (got["outcome"], got["ended_by"]) == ("no answer", "switch"), got
    assert [p.split()[0] for p in got["progress"]] == ["180", "CANCEL", "487"], got
    carrier.plan = answer_when_cancelled()
    got = await tried(t, ring=1)
    assert (got["outcome"], got["code"]) == ("answered", 200) and "CANCEL" in str(got["progress"]), got
    await carrier.legs[-1].ended_by_peer()
    carrier.plan = answer(bye_after=0)
    got = await tried(t, talk=30)
    assert (got["outcome"], got["ended_by"]) == ("answered", "vendor"), got
    carrier.plan = dead()
    got = await tried(t, ring=1)
    assert (got["outcome"], got["code"], got["progress"]) == ("no response", 0, []), got


async def test_a_test_call_with_a_password(t):
    """The vendor's challenge is answered once."""
    caller, carrier = await t.plain()
    await t.ctl.ask("routing-gateway.set", name="vendor", user="u", password="a pass word 1")
    challenges = []

    async def plan(leg):
        if not leg.invite.get("Authorization"):
            challenges.append(leg)
            leg.reply(401, headers=[("WWW-Authenticate", 'Digest realm="v", nonce="1", algorithm=MD5, qop="auth"')])
        else:
            leg.accept()
    carrier.plan = plan
    got = await tried(t)
    assert (got["outcome"], got["code"]) == ("answered", 200) and got["progress"][0].startswith("401"), got
    carrier.plan = reject(401, headers=[("WWW-Authenticate", 'Digest realm="v", nonce="1", algorithm=MD5, qop="auth"')])
    got = await tried(t)
    assert (got["outcome"], got["code"]) == ("refused", 401), got


async def test_what_is_no_test(t):
    """Named; and no more than eight at once."""
    caller, carrier = await t.plain()
    for bad in (dict(gateway="none"), dict(callee="8 8"), dict(callee="8" * 41), dict(caller="a\nb"), dict(ring=121), dict(talk=61)):
        assert (await refusal(t, "call.test", **{"gateway": "vendor", "callee": "88017", **bad}))["field"] == list(bad)[0], bad
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_rules=["88?:"])
    assert "leave no number" in str(await refusal_text(t, callee="880"))
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_rules=[])
    go = asyncio.Event()

    async def plan(leg):
        leg.reply(180)
        await go.wait()
        leg.reply(603)
    carrier.plan = plan
    desks = [await Control(t.switch.path).open() for _ in range(8)]
    running = [asyncio.ensure_future(d.ask("call.test", gateway="vendor", callee="88017", talk=0)) for d in desks]

    async def all_ring():
        return len(carrier.legs) == 8
    await poll(all_ring, "eight test calls")
    assert "as many tests" in str(await refusal_text(t))
    go.set()
    assert {r["code"] for r in await asyncio.gather(*running)} == {603}
    for desk in desks:
        desk.close()


async def refusal_text(t, **fields):
    try:
        return await tried(t, **fields)
    except Refused as e:
        return e
