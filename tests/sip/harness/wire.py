"""Everything that the simulated ends sent and saw, in order, and a picture of it."""

import time

from . import sip


def now():
    """Seconds of CLOCK_MONOTONIC, the one clock of every record in a test."""
    return time.monotonic()


class Seen:
    """One message at one end: who, 'out' or 'in', the other address, the bytes."""

    __slots__ = ("at", "who", "way", "peer", "data")

    def __init__(self, at, who, way, peer, data):
        self.at, self.who, self.way, self.peer, self.data = at, who, way, peer, data


class Wire:
    """The record of a test. faults are breaches of the protocol that an end noticed by itself."""

    def __init__(self):
        self.seen = []
        self.faults = []
        self.began = now()

    def note(self, who, way, peer, data):
        self.seen.append(Seen(now(), who, way, peer, data))
        return self.seen[-1].at

    def fault(self, who, text):
        self.faults.append(f"{who}: {text}")

    def bytes_to(self, who):
        """All that an end received, for topology hiding."""
        return b"\n".join(s.data for s in self.seen if s.who == who and s.way == "in")

    def ladder(self, last=80, call_ids=None):
        """Text lines: time, end, arrow, what. The switch is the other side of every arrow."""
        rows = [s for s in self.seen if call_ids is None or any(c.encode() in s.data for c in call_ids)]
        lines = [f"  ... {len(rows) - last} earlier messages"] if len(rows) > last else []
        for s in rows[-last:]:
            arrow = "──▶" if s.way == "out" else "◀──"
            lines.append(f"  {s.at - self.began:9.3f}  {s.who:>12} {arrow} {s.peer[0]}:{s.peer[1]}  "
                         f"{summary(s.data)}")
        return "\n".join(lines)


def summary(data):
    """What a datagram says, for the ladder, whether or not it parses."""
    try:
        return sip.parse(data).brief()
    except (sip.Malformed, ValueError):
        return repr(data.split(b"\r\n")[0][:70])
