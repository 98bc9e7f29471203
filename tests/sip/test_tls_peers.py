"""TLS with programs of others: Debian's kamailio on both sides of the switch, and baresip as a customer."""

import os
import shutil
import subprocess
import tempfile
import wave

from harness import net
from harness.plans import answer, reject, silent_after
from harness.rtp import Media
from harness.scene import scene
from harness.sip import Sdp
from harness.switch import die_with_parent
from harness.tls import Secure
from harness.watch import poll
from test_neutral import MODULES, Ended

CONFIG = """
fork=no
children=1
log_stderror=yes
auto_aliases=no
enable_tls=yes
tcp_source_ipv4={ip}
listen=udp:{ip}:{port}
listen=tls:{ip}:{tls}
mpath="{modules}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
request_route {{
  if (method == "CANCEL") {{ t_relay(); exit; }}
  if ($(tt{{s.len}}) > 0) {{ loose_route(); t_relay(); exit; }}
  if (method == "INVITE") {{ record_route(); }}
  if (proto == TLS) {{ $du = "sip:{vendor}"; }} else {{ $du = "sip:{switch};transport=tls"; }}
  t_relay();
}}
"""
TLS = """
[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {own.key}
certificate = {own.path}
ca_list = {root.path}
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = {own.key}
certificate = {own.path}
ca_list = {root.path}
"""


async def kamailio(t, s, ip, carrier):
    """Relays what comes by UDP to the switch by TLS, and what comes by TLS to the carrier by UDP; it asks
    for certificates both ways: (UDP port, TLS port, its certificate)."""
    program = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
    assert program and os.path.exists(f"{MODULES}tls.so"), "no kamailio with TLS on this machine"
    own = s.root.issue("kamailio", f"IP:{ip}")
    port, tls = net.free_port(ip), net.free_port(ip)
    with open(f"{t.folder}/tls.cfg", "w", encoding="ascii") as f:
        f.write(TLS.format(own=own, root=s.root))
    with open(f"{t.folder}/kamailio.cfg", "w", encoding="ascii") as f:
        f.write(CONFIG.format(ip=ip, port=port, tls=tls, modules=MODULES, folder=t.folder,
                              vendor=carrier.address, switch=f"{s.ip}:{s.port}"))
    run = tempfile.mkdtemp(dir=t.folder)
    with open(f"{t.folder}/kamailio.log", "wb") as log:
        process = subprocess.Popen(
            [program, "-DD", "-E", "-f", f"{t.folder}/kamailio.cfg", "-Y", run, "-m", "64", "-M", "8"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, start_new_session=True)
    t.media.append(Ended(process))

    async def listens():
        assert process.poll() is None, open(f"{t.folder}/kamailio.log", encoding="utf-8").read()[-2000:]
        try:
            _reader, writer = await net.asyncio.open_connection(ip, tls)
        except OSError:
            return False
        writer.close()
        return True
    await poll(listens, "kamailio")
    return port, tls, own


@scene(start=False)
async def test_kamailio_on_both_sides(t):
    """caller - kamailio = switch = kamailio - carrier, where = is TLS with certificates of both sides:
    answered with media and re-INVITEs, busy, cancelled."""
    s = Secure(t)
    await t.switch.start()
    caller, carrier, ip = await t.caller(), await t.carrier(), t.net.ip(5)
    port, tls, own = await kamailio(t, s, ip, carrier)
    caller.home = carrier.home = (ip, port)
    caller.switch = (ip, port)
    await t.customer(caller, address=[ip], transport="tls", tls_pin=[own.pin])
    await t.vendor(carrier, transport="tls", address=[f"{ip}:{tls}"])
    carrier.on("880486", reject(486)).on("880180", silent_after(180))
    near, far = t.keep(Media(caller.ip, "near")), t.keep(Media(carrier.ip, "far"))
    carrier.plan = answer(sdp=Sdp(far.ip, far.port, payloads=(8, 101)))
    call = caller.invite("8801", sdp=Sdp(near.ip, near.port))
    await call.expect(200)
    leg = await carrier.leg("8801")
    await leg.ack()
    near.aim(call.remote_sdp)
    far.aim(leg.remote_sdp)
    await near.talk(3)
    await far.talk(3)
    await near.heard(far, 3)
    await far.heard(near, 3)
    assert (await call.reinvite(Sdp(near.ip, near.port, version=2))).code == 200
    assert (await leg.reinvite(Sdp(far.ip, far.port, payloads=(8, 101), version=2))).code == 200
    await leg.hang_up()
    await call.ended_by_peer()
    await t.billed(call, leg)
    await caller.invite("880486").expect(486)
    call = caller.invite("880180")
    await call.rings()
    call.cancel()
    await call.expect(487)


BARESIP = """
poll_method epoll
sip_listen {ip}:0
sip_cafile {root}
sip_verify_server yes
net_interface {ip}
audio_source aufile,{folder}/tone.wav
audio_player aubridge,nobody
audio_alert aubridge,nobody
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module aufile.so
module_app account.so
module_app menu.so
"""


@scene(start=False)
async def test_baresip_as_a_customer(t):
    """A phone's call by TLS: its tone is heard behind the switch, and the hang-up from there ends it."""
    s = Secure(t)
    await t.switch.start()
    carrier, ip = await t.carrier(), t.net.ip(6)
    far = t.keep(Media(carrier.ip, "far"))
    carrier.plan = answer(sdp=Sdp(far.ip, far.port, payloads=(8, 101)))
    phone = await t.caller("phone", last=6)  # its connections come from the kernel's choice of address
    await t.customer(phone, transport="tls", address=["127.0.0.1"])
    await t.vendor(carrier)
    folder = tempfile.mkdtemp(dir=t.folder)
    host = f"{s.ip}:{s.port}"
    with open(f"{folder}/config", "w", encoding="ascii") as f:
        f.write(BARESIP.format(ip=ip, root=s.root.path, folder=folder))
    with open(f"{folder}/accounts", "w", encoding="ascii") as f:
        f.write(f"<sip:1001@{host};transport=tls>;regint=0;audio_codecs=PCMA\n")
    open(f"{folder}/contacts", "w", encoding="ascii").close()
    with wave.open(f"{folder}/tone.wav", "wb") as f:
        f.setparams((1, 2, 8000, 0, "NONE", ""))
        f.writeframes(bytes(range(256)) * 1000)
    with open(f"{t.folder}/baresip.log", "wb") as log:
        process = subprocess.Popen(
            ["baresip", "-f", folder, "-e", f"/dial sip:8801@{host};transport=tls"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, start_new_session=True)
    t.media.append(Ended(process))
    leg = await carrier.leg("8801")
    await leg.ack()
    await far.until(lambda: len(far.packets) >= 5, "its tone")
    assert {len(p) for p, _ in far.packets} == {160}
    await leg.hang_up()
    await t.books.settled()
    cdr, = await t.ctl.ask("cdr.list")
    assert cdr["reason"] == "CalleeHangup" and cdr["caller_ip"] == "127.0.0.1", cdr
