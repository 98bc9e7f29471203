#!/usr/bin/env python3
"""The manual pages: those beside this file, their reference parts made from lib/model's tables.

    docs/man/gen.py --out build/man

A line  .\\" @operations  in a page (or @fields, @parameters, @reasons, @sysctls, @controls) is replaced by what
the tables say. Pages are checked with  mandoc -Tlint -W warning build/man/*
"""
import argparse
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib", "model"))
sys.dont_write_bytecode = True

import gen_tables as tables  # noqa: E402

TYPES = {
    "list": "A,B,...",
    "int": "NUMBER",
    "bool": "true|false",
    "money": "DECIMAL",
    "time": "TIME",
}


# --- mdoc -----------------------------------------------------------------------------------------


def escape(text):
    return text.replace("\\", "\\e").replace('"', "\\(dq")


def line(text):
    """A line of running text. One that begins like a request is made to look like what it is."""
    text = text.replace("\\", "\\e")
    return "\\&" + text if text[:1] in (".", "'") else text


def quoted(text):
    return f'"{escape(text)}"'


def tagged(items):
    """A list of (macro line of the tag, lines of text)."""
    out = [".Bl -tag -width Ds"]
    for tag, texts in items:
        out += [f".It {tag}"] + texts
    return out + [".El"]


def sentence(text):
    """Ends with a full stop; each further sentence on a line of its own, as mdoc wants it."""
    text = text if text.endswith((".", "?")) else text + "."
    return "\n".join(line(part) for part in re.split(r"(?<=[a-z0-9)]\.) (?=[A-Z0-9])", text))


# --- operations -----------------------------------------------------------------------------------


def key_word(op, entities):
    """GROUP/PREFIX for a key of several parts, else the argument's name."""
    fields = [e.fields for e in entities if e.name == op["name"].split(".")[0]]
    parts = [f["field"] for f in fields[0] if "key" in f.flags] if fields else []
    name = "/".join(parts) if op["key"] == "key" and parts else op["key"]
    return name.upper()


def op_tag(op, entities):
    entity, verb = op["name"].split(".")
    is_short = verb == "show" and not op["key"]
    tag = [f"Ic {entity}" if is_short else f"Ic {quoted(f'{entity} {verb}')}"]
    if op["key"]:
        tag.append(f"Ar {key_word(op, entities)}")
    for name, kind, is_needed in op.args:
        value = quoted(f"{name}={TYPES.get(kind, 'TEXT')}")
        tag.append(f"Cm {value}" if is_needed else f"Oo Cm {value} Oc")
    if op.fields:
        needed = [f for e in entities if e.name == op.fields and verb == "add" for f in e.fields
                  if {"key", "required"} & set(f.flags) and not {"auto", "computed"} & set(f.flags)]
        tag += [f"Cm {quoted(f['field'] + '=' + TYPES.get(f['type'], 'TEXT'))}" for f in needed]
        tag.append("Oo Ar field Ns = Ns Ar value ... Oc")
    return " ".join(tag)


def op_text(op):
    out = [sentence(op["help"])]
    if op.fields:
        out += [f"Its fields stand below, under {op.fields}."]
    return out


def operations():
    entities = tables.read_entities()
    ops = tables.read_ops(entities, tables.read_reports(tables.read_params()))
    out, names = [], []
    for op in ops:
        entity = op["name"].split(".")[0]
        if entity not in names:
            names.append(entity)
    for entity in names:
        mine = [op for op in ops if op["name"].split(".")[0] == entity]
        out += [f".Ss {entity}"] + tagged((op_tag(op, entities), op_text(op)) for op in mine)
    return out


# --- fields ---------------------------------------------------------------------------------------


def with_unit(text, unit):
    return f"{text} {unit}" if unit and text else text


def accepted(row):
    if row["values"]:
        return row["values"].replace(",", ", ")
    high = row["max"] or (str(row.max) if row.max is not None else "")
    if row["type"] in ("text", "list", "string", "numbers"):
        return f"up to {high} characters" if high else ""
    low = row["min"]
    if low and high:
        return with_unit(f"{low} to {high}", row["unit"])
    return with_unit(f"from {low}" if low else f"up to {high}" if high else "", row["unit"])


def facts(row):
    out = []
    if accepted(row):
        out.append(sentence(f"Accepted: {accepted(row)}"))
    if row["default"]:
        out.append(sentence(f"Default: {with_unit(row['default'], row['unit'])}"))
    return out


NOTES = (
    ("key", "It is the key, or a part of it."),
    ("required", "It must be given."),
    ("auto", "The switch sets it."),
    ("computed", "It is shown only."),
    ("secret", "It is never shown."),
)


def field_text(f):
    out = [sentence(f["help"])] + facts(f)
    if f.ref:
        out.append(f"It names {'an' if f.ref[0] in 'aeiou' else 'a'} {f.ref}.")
    return out + [note for flag, note in NOTES if flag in f.flags]


def fields():
    out = []
    for e in tables.read_entities():
        out += [f".Ss {e.name}", sentence(e.help)]
        out += tagged((f"Cm {f['field']} Pq {f['type']}", field_text(f)) for f in e.fields)
    return out


# --- parameters and reasons -----------------------------------------------------------------------

EFFECTS = {
    "live": "The switch reads it.",
    "none yet": "Effect: none yet.",
    "not supported": "Effect: not supported.",
}


def param_text(p):
    out = [sentence(p["help"])] + facts(p)
    names = tables.words(p["aliases"])
    if names:
        out.append("Also called " + ", ".join(names) + ".")
    if p["applies"] == "restart":
        out.append("A change takes effect when switchd is started again.")
    return out + [EFFECTS[p["effect"]]]


def parameters():
    rows = tables.read_params()
    out = []
    for category in sorted({p["category"] for p in rows}):
        mine = [p for p in rows if p["category"] == category]
        out += [f".Ss {category}"]
        out += tagged((f"Cm {p['name']} Pq {p['type']}", param_text(p)) for p in mine)
    return out


def reason_text(r):
    code, cause = (r[c] for c in ("sip_code", "q850"))
    numbers = [f"SIP {code}"] if code != "-" else []
    numbers += [f"Q.850 {cause}"] if cause != "-" else []
    return [sentence(r["text"])] + ([sentence("; ".join(numbers))] if numbers else [])


def reasons():
    return tagged((f"Cm {r['reason']}", reason_text(r)) for r in tables.read_reasons())


# --- kernel settings ------------------------------------------------------------------------------


def sysctl_text(row):
    least = " or more" if row["rule"] == "at least" else ""
    words = {"@media": "the ports of the media relay", "@uplinks": "1, with several uplinks 2"}
    value = words.get(row["value"], row["value"])
    return [sentence(f"{value}{least}"), sentence(row["why"])]


def sysctls():
    return tagged((f"Cm {r['key']}", sysctl_text(r)) for r in tables.read_sysctls())


# --- controls ---------------------------------------------------------------------------------------


def control_text(row):
    return [sentence(row["title"]), sentence(row["why"]), sentence(row["source"])]


def controls():
    rows = tables.read_controls(tables.read_sysctls())
    return tagged((f"Cm {r['id']}", control_text(r)) for r in rows)


# --- answers --------------------------------------------------------------------------------------

ANSWER_NOTES = (
    ("repeat", "It may be repeated."),
    ("secret", "It is never shown."),
    ("once", "It is acted on by the set-up and not kept."),
)


def answer_text(a):
    out = [sentence(a["help"])]
    if a["values"]:
        out.append(sentence(f"Accepted: {a['values'].replace(',', ', ')}"))
    elif a["type"] == "int":
        out.append(sentence(f"Accepted: {with_unit(a['min'] + ' to ' + a['max'], a['unit'])}"))
    if a["default"]:
        out.append(sentence(f"Default: {a['default']}"))
    flags = tables.words(a["flags"])
    return out + [note for flag, note in ANSWER_NOTES if flag in flags]


def answers():
    return tagged((f"Cm {a['name']} Pq {a['type']}", answer_text(a)) for a in tables.read_answers())


# --- pages ----------------------------------------------------------------------------------------

PARTS = {
    "answers": answers,
    "controls": controls,
    "operations": operations,
    "fields": fields,
    "parameters": parameters,
    "reasons": reasons,
    "sysctls": sysctls,
}


def page(path):
    out = []
    with open(path, encoding="utf-8") as f:
        for text in f.read().splitlines():
            mark = re.fullmatch(r'\.\\" @(\w+)', text)
            out += PARTS[mark[1]]() if mark else [text]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", metavar="DIR", required=True)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    try:
        for path in sorted(glob.glob(os.path.join(HERE, "*.[1-8]"))):
            text = page(path)
            with open(os.path.join(args.out, os.path.basename(path)), "w", encoding="utf-8") as f:
                f.write(text)
    except tables.TableError as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
