"""What happened to a call by the wire alone, and what may therefore stand in its CDR.

The switch's hold time runs from the receipt of the vendor's 200 to the receipt of the first BYE.
Neither moment is visible from outside, but both are pinned by cause and effect: the 200 was received
after the vendor sent it and before the caller saw it, the BYE after it was sent and before its
effect was seen. So the bounds are exact, whatever the machine's load; 1 ms is the CDR's resolution.
"""

from dataclasses import dataclass

RESOLUTION = 0.001


@dataclass
class CallRecord:
    """One call at both ends. leg may be None: the call never reached the vendor seen here."""
    call: object
    leg: object = None

    def bye_sent(self):
        """When the first BYE left an end, or None."""
        sent = [s.bye_sent for s in (self.call, self.leg) if s and s.bye_sent]
        return min(sent) if sent else None

    def end_seen(self):
        """The first proof at an end that the switch had ended the call: a BYE from it, or its answer."""
        seen = [t for s in (self.call, self.leg) if s for t in (s.bye_seen, s.bye_done) if t]
        return min(seen) if seen else None

    def hung_up_by(self):
        """caller, callee or switch, by who sent the first BYE."""
        sent = [(s.bye_sent, who) for s, who in ((self.call, "caller"), (self.leg, "callee"))
                if s and s.bye_sent]
        return min(sent)[1] if sent else "switch"

    def hold_bounds(self):
        """(least, most) seconds of hold time that cause and effect allow."""
        answered_from, answered_to = self.leg.ok_at, self.call.ok_at
        least = (self.bye_sent() - answered_to) if self.bye_sent() else 0.0
        return max(0.0, least - RESOLUTION), self.end_seen() - answered_from + RESOLUTION

    def check_hold(self, hold_ms):
        least, most = self.hold_bounds()
        assert least <= hold_ms / 1000 <= most, (
            f"hold_ms {hold_ms}: the wire allows {least * 1000:.1f} to {most * 1000:.1f} "
            f"(call {self.call.call_id})")


def pair(calls, legs):
    """Records of calls whose called numbers are all different; legs may carry them unchanged."""
    by_number = {}
    for leg in legs:
        assert leg.callee not in by_number, f"two calls to {leg.callee} reached the vendor"
        by_number[leg.callee] = leg
    return [CallRecord(call, by_number.get(call.callee)) for call in calls]
