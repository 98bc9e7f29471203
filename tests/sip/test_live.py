"""Every live parameter: behaviour differs between two of its values, set while the switch runs.

Here are those of limits, timers, media, ports and traces; the test_live_*.py beside this file have the others.
The lint `params` holds the marks against lib/model/parameters.tsv: a live parameter without one fails it.
"""

import asyncio
import select
import socket

from harness import plans
from harness.plans import reject, silent_after
from harness.rtp import Media
from harness.scene import live, scene
from harness.sip import Sdp
from harness.watch import poll


async def three_vendors(t, plan):
    caller, carriers = await t.caller(), []
    await t.customer(caller)
    for i in (1, 2, 3):
        carriers.append(await t.carrier(f"v{i}", last=2 + i))
        carriers[-1].plan = plan
        await t.vendor(carriers[-1], priority=i)
    return caller, carriers


@live("SS_GATEWAY_SWITCH_LIMIT")
async def test_switch_limit(t):
    """Three vendors are tried as it comes, two at a limit of 2."""
    caller, carriers = await three_vendors(t, reject(503))
    await caller.invite("88017").expect(503)
    assert [len(c.legs) for c in carriers] == [1, 1, 1]
    await t.set("SS_GATEWAY_SWITCH_LIMIT", 2)
    await t.refused(caller.invite("88018"), 503, "HuntTimeout", tries=2)
    assert [len(c.legs) for c in carriers] == [2, 2, 1]


@scene(idle=True)
@live("SS_HUNT_TIMEOUT", "SS_SIP_TIMEOUT_INVITE")
async def test_hunt_and_invite_timeout(t):
    """Vendors that are dead for 2 s each, and a hunt of 3 s: the third is never asked. With a hunt of
    30 s it is."""
    caller, carriers = await three_vendors(t, plans.dead())
    await t.set("SS_SIP_TIMEOUT_INVITE", 2)
    await t.set("SS_HUNT_TIMEOUT", 3)
    call = caller.invite("88017")
    assert (await call.final(within=40)).code in (408, 503)
    await t.cdr(call, reason="HuntTimeout", hold_ms=0)
    assert [len(c.legs) for c in carriers] == [1, 1, 0]
    await t.set("SS_HUNT_TIMEOUT", 30)
    await t.refused(caller.invite("88018"), 408, "InviteTimeout", within=40)
    assert [len(c.legs) for c in carriers] == [2, 2, 1]


@scene(idle=True)
@live("SS_SIP_TIMEOUT_TRYING")
async def test_trying_timeout(t):
    """100 and then nothing: GatewayTimeout once the time is over."""
    caller, carrier = await t.plain()
    carrier.plan = silent_after(100)
    await t.set("SS_SIP_TIMEOUT_TRYING", 1)
    await t.refused(caller.invite("88017"), 408, "GatewayTimeout")
    await carrier.legs[0].cancel()
    await t.set("SS_SIP_TIMEOUT_TRYING", 30)

    async def slow(leg):
        leg.reply(100)
        await asyncio.sleep(2)
        leg.accept()
    carrier.plan = slow
    await caller.place("88018")


@scene(idle=True)
@live("SS_SIP_TIMEOUT_RINGING")
async def test_ringing_timeout(t):
    """A vendor that rings 2.5 s is given up after 1 s, and waited for with 30 s."""
    caller, carrier = await t.plain()
    carrier.plan = plans.answer(after=2.5)
    await t.set("SS_SIP_TIMEOUT_RINGING", 1)
    await t.refused(caller.invite("88017"), 480, "NoAnswer")
    await t.set("SS_SIP_TIMEOUT_RINGING", 30)
    await caller.place("88018")


@scene(idle=True)
@live("SS_MAXCALLDURATION")
async def test_longest_call(t):
    """Both sides are ended with MaxDuration; without a limit the same call goes on."""
    caller, carrier = await t.plain()
    await t.set("SS_MAXCALLDURATION", 1)
    call = caller.invite("88017")
    await call.expect(200)
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    cdr = await t.billed(call, carrier.legs[0], reason="MaxDuration", hangup_side="switch")
    assert cdr["hold_ms"] >= 1000
    await t.ctl.ask("parameter.reset", name="SS_MAXCALLDURATION")
    call = await caller.place("88018", hold=2)
    await t.cdr(call, reason="CallerHangup")


@live("SS_MAX_CALL_PER_SECOND")
async def test_calls_a_second(t):
    """Of ten calls at once some are refused at 2 a second, none at 1000."""
    caller, _carrier = await t.plain()
    await t.set("SS_MAX_CALL_PER_SECOND", 2)
    calls = [caller.invite(f"88017{i}") for i in range(10)]
    codes = [(await c.final()).code for c in calls]
    assert 503 in codes and codes.count(200) >= 2, codes
    await t.set("SS_MAX_CALL_PER_SECOND", 1000)
    more = [caller.invite(f"88018{i}") for i in range(10)]
    assert {(await c.final()).code for c in more} == {200}
    for call in [c for c in calls + more if c.ok]:
        await call.hang_up()


@live("SS_MAX_CONCURRENT_CALL")
async def test_concurrent_calls(t):
    """The second call is refused at a limit of 1, and rings at 2."""
    caller, carrier = await t.plain()
    carrier.plan = silent_after(180)
    await t.set("SS_MAX_CONCURRENT_CALL", 1)
    first = caller.invite("88017")
    await first.rings()
    await t.refused(caller.invite("88018"), 503, "SystemLimit")
    await t.set("SS_MAX_CONCURRENT_CALL", 2)
    second = caller.invite("88019")
    await second.rings()
    for call in (first, second):
        call.cancel()
        await call.expect(487)


@scene(start=False)  # --media-ports would hold for the whole run
@live("SS_MEDIA_PORT_RANGE")
async def test_media_ports(t):
    """Every port given out lies in the range, and moves with it."""
    t.switch.media_ports = None
    await t.switch.start()
    caller, carrier = await t.plain()
    for low, high in ((21000, 21999), (26000, 26499)):
        await t.set("SS_MEDIA_PORT_RANGE", f"{low},{high}")
        for i in range(5):
            call = await caller.place(f"8801{low}{i}")
            ports = (call.remote_sdp.port, carrier.legs[-1].remote_sdp.port)
            assert all(low <= p <= high for p in ports), (ports, low, high)


@scene(start=False)  # read at the start
@live("SS_SIP_PORT")
async def test_sip_ports(t):
    """An address without a port of its own is there on each of these, by UDP and TCP; one that has a port
    is not touched."""
    bare = t.net.ip(4)
    t.switch.extra = ["--listen", f"udp:{bare}", "--listen", f"tcp:{bare}"]
    await t.switch.start()
    caller = await t.caller()
    await t.customer(caller)
    caller.home = None
    for ports in ((5070, 5080), (5090,)):
        await t.set("SS_SIP_PORT", ",".join(map(str, ports)))
        await t.switch.restart()
        for port in ports:
            for flow in (caller.udp.to((bare, port)), await caller.tcp.connect((bare, port))):
                assert (await caller.ask("OPTIONS", flow=flow).response()).code == 200
        assert (await caller.ask("OPTIONS").response()).code == 200
    for port in (5060, 5070, 5080):
        try:
            await caller.tcp.connect((bare, port))
        except ConnectionRefusedError:
            continue
        raise AssertionError(f"port {port} is open still")


@live("SS_TCP_CLOSE_RESET")
async def test_how_connections_are_closed(t):
    """What the switch closes itself: by FIN, or by RST, which a socket tells from it."""
    caller, _carrier = await t.plain()

    async def end():
        reader, writer = await asyncio.open_connection(*t.address, local_addr=(caller.ip, 0))
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: none\r\n\r\n")
        try:
            while await reader.read(65536):
                pass
            return "FIN"
        except ConnectionResetError:
            return "RST"
        finally:
            writer.close()

    assert await end() == "FIN"
    await t.set("SS_TCP_CLOSE_RESET", "On")
    assert await end() == "RST"
    await t.set("SS_TCP_CLOSE_RESET", "Off")
    assert await end() == "FIN"


@live("SS_MEDIA_PROXY_ENABLE")
async def test_media_relay_off(t):
    """Where both gateways leave it open, Off lets the two ends talk directly."""
    caller, carrier = await t.plain(media_relay="auto")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_relay="auto")
    call = await caller.place("88017")
    assert call.remote_sdp.ip == t.switch.ip
    await t.set("SS_MEDIA_PROXY_ENABLE", "Off")
    call = await caller.place("88018")
    assert (call.remote_sdp.ip, carrier.legs[1].remote_sdp.ip) == (carrier.ip, caller.ip)


@scene(idle=True)
@live("SS_MEDIA_TIMEOUT")
async def test_media_timeout(t):
    """Silence both ways ends the call after the time set; one-way silence, or RTCP alone, does not."""
    caller, carrier = await t.plain(media_source="sdp")
    await t.ctl.ask("routing-gateway.set", name="vendor", media_source="sdp")
    near = t.keep(Media(caller.ip, "near"))
    await t.set("SS_MEDIA_TIMEOUT", 2)
    call = caller.invite("88017", sdp=Sdp(caller.ip, near.port))
    await call.expect(200)
    near.aim(call.remote_sdp)
    await near.talk(30, 0.1)
    assert not call.bye_seen, "ended although one side was talking"
    for _ in range(6):
        near.report()
        await asyncio.sleep(0.5)  # the silence itself
    assert not call.bye_seen, "ended although RTCP came"
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    cdr = await t.billed(call, carrier.legs[0], reason="MediaTimeout", hangup_side="switch")
    assert cdr["hold_ms"] >= 7000
    await t.set("SS_MEDIA_TIMEOUT", 0)
    await t.cdr(await caller.place("88018", hold=4), reason="CallerHangup")


@live("SERVER_TRACE_FILE_LENGTH")
async def test_memory_of_a_trace(t):
    """A call of 2 KB stays whole at the default; 64 KB keep fewer calls than were made."""
    caller, _carrier = await t.plain()
    for size, pushed_out in ((40960, False), (64, True)):
        await t.set("SERVER_TRACE_FILE_LENGTH", size)
        assert (await t.ctl.ask("trace.start"))["limit_bytes"] == size * 1024
        for i in range(8):
            await t.cdr(await caller.place(f"88017{i}"))

        async def came():
            state = await t.ctl.ask("trace.status")
            return state["messages"] >= 8 * 13 and state
        assert ((await poll(came, "the trace"))["pushed_out"] > 0) is pushed_out


@live("TRACE_HEP_ADDRESS")
async def test_capture_server(t):
    """Packets come to the address that is set, and no more once it is empty."""
    caller, _carrier = await t.plain()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((t.net.ip(8), 0))
        server.setblocking(False)
        await t.set("TRACE_HEP_ADDRESS", "{}:{}".format(*server.getsockname()))
        await t.cdr(await caller.place("88017"))
        assert (await asyncio.get_running_loop().sock_recv(server, 65536)).startswith(b"HEP3")
        await t.set("TRACE_HEP_ADDRESS", "")
        while len(select.select([server], [], [], 0)[0]):
            server.recv(65536)
        await t.cdr(await caller.place("88018"))
        assert not select.select([server], [], [], 0)[0]
