"""What every check here needs: the files of the tree, and C without its comments and strings."""

import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = {".git", "build", "__pycache__"}
# The load generator that the figures of other switches were measured with: one program that is not
# changed, so that they stay comparable.
AS_IT_IS = {"tests/bench/sipblast.c"}


def files(*under, ext=()):
    """Paths relative to the top, sorted; all files, or those with one of the endings; no links."""
    found = []
    for start in under or (".",):
        for folder, folders, names in os.walk(os.path.join(TOP, start)):
            folders[:] = sorted(f for f in folders if f not in SKIP)
            for name in names:
                if os.path.islink(os.path.join(folder, name)) or name in SKIP:
                    continue
                if not ext or name.endswith(tuple(ext)):
                    path = os.path.relpath(os.path.join(folder, name), TOP)
                    if path not in AS_IT_IS:
                        found.append(path)
    return sorted(found)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as f:
        return f.read()


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code(path):
    """The source with comments gone and strings empty; lines keep their numbers."""

    def blank(match):
        text = match.group()
        if text[0] in "\"'":
            return text[0] * 2
        return " " + "\n" * text.count("\n")

    return TOKEN.sub(blank, read(path))


def layers():
    """The folders of layers.mk, ground up."""
    return variable("LAYERS")


def programs():
    """name -> folder"""
    return {word.split(":")[0]: word.split(":")[1] for word in variable("PROGRAMS")}


def seen_by():
    """folder of a program -> the layers that it links besides lib/"""
    rows = (word.split(":") + [""] for word in variable("PROGRAMS"))
    return {row[1]: [name for name in row[2].split(",") if name] for row in rows}


# Where our C stands.
OURS = ["lib", "switchd", "installer", "hardening", "kernel-tuning", "firmware"]


def variable(name):
    text = read("layers.mk").replace("\\\n", " ")
    return re.search(rf"^{name} :=(.*)$", text, re.M).group(1).split()


def report(name, faults):
    """Prints path:line: what, then ends the program: 1 when there is a fault."""
    for fault in faults:
        print(fault)
    if faults:
        print(f"{name}: {len(faults)} faults", file=sys.stderr)
    sys.exit(1 if faults else 0)
