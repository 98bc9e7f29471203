"""Number control: transforms, lists, prefixes and areas, by calls and by `route explain`, which must agree."""

from harness.control import Refused


async def explained(t, callee, caller="1001", gateway="acme-in"):
    return await t.ctl.ask("route.explain", gateway=gateway, caller=caller, callee=callee)


async def says(t, callee, reason, word, caller="1001"):
    """A call gets that reason, explain says so beforehand, and both name the rule."""
    before = await explained(t, callee, caller)
    assert before["verdict"] == reason, before
    assert word in str(before["steps"]), (word, before["steps"])
    call = t.peers[0].invite(callee, caller=caller)
    cdr = await t.refused(call, before["sip_code"], reason)
    after = await t.ctl.ask("cdr.explain", id=cdr["id"])
    assert word in str(after), (word, after)


async def refusal(t, op, **fields):
    try:
        answer = await t.ctl.ask(op, **fields)
    except Refused as e:
        return e
    raise AssertionError(f"{op} took {fields}: {answer}")


async def test_numbers_go_through_every_stage(t):
    """In: tech prefix, the gateway's rules, its transform, those for all calls. Out: the other way round."""
    add = t.ctl.ask
    await add("transform.add", name="gw", rules=["2:3"])
    await add("transform.add", name="all1", applies="callee_in", position=1, rules=["3:880"])
    await add("transform.add", name="all2", applies="callee_in", position=2, expressions=r"/^880(\d)(\d)/880$2$1/")
    await add("transform.add", name="all-out", applies="callee_out", rules=["880:00880"])
    await add("transform.add", name="vendor", expressions=r"/^00//")
    await add("transform.add", name="caller-in", applies="caller_in", rules=["10:4910"])
    await add("transform.add", name="caller-out", applies="caller_out", expressions=r"/^(\d\d)/+$1/")
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, tech_prefix=["9", "99"], callee_rules=["1:2"], callee_transform="gw")
    await t.vendor(carrier, callee_transform="vendor", callee_rules=["880:77880"], cost_number="before")
    cdr = await t.cdr(await caller.place("991712"))
    assert (cdr["callee_in"], cdr["callee"], cdr["callee_out"]) == ("991712", "880172", "77880172"), cdr
    assert (cdr["caller_in"], cdr["caller"], cdr["caller_out"]) == ("1001", "491001", "+491001"), cdr
    assert carrier.legs[0].callee == "77880172" and carrier.legs[0].caller == "+491001"
    told = await explained(t, "991712")
    assert told["callee"] == "880172" and "77880172" in str(told["steps"]), told


async def test_transforms_are_live_and_checked(t):
    caller, carrier = await t.plain()
    await t.ctl.ask("transform.add", name="loop", applies="callee_in", rules=["881:882", "882:881"])
    await t.cdr(await caller.place("88017"))
    # a circle turns once: what came out is not looked up again
    assert (await explained(t, "88117"))["callee"] == "88217"
    await t.ctl.ask("transform.set", name="loop", rules=["881:880"])
    cdr = await t.cdr(await caller.place("88117"))
    assert cdr["callee"] == "88017", cdr
    assert (await t.ctl.ask("transform.try", name="loop", number="8815"))["result"] == "8805"
    await t.ctl.ask("transform.set", name="loop", rules=["881*:8"], expressions="/^7+$//")
    assert (await explained(t, "88117"))["callee"] == "8"
    # nothing left, or too much
    await says(t, "777", "NumberInvalid", "leaves no number")
    await t.ctl.ask("transform.set", name="loop", rules=[":00000000"], expressions=None)
    assert (await explained(t, "8" * 32))["callee"] == "0" * 8 + "8" * 32
    await says(t, "8" * 33, "NumberInvalid", "leaves no number")
    for field, value, word in (("rules", ["12"], "no colon"), ("expressions", "/(/1/", "character"),
                               ("expressions", "/0/1/ /^(?:0|00|000)+[2-9]$/1/", "tries too much"),
                               ("expressions", "/0/$1/", "group"), ("expressions", "/0/x/", "replacement"),
                               ("expressions", "/(*UTF)0/1/", "verb"), ("expressions", "0:1", "/replacement/"),
                               ("expressions", "/a{60000}{60000}/1/", "character")):
        e = await refusal(t, "transform.set", name="loop", **{field: value})
        assert word in str(e) and field in str(e), e
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_transform="loop")
    assert "in_use" in str(await refusal(t, "transform.del", name="loop"))
    assert await refusal(t, "mapping-gateway.set", name="acme-in", callee_transform="none such")


async def test_lists_stop_numbers(t):
    """Black and white, caller and callee, of the customer and of a vendor; the system white list passes all."""
    caller, carrier = await t.plain()
    spare = await t.carrier("spare", 4)
    await t.vendor(spare, priority=20)
    await t.ctl.ask("number-list.add", name="bad")
    await t.ctl.ask("number-list.add", name="good")
    for number in ("88011", "88012", "666"):
        await t.ctl.ask("listed-number.add", list="bad", number=number)
    await t.ctl.ask("number-list.import", name="good", content="number\n88011\n\n88013\r\n")
    assert (await t.ctl.ask("number-list.show", name="bad"))["count"] == 3
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_black="bad", caller_black="bad")
    await says(t, "88011", "Blacklisted", "callee 88011 is on the black list bad")
    await says(t, "88013", "Blacklisted", "caller 666 is on the black list bad", caller="666")
    await t.cdr(await caller.place("880111"), routing_gateway="vendor")  # whole matches only
    await t.ctl.ask("whitelist.add", number="88011")
    await t.ctl.ask("whitelist.add", number="666")
    await t.cdr(await caller.place("88011", caller="666"))
    await says(t, "88012", "Blacklisted", "88012", caller="666")
    await t.ctl.ask("listed-number.del", key="bad/88012")
    await t.cdr(await caller.place("88012"))
    # a vendor's lists pass it over
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_black=None, caller_black=None)
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_white="good")
    await t.cdr(await caller.place("88013"), routing_gateway="vendor")
    cdr = await t.cdr(await caller.place("88014"), routing_gateway="spare")
    assert "white list good" in str(await t.ctl.ask("cdr.explain", id=cdr["id"]))
    on = await t.ctl.ask("listed-number.list", number="88011")
    assert {n["list"] for n in on} == {"bad", "good"}, on
    assert "in_use" in str(await refusal(t, "number-list.del", name="good"))
    await t.ctl.ask("number-list.del", name="bad")
    assert not await t.ctl.ask("listed-number.list", list="bad")
    e = await refusal(t, "number-list.import", name="good", content="88015\n88016\n88*1?\n88017\n")
    assert "line 3" in str(e), e
    assert (await t.ctl.ask("number-list.show", name="good"))["count"] == 2


async def test_prefixes_allow_and_forbid(t):
    """The longest prefix decides; of account, customer and vendor each."""
    caller, carrier = await t.plain()
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_deny=["8801", "880"], callee_allow=["88017"])
    await says(t, "88018", "DestinationForbidden", "callee_deny 8801")
    await says(t, "1234", "DestinationForbidden", "callee_allow")
    await t.cdr(await caller.place("880171"))
    await t.ctl.ask("account.set", id="acme", callee_deny=["880171"], caller_deny=["99"])
    await says(t, "880171", "DestinationForbidden", "880171")
    await says(t, "880172", "DestinationForbidden", "caller_deny 99", caller="991")
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_deny=["880172"])
    await says(t, "880172", "NoAvailableRouter", "callee_deny 880172")
    await t.cdr(await caller.place("880173"))
    for op, key in (("account.set", {"id": "acme"}), ("mapping-gateway.set", {"name": "acme-in"}),
                    ("routing-gateway.set", {"name": "vendor"})):
        e = await refusal(t, op, callee_allow=["44"], callee_deny=["44"], **key)
        assert "callee_deny" in str(e) and "44" in str(e), e


async def test_lengths_allow_and_forbid(t):
    """Of a customer's gateway 484 before any vendor, of a vendor's that vendor is passed over; both say which rule it was."""
    caller, _carrier = await t.plain()
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_lengths=["5", "7-9"], caller_lengths=["4"])
    await says(t, "880176", "NumberInvalid", "callee_lengths")
    await says(t, "8801712345", "NumberInvalid", "10 digits")
    await says(t, "88017", "NumberInvalid", "caller_lengths", caller="10011")
    for number in ("88017", "8801701", "880170123"):
        await t.cdr(await caller.place(number, caller="1001"))
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_lengths=None, caller_lengths=None)
    await t.ctl.ask("routing-gateway.set", name="vendor", callee_lengths=["6-40"])
    await says(t, "88017", "NoAvailableRouter", "callee_lengths")
    await t.cdr(await caller.place("880170"))
    for bad in ("x", "41", "9-7", "-3", "3-", "1.5", ""):
        for op, name in (("mapping-gateway.set", "acme-in"), ("routing-gateway.set", "vendor")):
            e = await refusal(t, op, name=name, callee_lengths=["5", bad])
            assert "callee_lengths" in str(e), (bad, e)


async def test_areas_name_numbers(t):
    caller, carrier = await t.plain()
    csv = 'prefix,name\n880,Bangladesh\n8801,"Bangladesh, mobile"\n1,Nordamerika ä\n'
    await t.ctl.ask("area.import", content=csv)
    cdr = await t.cdr(await caller.place("88017"))
    assert (cdr["callee_area"], cdr["caller_area"]) == ("Bangladesh, mobile", "Nordamerika ä"), cdr
    assert "Bangladesh, mobile" in str((await explained(t, "88017"))["steps"])
    assert (await t.ctl.ask("area.find", number="88029"))["area"] == "Bangladesh"
    for bad, word in (("1,A\n2,\n", "line 2"), ("1,A\n1,B\n", "line 2"), ("1,A\nx,B\n", "line 2"), ('1,"A\n', "line 1")):
        e = await refusal(t, "area.import", content=bad, mode="replace")
        assert word in str(e), (bad, e)
    assert len(await t.ctl.ask("area.list")) == 3
    await t.ctl.ask("area.set", prefix="8801", name="BD mobile")
    assert (await t.cdr(await caller.place("88018")))["callee_area"] == "BD mobile"
    await t.ctl.ask("area.del", prefix="8801")
    assert (await t.cdr(await caller.place("88018")))["callee_area"] == "Bangladesh"


async def test_phones_have_rules_and_lists(t):
    await t.phones_account()
    carrier = await t.carrier()
    await t.vendor(carrier)
    await t.ctl.ask("number-list.add", name="bad")
    await t.ctl.ask("listed-number.add", list="bad", number="88066")
    one = await t.phone("1001", 11, callee_rules=["00:"], callee_black="bad", callee_deny=["88077"])
    assert one
    for dialled, callee, verdict in (("0088055", "88055", "ok"), ("0088066", "88066", "Blacklisted"),
                                     ("88077", "88077", "DestinationForbidden")):
        told = await explained(t, dialled, gateway="1001")
        assert (told["callee"], told["verdict"]) == (callee, verdict), told


async def test_lists_outlive_a_restart(t):
    caller, carrier = await t.plain()
    await t.ctl.ask("number-list.add", name="bad")
    await t.ctl.ask("listed-number.add", list="bad", number="88011")
    await t.ctl.ask("area.add", prefix="880", name="Bangladesh")
    await t.ctl.ask("transform.add", name="all", applies="callee_in", rules=["00:"])
    await t.ctl.ask("mapping-gateway.set", name="acme-in", callee_black="bad")
    await t.switch.stop()
    await t.switch.start()
    await says(t, "0088011", "Blacklisted", "Bangladesh")


async def test_number_pairs(t):
    """A caller from outside is a number of ours, and a vendor is sent the outside number of a callee: whole numbers, behind the rules for
    callers and before those for callees. Calls and explain agree; kept price lists know which numbers are paired."""
    caller, carrier = await t.caller(), await t.carrier()
    await t.customer(caller, caller_rules=["0:44"], policy="cost")
    await t.vendor(carrier, callee_rules=["8809:77", "8:8"], cost_number="before")
    await t.ctl.ask("number-pair.add", number="88011", caller_in="447700900", callee_out="88099123")

    async def numbers(number, dialled):
        told = await explained(t, dialled, caller=number)
        cdr = await t.cdr(await caller.place(dialled, caller=number))
        leg = carrier.legs[-1]
        assert (leg.callee, leg.caller) == (cdr["callee_out"], cdr["caller_out"]), cdr
        assert f"sends {leg.callee} as {leg.caller}," in str(told["steps"]), told
        assert told["caller"] == cdr["caller"] and told["callee"] == cdr["callee"] == dialled, told
        return cdr["caller"], cdr["callee_out"]
    for round_ in range(2):
        assert await numbers("07700900", "88011") == ("88011", "779123"), round_
        assert await numbers("1001", "880112") == ("1001", "880112"), round_
        assert await numbers("1001", "8801") == ("1001", "8801"), round_
        assert await numbers("077009001", "88011") == ("4477009001", "779123"), round_
    await t.ctl.ask("number-pair.set", number="88011", callee_out="88055")
    assert await numbers("1001", "88011") == ("1001", "88055")
    await t.ctl.ask("number-pair.set", number="88011", caller_in=None, callee_out=None)
    assert await numbers("07700900", "88011") == ("447700900", "88011")
    await t.ctl.ask("number-pair.set", number="88011", caller_in="447700900")
    e = await refusal(t, "number-pair.add", number="88012", caller_in="447700900")
    assert e.data["field"] == "caller_in" and "447700900" in str(e), e.data
    assert [p["number"] for p in await t.ctl.ask("number-pair.list")] == ["88011"]
    await refusal(t, "number-pair.add", number="abc")
    await t.switch.restart()
    assert (await explained(t, "88011", caller="07700900"))["caller"] == "88011"
    await t.ctl.ask("number-pair.del", number="88011")
    assert (await explained(t, "88011", caller="07700900"))["caller"] == "447700900"


async def test_whose_numbers_a_section_has(t):
    """A prefix or FROM-TO: phones with all their numbers, number pairs, and the caller_allow of accounts and gateways."""
    await t.phones_account()
    caller = await t.caller()
    await t.account("other")
    await t.ctl.ask("mapping-gateway.add", name="other-in", account="other", address=[caller.ip], caller_allow=["4420", "4930123"])
    await t.ctl.ask("account.set", id="other", caller_allow=["44"])
    await t.phone("442071", 11, numbers=["442072", "33100"])
    await t.ctl.ask("number-pair.add", number="442071", caller_in="447700900", callee_out="447700900")
    await t.ctl.ask("number-pair.add", number="9000", callee_out="4420799")

    async def find(section, **more):
        return {(r["number"], r["kind"], r["name"], r["account"]) for r in await t.ctl.ask("number.find", section=section, **more)}
    wide = {("44", "account", "other", "other"), ("4420", "mapping-gateway", "other-in", "other")}
    assert await find("4420") == wide | {("442071", "phone", "442071", "acme"), ("442072", "phone", "442071", "acme"),
                                         ("4420799", "number-pair", "9000", None)}
    assert await find("442072-442075") == wide | {("442072", "phone", "442071", "acme")}
    assert await find("447700900") == {("44", "account", "other", "other"), ("447700900", "number-pair", "442071", "acme")}
    assert await find("9") == {("9000", "number-pair", "9000", None)}
    assert await find("331") == {("33100", "phone", "442071", "acme")}
    assert await find("1") == set()
    assert len(await find("4420", limit=2)) == 2
    for bad in ("", "44x", "45-44", "44-450", "1-", "-", "1" * 41):
        assert (await refusal(t, "number.find", section=bad)).data["field"] == "section", bad
