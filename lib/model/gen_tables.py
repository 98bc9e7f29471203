"""The tables of lib/model, read and checked. A mistake (an unknown type, a default out of range,
two rows of one name) stops the build here with its place, so that all else may rely on them."""
import decimal
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

FIELD_TYPES = "text list int bool enum money time id".split()
FIELD_FLAGS = {
    "key": 1,
    "subkey": 2,
    "required": 4,
    "auto": 8,
    "computed": 16,
    "secret": 32,
    "number": 64,
    "amount": 128,
}
FILES = "switch ledger".split()
PARAM_TYPES = "int bool duration decimal enum string list ints numbers range".split()
PARAM_NUMBERS = "int duration decimal".split()
PARAM_LENGTHS = {"string": 256, "list": 4096, "numbers": 4096}
EFFECTS = {"none yet": "NONE_YET", "live": "LIVE", "not supported": "NOT_SUPPORTED"}
FAILOVERS = {"-": "NO", "next": "NEXT", "by code": "BY_CODE"}
OWNERS = "switchd lockoutd hostd".split()
PERMISSIONS = "read money admin".split()
REPORT_TYPES = "key int money percent minutes seconds".split()
REPORT_SOURCES = "sale purchase ending share books".split()
REPORT_ARGUMENTS = """from:time to:time zone:text by:text account:text agent:text gateway:text
    area:text format:text"""
RESULTS = "object array text".split()
ANSWER_TYPES = """hostname timezone hosts interface ipv4 ipv6 address addresses int ports ssh_key
    scrypt path device enum bool command number text""".split()
ANSWER_FLAGS = {"repeat": 1, "secret": 2, "once": 4}
CHECK_KINDS = """absent account cmdline daemon elf file ini lines module mount sockets sshd sysctl text unit
    verity walk wall""".split()
SYSCTL_RULES = {"=": "false", "at least": "true"}  # C's value of is_least


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


def words(text):
    return [w for w in text.split(",") if w]


def scaled(row, text, decimals):
    """The text as an integer of 10^-decimals."""
    try:
        value = decimal.Decimal(text).scaleb(decimals)
    except decimal.InvalidOperation:
        row.fail(f"'{text}' is not a number")
    if value != int(value) or not INT64_MIN < value <= INT64_MAX:
        row.fail(f"'{text}' does not fit")
    return int(value)


def unique(rows, names):
    """Each row's names (a function's result) belong to it alone."""
    seen = {}
    for row in rows:
        for name in names(row):
            if name in seen:
                row.fail(f"{name} is also at {seen[name]}")
            seen[name] = row.at


class Entity:
    def __init__(self, row):
        self.name, self.home, self.help, self.at = row["entity"], row["type"], row["help"], row.at
        self.fields = []
        if self.home not in FILES:
            row.fail(f"'{self.home}' is none of the files: {', '.join(FILES)}")


def read_entities():
    """In the order of their first rows; the row with field '-' speaks of the entity itself."""
    entities = {}
    for row in read_table("entities.tsv"):
        if row["field"] == "-":
            entities[row["entity"]] = Entity(row)
        elif row["entity"] not in entities:
            row.fail(f"{row['entity']} has no row of its own (field '-') before")
        else:
            entities[row["entity"]].fields.append(row)
    for entity in entities.values():
        unique(entity.fields, lambda row: [row["field"]])
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
        raise TableError(f"{entity.at}: versions have subkeys origin and effective, and an end")


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
        row.max = PARAM_LENGTHS.get(row["type"])
    if row["type"] in (*PARAM_NUMBERS, "ints", "range") and None in (row.min, row.max):
        row.fail("a number has a min and a max")
    if row["default"] in ("", *words(row["values"])):
        return
    if row["type"] == "enum":
        row.fail("the default is none of the values")
    if row["type"] in PARAM_NUMBERS:
        if not row.min <= scaled(row, row["default"], decimals) <= row.max:
            row.fail("the default is out of range")


def read_reasons():
    rows = read_table("reasons.tsv")
    unique(rows, lambda row: [row["reason"].lower()])
    for row in rows:
        if row["failover"] not in FAILOVERS:
            row.fail(f"no failover '{row['failover']}'")
    return rows


def read_phrases():
    rows = read_table("sip_phrases.tsv")
    for before, row in zip(rows, rows[1:]):
        if int(row["code"]) <= int(before["code"]):
            row.fail("rows are sorted by code")
    return rows


def read_migration(entities):
    """What of another system becomes what here; it is given to operators as it stands, with its comments."""
    fields = {(e.name, f["field"]) for e in entities for f in e.fields}
    with open(os.path.join(HERE, "vos3000.tsv"), encoding="utf-8") as f:
        text = f.read()
    for number, line in enumerate(text.splitlines()[1:], 2):
        cells = line.split("\t")
        if line.startswith("#"):
            continue
        if len(cells) != 7:
            raise TableError(f"vos3000.tsv:{number}: not 7 cells")
        pseudo = cells[3].startswith("@") or cells[0] == "cdr"
        if not pseudo and (cells[0], cells[3]) not in fields:
            raise TableError(f"vos3000.tsv:{number}: no field '{cells[3]}' of {cells[0]}")
    return text.splitlines()


def read_report_columns():
    rows = read_table("report_columns.tsv")
    unique(rows, lambda row: [row["name"]])
    for row in rows:
        if row["type"] not in REPORT_TYPES or not row["title"] or not row["help"]:
            row.fail("no such type, or no title or help")
        if (row["type"] == "key") == bool(row["formula"]):
            row.fail("everything but a key has a formula")
    return rows


def read_reports(params):
    """Each with .keys and .columns: rows of report_columns.tsv."""
    columns = {row["name"]: row for row in read_report_columns()}
    names = [p["name"] for p in params]
    rows = read_table("reports.tsv")
    unique(rows, lambda row: [row["name"]])
    for row in rows:
        for cell in ("keys", "columns"):
            for name in words(row[cell]):
                if name not in columns or (columns[name]["type"] == "key") != (cell == "keys"):
                    row.fail(f"'{name}' is none of the {cell}")
        row.columns = [columns[name] for name in words(row["keys"]) + words(row["columns"])]
        if row["from"] not in REPORT_SOURCES or row["parameter"] not in ("", *names):
            row.fail("no such source, or no such parameter")
    return rows


def report_op(report, like):
    """Each report is an operation, so that switchctl, its completion and the pages have it."""
    row = Row(like, name=f"report.{report['name']}", arguments=REPORT_ARGUMENTS, result="object")
    row["help"], row.at = report["help"], report.at
    return row


def read_ops(entities, reports):
    rows = read_table("operations.tsv")
    at = next(i for i, row in enumerate(rows) if row["name"] == "report.list")
    rows[at + 1 : at + 1] = [report_op(report, rows[at]) for report in reports]
    unique(rows, lambda row: [row["name"]])
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


def read_sysctls():
    rows = read_table("sysctls.tsv")
    for before, row in zip(rows, rows[1:]):
        if row["key"] <= before["key"]:
            row.fail("rows are sorted by key")
    for row in rows:
        if row["rule"] not in SYSCTL_RULES:
            row.fail(f"no rule '{row['rule']}'")
        if row["rule"] == "at least" and not row["value"].isdigit():
            row.fail("only a number has a least")
        if not row["why"] or not row["source"]:
            row.fail("why and source are not empty")
    return rows


def read_controls(sysctls):
    """Of the kernel's settings, those that keep strangers out are each some control's."""
    rows = read_table("controls.tsv")
    unique(rows, lambda row: [row["id"]])
    keys = {row["key"] for row in sysctls}
    checked = set()
    for row in rows:
        if row["kind"] not in CHECK_KINDS or not re.fullmatch(r"[A-Z]+-[0-9]+", row["id"]):
            row.fail(f"no kind '{row['kind']}', or no id like SSH-1")
        if not all(row[c] for c in ("title", "why", "fix", "source")):
            row.fail("title, why, fix and source are not empty")
        if row["kind"] == "sysctl":
            checked.update(row["argument"].split())
    if checked - keys:
        raise TableError(f"controls.tsv: not in sysctls.tsv: {' '.join(sorted(checked - keys))}")
    for row in sysctls:
        if row["source"].startswith("security.md") and row["key"] not in checked:
            row.fail("no control of controls.tsv checks it")
    return rows


def read_arg(row, item):
    match = re.fullmatch(r"([a-z0-9_]+)(!?):([a-z]+)", item)
    if not match or match[3] not in (*FIELD_TYPES, "file", "save", "send"):
        row.fail(f"'{item}' is not name:type or name!:type")
    return match[1], match[3], bool(match[2])


def read_answers():
    rows = read_table("answers.tsv")
    unique(rows, lambda row: [row["name"]])
    for row in rows:
        if row["type"] not in ANSWER_TYPES or not re.fullmatch("[a-z][a-z0-9_]*", row["name"]):
            row.fail(f"no type '{row['type']}', or no name of small letters")
        if any(flag not in ANSWER_FLAGS for flag in words(row["flags"])) or not row["help"]:
            row.fail("no such flag, or no help")
        if (row["type"] in ("enum", "bool")) != bool(row["values"]):
            row.fail("enums and bools have values, and nothing else has")
        row.min, row.max = (scaled(row, row[c], 0) if row[c] else None for c in ("min", "max"))
        if row["type"] == "int" and None in (row.min, row.max):
            row.fail("a number has a min and a max")
    return rows
