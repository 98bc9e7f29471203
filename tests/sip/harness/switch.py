"""A switchd of our own: started, asked, stopped, killed and started again on the same data."""

import asyncio
import ctypes
import os
import re
import resource
import signal
import socket
import subprocess
import time

from .control import Control
from .watch import DEADLINE

READY_WITHIN = 60.0
SANITIZER = re.compile(
    rb"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """A test that is killed takes its switchd with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Switch:
    def __init__(self, binaries, folder, ip, port, workers=1, settings=(), media_ports="20000-29999"):
        self.binaries, self.folder, self.ip, self.port = binaries, folder, ip, port
        self.workers, self.settings, self.media_ports = workers, dict(settings), media_ports
        self.data = os.path.join(folder, "data")
        self.path = os.path.join(folder, "control.sock")
        self.log = os.path.join(folder, "switchd.log")
        self.process = self.ctl = None
        self.starts, self.started_at, self.ready_at = 0, None, None
        self.wrapper = []  # words in front of switchd, such as unshare
        self.extra = []    # and words behind all others
        os.makedirs(self.data, exist_ok=True)

    def command(self):
        listen = f"{self.ip}:{self.port}"
        words = self.wrapper + [
            os.path.join(self.binaries, "switchd"), "--data", self.data, "--control", self.path,
            "--listen", f"udp:{listen}", "--listen", f"tcp:{listen}", "--media", self.ip,
            "--workers", str(self.workers)]
        if self.media_ports:
            words += ["--media-ports", self.media_ports]
        for name, value in self.settings.items():
            words += ["--set", f"{name}={value}"]
        return words + self.extra

    async def start(self):
        """Runs until READY=1 came; an exit before that is reported with the log."""
        notify = os.path.join(self.folder, "notify.sock")
        if os.path.exists(notify):
            os.unlink(notify)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.setblocking(False)
            environment = dict(os.environ, NOTIFY_SOCKET=notify)
            environment.pop("WATCHDOG_USEC", None)
            self.started_at = time.monotonic()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=environment, preexec_fn=die_with_parent, start_new_session=True)
            self.starts += 1
            await self._wait_ready(ready)
        self.ready_at = time.monotonic()
        self.ctl = await Control(self.path).open()
        return self

    async def _wait_ready(self, ready):
        loop = asyncio.get_running_loop()
        end = loop.time() + READY_WITHIN
        while True:
            try:
                text = await asyncio.wait_for(loop.sock_recv(ready, 4096), 0.2)
                if b"READY=1" in text.split(b"\n"):
                    return
            except asyncio.TimeoutError:
                if self.process.poll() is not None:
                    raise AssertionError(f"switchd ended with {self.process.returncode} "
                                         f"before it was ready:\n{self.tail()}") from None
                assert loop.time() < end, f"switchd not ready after {READY_WITHIN:g} s:\n{self.tail()}"

    def kill(self):
        """SIGKILL, as a power cut would for the process. Returns a moment when it is certainly gone: on a
        busy machine it may have gone on for a while after anything that we could note before."""
        self.process.kill()
        self.process.wait()
        self._forget()
        return time.monotonic()

    async def stop(self, within=30.0):
        """SIGTERM; the process must end by itself with status 0."""
        self._forget()
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(asyncio.to_thread(self.process.wait), within)
        assert status == 0, f"switchd ended with {status} after SIGTERM:\n{self.tail()}"

    async def restart(self):
        await self.stop()
        return await self.start()

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def _forget(self):
        if self.ctl:
            self.ctl.close()
            self.ctl = None

    def discard(self):
        """Whatever state it is in: gone."""
        self._forget()
        if self.running:
            self.process.kill()
            self.process.wait()

    def tail(self, lines=40):
        with open(self.log, "rb") as f:
            return b"\n".join(f.read().split(b"\n")[-lines:]).decode(errors="replace")

    def complaints(self):
        """Lines of sanitizers and failed assertions in the log."""
        with open(self.log, "rb") as f:
            return [line.decode(errors="replace") for line in f if SANITIZER.search(line)]

    async def cli(self, *words, within=DEADLINE, path=None):
        """switchctl as an operator runs it: (exit status, stdout, stderr)."""
        command = [os.path.join(self.binaries, "switchctl"), "-s", path or self.path, *words]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE)
        out, err = await asyncio.wait_for(process.communicate(), within)
        return process.returncode, out.decode(), err.decode()
