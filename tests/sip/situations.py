"""The table of test_situations.py: what an operator has set, and where the call goes.

Each situation has a range of numbers of its own, so that all of them stand side by side in one switch and their calls run at once.
Vendors are on five addresses; what a vendor does hangs on the number. Written by hand from spec/behaviour.md, not from the code.
"""

from harness.oracle import Terms
from harness.plans import answer, dead, reject, silent_after

# Clearing accounts: their one rate a minute; none: an account without any; free: no account at all.
PRICES = {"p1": Terms(price="0.001"), "p3": Terms(price="0.003"), "p5": Terms(price="0.005"),
          "p20": Terms(price="0.02"), "min": Terms(price="0.004", first=60, step=60),
          "setup": Terms(price="0.001", setup_fee="0.01"), "none": None}
SELL = "0.0123"

# Mapping gateways: one for each way to choose, known by the tech prefix.
CUSTOMERS = {
    "plain": {}, "priority": dict(policy="priority"), "cost": dict(policy="cost"),
    "priority+cost": dict(policy="priority", policy_then="cost"), "cost+quality": dict(policy="cost", policy_then="quality"),
    "quality": dict(policy="quality"), "quality+cost": dict(policy="quality", policy_then="cost"),
    "weight": dict(policy="weight"), "free": dict(policy="free_lines"),
    "no loss": dict(min_profit="0"), "small loss": dict(min_profit="-0.0077"), "profit": dict(min_profit="0.0093"),
    "10%": dict(min_profit_percent="10"), "60%": dict(min_profit_percent="60"),
    "cost, no loss": dict(policy="cost", min_profit="0"), "grouped": dict(groups=["own"]),
    "split": dict(split=["6:100"]), "split by cost": dict(split=["6:100"], policy="cost"),
}


PLANS = {"always": {}, "never": dict(last="2020-01-01"), "once": dict(action="allow", first="2090-01-01"),
         "high": dict(action="change", priority=1), "low": dict(action="change", priority=99),
         "shut": dict(action="change", line_limit=0)}
GROUPS = ("own", "others")


class V:
    """A vendor: its route prefixes behind the number of the situation, its price, what it does, its fields. split: what stands before
    the number in its route prefixes."""

    def __init__(self, name, *prefixes, price="p3", does=None, split="", **fields):
        self.name, self.prefixes, self.price = name, prefixes or ("",), price
        self.does, self.fields, self.split = does or reject(503), fields, split


class S:
    """order: the names that `route explain` gives; sent: those that the call went to, if it does not go to all of them;
    bye: the vendor ends it."""

    def __init__(self, name, vendors, order, sent=None, who="plain", code=503, reason=None, dials="5551", bye=False):
        self.name, self.vendors, self.who, self.dials = name, vendors, who, dials
        self.order = order.split()
        self.sent = self.order[:5] if sent is None else sent.split()
        self.code, self.reason, self.bye = code, reason, bye


def prefixes():
    a, b, c = V("a"), V("b"), V("c")
    yield S("one vendor", [a], "a")
    yield S("nobody", [], "", reason="NoAvailableRouter")
    yield S("another number", [V("a", "9")], "", reason="NoAvailableRouter")
    yield S("by name where all else is equal", [c, b, a], "a b c")
    yield S("longest prefix first", [V("a", ""), V("b", "5"), V("c", "55")], "c b a")
    yield S("length before priority", [V("a", "", priority=1), V("b", "55", priority=99)], "b a")
    yield S("priority within a length", [V("a", priority=30), V("b", priority=2), V("c", priority=10)], "b c a")
    yield S("a gateway counts once, by its longest", [V("a", "", "5", "555"), V("b", "55")], "a b")
    yield S("a list of prefixes that do not match", [V("a", "1", "2"), V("b", "3", "5")], "b")
    yield S("the whole number is a prefix", [V("a", "5551"), V("b", "55512")], "a")
    yield S("a longer prefix than the number", [V("a", "55511")], "", reason="NoAvailableRouter")
    yield S("terminating shuts out shorter ones", [V("a", "", priority=1), V("b", "5", prefix_mode="terminating")], "b")
    yield S("terminating leaves its own length", [V("a", "5", prefix_mode="terminating"), V("b", "5", priority=50), V("c")],
            "a b")
    yield S("terminating that does not match", [V("a"), V("b", "6", prefix_mode="terminating")], "a")
    yield S("terminating and longer ones", [V("a", "5", prefix_mode="terminating"), V("b", "555"), V("c")], "b a")
    yield S("a terminating one that is locked still shuts out", [V("a", "5", prefix_mode="terminating", status="locked"), b],
            "", reason="AllGatewayBusy")


def protection():
    yield S("protected comes last", [V("a", "555", protect=True), V("b")], "b a")
    yield S("protected ones by prefix, then priority", [V("a", protect=True), V("b", "5", protect=True, priority=9),
                                                        V("c", "5", protect=True, priority=3)], "c b a")
    yield S("protected alone", [V("a", protect=True)], "a")
    yield S("protected though cheap", [V("a", price="p1", protect=True), V("b", price="p20")], "b a", who="cost")
    yield S("protected though light", [V("a", weight=1000, protect=True), V("b", weight=1)], "b a", who="weight")
    yield S("protected terminating shuts out protected ones only",
            [V("a", "5", protect=True, prefix_mode="terminating"), V("b", protect=True), V("c")], "c a")
    yield S("the normal ones are locked", [V("a", protect=True), V("b", status="locked")], "a")


def states():
    yield S("locked", [V("a", status="locked"), V("b", priority=20)], "b")
    yield S("all locked", [V("a", status="locked"), V("b", status="locked")], "", reason="AllGatewayBusy")
    yield S("not registered", [V("a", registration=True, user="u", password="p" * 9), V("b", priority=20)], "b")
    yield S("only unregistered ones", [V("a", registration=True, user="u", password="p" * 9)], "",
            reason="VendorNotRegistered")
    yield S("no rate of the vendor", [V("a", price="none"), V("b", priority=20)], "b")
    yield S("no vendor has a rate", [V("a", price="none")], "", reason="NoAvailableRouter")
    yield S("no clearing account", [V("a", price="free"), V("b", priority=20)], "a b")
    yield S("rules that leave no number", [V("a", callee_rules=["7???5551:"]), V("b", priority=20)], "b")
    yield S("rules that make another number", [V("a", callee_rules=["7:117"], cost_number="before")], "a")
    yield S("the rate of the number that is sent", [V("a", callee_rules=["7:117"]), V("b", priority=20)], "b")
    yield S("more vendors than tries", [V(n, priority=i + 1) for i, n in enumerate("abcdefg")], "a b c d e f g")


def plans_and_groups():
    """Of test_situations.py: the plans never, always (deny), high and low (priority 1 and 99); the groups own and others."""
    yield S("denied now", [V("a", plans=["always"]), V("b", priority=20)], "b")
    yield S("denied at another time", [V("a", plans=["never"]), V("b", priority=20)], "a b")
    yield S("the first plan in force decides", [V("a", plans=["never", "high", "always"]), V("b", priority=2)], "a b")
    yield S("outside of what is allowed", [V("a", plans=["once"]), V("b", priority=20)], "b")
    yield S("priority by the hour", [V("a", plans=["low"], priority=1), V("b", plans=["high"], priority=50), V("c")], "b c a")
    yield S("length before the hour's priority", [V("a", plans=["high"]), V("b", "5", plans=["low"])], "b a")
    yield S("all denied", [V("a", plans=["always"])], "", reason="NoAvailableRouter")
    yield S("line_limit 0 is no limit", [V("a", plans=["shut"]), V("b", priority=20)], "a b")
    yield S("kept to a group", [V("a", groups=["others"]), V("b", groups=["own"]), V("c")], "b", who="grouped")
    yield S("in one of its groups", [V("a", groups=["others", "own"]), V("b", groups=["own"])], "a b", who="grouped")
    yield S("nobody in the group", [V("a", groups=["others"]), V("b")], "", who="grouped", reason="NoAvailableRouter")
    yield S("those who are kept to none go anywhere", [V("a", groups=["others"]), V("b", groups=["own"])], "a b")


def costs():
    def three(**more):
        return [V("a", price="p5", priority=1, **more), V("b", price="p1", priority=9), V("c", price="p3", priority=5)]
    yield S("cost", three(), "b c a", who="cost")
    yield S("the same by priority", three(), "a c b")
    yield S("cost over prefixes", [V("a", "555", price="p5"), V("b", price="p1")], "b a", who="cost")
    yield S("equal cost by priority, not by prefix", [V("a", "555", price="p3", priority=9), V("b", price="p3", priority=1)],
            "b a", who="cost")
    yield S("equal cost and priority by name", [V("b", "555"), V("a")], "a b", who="cost")
    yield S("set-up fee", [V("a", price="setup", priority=1), V("b", price="p5", priority=9)], "b a", who="cost")
    yield S("increments", [V("a", price="min", priority=1), V("b", price="p3", priority=9)], "b a", who="cost")
    yield S("without a price it comes last", [V("a", price="free", priority=1), V("b", price="p20", priority=9)], "b a",
            who="cost")
    yield S("locked and cheap", [V("a", price="p1", status="locked"), V("b", price="p5")], "b", who="cost")
    yield S("terminating under cost", [V("a", price="p1"), V("b", "5", price="p5", prefix_mode="terminating")], "b",
            who="cost")
    yield S("priority, then cost", [V("a", price="p5", priority=5), V("b", price="p1", priority=5), V("c", price="p20", priority=1)],
            "c b a", who="priority+cost")
    yield S("prefix, then cost", [V("a", "5", price="p5"), V("b", price="p1")], "a b", who="priority+cost")
    yield S("cost, then quality that nobody knows", three(), "b c a", who="cost+quality")
    yield S("quality that nobody knows", three(), "a c b", who="quality")
    yield S("quality that nobody knows, then cost", three(), "b c a", who="quality+cost")
    yield S("priority by name", three(), "a c b", who="priority")


def margins():
    both = [V("a", price="p20", priority=1), V("b", price="p5", priority=2)]
    yield S("no guard", both, "a b")
    yield S("never at a loss", both, "b", who="no loss")
    yield S("a loss within bounds", both, "a b", who="small loss")
    yield S("a least profit that is met exactly", [V("a", price="p3"), V("b", price="p5")], "a", who="profit")
    yield S("ten per cent", both, "b", who="10%")
    yield S("sixty per cent", [V("a", price="p5"), V("b", price="p3")], "b", who="60%")
    yield S("nobody earns enough", [V("a", price="p20"), V("b", price="p20")], "", who="no loss", reason="MarginTooLow")
    yield S("no clearing account costs nothing", [V("a", price="free")], "a", who="60%")
    yield S("cost within the guard", [V("a", price="p20"), V("b", price="p5"), V("c", price="p3")], "c b",
            who="cost, no loss")
    yield S("cap", [V("a", price="p5", price_cap="0.0049", priority=1), V("b", price="p20", priority=2)], "b")
    yield S("cap that is met exactly", [V("a", price="p5", price_cap="0.005", priority=1), V("b", priority=2)], "a b")
    yield S("cap of all", [V("a", price="p5", price_cap="0")], "", reason="MarginTooLow")
    yield S("cap with a set-up fee", [V("a", price="setup", price_cap="0.01", priority=1), V("b", priority=2)], "b")
    yield S("margin says more than locked", [V("a", price="p20"), V("b", status="locked")], "", who="no loss",
            reason="MarginTooLow")


def shares():
    yield S("one alone", [V("a", weight=7)], "a", who="weight")
    yield S("priority above weights", [V("a", priority=9, weight=1000), V("b", priority=1, weight=1)], "b a", who="weight")
    yield S("prefix above weights", [V("a", weight=1000), V("b", "5", weight=1)], "b a", who="weight")
    yield S("first turn of equals", [V("a"), V("b")], "a b", who="weight")
    yield S("the one without a limit has most free", [V("a", line_limit=10), V("b")], "b a", who="free")
    yield S("more lines", [V("a", line_limit=10), V("b", line_limit=11)], "b a", who="free")
    yield S("as many by name", [V("b", line_limit=10), V("a", line_limit=10)], "a b", who="free")
    yield S("priority above lines", [V("a", priority=9), V("b", line_limit=1, priority=1)], "b a", who="free")


CARRIER_STOPS = {404, 410, 484, 485, 486, 487, 600, 604, 607, 608}
PRIVATE = {401, 402, 403, 407}  # never told to a caller
VERDICTS = [486, 600, 404, 410, 484, 480]
CODES = [400, 401, 402, 403, 404, 405, 407, 408, 410, 420, 480, 481, 484, 485, 486, 487, 488, 500, 501, 502, 503, 504, 580, 600,
         603, 604, 606, 607, 608]


def told(codes):
    """behaviour.md: a verdict on the called party if any try gave one, else the last try's code."""
    for verdict in VERDICTS:
        if verdict in codes:
            return verdict
    return 503 if codes[-1] in PRIVATE else codes[-1]


def codes():
    for code in CODES:
        for preset in ("carrier", "vos"):
            stops = code in CARRIER_STOPS if preset == "carrier" else code < 500
            stops = stops or code in (486, 600)  # SS_GATEWAY_SWITCH_STOP_AFTER_USER_BUSY is on
            vendors = [V("a", does=reject(code), switch_preset=preset), V("b", priority=20)]
            yield S(f"{code}, {preset}", vendors, "a b", "a" if stops else "a b", code=told([code] if stops else [code, 503]))
    own = dict(stop_codes=["503", "6xx"])
    yield S("own stop code", [V("a", **own), V("b", priority=20)], "a b", "a")
    yield S("own class of stop codes", [V("a", does=reject(603), **own), V("b", priority=20)], "a b", "a", code=603)
    yield S("own list lets all others go on", [V("a", does=reject(404), **own), V("b", priority=20)], "a b", code=404)
    yield S("continue code of the preset's", [V("a", does=reject(404), continue_codes=["404"]), V("b", priority=20)], "a b", code=404)
    yield S("continue codes beside a class of stop codes", [V("a", does=reject(408), stop_codes=["4xx"], continue_codes=["408", "480"]),
                                                            V("b", priority=20)], "a b")
    yield S("another one of that class", [V("a", does=reject(403), stop_codes=["4xx"], continue_codes=["408"]), V("b", priority=20)],
            "a b", "a")
    yield S("busy among the continue codes", [V("a", does=reject(486), continue_codes=["486"]), V("b", priority=20)], "a b", code=486)
    yield S("busy goes on where the gateway says so", [V("a", does=reject(486), stop_after_busy="off"), V("b", priority=20)],
            "a b", code=486)
    yield S("busy stops where the gateway says so", [V("a", does=reject(486), stop_after_busy="on", stop_codes=["503"]),
                                                     V("b", priority=20)], "a b", "a", code=486)


def taken_for():
    """failure_codes and failure_causes of the vendor: what its refusal is taken for decides."""
    def after(does, **fields):
        return [V("a", does=does, **fields), V("b", priority=20)]

    def cause(code, n):
        return reject(code, headers=[("Reason", f"Q.850;cause={n}")])
    yield S("404 taken for 503", after(reject(404), failure_codes=["404:503"]), "a b")
    yield S("503 taken for 404", after(reject(503), failure_codes=["503:404"]), "a b", "a", code=404)
    yield S("all others taken for 486", after(reject(500), failure_codes=["0:486"]), "a b", "a", code=486)
    yield S("one that stays among all others", after(reject(500), failure_codes=["0:486", "500:0"]), "a b")
    yield S("another code is not touched", after(reject(404), failure_codes=["480:503"]), "a b", "a", code=404)
    yield S("once, not round in circles", after(reject(404), failure_codes=["404:503", "503:404"]), "a b")
    yield S("a cause before the code", after(cause(404, 34), failure_causes=["34:503"], failure_codes=["404:486"]), "a b")
    yield S("a cause that says it for good", after(cause(503, 1), failure_causes=["1:404"]), "a b", "a", code=404)
    yield S("a cause that is not named", after(cause(404, 3), failure_causes=["1:503"]), "a b", "a", code=404)
    yield S("a cause that is none", after(cause(404, 999), failure_causes=["0:503"]), "a b", "a", code=404)
    yield S("its own stop code after it", after(reject(404), failure_codes=["404:503"], stop_codes=["503"]), "a b", "a")


def splits():
    """The customer's routes are looked up behind 6; prefixes of vendors are those of the number, so only those behind 6 count."""
    yield S("split: only behind the prefix", [V("a"), V("b", split="6")], "b", who="split")
    yield S("split: nobody behind the prefix", [V("a")], "", who="split", reason="NoAvailableRouter")
    yield S("split: longest behind the prefix", [V("a", split="6"), V("b", "5", split="6", priority=50)], "b a", who="split")
    yield S("split: by cost", [V("a", split="6", price="p5"), V("b", split="6", price="p1")], "b a", who="split by cost")
    yield S("without a split its routes are nobody's", [V("a", split="6"), V("b")], "b")


def pools():
    """Of test_situations.py: the pool "one" has one number."""
    yield S("a caller of a pool", [V("a", caller_pool="one", caller_pool_lines=1), V("b", priority=20)], "a b")
    yield S("a caller of a pool, at random", [V("a", does=answer(), caller_pool="one", caller_pool_order="random")], "a", code=200)


def stages():
    ok = V("b", priority=20, does=answer())
    yield S("answer", [V("a", does=answer())], "a", code=200)
    yield S("answer of the second", [V("a"), ok], "a b", code=200)
    yield S("off: the first error goes to the caller", [V("a", switch_until_connect="off"), ok], "a b", "a")
    yield S("until ringing, before it", [V("a", switch_until_connect="until_ringing"), ok], "a b", code=200)
    yield S("until ringing, after it", [V("a", does=reject(503, ring=True), switch_until_connect="until_ringing"), ok], "a b", "a")
    yield S("until connect, after ringing", [V("a", does=reject(503, ring=True)), ok], "a b", code=200)
    yield S("system: until ringing", [V("a", does=reject(503, ring=True), switch_until_connect="system"), ok], "a b", "a")
    yield S("dead", [V("a", does=dead(), timeout_invite=1), ok], "a b", code=200)
    yield S("dead, and alone", [V("a", does=dead(), timeout_invite=1)], "a", code=408)
    yield S("100 and silence", [V("a", does=silent_after(100), timeout_trying=1), ok], "a b", code=200)
    yield S("183 and silence", [V("a", does=silent_after(183), timeout_progress=1), ok], "a b", code=200)
    yield S("ringing for ever", [V("a", does=silent_after(180), timeout_ringing=1), ok], "a b", code=200)
    yield S("ringing for ever, and alone", [V("a", does=silent_after(180), timeout_ringing=1)], "a", code=480)
    yield S("slow", [V("a", does=answer(after=1.0))], "a", code=200)
    yield S("slow to refuse", [V("a", does=reject(503, after=1.0)), ok], "a b", code=200)
    yield S("answer and BYE at once", [V("a", does=answer(bye_after=0)), ok], "a b", "a", code=200, bye=True)
    yield S("a redirect that is not followed", [V("a", does=reject(302, headers=[("Contact", "<sip:1@203.0.113.9>")])), ok],
            "a b", code=200)
    yield S("401 without credentials",
            [V("a", does=reject(401, headers=[("WWW-Authenticate", 'Digest realm="x", nonce="1"')])), ok], "a b", code=200)
    yield S("the verdict of the first stands", [V("a", does=reject(480)), V("b", does=reject(500), priority=20)], "a b", code=480)
    yield S("the best of the verdicts", [V("a", does=reject(480)), V("b", does=reject(404), priority=20)], "a b", code=404)


def all_situations():
    parts = (prefixes, protection, states, plans_and_groups, costs, margins, shares, codes, taken_for, splits, pools, stages)
    return [s for part in parts for s in part()]
