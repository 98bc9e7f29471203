"""Which tests carry the mark @live("PARAMETER") (tests/sip/harness/scene.py), and the page that lists them."""

import ast
import csv
import os

import tree

TABLE = "lib/model/parameters.tsv"
PAGE = "docs/reference/verified.md"
HEAD = """<!-- Made by tests/lint/verified --write: do not edit. -->
# How each parameter is verified

Every parameter that the switch reads (effect `live`), with the tests that show it at work: each plays customer and vendor from
outside, sets the parameter while the switch runs, and sees what the calls do in its default and in another value. A name is what
`tests/sip/run.py -k NAME` runs; those under `net` have a firewall and are run by `tests/net/run.py`, those under
`tui` are typed at the console (`tests/tui/run.py`). What a test shows is its own
first words, read from its source.
"""


def parameters():
    return list(csv.DictReader(tree.read(TABLE).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def of_function(node):
    """The parameters that its decorators name."""
    return [arg.value for call in node.decorator_list
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "live" for arg in call.args]


def marks():
    """parameter -> [(name of the test, what it says of itself)]"""
    found = {}
    for path in tree.files("tests/sip", "tests/net", "tests/tui", ext=(".py",)):
        folder, name = path.split(os.sep)[1:3]
        if not name.startswith("test_"):
            continue
        for node in ast.parse(tree.read(path)).body:
            if not isinstance(node, ast.AsyncFunctionDef):
                continue
            test = f"{name[5:-3]}.{node.name[5:]}"
            said = " ".join((ast.get_docstring(node) or "").split())
            for parameter in of_function(node):
                found.setdefault(parameter, []).append((test if folder == "sip" else f"{folder} {test}", said))
    return found


def page():
    rows, found = parameters(), marks()
    out = HEAD.splitlines()
    for category in sorted({r["category"] for r in rows if r["effect"] == "live"}):
        out += ["", f"## {category}", "", "| parameter | default | test | what it shows |", "|---|---|---|---|"]
        for row in rows:
            if row["category"] != category or row["effect"] != "live":
                continue
            for test, said in found.get(row["name"], []):
                default, said = (text.replace("|", "\\|") or " " for text in (row["default"], said))
                out.append(f"| `{row['name']}` | {default} | {test} | {said} |")
    return "\n".join(out) + "\n"
