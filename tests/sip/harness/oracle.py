"""What a call must cost: spec/rating.md in exact fractions, written from the page alone.

Nothing here comes from the switch, and nothing of the switch is read here.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor

UNIT = Fraction(1, 10 ** 8)  # money's own quantum


@dataclass(frozen=True)
class Terms:
    """One rate with the rounding of its group. Money is given as decimal text."""
    price: str
    unit: int = 60
    first: int = 1
    step: int = 1
    setup_fee: str = "0"
    sections: tuple = field(default=())   # ((start_s, price), ...)
    tax_percent: str = "0"
    fee_precision: int = 0
    fee_unit: str = "0"
    hold_time_precision_ms: int = 50
    free_time_s: int = 0
    of_talk: bool = False  # sections begin at seconds of the talk, those that are free included
    tax_unit: str = "0"    # what a tax is a multiple of; 0 = as the fee

    def but(self, **changes):
        return replace(self, **changes)


def quantum(terms):
    if Fraction(terms.fee_unit):
        return Fraction(terms.fee_unit)
    if terms.fee_precision:
        return Fraction(1, 10 ** terms.fee_precision)
    return UNIT


def half_up(value, unit):
    """The multiple of unit nearest to a value of 0 or more, halves up."""
    return floor(value / unit + Fraction(1, 2)) * unit


def hold_seconds(terms, hold_ms):
    whole, rest = divmod(hold_ms, 1000)
    return whole + (1 if rest >= terms.hold_time_precision_ms else 0)


def billed_seconds(terms, hold_s):
    billable = max(0, hold_s - terms.free_time_s)
    if billable == 0:
        return 0
    if billable <= terms.first:
        return terms.first
    steps = -((terms.first - billable) // terms.step)
    return terms.first + steps * terms.step


def fee_exact(terms, billed_s, first=0):
    """Every billed second at the price of the section it lies in, plus the set-up fee."""
    if billed_s == 0:
        return Fraction(0)
    edges = [(0, terms.price)] + sorted((int(s), p) for s, p in terms.sections)
    total = Fraction(0)
    for i, (start, price) in enumerate(edges):
        end = edges[i + 1][0] if i + 1 < len(edges) else first + billed_s
        seconds = max(0, min(end, first + billed_s) - max(start, first))
        total += Fraction(price) * seconds / terms.unit
    return total + Fraction(terms.setup_fee)


@dataclass(frozen=True)
class Charge:
    hold_s: int
    billed_s: int
    fee: Fraction
    tax: Fraction

    @property
    def total(self):
        return self.fee + self.tax


def charge(terms, hold_ms, free_s=0, free_money=Fraction(0)):
    """free_s, free_money: what packages give."""
    hold_s, terms = hold_seconds(terms, hold_ms), terms.but(free_time_s=terms.free_time_s + free_s)
    return charge_seconds(terms, hold_s, billed_seconds(terms, hold_s), free_money)


def charge_seconds(terms, hold_s, billed_s, free_money=Fraction(0)):
    unit = quantum(terms)
    exact = fee_exact(terms, billed_s, terms.free_time_s if terms.of_talk else 0)
    fee = max(Fraction(0), half_up(exact, unit) - free_money)
    tax = half_up(fee * Fraction(terms.tax_percent) / 100, Fraction(terms.tax_unit) or unit)
    return Charge(hold_s, billed_s, fee, tax)


def hold_for(terms, seconds):
    """What must be available, or is held, for that many seconds (behaviour.md, Money)."""
    return charge(terms, max(terms.first, seconds) * 1000).total


def money(text):
    """Exact decimal text (or None) to a fraction; floats are refused."""
    assert isinstance(text, (str, int)), f"money must be text, got {text!r}"
    return Fraction(text)


def text(value):
    """A fraction of at most 8 decimals as text."""
    scaled = value * 10 ** 8
    assert scaled.denominator == 1, f"{value} is not a money amount"
    sign, digits = ("-", -scaled.numerator) if scaled < 0 else ("", scaled.numerator)
    whole, rest = divmod(digits, 10 ** 8)
    return f"{sign}{whole}.{rest:08d}".rstrip("0").rstrip(".")
