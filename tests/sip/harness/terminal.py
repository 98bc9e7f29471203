"""A terminal for programs with screens: keys go in, the screen is read as a person reads it."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios

from .screen import COLUMNS, ROWS, Screen, octets
from .switch import die_with_parent
from .watch import DEADLINE, Watch


class Terminal(Watch):
    """`async with Terminal(words) as term`. At the end the program is killed; gently: it is asked to end, and
    must do so with status 0. rows=0: a serial line that does not know its size."""

    def __init__(self, words, term="vt220", lang="C.UTF-8", rows=ROWS, cols=COLUMNS, gently=False):
        super().__init__()
        self.words, self.term, self.lang, self.gently = words, term, lang, gently
        self.rows, self.cols = rows, cols
        self.screen = Screen(cols or COLUMNS, rows or ROWS)
        if lang == "C":
            self.screen.take_octets()
        self.sent = b""  # everything that the program wrote
        self.process = self.master = None

    def __str__(self):
        return f"the screen:\n{self.text}\n"

    @property
    def text(self):
        return self.screen.text

    @property
    def status(self):
        """Its exit status; None while it runs."""
        return self.process.poll()

    async def __aenter__(self):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.cols, 0, 0))

        def lead():
            """A session of its own, with this as its terminal, so that ^C and ^Z could be signals."""
            die_with_parent()
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        environment = {"TERM": self.term, "LANG": self.lang, "PATH": os.environ["PATH"]}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.process = subprocess.Popen(self.words, stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, preexec_fn=lead)
        os.close(slave)
        os.set_blocking(self.master, False)
        asyncio.get_running_loop().add_reader(self.master, self._read)
        return self

    async def __aexit__(self, *_):
        if self.status is None:
            self.process.send_signal(signal.SIGTERM if self.gently else signal.SIGKILL)
        status = await self.ended()
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        assert not self.gently or status == 0, f"it ended with {status}:\n{self.text}\n{self.complaints()}"

    def _read(self):
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        if not data:  # the program has closed its side
            asyncio.get_running_loop().remove_reader(self.master)
        self.sent += data
        self.screen.take(data)
        self.changed()

    def complaints(self):
        """What it wrote behind its last picture: words of a sanitizer."""
        return self.sent[-6000:].decode(errors="replace").replace("\x1b", "^[")

    def line(self, y):
        return self.screen.shown[y]

    def line_with(self, text):
        """The first line that holds it."""
        return next((line for line in self.screen.shown if text in line), None)

    async def see(self, *texts, within=DEADLINE):
        """Until all of them are on the screen at once."""
        def is_there():
            return all(text in self.text for text in texts) or self.status is not None
        await self.until(is_there, f"{' and '.join(map(repr, texts))} on the screen", within)
        missing = [text for text in texts if text not in self.text]
        assert not missing, f"it ended with {self.status} without {missing}:\n{self}\n{self.complaints()}"

    async def hides(self, text, within=DEADLINE):
        """Until it is not on the screen."""
        await self.until(lambda: text not in self.text, f"no {text!r} on the screen", within)

    def press(self, *keys):
        """Names of keys (harness/screen.py), or text that is typed."""
        os.write(self.master, octets(keys))

    async def go(self, keys, *texts, within=DEADLINE):
        """Presses, then waits for what must come of it."""
        self.press(*keys)
        await self.see(*texts, within=within)

    def resize(self, rows, cols):
        self.screen.resize(rows, cols)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def kill(self):
        """Whatever it was doing."""
        self.process.kill()

    async def ended(self, within=DEADLINE):
        """Its exit status."""
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), within)
