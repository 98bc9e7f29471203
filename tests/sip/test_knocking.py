"""Who is knocking: strangers who get no answer stand in a list with what they sent and dialled, until they are somebody's."""

from harness.control import Refused
from harness.watch import poll


async def rows(t):
    return {r["address"]: r for r in await t.ctl.ask("knock.list")}


async def row_of(t, peer, messages=1, **fields):
    """The row of that peer, once it says so; so many messages at least: what gets no answer is repeated."""
    async def is_there():
        row = (await rows(t)).get(peer.ip)
        return row if row and row["messages"] >= messages and all(row[k] == v for k, v in fields.items()) else None
    return await poll(is_there, f"a row of {peer.ip} with {messages} messages and {fields}")


async def test_a_stranger_is_listed_with_what_he_dialled(t):
    """By UDP and TCP, whatever it is; on all workers together; heard last first. Known gateways are not."""
    caller, _carrier = await t.plain()
    stranger, other = await t.caller("stranger", last=9), await t.caller("other", last=10)
    assert await t.ctl.ask("knock.list") == []
    stranger.invite("8801712", caller="4420123", headers=[("User-Agent", "PBX 7")])
    row = await row_of(t, stranger, messages=1)
    assert (row["method"], row["caller"], row["callee"]) == ("INVITE", "4420123", "8801712"), row
    assert (row["transport"], row["port"], row["known_as"], row["agent"]) == ("udp", stranger.port, "", "PBX 7"), row
    other.udp.to(other.switch).send(b"hello there\r\n\r\n")
    await row_of(t, other, method="hello", callee="")
    for _ in range(20):
        other.ask("OPTIONS")
    await row_of(t, other, messages=21)
    flow = await stranger.tcp_flow()
    before = (await rows(t))[stranger.ip]["messages"]
    stranger.ask("REGISTER", flow=flow)
    await row_of(t, stranger, messages=before + 1)
    await caller.place("88017")
    assert len(await t.ctl.ask("knock.list", limit=1)) == 1
    last = [r["last"] for r in await t.ctl.ask("knock.list")]
    assert len(last) == 2 and last == sorted(last, reverse=True), last
    assert caller.ip not in await rows(t)
    assert t.wire.bytes_to("other") == b""


async def test_who_becomes_a_customer_is_named(t):
    """And who is one already, but dials what none of his gateways takes, is named, too."""
    await t.plain()
    newcomer = await t.caller("newcomer", last=9)
    newcomer.invite("88017")
    await row_of(t, newcomer, messages=1, known_as="")
    await t.ctl.ask("mapping-gateway.add", name="new", account="acme", address=[newcomer.ip], tech_prefix=["77"])
    await row_of(t, newcomer, messages=1, known_as="new")
    before = (await rows(t))[newcomer.ip]["messages"]
    newcomer.invite("88018")
    row = await row_of(t, newcomer, messages=before + 1, known_as="new")
    assert row["method"] == "INVITE", row
    await t.cdr(await newcomer.place("7788017"), mapping_gateway="new")
    try:
        await t.ctl.ask("knock.list", limit=0)
        raise AssertionError("limit=0 was taken")
    except Refused as e:
        assert e.data["field"] == "limit", e.data
