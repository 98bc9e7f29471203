"""switchctl as an operator types it: grammar, output, exit statuses, errors that help."""

import asyncio
import json
import os
import re

from harness.control import Refused
from harness.plans import reject
from harness.scene import scene


async def done(t, *words):
    """The command, which must succeed; its output."""
    status, out, err = await t.switch.cli(*words)
    assert status == 0, f"{' '.join(words)}: exit {status}\n{err}"
    assert err == "", f"{' '.join(words)}: said on stderr: {err}"
    return out


async def asked(t, *words):
    return json.loads(await done(t, "--json", *words))


async def fails(t, status, *words):
    """The command must end with that status, and say why on stderr only."""
    got, out, err = await t.switch.cli(*words)
    assert got == status, f"{' '.join(words)}: exit {got}, should be {status}\n{out}{err}"
    assert err.strip(), f"{' '.join(words)}: not a word on stderr"
    assert "Traceback" not in err and len(err) < 4000, err
    return err


async def test_the_commands_of_the_design(t):
    """A customer, vendor, rates and gateways entered as design.md §5 writes them; then a call passes."""
    caller, carrier = await t.caller(), await t.carrier()
    await done(t, "rate-group", "add", "name=wholesale")
    await done(t, "account", "add", "id=acme", "name=Acme Telecom", "billing=prepaid", "limit_money=0",
               "rate_group=wholesale")
    await done(t, "account", "recharge", "acme", "amount=100.00", "memo=wire 4711")
    t.books.paid["acme"] += 100
    await done(t, "rate", "add", "group=wholesale", "prefix=880", "price=0.0123", "unit=60", "first=1", "step=1")
    await done(t, "mapping-gateway", "add", "name=acme-in", "account=acme", "auth=ip", f"address={caller.ip}",
               "line_limit=100", "rate_limit=20")
    await done(t, "rate-group", "add", "name=buy")
    await done(t, "rate", "add", "group=buy", "prefix=880", "price=0.0071")
    await done(t, "account", "add", "id=carrier", "kind=clearing", "limit_money=0", "rate_group=buy")
    await done(t, "routing-gateway", "add", "name=carrier-a", "account=carrier", f"address={carrier.address}",
               "prefix=880", "priority=1", "line_limit=200")
    call = await caller.place("8801712345678", hold=0.2)
    told = await done(t, "route", "explain", "gateway=acme-in", "caller=1001", "callee=8801712345678")
    assert "carrier-a" in told
    await t.books.settled()
    (cdr,) = await asked(t, "cdr", "list")
    assert cdr["call_id"] == call.call_id and cdr["reason"] == "CallerHangup"
    assert (await asked(t, "cdr", "show", cdr["id"]))["call_id"] == call.call_id
    assert "CallerHangup" in await done(t, "cdr", "list")
    assert (await asked(t, "account", "show", "acme"))["name"] == "Acme Telecom"
    quote = await asked(t, "rate", "quote", "price=0.0123", "unit=60", "first=1", "step=1", "hold_ms=61000")
    assert (quote["hold_s"], quote["billed_s"]) == (61, 61) and quote["fee"] == "0.012505"


async def test_json_is_one_document(t):
    """add, show and set give an object, list an array; booleans, null, lists and money as promised."""
    made = await asked(t, "account", "add", "id=acme", "limit_money=12.5")
    assert isinstance(made, dict) and made["id"] == "acme"
    shown = await asked(t, "account", "show", "acme")
    assert shown["anti_overdraft"] is True and shown["cut_off"] is False and shown["valid_until"] is None
    assert isinstance(shown["limit_money"], str) and float(shown["limit_money"]) == 12.5
    changed = await asked(t, "account", "set", "acme", "cut_off=true")
    assert changed["cut_off"] is True
    rows = await asked(t, "account", "list")
    assert [r["id"] for r in rows] == ["acme"]
    await done(t, "mapping-gateway", "add", "name=g", "account=acme", "address=192.0.2.1,192.0.2.0/24")
    assert (await asked(t, "mapping-gateway", "show", "g"))["address"] == ["192.0.2.1", "192.0.2.0/24"]
    assert isinstance(await asked(t, "--json", "status"), dict)


async def test_columns_are_aligned(t):
    """Without --json a table: a head, and every column begins at the same place."""
    for name, long in (("a", "Short"), ("much-longer-name", "A rather long name, Ltd.")):
        await done(t, "account", "add", f"id={name}", f"name={long}", "limit_money=0")
    lines = (await done(t, "account", "list", "fields=id,name,kind")).rstrip("\n").split("\n")
    rows = [x for x in lines if "customer" in x]
    assert len(rows) == 2 and len({x.index("customer") for x in rows}) == 1, lines
    assert "much-longer-name" in "".join(rows)


async def test_hostile_names_do_not_reach_the_terminal(t):
    """Control octets, escapes and direction marks are refused in a field; what came by SIP or stands in
    an error is shown harmless."""
    for bad in ("x\u202ey", "tab\tend", "\x1b[31mred"):
        status, out, err = await t.switch.cli("account", "add", "id=evil", "limit_money=0", f"memo={bad}")
        assert status == 1, (status, out)
        for hidden in ("\x1b", "\u202e", "\t"):
            assert hidden not in out + err, repr(out + err)


async def test_refusals(t):
    """Exit 1, the field at fault, what was given and what would be accepted."""
    await done(t, "account", "add", "id=acme", "limit_money=0")
    err = await fails(t, 1, "account", "add", "id=acme", "limit_money=0")
    assert "acme" in err
    err = await fails(t, 1, "account", "add", "id=b", "limit_money=zero")
    assert "limit_money" in err and "zero" in err
    err = await fails(t, 1, "account", "add", "id=b", "limit_money=0", "billing=sometimes")
    assert "billing" in err and "prepaid" in err and "postpaid" in err
    await done(t, "mapping-gateway", "add", "name=acme-in", "account=acme", "address=192.0.2.9")
    err = await fails(t, 1, "account", "del", "acme")
    assert "acme-in" in err
    err = await fails(t, 1, "cdr", "list", "reason=NoRates")
    assert "reason" in err and "NoRates" in err
    err = await fails(t, 1, "account", "show", "nobody")
    assert "nobody" in err
    err = await fails(t, 1, "parameter", "set", "SS_MAX_CALL_PER_SECOND", "-5")
    assert "100000" in err
    err = await fails(t, 1, "account", "add", "id=b")
    assert "limit_money" in err
    for words in (("account", "add", "id=b", "limit_money=0", "rate_group=none-such"),
                  ("mapping-gateway", "add", "name=g", "account=none-such", "address=192.0.2.1"),
                  ("routing-gateway", "add", "name=g", "account=none-such", "address=192.0.2.1")):
        err = await fails(t, 1, *words)
        field = next(w for w in words if "none-such" in w).split("=")[0]
        assert re.search(rf"field: +{field}\n", err) and "none-such" in err, err


async def test_refusals_say_what_would_do(t):
    """The form of a key of several parts, the command that changes what is there already, the field of a wrong rule, and the
    daemon that does not answer by its name."""
    await t.plain()
    for status, words, hints in (
            (1, ("rate", "set", "880", "price=1"), ("GROUP/PREFIX", "rate list")),
            (1, ("account", "add", "id=acme", "limit_money=0"), ("another id", "account set acme")),
            (1, ("mapping-gateway", "set", "acme-in", "callee_rules=abc"), ("field:    callee_rules", "no colon")),
            (1, ("account", "set", "acme", "valid_until=soon"), ("or a date",)),
            (1, ("parameter", "set", "SERVER_MAIL_RELAY", "no relay"), ("field:    SERVER_MAIL_RELAY", "not a mail server")),
            (2, ("route", "explain", "acme-in", ""), ("route explain needs callee", "callee=TEXT")),
            (2, ("rate", "add", "acme-sell"), ("group=TEXT prefix=TEXT price=DECIMAL [field=value ...]",)),
            (2, ("routing-gateway", "set", "vendor", "colour=red"), ("switchctl help routing-gateway set",)),
            (2, ("cdr", "export", "-", "fields=id"), ("no such field",)),
            (3, ("ban", "list"), ("switch-lockoutd cannot be reached", "is switch-lockoutd up"))):
        err = await fails(t, status, *words)
        assert all(h in err for h in hints), (words, err)
    err = await fails(t, 2, "account", "set", "acme", "colour=red")
    assert re.search(r"accepted: id, name, ", err), err


async def test_lists_in_words(t):
    """What takes a list takes it as words with commas: changes that `route explain` supposes, what failed calls are counted by."""
    caller, _vendor = await t.plain()
    explain = ("route", "explain", "acme-in", "88017")
    assert (await asked(t, *explain))["verdict"] == "ok"
    assert (await asked(t, *explain, "with=routing-gateway vendor down"))["verdict"] == "AllGatewayBusy"
    moved = await asked(t, *explain, "with=routing-gateway vendor prefix=44,49,account acme status=normal")
    assert moved["verdict"] == "NoAvailableRouter", moved
    assert moved["steps"][-1]["detail"] == "no routing gateway has a prefix of 88017", moved
    kept = await asked(t, *explain, "with=routing-gateway vendor prefix=44,880,routing-gateway vendor up")
    assert kept["verdict"] == "ok", kept
    err = await fails(t, 1, *explain, "with=nonsense")
    assert "nonsense" in err and "ENTITY KEY FIELD=VALUE" in err
    call = caller.invite("999")
    await call.final()
    await t.cdr(call)
    (row,) = await asked(t, "call", "analysis", "by=account,reason")
    assert (row["account"], row["reason"], row["failed"]) == ("acme", "NoRate", 1), row
    assert "colour" in await fails(t, 1, "call", "analysis", "by=account,colour")


async def test_what_a_person_reads(t):
    """Columns of an answer to a change; of the log what changed; decisions of a record as a table; a label at the sums."""
    caller, _vendor = await t.plain()
    assert await done(t, "account", "set", "acme", "line_limit=5", "fields=id,line_limit") == "id:         acme\nline_limit: 5\n"
    (line,) = [x for x in (await done(t, "log", "list", "limit=1")).split("\n") if "account.set" in x]
    assert line.split()[-2:] == ["line_limit=0", "line_limit=5"], line
    added = await done(t, "log", "list", "limit=1000")
    assert "rate_group=acme-sell" in added and "{" not in added, added
    whole = (await asked(t, "log", "list", "limit=1"))[0]
    assert whole["after"]["id"] == "acme" and whole["after"]["line_limit"] == 5, whole
    await t.cdr(await caller.place("88017"))
    (record,) = await asked(t, "cdr", "list")
    shown = await done(t, "cdr", "show", record["id"])
    assert re.search(r"decisions:\n  step +verdict +detail\n  numbers +ok +88017", shown), shown
    assert isinstance((await asked(t, "cdr", "show", record["id"]))["decisions"], str)
    assert re.search(r"\ntotal +\S", await done(t, "report", "customer")), "the sums have no label"
    assert "memo" not in (await done(t, "call", "list")) and "callee" in (await done(t, "call", "list"))


async def test_usage(t):
    """Exit 2 for words that are no command, with what was probably meant."""
    for words, hint in ((("acount", "list"), "account"), (("account", "lst"), "list"),
                        (("account",), "account"), ((), "usage"), (("account", "show"), ""),
                        (("--nonsense",), "usage"), (("account", "list", "limit"), "")):
        err = await fails(t, 2, *words)
        assert hint in err.lower(), (words, err)


async def test_help(t):
    """Help is no error, lists every entity, and an operation's fields."""
    for word in ("--help", "help"):
        assert "mapping-gateway" in await done(t, word)
    assert "recharge" in await done(t, "help", "account")
    assert "limit_money" in await done(t, "help", "account", "add")
    status, out, _err = await t.switch.cli("--version")
    assert status == 0 and out.strip()


COMPLETE = """
PATH=$1:$PATH
source <(switchctl completion bash)
shift
for COMP_LINE; do COMP_POINT=${#COMP_LINE}; COMPREPLY=(); _switchctl; echo "${COMPREPLY[*]}"; done
"""


async def test_bash_completion(t):
    """What Tab offers in a bash: entities, verbs, keys that the daemon has, fields, choices."""
    await done(t, "account", "add", "id=acme-telecom", "limit_money=0")
    typed = {"acc": "account", "account sh": "show", "account show ac": "acme-telecom", "account add bil": "billing=",
             "account add billing=pre": "prepaid", "parameter show SS_MAX_CALL_PER": "SS_MAX_CALL_PER_SECOND",
             "nonsense ": ""}
    lines = [f"switchctl -s {t.switch.path} {words}" for words in typed]
    bash = await asyncio.create_subprocess_exec("bash", "-c", COMPLETE, "bash", t.switch.binaries, *lines,
                                                stdout=asyncio.subprocess.PIPE)
    out, _err = await bash.communicate()
    assert dict(zip(typed, out.decode().split("\n"))) == typed


@scene(start=False)
async def test_a_daemon_that_is_not_there(t):
    """Exit 3, and the path that was tried."""
    err = await fails(t, 3, "status")
    assert t.switch.path in err
    t.audit = False


async def test_parameters_by_command(t):
    out = await done(t, "parameter", "list", "overdraft")
    assert "SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME" in out
    await done(t, "parameter", "set", "SS_MAX_CPS", "50")
    assert str((await asked(t, "parameter", "show", "SS_MAX_CALL_PER_SECOND"))["value"]) == "50"
    await done(t, "parameter", "reset", "SS_MAX_CALL_PER_SECOND")
    shown = await asked(t, "parameter", "show", "SS_MAX_CALL_PER_SECOND")
    assert str(shown["value"]) == "100"
    none_yet = [r for r in await asked(t, "parameter", "list") if r["effect"] == "none yet"]
    assert none_yet, "no parameter without effect left: this test has done its work"


async def test_a_call_by_command(t):
    caller, carrier = await t.plain()
    call = caller.invite("88017")
    await call.expect(200)
    (row,) = await asked(t, "call", "list")
    assert "88017" in await done(t, "call", "show", row["id"])
    await done(t, "call", "hangup", row["id"])
    await call.ended_by_peer()
    await carrier.legs[0].ended_by_peer()
    for audit in ("cdr", "ledger"):
        assert "no differences" in await done(t, audit, "verify")
    screen = await done(t, "status")
    assert all(w in screen.lower() for w in ("version", "uptime", "calls")), screen


async def test_lists_as_people_type_them(t):
    """Of an operation's own arguments: commas separate items, also where an item is of several words and its value has commas."""
    caller, carrier = await t.plain()
    second = await t.carrier("second", last=7)
    await t.vendor(second, "second", priority=20)

    async def order(*words):
        told = await asked(t, "route", "explain", "acme-in", "8801712345678", *words)
        return [s["step"] for s in told["steps"] if s["verdict"] == "candidate"]
    assert await order() == ["vendor", "second"]
    assert await order("with=routing-gateway vendor down") == ["second"]
    assert await order("with=routing-gateway vendor prefix=77,78, routing-gateway second priority=1") == ["second"]
    assert await order("with=parameter SS_GATEWAY_SWITCH_LIMIT 2,routing-gateway second priority=1") == ["second", "vendor"]
    assert "nothing of that kind" in await fails(t, 1, "route", "explain", "acme-in", "880171", "with=nonsense a b")
    carrier.plan = reject(404)
    await t.cdr(caller.invite("88017"), sip_code=404)
    (row,) = await asked(t, "call", "analysis", "by=reason, hour")
    assert set(row) == {"reason", "hour", "failed", "calls", "percent", "example"}, row
    (row,) = await asked(t, "call", "analysis", "by=routing_gateway")
    assert row["routing_gateway"] == "vendor" and "reason" not in row, row
    try:
        await t.ctl.ask("call.analysis", by=[1])
        raise AssertionError("by=[1] was taken")
    except Refused as e:
        assert e.data["field"] == "by", e.data


async def test_export_to_a_pipe(t):
    """cdr export writes CSV to standard output, nothing else."""
    caller, _carrier = await t.plain()
    call = await caller.place("88017")
    await t.books.settled()
    out = await done(t, "cdr", "export", "-", "format=csv")
    assert out.split("\n")[0].count(",") > 10 and call.call_id in out


async def test_many_at_once(t):
    """Twenty processes together: all are served."""
    results = await asyncio.gather(*(t.switch.cli("--json", "status", within=60) for _ in range(20)))
    assert {r[0] for r in results} == {0}, results
    assert os.path.exists(t.switch.path)
