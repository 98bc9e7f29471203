"""Early dialogs, forks and reliable responses (RFC 3261 §12, 3262), which the plain ends do without."""

from . import sip
from .ua import Leg


def early(call, msg):
    """From here on the caller's requests belong to the early dialog that this 1xx made."""
    call.remote, call.target = msg.get("To"), msg.contact
    call.route = [r.strip() for v in reversed(msg.all("Record-Route")) for r in v.split(",")]
    return call


def prack(call, msg, body=b"", rack=None):
    """Acknowledges a reliable response; its transaction."""
    rack = rack or f"{msg.get('RSeq')} {msg.cseq[0]} INVITE"
    return early(call, msg).request("PRACK", headers=[("RAck", rack)], body=body)


def reliable(leg, code, rseq, sdp=None):
    """A vendor's provisional response that asks for a PRACK. It is not repeated."""
    leg.reply(code, headers=[("Require", "100rel"), ("RSeq", rseq), ("Allow", "UPDATE, PRACK, INVITE, BYE")],
              sdp=sdp)


def fork(leg):
    """Another end behind the same vendor: the same INVITE, a To tag of its own."""
    other = Leg(leg.peer, leg.first)
    other.sdp = sip.Sdp(leg.peer.ip, 50100, (8, 101))
    return other


def of_method(session, method):
    return [m for m in session.requests if m.method == method]


async def asked(session, method, n=1):
    """The n-th request of that method that came inside the dialog."""
    return await session.until(
        lambda: len(of_method(session, method)) >= n and of_method(session, method)[n - 1], f"{method} #{n}")


def expires(msg):
    """(seconds, refresher) of Session-Expires, or None."""
    value = msg.get("Session-Expires")
    if value is None:
        return None
    seconds, params = sip.split_params(value)
    return int(seconds), params.get("refresher")


def listed(msg, name):
    """The tokens in all headers of that name."""
    return {x.strip() for v in msg.all(name) for x in v.split(",")}


async def up(t, **options):
    """A call that was answered and acknowledged: (caller, carrier, call, leg)."""
    caller, carrier = await t.plain()
    call = caller.invite("88017", **options)
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    return caller, carrier, call, leg
