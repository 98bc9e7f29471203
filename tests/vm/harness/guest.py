"""The switch inside a machine, in the shape that tests/sip knows a switchd in: asked, cut off, started
again; and the two ways in: the root shell of the test boot, and SSH as an operator has it."""

import asyncio
import json
import os
import shlex
import subprocess
import time

from harness.control import Refused
from harness.machine import PULSE, stands_still
from harness.serial import Gone
from harness.watch import poll

READY = r"Started switchd\.service"
SET_UP = r"(Finished|Failed to start) tandem-setup\.service"
SILENT_FOR = 900.0  # a guest that says nothing for so long has stopped
SET_UP_WITHIN = 1800.0
ASK_WITHIN = 300.0


class Ssh:
    """One connection to the guest that all commands share."""

    def __init__(self, folder, ip, port, user="admin"):
        self.folder, self.ip, self.port, self.user = folder, ip, port, user
        self.key = os.path.join(folder, "id_ed25519")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vm-test", "-f", self.key], check=True)
        with open(self.key + ".pub", encoding="ascii") as f:
            self.public = f.read().strip()

    def words(self, *options):
        return ["ssh", "-i", self.key, "-p", str(self.port), "-o", "StrictHostKeyChecking=accept-new",
                "-o", f"UserKnownHostsFile={self.folder}/known_hosts", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                "-o", "ControlMaster=auto", "-o", f"ControlPath={self.folder}/ssh", "-o", "ControlPersist=60",
                "-o", "ConnectTimeout=60", "-o", "ServerAliveInterval=15", *options, f"{self.user}@{self.ip}"]

    def run(self, *command, within=ASK_WITHIN):
        """(exit status, stdout, stderr) of a program in the guest."""
        done = subprocess.run([*self.words(), shlex.join(command)], capture_output=True, text=True, timeout=within,
                              stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout, done.stderr

    def forget(self):
        """The guest is gone, and the connection with it."""
        subprocess.run([*self.words("-O", "exit")], capture_output=True, check=False)


class RootShell:
    """The same over the root shell that a test boot has on a serial line."""

    def __init__(self, machine):
        self.machine = machine

    def run(self, *command, within=ASK_WITHIN):
        status, text = self.machine.sh(shlex.join(command) + " 2>/run/stderr", within)
        if status == 0:
            return 0, text, ""
        return status, text, self.machine.sh("cat /run/stderr", within)[1]

    def forget(self):
        pass


def word(value):
    """A JSON value as switchctl takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(word, value))
    return str(value)


class GuestControl:
    """harness/control.py's ask(), by switchctl in the guest."""

    def __init__(self, shell):
        self.shell, self.turn = shell, asyncio.Lock()

    async def ask(self, method, within=ASK_WITHIN, **params):
        words = ["switchctl", "--json", *method.split("."), *(f"{k}={word(v)}" for k, v in params.items())]
        async with self.turn:
            status, out, err = await asyncio.to_thread(self.shell.run, *words, within=within)
        # A verify that found something has its answer on stdout all the same.
        if status and not out.strip():
            raise Refused(method, {"code": status, "message": err})
        return json.loads(out)

    def close(self):
        pass


class Guest:
    """machine: a harness/machine.py Machine; shell: how it is asked."""

    def __init__(self, machine, ip, shell=None, port=5060):
        self.machine, self.ip, self.port = machine, ip, port
        self.shell = shell or RootShell(machine)
        self.ctl = None
        self.starts, self.ready_at = 0, None

    async def start(self):
        """Power on, until switchd is ready."""
        await asyncio.to_thread(self.machine.start)
        while await self._until_up():
            print("     QEMU lost the end of an interrupt, and its guest stands still: off and on again", flush=True)
            self.machine.power_cut()
            await asyncio.to_thread(self.machine.start)
        self.ready_at = time.monotonic()
        self.starts += 1
        self.ctl = GuestControl(self.shell)
        return self

    async def _until_up(self):
        """Waits until switchd is ready; True if the guest stands still through no fault of its own."""
        said, end = 0, time.monotonic() + SILENT_FOR
        while True:
            try:
                await asyncio.to_thread(self.machine.journal.wait_for, READY, PULSE)
                return False
            except Gone:
                if self.machine.journal.mark() > said:
                    said, end = self.machine.journal.mark(), time.monotonic() + SILENT_FOR
                if not self.running or time.monotonic() > end:
                    raise
            if await asyncio.to_thread(stands_still, self.machine):
                return True

    async def set_up(self):
        """Until the unattended set-up has come to its end."""
        found = await asyncio.to_thread(self.machine.journal.wait_for, SET_UP, SET_UP_WITHIN)
        assert found[1] == b"Finished", f"the set-up failed:\n{self.tail()}"

    async def answers(self):
        """Until switchctl reaches the switch."""
        async def asked():
            try:
                return await self.ctl.ask("status.show")
            except (Refused, subprocess.TimeoutExpired):
                return None
        return await poll(asked, "an answer of switchctl in the guest", ASK_WITHIN, 0.5)

    def kill(self):
        """The plug is pulled. Returns the moment just before."""
        self.machine.poise()
        moment = time.monotonic()
        self.machine.power_cut()
        self.shell.forget()
        return moment

    async def stop(self):
        """Switched off in order, by the power button."""
        self.machine.qmp.ask("system_powerdown")
        await asyncio.to_thread(self.machine.wait_off, 400)
        self.shell.forget()

    @property
    def running(self):
        return self.machine.is_running()

    def discard(self):
        self.machine.power_cut()
        self.shell.forget()

    def tail(self, lines=40):
        return "\n".join(self.machine.journal.text.split("\n")[-lines:]) if self.machine.journal else ""

    def complaints(self):
        return []

    async def cli(self, *words, within=ASK_WITHIN):
        """switchctl as an operator runs it: (exit status, stdout, stderr)."""
        async with self.ctl.turn:
            return await asyncio.to_thread(self.shell.run, "switchctl", *words, within=within)
