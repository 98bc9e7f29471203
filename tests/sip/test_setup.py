"""switch-setup: the same machine from a file and from screens, below a root of its own, with a real
switch; what is wrong is said where it is wrong; what was interrupted goes on and is done once."""

import asyncio
import contextlib
import fcntl
import os
import signal
import tempfile

from harness.scene import scene
from harness.terminal import Terminal
from harness.watch import poll

PASSWORD = "correct Horse 7"
STATE = "var/lib/tandem-setup"


def setup(t):
    """The words of switch-setup against this test's switch and root."""
    t.root = os.path.join(t.folder, "root")
    os.makedirs(t.root, exist_ok=True)
    return [os.path.join(t.binaries, "switch-setup"), "--root", t.root, "--control", t.switch.path]


def path(t, name):
    return os.path.join(t.root, name.lstrip("/"))


def read(t, name):
    with open(path(t, name), encoding="utf-8") as f:
        return f.read()


def there(t, name):
    return os.path.exists(path(t, name))


async def run(words, *more, within=60, given=b""):
    process = await asyncio.create_subprocess_exec(
        *words, *more, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)
    out, err = await asyncio.wait_for(process.communicate(given), within)
    return process.returncode, out.decode(), err.decode()


async def hash_of(t, password=PASSWORD):
    status, out, err = await run([setup(t)[0], "--hash-password"], given=password.encode() + b"\n")
    assert status == 0, err
    return out.strip()


async def answers(t, *lines, name="tandem.conf", base=True):
    """A file of answers for this test's switch; its path."""
    text = []
    if base:
        text = [f"ipv4 = {t.switch.ip}/8", "interface = eth0", f"sip_port = {t.switch.port}",
                f"admin_password_hash = {await hash_of(t)}"]
    file = os.path.join(t.folder, name)
    with open(file, "wb") as f:
        for line in [*text, *lines]:
            f.write(line if isinstance(line, bytes) else line.encode() + b"\n")
    return file


MARKET = [
    "ctl = rate-group add name=wholesale",
    "ctl = rate add group=wholesale prefix=880 price=0.0123 unit=60 first=1 step=1",
    'ctl = switchctl account add id=acme name="Acme Telecom" limit_money=0 rate_group=wholesale',
    "ctl = account recharge acme amount=10 memo='wire 4711'",
    "ctl = mapping-gateway add name=acme-in account=acme address=127.0.0.1",
]


async def balance(t, account="acme"):
    return (await t.ctl.ask("account.show", id=account))["balance"]


async def unattended(t, file=None, status=0, within=200):
    words = ["--unattended"] + (["--answers", file] if file else [])
    got, out, err = await run(setup(t), *words, within=within)
    assert got == status, f"exit {got}, should be {status}\n{out}{err}"
    t.audit = False  # its payments are not in the books of the stage
    return out + err


async def test_a_machine_is_set_up_from_a_file(t):
    """Files, parameters, customer and rates; a second run changes nothing and pays nothing twice."""
    file = await answers(t, "hostname = sw1.example.net", "timezone = America/Bogota", "lines = 500",
                         "profile = wholesale-termination", "ssh_port = 2200", *MARKET)
    out = await unattended(t, file)
    assert "the set-up is done" in out and "UNLICENSED" in out
    assert read(t, "/etc/hostname") == "sw1.example.net\n"
    assert os.readlink(path(t, "/etc/localtime")) == "../usr/share/zoneinfo/America/Bogota"
    assert f"IPADDR={t.switch.ip}\n" in read(t, "/etc/sysconfig/network-scripts/ifcfg-eth0")
    assert f"--listen udp:{t.switch.ip}:{t.switch.port} " in read(t, "/etc/tandem/switchd.env")
    assert f"--listen tls:{t.switch.ip}:5061 " in read(t, "/etc/tandem/switchd.env")
    assert "BEGIN CERTIFICATE" in read(t, "/etc/tandem/tls/switch.crt")
    assert os.stat(path(t, "/etc/tandem/tls/switch.key")).st_mode & 0o777 == 0o640
    assert "Port 2200\n" in read(t, "/etc/ssh/sshd_config.d/00-tandem-setup.conf")
    assert "scrypt" not in read(t, "/etc/tandem/tandem.conf")
    assert os.stat(path(t, "/etc/tandem/admin.hash")).st_mode & 0o777 == 0o600
    for name, value in (("SS_MAX_CONCURRENT_CALL", "500"), ("SERVER_BILLING_FEE_PRECISION", "4"),
                        ("SERVER_BILLING_HOLD_TIME_PRECISION", "50"),
                        ("SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME", "3")):
        assert (await t.ctl.ask("parameter.show", name=name))["value"] == value, name
    assert (await t.ctl.ask("account.show", id="acme"))["name"] == "Acme Telecom"
    assert await balance(t) == "10"
    assert there(t, f"{STATE}/done") and not there(t, f"{STATE}/answers.conf")

    again = await unattended(t, file)
    assert "wrote" not in again and await balance(t) == "10"
    # Another answer makes it another set-up: all lines run again, and still nothing is paid twice.
    more = await answers(t, "lines = 501", *MARKET, "ctl = account recharge acme amount=5")
    again = await unattended(t, more)
    assert again.count("is there already") == 4, again
    assert await balance(t) == "15"


async def test_the_first_customer_s_call_passes(t):
    """What the file entered carries a call."""
    caller, carrier = await t.caller(), await t.carrier()
    file = await answers(
        t, *MARKET[:4], f"ctl = mapping-gateway add name=in account=acme address={caller.ip}",
        f"ctl = routing-gateway add name=out address={carrier.address} prefix=880 media_relay=off")
    await unattended(t, file)
    result = await t.ctl.ask("route.explain", gateway="in", caller="1001", callee="8801712345678")
    assert "out" in str(result), result


async def test_what_is_wrong_with_a_file_is_said_by_line_and_nothing_is_done(t):
    bad = await answers(t, "sip_port = 99999", "nosuch = 1", "nonsense", "hostname = -x", "hostname = a",
                        'ctl = account add "id', base=False)
    out = await unattended(t, bad, status=2)
    for words in ('line 1: sip_port: ', 'given: "99999"; accepted: 1024 to 65535',
                  'line 2: there is no such key (given: "nosuch"', "line 3: there is no = ",
                  "line 4: hostname: ", "line 6: ctl: "):
        assert words in out, (words, out)
    status, out, err = await run(setup(t), "--check", bad)
    assert status == 2 and "line 4" in out + err
    assert os.listdir(t.root) == ["var"] and not there(t, f"{STATE}/answers.conf")


async def test_hostile_files_are_refused(t):
    """Nothing crashes, nothing is written, and a terminal is sent nothing of what the file holds."""
    rude = b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xae"
    cases = {
        "large": [b"# " + b"x" * (300 * 1024)],
        "long line": [b"hostname = " + b"a" * 20000 + b"\n"],
        "binary": [bytes(range(256)) * 64],
        "nul": [b"hostname = a\0b\n"],
        "escapes": [b"hostname = " + rude + b"\n", rude + b" = 1\n", rude + b"\n"],
        "many faults": [b"x\n" * 100000],
        "paths": ["timezone = ../../../etc/shadow", "interface = ../x", "licence = ../../etc/shadow",
                  "disk = /dev/../etc/passwd"],
        "key options": ['ssh_key = command="sh" ssh-ed25519 AAAA'],
    }
    for name, lines in cases.items():
        file = await answers(t, *lines, base=False)
        status, out, err = await run(setup(t), "--unattended", "--answers", file)
        assert status in (1, 2), (name, status, out, err)
        assert err and len(err) < 20000 and "\x1b" not in err and "\u202e" not in err, (name, err)
        assert not there(t, "/etc"), name
    await unattended(t, "/dev/zero", status=1)
    await unattended(t, t.folder, status=1)


async def test_words_of_a_command_line_reach_no_shell(t):
    mark = os.path.join(t.folder, "mark")
    file = await answers(t, "ctl = rate-group add name=a memo=\"$(touch %s) `touch %s`; touch %s\"" %
                         (mark, mark, mark))
    await unattended(t, file)
    assert (await t.ctl.ask("rate-group.show", name="a"))["memo"].startswith("$(touch ")
    assert not os.path.exists(mark)
    # An option of switchctl's is a word like any other there.
    await unattended(t, await answers(t, "ctl = -s /tmp/other status show"), status=1)


async def test_nobody_is_locked_out(t):
    file = await answers(t, f"ipv4 = {t.switch.ip}/8", "interface = eth0", base=False)
    assert "nobody could log in" in await unattended(t, file, status=1)
    assert not there(t, "/etc")


async def test_a_command_that_fails_stops_the_set_up_and_can_be_put_right(t):
    file = await answers(t, *MARKET[:4], "ctl = mapping-gateway add name=in account=nobody address=1.2.3.4")
    out = await unattended(t, file, status=1)
    assert "line 9: " in out and "nobody" in out, out
    assert not there(t, f"{STATE}/done")
    await unattended(t, await answers(t, *MARKET))
    assert there(t, f"{STATE}/done") and await balance(t) == "10"


@scene(within=120)
async def test_a_set_up_that_was_killed_goes_on_and_pays_once(t):
    """SIGKILL in the middle of the lines; what runs next needs no file and repeats nothing."""
    lines = list(MARKET[:3])
    for i in range(20):
        lines += [f"ctl = account recharge acme amount=1 memo={i}",
                  f"ctl = rate add group=wholesale prefix=9{i:02} price=0.01"]
    file = await answers(t, *lines)
    for floor in (5, 20):
        words = ["--unattended"] + (["--answers", file] if floor == 5 else [])
        process = await asyncio.create_subprocess_exec(*setup(t), *words,
                                                       stdout=asyncio.subprocess.DEVNULL)

        async def far_enough(floor=floor):
            text = read(t, f"{STATE}/state") if there(t, f"{STATE}/state") else ""
            return any(line.startswith("commands=") and int(line[9:]) >= floor
                       for line in text.split("\n"))
        await poll(far_enough, f"{floor} commands done", within=60, every=0.001)
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        assert not there(t, f"{STATE}/done")
    await unattended(t)
    assert await balance(t) == "20" and there(t, f"{STATE}/done")
    assert len(await t.ctl.ask("payment.list", account="acme", limit=100)) == 20


async def test_answers_come_by_http(t):
    """Plain GET, with limits; anything but the file itself is refused."""
    with open(await answers(t, "hostname = fetched", *MARKET), "rb") as f:
        good = f.read()
    replies = iter([b"HTTP/1.0 404 Not Found\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n" + b"#" * 400000,
                    b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(good) + good])
    asked = []

    async def serve(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(next(replies))
        try:
            await writer.drain()
        except ConnectionError:
            pass  # it hung up at its limit
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/site/1.conf"
    async with server:
        await unattended(t, url, status=1)
        assert not there(t, "/etc")
        await unattended(t, url, status=1)
        await unattended(t, url)
    assert asked[0].startswith(b"GET /site/1.conf HTTP/1.0\r\n") and len(asked) == 3
    assert read(t, "/etc/hostname") == "fetched\n" and await balance(t) == "10"


# --- screens ---------------------------------------------------------------------------------------


async def through_machine(t, term):
    await term.see("Press Enter to begin")
    term.press("enter")
    await term.see("Machine and network")
    term.press("clear")
    term.press("sw2")
    term.press("tab", "tab", "tab", "clear")
    term.press("eth0")
    term.press("tab", "clear")
    term.press("10.0.0.1")
    term.press("save")
    await term.see("ipv4 does not accept this value")
    term.press("clear")
    term.press(f"{t.switch.ip}/8")
    term.press("save")


async def through_ports(t, term):
    await term.see("SIP and media ports", "need 8000 media ports")
    term.press("clear")
    term.press(str(t.switch.port))
    term.press("tab", "tab", "clear")
    term.press("20000-20999")
    await term.see("7000 are missing")
    term.press("save")
    await term.see("Too few media ports")
    term.press("esc")
    await term.see("7000 ports are missing")
    term.press("clear")
    term.press("20000-29999")
    await term.see("are 10000.")
    term.press("save")


async def through_administrator(term):
    await term.see("Administrator", "password again")
    term.press("short")
    term.press("save")
    await term.see("the password is shorter than 10 characters")
    term.press("clear")
    term.press(PASSWORD)
    term.press("tab")
    term.press(PASSWORD + "x")
    term.press("save")
    await term.see("the passwords differ")
    term.press("backspace", "save")


async def through_licence_and_profile(term):
    await term.see("Licence", "UNLICENSED")
    term.press("/nonexistent")
    term.press("save")
    await term.see("cannot be read")
    term.press("clear")
    term.press('{"customer":1}')
    term.press("save")
    await term.see("! ")
    term.press("clear", "save")
    await term.see("Business model", "fees to 4 decimals")
    term.press("right")
    await term.see("Wholesale origination", "5 min of talk")
    term.press("save")


async def fill(term, title, *values):
    """Opens the selected form and types from its first field on; None leaves a field as it is."""
    term.press("enter")
    await term.see(title, "[ Save ]")
    for i, value in enumerate(values):
        if i:
            term.press("tab")
        if value is not None:
            term.press("clear")
            term.press(value)
    term.press("save")
    await term.see("Customer, vendor and rates")


async def to_market(t, term):
    await through_machine(t, term)
    await through_ports(t, term)
    await through_administrator(term)
    await through_licence_and_profile(term)
    await term.see("Done: 3 of 3 passed", within=60)
    term.press("q")
    await term.see("Customer, vendor and rates")


@scene(within=180)
async def test_a_guided_set_up_from_the_first_page_to_the_last(t):
    """Every page, with what is wrong put right at its field; left in the middle and gone on with."""
    t.audit = False
    async with Terminal(setup(t)) as term:
        await to_market(t, term)
        await fill(term, "Customer's price list", "retail")
        await fill(term, "Customer's rate", None, "880", "0.0123")
        term.press("enter")
        await term.see("Customer's account", "[ Save ]")
        term.press("acme")
        term.press("tab", "tab", "tab", "tab", "tab", "clear")
        term.press("nosuch")
        term.press("save")
        await term.see("! ")  # the switch itself refuses it, at the field
        term.press("clear")
        term.press("retail")
        term.press("save")
        await term.see("Customer, vendor and rates")
        await fill(term, "Customer's first payment", None, "12.5")
        await fill(term, "Customer's gateway", "acme-in", None, None, t.net.ip(2))
        term.kill()
    assert read(t, "/etc/hostname") == "sw2\n"
    assert "--media-ports 20000-29999\n" in read(t, "/etc/tandem/switchd.env")
    assert PASSWORD not in read(t, f"{STATE}/guide")
    assert await balance(t) == "12.5"

    async with Terminal(setup(t)) as term:
        await term.see("Customer, vendor and rates", " 5  Customer's gateway              1")
        for _ in range(5):
            term.press("down")
        await fill(term, "Vendor's price list", "carrier")
        await fill(term, "Vendor's rate", None, "880", "0.0071")
        await fill(term, "Vendor's account", "carrier")
        await fill(term, "Vendor's gateway", "carrier-a", None, f"{t.net.ip(3)}:5060")
        term.press("n")
        await term.see("Go-live test", "test_number")
        term.press("right", "save")  # no test now
        await term.see("Not proved")
        term.press("right", "enter")
        await term.see("Ready", "not passed", "UNLICENSED")
        term.press("enter")
        assert await term.ended() == 0, term.status
    assert there(t, f"{STATE}/done") and not there(t, f"{STATE}/guide"), os.listdir(path(t, STATE))
    assert (await t.ctl.ask("account.show", id="carrier"))["kind"] == "clearing"
    result = await t.ctl.ask("route.explain", gateway="acme-in", caller="1", callee="8801712345678")
    assert "carrier-a" in str(result), result
    async with Terminal(setup(t)) as term:
        assert await term.ended() == 0  # done is done: the console goes on to the operator's


@scene(within=120)
async def test_the_keyboard_opens_no_way_out(t):
    """What would stop, end or shell out elsewhere is nothing here."""
    t.audit = False
    async with Terminal(setup(t)) as term:
        await term.see("Press Enter to begin")
        term.press("suspend", "quit", "eof", "!", ":", "z", "interrupt")
        await term.see("Leave the set-up?")
        term.press("interrupt", "enter")
        await term.see("Machine and network", "hostname")
        term.press("suspend", "quit", "f1")
        await term.see("Nothing on the keyboard stops this program")
        term.press("esc")
        term.press("!sh\r")
        await term.see("Machine and network", "tandem!sh")
        assert term.status is None


@scene(within=120)
async def test_two_consoles_do_not_set_up_at_once(t):
    t.audit = False
    async with Terminal(setup(t)) as one, Terminal(setup(t)) as two:
        await one.see("Press Enter to begin")
        await two.see("Press Enter to begin")
        one.press("enter")
        await one.see("Machine and network")
        two.press("enter")
        await two.see("going on at another console")
        one.kill()
        await two.see("Machine and network")


@contextlib.asynccontextmanager
async def only_one():
    """The ends of the go-live test that switch-setup runs have fixed addresses: one run at a time."""
    with open(os.path.join(tempfile.gettempdir(), "tandem-golive.lock"), "w", encoding="ascii") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield


@scene(within=480, heavy=True)
async def test_the_go_live_test_decides_whether_it_is_done(t):
    """A customer with a vendor passes and leaves a record; without a way out for what is sold it fails,
    is not done, and goes on there when that was put right."""
    async with only_one():
        await decides_whether_it_is_done(t)


async def decides_whether_it_is_done(t):
    t.audit = False
    t.excused.append("not from the switch")  # the test asks the vendor itself, by OPTIONS
    carrier = await t.carrier()
    out = await unattended(t, await answers(t, "golive = yes", "lines = 20", *MARKET), status=1)
    assert "not passed: 1 tests failed" in out and "NoAvailableRouter" in out, out
    assert not there(t, f"{STATE}/done")
    records = [n for n in os.listdir(path(t, STATE)) if n.startswith("golive-")]
    assert sorted(n.rsplit(".", 1)[1] for n in records) == ["html", "txt"], records
    out = await unattended(t, await answers(
        t, "golive = yes", "lines = 20", *MARKET,
        f"ctl = routing-gateway add name=out address={carrier.address} prefix=880"))
    assert "the set-up is done" in out and there(t, f"{STATE}/done")
    assert len([n for n in os.listdir(path(t, STATE)) if n.endswith(".html")]) == 2
    left = await t.ctl.ask("routing-gateway.list")
    assert [g["name"] for g in left] == ["out"], left


@scene(within=480, heavy=True)
async def test_a_guided_set_up_ends_with_a_proof(t):
    """Forms that begin with a file; the go-live test on its page; the record on the last one."""
    async with only_one():
        await ends_with_a_proof(t)


async def ends_with_a_proof(t):
    t.audit = False
    t.excused.append("not from the switch")
    carrier = await t.carrier()
    file = await answers(t, "lines = 20", *MARKET,
                         f"ctl = routing-gateway add name=out address={carrier.address} prefix=880")
    async with Terminal([*setup(t), "--answers", file]) as term:
        await term.see("Press Enter to begin", "UNLICENSED")
        term.press("enter")
        for title in ("Machine and network", "SIP and media ports", "Administrator", "Licence",
                      "Business model"):
            await term.see(title)
            term.press("save")
        await term.see("Done: 3 of 3 passed", within=60)
        term.press("q")
        await term.see("Customer, vendor and rates")
        term.press("n")
        await term.see("Go-live test", "test_number")
        term.press("save")
        await term.see("Ready", "passed", within=200)
        assert "not passed" not in term.text, term.text
        term.press("r")
        await term.see("Deployment record")
        term.press("esc", "enter")
        assert await term.ended() == 0
    assert there(t, f"{STATE}/done")
