#!/usr/bin/env python3
"""Turns the tables of lib/model into C and into the reference.

    gen.py --out build/gen                     *.gen.h and *.inc, for entity.h, param.h, reason.h, op.h
    gen.py --docs docs/reference [--check]     a page for each table; --check only says which are stale

A mistake in a table (an unknown type, a default out of its range, two rows of one name) stops the
build here, with file and line, so that the C code may rely on what it reads.
"""
import argparse
import decimal
import os
import re
import sys
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
ABSENT = "FIELD_ABSENT"
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
C_WORDS = set(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "linux unix".split()
)


class TableError(Exception):
    pass


class Row(dict):
    """One row: its cells by column name; `at` is its place for messages."""

    def fail(self, text):
        raise TableError(f"{self.at}: {text}")


def read_table(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        lines = f.read().split("\n")
    header = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        cells = line.split("\t")
        row = Row(zip(header, cells))
        row.at = f"lib/model/{name}:{number}"
        if len(cells) != len(header):
            row.fail(f"{len(cells)} cells, the header has {len(header)}")
        rows.append(row)
    return rows


# --- names and literals ---------------------------------------------------------------------------


def upper(name):
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def lower(name):
    word = re.sub(r"[^a-z0-9]", "_", name.lower())
    return word + "_" if word in C_WORDS else word


def snake_of_camel(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_strings(items):
    """A NULL-terminated array of strings, or NULL."""
    if not items:
        return "NULL"
    return "(const char *const[]){ " + ", ".join(map(c_string, items)) + ", NULL }"


def c_int(value):
    if value is None:
        return ABSENT
    return "INT64_MIN" if value == INT64_MIN else f"INT64_C({value})"


def scaled(row, text, decimals):
    """The text as an integer of 10^-decimals."""
    try:
        value = decimal.Decimal(text).scaleb(decimals)
    except decimal.InvalidOperation:
        row.fail(f"'{text}' is not a number")
    if value != int(value) or not INT64_MIN < value <= INT64_MAX:
        row.fail(f"'{text}' does not fit")
    return int(value)


def words(text):
    return [w for w in text.split(",") if w]


def unique(rows, names):
    """Each row's names (a function's result) belong to it alone."""
    seen = {}
    for row in rows:
        for name in names(row):
            if name in seen:
                row.fail(f"{name} is also at {seen[name]}")
            seen[name] = row.at


# --- entities -------------------------------------------------------------------------------------

FIELD_TYPES = "text list int bool enum money time id".split()
FIELD_FLAGS = {"key": 1, "subkey": 2, "required": 4, "auto": 8, "computed": 16, "secret": 32, "number": 64}
FILES = "switch ledger".split()


class Entity:
    def __init__(self, row):
        self.name, self.home, self.help, self.at = row["entity"], row["type"], row["help"], row.at
        self.fields = []
        if self.home not in FILES:
            row.fail(f"'{self.home}' is none of the files: {', '.join(FILES)}")


def read_entities():
    """The entities in the order of their first rows; the row with field '-' speaks of the entity."""
    entities = {}
    for row in read_table("entities.tsv"):
        if row["field"] == "-":
            entities[row["entity"]] = Entity(row)
        elif row["entity"] not in entities:
            row.fail(f"{row['entity']} has no row of its own (field '-') before")
        else:
            entities[row["entity"]].fields.append(row)
    for entity in entities.values():
        unique(entity.fields, lambda row: [lower(row["field"])])
        for row in entity.fields:
            check_field(row, entities)
        check_versions(entity)
    return list(entities.values())


def check_field(row, entities):
    if row["type"] not in FIELD_TYPES:
        row.fail(f"no type '{row['type']}'")
    if (row["type"] == "enum") != bool(row["values"]):
        row.fail("an enum has values, and nothing else has")
    flags = words(row["flags"])
    row.ref = next((f[4:] for f in flags if f.startswith("ref:")), None)
    row.flags = [f for f in flags if not f.startswith("ref:")]
    if row.ref and row.ref not in entities:
        row.fail(f"no entity '{row.ref}'")
    for flag in row.flags:
        if flag not in FIELD_FLAGS:
            row.fail(f"no flag '{flag}'")
    if not row["help"]:
        row.fail("no help")
    decimals = 8 if row["type"] == "money" else 0
    row.min, row.max = (scaled(row, row[c], decimals) if row[c] else None for c in ("min", "max"))
    row.default = field_default(row, decimals)


def check_versions(entity):
    """rows.c tells the versions of a key apart by these."""
    subkeys = [row["field"] for row in entity.fields if "subkey" in row.flags]
    names = [row["field"] for row in entity.fields]
    if subkeys and (subkeys != ["origin", "effective"] or "end" not in names):
        raise TableError(f"{entity.at}: rows with versions have subkeys origin and effective, and an end")


def field_default(row, decimals):
    """The default as the number a row struct holds; None for none and for texts."""
    text = row["default"]
    if not text or row["type"] in ("text", "list"):
        return None
    if row["type"] == "bool":
        return ("false", "true").index(text)
    if row["type"] == "enum":
        if text not in words(row["values"]):
            row.fail(f"'{text}' is none of its values")
        return words(row["values"]).index(text)
    value = scaled(row, text, decimals)
    if not (row.min is None or row.min <= value) or not (row.max is None or value <= row.max):
        row.fail(f"the default {text} is out of range")
    return value


def member_type(row):
    types = {"text": "char *", "list": "char *", "money": "money_t ", "time": "ms_t "}
    return types.get(row["type"], "int64_t ")


def entities_header(entities):
    out = ["#pragma once", "", "enum entity_id {"]
    out += [f"\tENTITY_{upper(e.name)}," for e in entities] + ["\tENTITY_COUNT", "};"]
    for e in entities:
        out += ["", f"struct {lower(e.name)}_row {{"]
        out += [f"\t{member_type(f)}{lower(f['field'])}; /* {f['help']} */" for f in e.fields] + ["};"]
        out += ["", f"enum {lower(e.name)}_field {{"]
        out += [f"\t{upper(e.name)}_{upper(f['field'])}," for f in e.fields]
        out += [f"\t{upper(e.name)}_FIELD_COUNT", "};"]
        for f in e.fields:
            if f["type"] == "enum":
                prefix = f"{upper(e.name)}_{upper(f['field'])}"
                out += ["", f"enum {lower(e.name)}_{lower(f['field'])} {{"]
                out += [f"\t{prefix}_{upper(v)}," for v in words(f["values"])] + ["};"]
    return out


def field_initializer(e, f):
    flags = sum(FIELD_FLAGS[flag] for flag in f.flags)
    cells = [
        c_string(f["field"]),
        f"FIELD_{f['type'].upper()}",
        str(flags),
        f"offsetof(struct {lower(e.name)}_row, {lower(f['field'])})",
        c_int(f.min),
        c_int(f.max),
        c_string(f["unit"]),
        c_string(f["default"]) if f["default"] else "NULL",
        c_int(f.default),
        c_strings(words(f["values"])),
        c_string(f.ref) if f.ref else "NULL",
        c_string(f["help"]),
    ]
    return "\t{ " + ", ".join(cells) + " },"


def entities_table(entities):
    out = []
    for e in entities:
        out += [f"static const struct field {lower(e.name)}_fields[] = {{"]
        out += [field_initializer(e, f) for f in e.fields] + ["};", ""]
    out += ["const struct entity entities[ENTITY_COUNT] = {"]
    for e in entities:
        n = lower(e.name)
        out += [
            f"\t{{ {c_string(e.name)}, {c_string(n)}, HOME_{upper(e.home)}, sizeof(struct {n}_row), "
            f"{len(e.fields)}, {n}_fields, {c_string(e.help)} }},"
        ]
    return out + ["};"]


# --- parameters -----------------------------------------------------------------------------------

PARAM_TYPES = "int bool duration decimal enum string list ints numbers range".split()
EFFECTS = {"none yet": "NONE_YET", "live": "LIVE", "not supported": "NOT_SUPPORTED"}
LENGTHS = {"string": 256, "list": 4096, "numbers": 4096}


def read_params():
    rows = read_table("parameters.tsv")
    unique(rows, lambda row: [row["name"], *words(row["aliases"])])
    for before, row in zip(rows, rows[1:]):
        if row["name"] < before["name"]:
            row.fail("rows are sorted by name")
    for row in rows:
        check_param(row)
    return rows


def check_param(row):
    if not re.fullmatch("[A-Z0-9_]+", row["name"]):
        row.fail("a name is capitals, digits and _")
    if row["type"] not in PARAM_TYPES:
        row.fail(f"no type '{row['type']}'")
    if row["effect"] not in EFFECTS:
        row.fail(f"no effect '{row['effect']}'")
    if row["applies"] not in ("immediately", "restart") or not row["help"]:
        row.fail("applies is 'immediately' or 'restart', and help is not empty")
    decimals = 8 if row["type"] == "decimal" else 0
    row.min, row.max = (scaled(row, row[c], decimals) if row[c] else None for c in ("min", "max"))
    if row.max is None:
        row.max = LENGTHS.get(row["type"])
    if row["type"] in ("int", "duration", "decimal", "ints", "range") and None in (row.min, row.max):
        row.fail("a number has a min and a max")
    if row["type"] in ("int", "duration", "decimal") and row["default"] not in ("", *words(row["values"])):
        if not row.min <= scaled(row, row["default"], decimals) <= row.max:
            row.fail("the default is out of range")
    if row["type"] == "enum" and row["default"] not in ("", *words(row["values"])):
        row.fail("the default is none of the values")


def params_header(params):
    out = ["#pragma once", "", "enum param {"]
    return out + [f"\tPARAM_{p['name']}," for p in params] + ["\tPARAM_COUNT", "};"]


def params_table(params):
    out = ["const struct param_info param_infos[PARAM_COUNT] = {"]
    for p in params:
        cells = [
            c_string(p["name"]),
            c_strings(words(p["aliases"])),
            c_string(p["category"]),
            f"PARAM_T_{p['type'].upper()}",
            c_string(p["default"]),
            c_int(p.min) if p.min is not None else "INT64_MIN",
            c_int(p.max) if p.max is not None else "INT64_MAX",
            c_string(p["unit"]),
            c_strings(words(p["values"])),
            c_string(p["applies"]),
            f"EFFECT_{EFFECTS[p['effect']]}",
            c_string(p["help"]),
        ]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


# --- reasons and SIP phrases ----------------------------------------------------------------------

FAILOVERS = {"-": "NO", "next": "NEXT", "by code": "BY_CODE"}


def read_reasons():
    rows = read_table("reasons.tsv")
    unique(rows, lambda row: [snake_of_camel(row["reason"])])
    for row in rows:
        if row["failover"] not in FAILOVERS:
            row.fail(f"no failover '{row['failover']}'")
    return rows


def reasons_header(reasons):
    out = ["#pragma once", "", "enum reason {", "\tREASON_NONE = 0, /* go on */"]
    out += [f"\tREASON_{snake_of_camel(r['reason'])}, /* {r['text']} */" for r in reasons]
    return out + ["\tREASON_COUNT", "};"]


def reasons_table(reasons):
    def number(cell):
        return "0" if cell == "-" else str(int(cell))

    out = ["const struct reason_info reason_infos[REASON_COUNT] = {", '\t{ "", 0, 0, FAILOVER_NO, "" },']
    for r in reasons:
        cells = [c_string(r["reason"]), number(r["sip_code"]), number(r["q850"])]
        cells += [f"FAILOVER_{FAILOVERS[r['failover']]}", c_string(r["text"])]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


def phrases_table(phrases):
    codes = [int(row["code"]) for row in phrases]
    for row, code, before in zip(phrases[1:], codes[1:], codes):
        if code <= before:
            row.fail("rows are sorted by code")
    out = ["static const struct sip_phrase sip_phrases[] = {"]
    return out + [f"\t{{ {row['code']}, {c_string(row['phrase'])} }}," for row in phrases] + ["};"]


# --- operations -----------------------------------------------------------------------------------

OWNERS = "switchd lockoutd hostd".split()
PERMISSIONS = "read money admin".split()
RESULTS = "object array text".split()


def read_ops(entities):
    rows = read_table("operations.tsv")
    unique(rows, lambda row: [upper(row["name"])])
    names = [e.name for e in entities]
    for row in rows:
        for column, known in (("owner", OWNERS), ("permission", PERMISSIONS), ("result", RESULTS)):
            if row[column] not in known:
                row.fail(f"no {column} '{row[column]}'")
        if not re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", row["name"]):
            row.fail("a name is entity.verb")
        row.fields, row.args = None, []
        for item in row["arguments"].split():
            if item.startswith("@"):
                row.fields = item[1:]
                if row.fields not in names:
                    row.fail(f"no entity '{row.fields}'")
            else:
                row.args.append(read_arg(row, item))
    return rows


def read_arg(row, item):
    match = re.fullmatch(r"([a-z0-9_]+)(!?):([a-z]+)", item)
    if not match or match[3] not in FIELD_TYPES:
        row.fail(f"'{item}' is not name:type or name!:type")
    return match[1], match[3], bool(match[2])


def ops_header(ops):
    out = ["#pragma once", "", "enum op {"]
    return out + [f"\tOP_{upper(op['name'])}," for op in ops] + ["\tOP_COUNT", "};"]


def ops_table(ops):
    out = []
    for op in (op for op in ops if op.args):
        out += [f"static const struct op_arg {lower(op['name'])}_args[] = {{"]
        for name, kind, is_required in op.args:
            out += [f"\t{{ {c_string(name)}, FIELD_{kind.upper()}, {str(is_required).lower()} }},"]
        out += ["};", ""]
    out += ["const struct op_info op_infos[OP_COUNT] = {"]
    for op in ops:
        entity, verb = op["name"].split(".")
        cells = [c_string(op["name"]), c_string(entity), c_string(verb), c_string(op["owner"])]
        cells += [f"PERM_{op['permission'].upper()}", c_string(op["key"])]
        cells += [f"&entities[ENTITY_{upper(op.fields)}]" if op.fields else "NULL"]
        cells += [f"{lower(op['name'])}_args" if op.args else "NULL", str(len(op.args))]
        cells += [c_string(op["result"]), c_string(op["help"])]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


# --- how wide a character is ----------------------------------------------------------------------


def ranges(is_in):
    """The code points for which is_in says yes, as first..last; surrogates are never asked for."""
    out = []
    for c in (c for c in range(0xA0, 0x110000) if not 0xD800 <= c < 0xE000):
        if is_in(chr(c)):
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    return out


def widths_table():
    def is_wide(c):
        # Of what is not assigned, Python says "F".
        return unicodedata.east_asian_width(c) in "WF" and unicodedata.category(c) != "Cn"

    def is_mark(c):
        return unicodedata.category(c) in ("Mn", "Me")

    def is_unsafe(c):
        # Format characters hide or reorder text (bidi, zero width); these separators break lines.
        return unicodedata.category(c) in ("Cf", "Cs", "Zl", "Zp")

    out = []
    for name, test in (("wide", is_wide), ("marks", is_mark), ("unsafe", is_unsafe)):
        out += [f"static const struct range {name}[] = {{"]
        out += [f"\t{{ 0x{first:x}, 0x{last:x} }}," for first, last in ranges(test)] + ["};", ""]
    return out


# --- the reference --------------------------------------------------------------------------------


def cell(text):
    return text.replace("|", "\\|") or " "


def page_table(header, rows):
    out = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return out + ["| " + " | ".join(cell(c) for c in row) + " |" for row in rows] + [""]


def bounds(row):
    low, high = row["min"], row["max"]
    if row["type"] in ("text", "list", "string", "numbers"):
        return f"up to {high or row.max} characters" if high or row.max else ""
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}" if high else ""


def entities_page(entities):
    out = ["# Entities", "", "What operators enter and see. Money is exact, in units of the account's currency;"]
    out += ["times are ISO 8601; a list is written with commas, and is an array in JSON.", ""]
    for e in entities:
        out += [f"## {e.name}", "", f"{e.help}.", ""]
        rows = []
        for f in e.fields:
            accepted = f["values"].replace(",", ", ") or bounds(f)
            notes = [n for n in f.flags if n != "number"] + ([f"names a row of {f.ref}"] if f.ref else [])
            rows.append((f"`{f['field']}`", f["type"], f["unit"], accepted, f["default"], ", ".join(notes), f["help"]))
        out += page_table(["field", "type", "unit", "accepted", "default", "", "meaning"], rows)
    return out


def params_page(params):
    out = ["# System parameters", "", "Set with `switchctl parameter set NAME VALUE`; aliases are accepted, in any case."]
    out += ["*Effect* says whether the switch reads it: `live`, `none yet` or `not supported`.", ""]
    for category in sorted({p["category"] for p in params}):
        out += [f"## {category}", ""]
        rows = []
        for p in (p for p in params if p["category"] == category):
            names = ", ".join(f"`{n}`" for n in [p["name"], *words(p["aliases"])])
            accepted = "; ".join(filter(None, [bounds(p), p["values"].replace(",", ", ")]))
            rows.append((names, p["type"], p["unit"], accepted, p["default"], p["applies"], p["effect"], p["help"]))
        out += page_table(["name", "type", "unit", "accepted", "default", "applies", "effect", "meaning"], rows)
    return out


def reasons_page(reasons, phrases):
    out = ["# End reasons", "", "Why a call ended, as its CDR says it. *Next vendor* says whether another one is tried.", ""]
    rows = [(f"`{r['reason']}`", r["sip_code"], r["q850"], r["failover"], r["text"]) for r in reasons]
    out += page_table(["reason", "SIP", "Q.850", "next vendor", "meaning"], rows)
    out += ["## SIP status codes", ""]
    return out + page_table(["code", "phrase", "source"], [tuple(p.values()) for p in phrases])


def ops_page(ops):
    out = ["# Operations", "", "Everything that can be asked of the switch, by `switchctl ENTITY VERB [KEY] [name=value ...]`"]
    out += ["or as a JSON-RPC method on the control socket. `!` marks what must be given.", ""]
    rows = []
    for op in ops:
        args = ([f"fields of {op.fields}"] if op.fields else []) + [
            f"`{name}`{'!' if must else ''} ({kind})" for name, kind, must in op.args
        ]
        rows.append((f"`{op['name']}`", op["key"], ", ".join(args), op["result"], op["permission"], op["owner"], op["help"]))
    return out + page_table(["operation", "key", "arguments", "result", "permission", "daemon", "what it does"], rows)


# --- writing --------------------------------------------------------------------------------------


def outputs():
    """Two dictionaries, file name → lines: the C files and the pages."""
    entities, params, reasons = read_entities(), read_params(), read_reasons()
    ops, phrases = read_ops(entities), read_table("sip_phrases.tsv")
    code = {
        "entities.gen.h": entities_header(entities),
        "entities.inc": entities_table(entities),
        "params.gen.h": params_header(params),
        "params.inc": params_table(params),
        "reasons.gen.h": reasons_header(reasons),
        "reasons.inc": reasons_table(reasons),
        "sip_phrases.inc": phrases_table(phrases),
        "ops.gen.h": ops_header(ops),
        "ops.inc": ops_table(ops),
        "widths.inc": widths_table(),
    }
    pages = {
        "entities.md": entities_page(entities),
        "parameters.md": params_page(params),
        "reasons.md": reasons_page(reasons, phrases),
        "operations.md": ops_page(ops),
    }
    for name, lines in code.items():
        lines.insert(0, "/* Made by lib/model/gen.py: do not edit. */")
    for name, lines in pages.items():
        lines.insert(0, "<!-- Made by lib/model/gen.py: do not edit. -->")
    return code, pages


def read_file(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def write_changed(folder, files):
    """Untouched files keep their time, so that only what reads a changed table is built again."""
    os.makedirs(folder, exist_ok=True)
    for name, lines in files.items():
        path, text = os.path.join(folder, name), "\n".join(lines).rstrip("\n") + "\n"
        if read_file(path) != text:
            with open(path + ".new", "w", encoding="utf-8") as f:
                f.write(text)
            os.replace(path + ".new", path)


def stale(folder, files):
    return [n for n, lines in files.items() if read_file(os.path.join(folder, n)) != "\n".join(lines).rstrip("\n") + "\n"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR")
    parser.add_argument("--docs", metavar="DIR")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    try:
        code, pages = outputs()
    except TableError as e:
        sys.exit(str(e))
    if args.out:
        write_changed(args.out, code)
    if args.docs and args.check:
        old = stale(args.docs, pages)
        if old:
            sys.exit(f"{args.docs}: out of date: {', '.join(old)} (python3 lib/model/gen.py --docs {args.docs})")
    elif args.docs:
        write_changed(args.docs, pages)


if __name__ == "__main__":
    main()
