"""The tables as pages of docs/reference."""
from gen_tables import words


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


def field_row(f):
    accepted = f["values"].replace(",", ", ") or bounds(f)
    notes = [flag for flag in f.flags if flag != "number"]
    if f.ref:
        notes.append(f"names a row of {f.ref}")
    name, notes = f"`{f['field']}`", ", ".join(notes)
    return name, f["type"], f["unit"], accepted, f["default"], notes, f["help"]


def entities_page(entities):
    out = ["# Entities", ""]
    out += ["What operators enter and see. Money is exact, in units of the account's currency;"]
    out += ["times are ISO 8601; a list is written with commas, and is an array in JSON.", ""]
    for e in entities:
        out += [f"## {e.name}", "", f"{e.help}.", ""]
        header = ["field", "type", "unit", "accepted", "default", "", "meaning"]
        out += page_table(header, map(field_row, e.fields))
    return out


def param_row(p):
    names = ", ".join(f"`{n}`" for n in [p["name"], *words(p["aliases"])])
    accepted = "; ".join(filter(None, [bounds(p), p["values"].replace(",", ", ")]))
    cells = [p[c] for c in ("default", "applies", "effect", "help")]
    return names, p["type"], p["unit"], accepted, *cells


def params_page(params):
    out = ["# System parameters", ""]
    out += ["Set with `switchctl parameter set NAME VALUE`; aliases are accepted, in any case."]
    out += ["*Effect* says whether the switch reads it: `live`, `none yet` or `not supported`.", ""]
    header = ["name", "type", "unit", "accepted", "default", "applies", "effect", "meaning"]
    for category in sorted({p["category"] for p in params}):
        rows = [param_row(p) for p in params if p["category"] == category]
        out += [f"## {category}", ""] + page_table(header, rows)
    return out


def reasons_page(reasons, phrases):
    out = ["# End reasons", ""]
    out += ["Why a call ended, as its CDR says it. *Next vendor*: is another one tried?", ""]
    cells = ("sip_code", "q850", "failover", "text")
    rows = [(f"`{r['reason']}`", *(r[c] for c in cells)) for r in reasons]
    out += page_table(["reason", "SIP", "Q.850", "next vendor", "meaning"], rows)
    out += ["## SIP status codes", ""]
    return out + page_table(["code", "phrase", "source"], [tuple(p.values()) for p in phrases])


def op_row(op):
    args = [f"fields of {op.fields}"] if op.fields else []
    args += [f"`{name}`{'!' if must else ''} ({kind})" for name, kind, must in op.args]
    cells = [op[c] for c in ("result", "permission", "owner", "help")]
    return f"`{op['name']}`", op["key"], ", ".join(args), *cells


def ops_page(ops):
    out = ["# Operations", ""]
    out += ["Everything that can be asked of the switch, by"]
    out += ["`switchctl ENTITY VERB [KEY] [name=value ...]` or as a JSON-RPC method on the control"]
    out += ["socket. `!` marks what must be given.", ""]
    header = ["operation", "key", "arguments", "result", "permission", "daemon", "what it does"]
    return out + page_table(header, map(op_row, ops))


def reports_page(reports):
    out = ["# Reports", ""]
    out += ["`switchctl report NAME [from= to= zone= by=hour|day|month account= agent= gateway="]
    out += ["area= format=json|csv|html]`. A call counts in the quarter of an hour in which it ended,"]
    out += ["which is when it was booked. *Made nightly* names the parameter that says so.", ""]
    for r in reports:
        out += [f"## {r['name']}", "", f"{r['help']}."]
        out += [f"Made nightly: `{r['parameter']}`."] if r["parameter"] else []
        rows = [(f"`{c['name']}`", c["type"], c["help"]) for c in r.columns]
        out += [""] + page_table(["column", "type", "meaning"], rows)
    return out


def answer_row(a):
    accepted = a["values"].replace(",", ", ")
    if a["type"] == "int":
        accepted = bounds(a)
    notes = ", ".join(words(a["flags"]))
    return (f"`{a['name']}`", a["type"], accepted, a["default"], a["screen"], notes, a["help"])


def answers_page(answers):
    out = ["# tandem.conf", ""]
    out += ["The answers of switch-setup, one `key = value` a line; `#` begins a comment line."]
    out += ["*once*: acted on by the set-up, not kept in /etc/tandem/tandem.conf.", ""]
    header = ["key", "type", "accepted", "default", "screen", "", "meaning"]
    return out + page_table(header, map(answer_row, answers))


def sysctls_page(sysctls):
    out = ["# Kernel settings", ""]
    out += ["What `switch-tune` sets at boot; `switch-tune show` has them beside their values now."]
    out += ["`*` stands for every network interface, `@media` for the ports of the media relay, `@uplinks` for 1,"]
    out += ["or 2 where more than one interface has a gateway.", ""]
    rows = [(f"`{row['key']}`", *(row[c] for c in ("rule", "value", "why"))) for row in sysctls]
    return out + page_table(["key", "", "value", "why"], rows)


def controls_page(controls):
    out = ["# Controls", ""]
    out += ["What `switch-audit check` looks at, every night and on demand. CIS is the number in the CIS"]
    out += ["benchmark for CentOS Linux 7 (3.1.2), RHEL-07 that of the DISA STIG for Red Hat Enterprise"]
    out += ["Linux 7; where neither has one, the page of our own specification.", ""]
    rows = [[row[c] for c in ("id", "title", "why", "fix", "source")] for row in controls]
    return out + page_table(["id", "what is so", "why", "if it is not", "source"], rows)


def migration_page(migration):
    out = ["# Migration from VOS3000", ""]
    out += ["What `switchctl migrate` makes of its tables, unless `map=FILE` says it otherwise;"]
    out += ["`switchctl migrate mapping file=FILE` writes this table for you to edit.", ""]
    out += ["```"] + [line.strip("# ") for line in migration if line.startswith("#")] + ["```", ""]
    rows = [line.split("\t") for line in migration if not line.startswith("#")]
    return out + page_table(rows[0], rows[1:])


def files(entities, params, reasons, phrases, ops, answers, sysctls, reports, controls, migration):
    """File name → lines."""
    made = {
        "entities.md": entities_page(entities),
        "parameters.md": params_page(params),
        "reasons.md": reasons_page(reasons, phrases),
        "operations.md": ops_page(ops),
        "reports.md": reports_page(reports),
        "answers.md": answers_page(answers),
        "kernel.md": sysctls_page(sysctls),
        "controls.md": controls_page(controls),
        "migration.md": migration_page(migration),
    }
    note = "<!-- Made by lib/model/gen.py: do not edit. -->"
    return {name: [note, *lines] for name, lines in made.items()}
