"""Phones that others wrote register at the switch and call each other, with a tone that is heard at both ends."""

from harness.phone import registered
from harness.scene import scene
from harness.softphone import Baresip, Linphone
from harness.tls import Secure
from harness.watch import poll

LOW, HIGH = 440, 1300


async def pair(t, first_kind, second_kind, *more, **fields):
    await t.phones_account()
    phones = []
    for n, (kind, hz) in enumerate(zip((first_kind, second_kind, *more), (LOW, HIGH, HIGH)), 1):
        number = f"100{n}"
        await t.ctl.ask("phone.add", number=number, account="acme", password="apass1of8", address=["127.0.0.0/8"], **fields)
        phones.append(kind(t, number, hz, "apass1of8"))
        await phones[-1].start()
    for phone in phones:
        try:
            await registered(t, phone.number)
        except AssertionError as e:
            raise AssertionError(f"{e}:\n{phone.said.decode(errors='replace')[-3000:]}") from None
    return phones


async def talk(t, first, second, nth=0):
    """A call in which each hears the other's tone; the caller hangs up. nth: how many calls there were before."""
    first.deaf_again()
    second.deaf_again()
    first.dial(second.number)
    for phone in (first, second):
        await phone.speak()
    await second.hears(first.hz)
    await first.hears(second.hz)
    first.hang_up()
    for phone in (first, second):
        await phone.rests()

    async def over():
        rows = [r for r in await t.ctl.ask("cdr.list") if r["caller_phone"] == first.number]
        return rows if len(await t.ctl.ask("cdr.list")) == nth + 1 else None
    cdr, = await poll(over, "the record of the call")
    assert (cdr["caller_phone"], cdr["callee_phone"], cdr["reason"]) == (first.number, second.number, "CallerHangup")
    assert cdr["caller_packets_in"] > 10 and cdr["callee_packets_in"] > 10, cdr


@scene(idle=True)
async def test_baresip_calls_baresip(t):
    await t.set("SS_SIP_AUTHENTICATION_SHA256", "Off")  # this baresip gives up when SHA-256 is offered at all
    await talk(t, *await pair(t, Baresip, Baresip))


@scene(idle=True)
async def test_linphone_calls_linphone(t):
    await talk(t, *await pair(t, Linphone, Linphone))


@scene(idle=True)
async def test_baresip_and_linphone_call_each_other(t):
    """One of each kind, and each calls the other."""
    await t.set("SS_SIP_AUTHENTICATION_SHA256", "Off")
    first, second = await pair(t, Baresip, Linphone)
    await talk(t, first, second)
    await talk(t, second, first, nth=1)


@scene(idle=True, start=False)
async def test_linphone_by_tls(t):
    """A phone that registers and calls over TLS, and checks our certificate; the one that it calls speaks UDP."""
    s = Secure(t)
    await t.switch.start()
    first, second = await pair(t, lambda *words: Linphone(*words, secure=s), Linphone)
    row, = await registered(t, first.number)
    assert "transport=tls" in row["contact"], row
    await talk(t, first, second)
    await talk(t, second, first, nth=1)


async def is_on_hold(t, wanted, packets=0):
    """The call as the switch sees it, once it is on hold or not, and more than so many packets came from either side."""
    async def state():
        call, = await t.ctl.ask("call.list")
        shown = await t.ctl.ask("call.show", id=call["id"])
        least = min(shown[side]["packets_in"] for side in ("caller_media", "callee_media"))
        return shown if shown["on_hold"] is wanted and least > packets else None
    shown = await poll(state, f"a call with on_hold {wanted} and over {packets} packets")
    return max(shown[side]["packets_in"] for side in ("caller_media", "callee_media"))


@scene(idle=True)
async def test_baresip_holds_and_resumes(t):
    """Its re-INVITEs reach the other phone; after the second both speak again, and it is one call."""
    await t.set("SS_SIP_AUTHENTICATION_SHA256", "Off")
    first, second = await pair(t, Baresip, Baresip)
    first.dial(second.number)
    await second.hears(first.hz)
    for phone in (first, second):
        packets = await is_on_hold(t, False)
        phone.tell("/hold")
        await is_on_hold(t, True)
        phone.tell("/resume")
        await is_on_hold(t, False, packets)
    first.hang_up()

    async def over():
        return await t.ctl.ask("cdr.list")
    cdr, = await poll(over, "the record of the call")
    assert cdr["reason"] == "CallerHangup", cdr


@scene(idle=True)
async def test_baresip_transfers(t):
    """The called phone sends its caller to a third one, and is charged for that call."""
    await t.set("SS_SIP_AUTHENTICATION_SHA256", "Off")
    first, second, third = await pair(t, Baresip, Baresip, Baresip, call_transfer=True)
    first.dial(second.number)
    await second.hears(first.hz)
    second.tell(f"/transfer sip:{third.number}@{t.address[0]}:{t.address[1]}")
    await third.hears(first.hz)
    await first.hears(third.hz)
    first.hang_up()

    async def both():
        found = await t.ctl.ask("cdr.list")
        return found if len(found) == 2 else None
    moved, call = sorted(await poll(both, "two records"), key=lambda r: r["start"], reverse=True)
    assert (moved["caller_phone"], moved["callee_phone"], moved["caller"]) == (second.number, third.number, first.number)
    assert (call["caller_phone"], call["callee_phone"], call["reason"]) == (first.number, second.number, "CalleeHangup")
