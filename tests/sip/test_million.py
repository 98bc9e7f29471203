"""Files of a million lines with one bad line: it is named, and nothing has changed. A fifth of a million, where time is short; areas are in
test_hard_numbers.py."""

import os

from harness.scene import scene
from test_sheets import GROUP, HEADER, rates, rows, take_file

BAD = 134_217


def write(t, name, line, bad, head=""):
    path = os.path.join(t.folder, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(head)
        f.writelines(bad if n == BAD else line(n) for n in range(1_000_000 if t.long else 200_000))
    return path


@scene(heavy=True, within=120)
async def test_a_rate_sheet(t):
    await t.plain()
    before = await rates(t)
    path = write(t, "rates.csv", lambda n: f"{1000000 + n},0.0{n % 97:02},60,1,1,0,,0,,,,\n", "88x,0.01,60,1,1,0,,0,,,,\n", HEADER)
    for words in (("--dry-run",), ()):
        doc = await take_file(t, path, "mode=replace", *words, status=1)
        (fault,) = rows(doc, "problems")
        assert doc["state"] == "refused" and (fault["line"], fault["column"]) == (BAD + 2, "prefix"), (doc["state"], fault)
    assert await rates(t) == before
    assert (await t.ctl.ask("rate.list", group=GROUP, prefix="1000000")) == []


@scene(heavy=True, within=120)
async def test_a_number_list(t):
    await t.ctl.ask("number-list.add", name="spam")
    await t.ctl.ask("listed-number.add", list="spam", number="4471")
    numbers = write(t, "numbers.csv", lambda n: f"{44700000000 + n}\n", "44 70\n")
    for mode in ("replace", "append"):
        status, out, err = await t.switch.cli("number-list", "import", "spam", f"content={numbers}", f"mode={mode}", within=60)
        assert status == 1 and f"line {BAD + 1}" in err and not out, (status, out, err)
    assert [n["number"] for n in await t.ctl.ask("listed-number.list", list="spam")] == ["4471"]
