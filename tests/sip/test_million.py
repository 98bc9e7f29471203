"""Files of a million lines with one bad line: it is named, and nothing has changed."""

import os

from harness.scene import scene
from test_sheets import GROUP, HEADER, rates, rows, take_file

LINES, BAD = 1_000_000, 734_217


def write(t, name, line, bad, head=""):
    path = os.path.join(t.folder, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(head)
        f.writelines(bad if n == BAD else line(n) for n in range(LINES))
    return path


@scene(heavy=True, within=300)
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


@scene(heavy=True, within=300)
async def test_areas_and_numbers(t):
    await t.ctl.ask("area.add", prefix="44", name="UK")
    await t.ctl.ask("number-list.add", name="spam")
    await t.ctl.ask("listed-number.add", list="spam", number="4471")
    areas = write(t, "areas.csv", lambda n: f"{1000000 + n},Town {n}\n", "12a,Nowhere\n")
    numbers = write(t, "numbers.csv", lambda n: f"{44700000000 + n}\n", "44 70\n")
    for words in (("area", "import", f"content={areas}", "mode=replace"), ("number-list", "import", "spam", f"content={numbers}")):
        status, out, err = await t.switch.cli(*words, within=120)
        assert status == 1 and f"line {BAD + 1}" in err and not out, (status, out, err)
    assert [a["prefix"] for a in await t.ctl.ask("area.list")] == ["44"]
    assert [n["number"] for n in await t.ctl.ask("listed-number.list", list="spam")] == ["4471"]
    with open(areas, encoding="ascii") as f:
        good = f.read().replace("12a,Nowhere", f"{1000000 + BAD},Town")
    with open(areas, "w", encoding="ascii") as f:
        f.write(good)
    status, out, err = await t.switch.cli("area", "import", f"content={areas}", "mode=replace", within=120)
    assert status == 0, err
    assert (await t.ctl.ask("area.find", number="1734217555"))["area"] == "Town"
