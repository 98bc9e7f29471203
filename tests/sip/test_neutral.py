"""The ends against a neutral third party: Debian's kamailio as a record-routing proxy between them. A
fault that shows here is the harness's own."""

import os
import shutil
import signal
import subprocess
import tempfile

from harness import net
from harness.plans import reject, silent_after
from harness.scene import scene
from harness.sip import Sdp
from harness.switch import die_with_parent
from harness.ua import Caller, Carrier
from harness.watch import poll

CONFIG = """
fork=no
children=1
log_stderror=yes
auto_aliases=no
listen=udp:{ip}:{port}
listen=tcp:{ip}:{port}
mpath="{modules}"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
request_route {{
  if (method == "CANCEL") {{ t_relay(); exit; }}
  if ($(tt{{s.len}}) > 0) {{ loose_route(); t_relay(); exit; }}
  if (method == "INVITE") {{ record_route(); }}
  $du = "sip:{vendor}";
  t_relay();
}}
"""
MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"


async def between(t):
    """caller - kamailio - carrier"""
    program = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
    if not program:
        raise AssertionError("no kamailio on this machine")
    ip = t.net.ip(1)
    port = net.free_port(ip)
    carrier = await Carrier("vendor", t.net.ip(3), t.wire).open()
    caller = await Caller("customer", t.net.ip(2), t.wire, (ip, port)).open()
    t.peers += [caller, carrier]
    with open(f"{t.folder}/kamailio.cfg", "w", encoding="ascii") as f:
        f.write(CONFIG.format(ip=ip, port=port, modules=MODULES, vendor=carrier.address))
    run = tempfile.mkdtemp(dir=t.folder)
    with open(f"{t.folder}/kamailio.log", "wb") as log:
        process = subprocess.Popen(
            [program, "-DD", "-E", "-f", f"{t.folder}/kamailio.cfg", "-Y", run, "-m", "64", "-M", "8"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent, start_new_session=True)
    t.media.append(Ended(process))

    async def answers():
        txn = caller.ask("OPTIONS", uri=f"sip:{carrier.address}")
        await caller.until(lambda: txn.final or process.poll() is not None, "kamailio", within=10)
        assert process.poll() is None, open(f"{t.folder}/kamailio.log", encoding="utf-8").read()[-2000:]
        return txn.final
    await poll(answers, "kamailio")
    return caller, carrier


class Ended:
    def __init__(self, process):
        self.process = process

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)  # its children too
        self.process.wait()


@scene(switch=False)
async def test_calls_through_a_proxy(t):
    """Answered with a re-INVITE each way and a BYE each way, busy, cancelled; over UDP and TCP."""
    caller, carrier = await between(t)
    carrier.on("486", reject(486)).on("180", silent_after(180))
    for flow in (None, await caller.tcp_flow()):
        number = "880" + ("1" if flow else "0")
        call = caller.invite(number, flow=flow)
        await call.expect(200)
        leg = await carrier.leg(number)
        await leg.ack()
        assert call.route and leg.route, "the proxy did not record its route"
        assert (await call.reinvite(Sdp(caller.ip, 40000, version=2))).code == 200
        if not flow:
            assert (await leg.reinvite(Sdp(carrier.ip, 50000, version=2))).code == 200
        await call.hang_up()
        await leg.ended_by_peer()
    await caller.invite("486").expect(486)
    call = caller.invite("180")
    await call.rings()
    call.cancel()
    await call.expect(487)
