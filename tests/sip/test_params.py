"""Parameters as an operator meets them: list, search, show, set, reset, aliases, refusals, restart."""

from harness.control import Refused


async def value(t, name):
    return (await t.ctl.ask("parameter.show", name=name))["value"]


async def refused(t, name, given):
    """The refusal of a value; it must say what would be accepted, and change nothing."""
    before = await value(t, name)
    try:
        await t.ctl.ask("parameter.set", name=name, value=given)
    except Refused as e:
        assert await value(t, name) == before
        return e
    raise AssertionError(f"{name} = {given!r} was taken")


async def test_list_and_search(t):
    rows = await t.ctl.ask("parameter.list")
    names = [r["name"] for r in rows]
    assert len(names) == len(set(names)) > 100 and names == sorted(names)
    assert {r["effect"] for r in rows} <= {"live", "none yet", "not supported"}
    found = [r["name"] for r in await t.ctl.ask("parameter.list", text="overdraft")]
    assert "SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME" in found and len(found) < 20
    by_help = await t.ctl.ask("parameter.list", text="half up")
    assert "SERVER_BILLING_FEE_PRECISION" in [r["name"] for r in by_help]
    assert await t.ctl.ask("parameter.list", text="nothing is called so") == []


async def test_show_set_reset(t):
    shown = await t.ctl.ask("parameter.show", name="SS_MAX_CALL_PER_SECOND")
    assert str(shown["value"]) == "100" == str(shown["default"]) and shown["help"]
    await t.set("SS_MAX_CALL_PER_SECOND", 42)
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "42"
    await t.ctl.ask("parameter.reset", name="SS_MAX_CALL_PER_SECOND")
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "100"


async def test_aliases(t):
    """Old names and any case lead to the same parameter."""
    await t.ctl.ask("parameter.set", name="ss_max_cps", value="77")
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "77"
    await t.set("FEE_PRECISTION", 3)
    assert str(await value(t, "SERVER_BILLING_FEE_PRECISION")) == "3"


async def test_a_restart_keeps_what_was_set(t):
    await t.set("SS_MAX_CALL_PER_SECOND", 43)
    await t.set("SERVER_BILLING_FREE_E164S", "110,112")
    await t.switch.restart()
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "43"
    assert "112" in str(await value(t, "SERVER_BILLING_FREE_E164S"))
    await t.ctl.ask("parameter.reset", name="SS_MAX_CALL_PER_SECOND")
    t.switch.kill()
    await t.switch.start()
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "100", "a change that was answered is durable"


async def test_set_on_the_command_line_holds_for_one_run(t):
    await t.set("SS_MAX_CALL_PER_SECOND", 44)
    t.switch.settings["SS_MAX_CALL_PER_SECOND"] = "55"
    await t.switch.restart()
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "55"
    t.switch.settings.clear()
    await t.switch.restart()
    assert str(await value(t, "SS_MAX_CALL_PER_SECOND")) == "44"


async def test_refusals_say_what_would_be_accepted(t):
    for name, given, hint in (
            ("SS_MAX_CALL_PER_SECOND", "many", "100000"), ("SS_MAX_CALL_PER_SECOND", "-1", "0"),
            ("SS_MAX_CALL_PER_SECOND", "100001", "100000"), ("SS_MAX_CALL_PER_SECOND", "1.5", ""),
            ("SS_MAX_CALL_PER_SECOND", "", ""), ("SS_MAX_CALL_PER_SECOND", "99999999999999999999", ""),
            ("SS_REPLY_UNAUTHORIZED", "maybe", "On"), ("SS_SIP_AUTHENTICATION_CODE", "402", "407"),
            ("SERVER_BILLING_FEE_UNIT", "0.000000001", ""), ("SERVER_BILLING_FEE_UNIT", "1e3", ""),
            ("SS_MEDIA_PORT_RANGE", "20000,10000", ""), ("SS_MEDIA_PORT_RANGE", "10000", ","),
            ("SERVER_BILLING_FREE_E164S", "110,abc", ""), ("SS_SIP_TIMEOUT_INVITE", "0", "1")):
        e = await refused(t, name, given)
        assert hint in str(e.data.get("accepted")), (name, given, e.error)
        assert e.data.get("code") == "bad_value" and e.data.get("field"), e.error


async def test_an_unknown_parameter_is_refused_with_a_near_name(t):
    """By each operation, in any case, a slip in an alias as well; where nothing is near, none is named."""
    for method, more in (("show", {}), ("set", {"value": "1"}), ("reset", {})):
        for name, near in (("SS_MAX_CALL_PER_SECONDS", "SS_MAX_CALL_PER_SECOND"), ("ss_max_conc", "SS_MAX_CONCURRENT_CALL"),
                           ("maxretri", "MAXRETRY"), ("zebra", None)):
            try:
                await t.ctl.ask(f"parameter.{method}", name=name, **more)
            except Refused as e:
                assert e.data.get("code") == "not_found", e.error
                assert e.message.split("did you mean ")[1:] == ([f"{near}?"] if near else []), e.error
                continue
            raise AssertionError(f"parameter.{method} took an unknown name")


async def test_changes_are_logged(t):
    """Who, when, before and after."""
    await t.set("SS_MAX_CALL_PER_SECOND", 61)
    await t.set("SS_MAX_CALL_PER_SECOND", 62)
    newest = str((await t.ctl.ask("log.list", limit=5)))
    assert "SS_MAX_CALL_PER_SECOND" in newest and "61" in newest and "62" in newest
