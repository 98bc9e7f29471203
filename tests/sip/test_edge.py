"""A proxy of others before the switch: phones register and call through Debian's kamailio, which adds Path (RFC 3327) and
Record-Route; what it does to the messages is its own affair."""

import os
import shutil
import subprocess
import tempfile

from harness import net, sip
from harness.phone import registered
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.switch import die_with_parent
from harness.watch import poll
from test_neutral import MODULES, Ended

CONFIG = """
fork=no
children=1
log_stderror=yes
auto_aliases=no
listen=udp:{ip}:{port}
mpath="{modules}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "path.so"
modparam("rr", "enable_full_lr", 1)
request_route {{
  if (method == "CANCEL") {{ t_relay(); exit; }}
  if ($(tt{{s.len}}) > 0) {{ loose_route(); t_relay(); exit; }}
  if (method == "OPTIONS" && uri == myself) {{ sl_send_reply("200", "OK"); exit; }}
  if (method == "REGISTER") {{ add_path(); $du = "sip:{switch}"; t_relay(); exit; }}
  if (method == "INVITE") {{ record_route(); }}
  if ($si == "{switch_ip}") {{ loose_route(); }} else {{ $du = "sip:{switch}"; }}
  t_relay();
}}
"""


async def edge(t):
    """The proxy: its (ip, port)."""
    program = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
    assert program and os.path.exists(f"{MODULES}path.so"), "no kamailio with its path module on this machine"
    ip = t.net.ip(9)
    port = net.free_port(ip)
    with open(f"{t.folder}/kamailio.cfg", "w", encoding="ascii") as f:
        f.write(CONFIG.format(ip=ip, port=port, modules=MODULES, switch=f"{t.switch.ip}:{t.switch.port}",
                              switch_ip=t.switch.ip))
    run = tempfile.mkdtemp(dir=t.folder)
    with open(f"{t.folder}/kamailio.log", "wb") as log:
        process = subprocess.Popen(
            [program, "-DD", "-E", "-f", f"{t.folder}/kamailio.cfg", "-Y", run, "-m", "64", "-M", "8"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, start_new_session=True)
    t.media.append(Ended(process))
    asker = await t.caller("asker", last=8)
    asker.home = (ip, port)

    async def answers():
        txn = asker.ask("OPTIONS", uri=f"sip:{ip}:{port}", flow=asker.udp.to((ip, port)))
        await asker.until(lambda: txn.final or process.poll() is not None, "kamailio", within=10)
        assert process.poll() is None, open(f"{t.folder}/kamailio.log", encoding="utf-8").read()[-2000:]
        return txn.final
    await poll(answers, "kamailio")
    return ip, port


async def behind(t, place, number, last):
    """A phone that speaks with the proxy alone, and with the switch through it."""
    phone = await t.phone(number, last)
    phone.home = place
    flow = phone.udp.to(place)
    answer = await phone.register(headers=[("Supported", "path")], flow=flow)
    assert answer.get("Path").startswith(f"<sip:{place[0]}:{place[1]}"), answer.get("Path")
    return phone, flow


@scene(idle=True)
async def test_phones_behind_kamailio(t):
    """Register, call each other and a vendor, change the call from both sides, hang up from both sides: every request of the switch goes
    through the proxy by the Path and the Record-Route that it gave, and nothing else reaches a phone."""
    await t.phones_account()
    place = await edge(t)
    first, flow = await behind(t, place, "1001", 11)
    second, _ = await behind(t, place, "1002", 12)
    assert (await registered(t, "1002"))[0]["path"].startswith(f"<sip:{place[0]}:{place[1]}")
    ear, mouth = t.keep(Media(first.ip, "first")), t.keep(Media(second.ip, "second"))

    async def plan(leg):
        leg.sdp = Sdp(second.ip, mouth.port, (8, 101))
        leg.reply(180)
        leg.accept()
    second.plan = plan
    call = first.call("1002", flow=flow, sdp=Sdp(first.ip, ear.port, (8, 101)))
    await call.expect(200)
    leg = await second.leg()
    await leg.ack()
    assert leg.invite.all("Record-Route") and len(leg.invite.all("Via")) == 2
    assert call.route and str(place[1]) in call.route[0]
    ear.aim(call.remote_sdp)
    mouth.aim(leg.remote_sdp)
    await ear.talk(10)
    await mouth.heard(ear, 10)
    await mouth.talk(10)
    await ear.heard(mouth, 10)
    assert (await call.reinvite(Sdp(first.ip, ear.port, (8, 101), version=2, direction="sendonly"))).code == 200
    assert (await leg.reinvite(Sdp(second.ip, mouth.port, (8, 101), version=2))).code == 200
    assert leg.reinvites and call.reinvites
    assert sip.param(leg.reinvites[0].get("To"), "tag") == leg.tag
    await leg.hang_up()
    await call.ended_by_peer()
    await t.cdr(call, reason="CalleeHangup", caller_phone="1001", callee_phone="1002")
    carrier = await t.carrier()
    await t.vendor(carrier)
    call = first.call("88017", flow=flow)
    await call.expect(200)
    leg = carrier.legs[0]
    await leg.ack()
    assert not leg.invite.all("Record-Route") and len(leg.invite.all("Via")) == 1
    await leg.hang_up()
    await call.ended_by_peer()
    call = second.call("1001", flow=second.udp.to(place))
    await call.rings()
    await call.expect(200)
    await call.hang_up()
    await (await first.leg()).ended_by_peer()
