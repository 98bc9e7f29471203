"""The tables as C: what entity.h, param.h, reason.h, op.h and their sources include."""
import re
import unicodedata

from gen_tables import (
    ANSWER_FLAGS, EFFECTS, FAILOVERS, FIELD_FLAGS, INT64_MIN, SYSCTL_RULES, words)

# Words that cannot name a member; the last two are macros of gcc.
C_WORDS = set(
    """auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while linux unix""".split()
)


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
        return "FIELD_ABSENT"
    return "INT64_MIN" if value == INT64_MIN else f"INT64_C({value})"


def member_type(row):
    types = {"text": "char *", "list": "char *", "money": "money_t ", "time": "ms_t "}
    return types.get(row["type"], "int64_t ")


def entities_header(entities):
    out = ["#pragma once", "", "enum entity_id {"]
    out += [f"\tENTITY_{upper(e.name)}," for e in entities] + ["\tENTITY_COUNT", "};"]
    for e in entities:
        out += ["", f"struct {lower(e.name)}_row {{"]
        for f in e.fields:
            out += [f"\t{member_type(f)}{lower(f['field'])}; /* {f['help']} */"]
        out += ["};"]
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
            f"\t{{ {c_string(e.name)}, {c_string(n)}, HOME_{upper(e.home)}, "
            f"sizeof(struct {n}_row), {len(e.fields)}, {n}_fields, {c_string(e.help)} }},"
        ]
    return out + ["};"]


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


def reasons_header(reasons):
    out = ["#pragma once", "", "enum reason {", "\tREASON_NONE = 0, /* go on */"]
    out += [f"\tREASON_{snake_of_camel(r['reason'])}, /* {r['text']} */" for r in reasons]
    return out + ["\tREASON_COUNT", "};"]


def reasons_table(reasons):
    def number(cell):
        return "0" if cell == "-" else str(int(cell))

    out = ["const struct reason_info reason_infos[REASON_COUNT] = {"]
    out += ['\t{ "", 0, 0, FAILOVER_NO, "" },']
    for r in reasons:
        cells = [c_string(r["reason"]), number(r["sip_code"]), number(r["q850"])]
        cells += [f"FAILOVER_{FAILOVERS[r['failover']]}", c_string(r["text"])]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


def phrases_table(phrases):
    out = ["static const struct sip_phrase sip_phrases[] = {"]
    return out + [f"\t{{ {row['code']}, {c_string(row['phrase'])} }}," for row in phrases] + ["};"]


def ops_header(ops):
    out = ["#pragma once", "", "enum op {"]
    return out + [f"\tOP_{upper(op['name'])}," for op in ops] + ["\tOP_COUNT", "};"]


def ops_table(ops):
    out = []
    for op in (op for op in ops if op.args):
        out += [f"static const struct op_arg {lower(op['name'])}_args[] = {{"]
        for name, kind, is_required in op.args:
            flags = [str(flag).lower() for flag in
                     (is_required, kind == "file", kind == "save", kind == "send")]
            kind = "text" if kind in ("file", "save", "send") else kind
            out += [f"\t{{ {c_string(name)}, FIELD_{kind.upper()}, {', '.join(flags)} }},"]
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


def answers_header(answers):
    out = ["#pragma once", "", "enum answer {"]
    out += [f"\tANSWER_{upper(a['name'])}, /* {a['help']} */" for a in answers]
    return out + ["\tANSWER_COUNT", "};"]


def answers_table(answers):
    out = ["const struct answer_info answer_infos[ANSWER_COUNT] = {"]
    for a in answers:
        cells = [c_string(a["name"]), f"ANSWER_T_{a['type'].upper()}", c_string(a["default"])]
        cells += [str(a.min or 0), str(a.max or 0), c_string(a["unit"])]
        cells += [c_strings(words(a["values"]))]
        cells += [str(sum(ANSWER_FLAGS[flag] for flag in words(a["flags"])))]
        cells += [c_string(a["screen"]), c_string(a["help"])]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


def sysctls_table(sysctls):
    out = ["const struct setting settings[] = {"]
    for row in sysctls:
        cells = [c_string(row["key"]), SYSCTL_RULES[row["rule"]]]
        cells += [c_string(row[c]) for c in ("value", "why", "source")]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


def controls_table(controls):
    out = ["const struct control controls[] = {"]
    for row in controls:
        cells = [c_string(row["id"]), f"CHECK_{row['kind']}"]
        cells += [c_string(row[c]) for c in ("argument", "title", "why", "fix", "source")]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


def reports_header(reports):
    out = ["#pragma once", "", "enum report_id {"]
    out += [f"\tREPORT_{upper(r['name'])}," for r in reports] + ["\tREPORT_COUNT", "};"]
    out += ["", "/* X(operation, report) */", "#define REPORT_OPS(X) \\"]
    ops = [f"\tX(OP_REPORT_{upper(r['name'])}, REPORT_{upper(r['name'])})" for r in reports]
    return out + " \\\n".join(ops).split("\n")


def reports_table(reports):
    out = []
    for r in reports:
        out += [f"static const struct report_column {lower(r['name'])}_columns[] = {{"]
        for c in r.columns:
            cells = [c_string(c["name"]), f"REPORT_T_{c['type'].upper()}", c_string(c["formula"])]
            cells += [c_string(c["title"]), c_string(c["help"])]
            out += ["\t{ " + ", ".join(cells) + " },"]
        out += ["};", ""]
    out += ["const struct report_info report_infos[REPORT_COUNT] = {"]
    for r in reports:
        n = lower(r["name"])
        parameter = f"PARAM_{r['parameter']}" if r["parameter"] else "PARAM_COUNT"
        cells = [c_string(r["name"]), f"REPORT_FROM_{r['from'].upper()}", f"{n}_columns"]
        cells += [str(len(r.columns)), parameter, c_string(r["help"])]
        out += ["\t{ " + ", ".join(cells) + " },"]
    return out + ["};"]


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


def migration_text(migration):
    """A line each: ISO C has no longer strings."""
    return [c_string(line).replace("\t", "\\t") + "," for line in migration]


def files(entities, params, reasons, phrases, ops, answers, sysctls, reports, controls, migration):
    """File name → lines."""
    made = {
        "entities.gen.h": entities_header(entities),
        "entities.inc": entities_table(entities),
        "params.gen.h": params_header(params),
        "params.inc": params_table(params),
        "reasons.gen.h": reasons_header(reasons),
        "reasons.inc": reasons_table(reasons),
        "sip_phrases.inc": phrases_table(phrases),
        "ops.gen.h": ops_header(ops),
        "ops.inc": ops_table(ops),
        "answers.gen.h": answers_header(answers),
        "answers.inc": answers_table(answers),
        "sysctls.inc": sysctls_table(sysctls),
        "controls.inc": controls_table(controls),
        "reports.gen.h": reports_header(reports),
        "reports.inc": reports_table(reports),
        "vos3000.inc": migration_text(migration),
        "widths.inc": widths_table(),
    }
    note = "/* Made by lib/model/gen.py: do not edit. */"
    return {name: [note, *lines] for name, lines in made.items()}
