"""switch-console on a terminal of our own: keys go in, the screen is read."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios

import pyte

from harness.switch import die_with_parent
from harness.watch import DEADLINE, Watch

KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "enter": "\r", "tab": "\t", "esc": "\x1b", "f1": "\x1bOP", "f2": "\x1bOQ", "f4": "\x1bOS",
    "f10": "\x1b[21~", "del": "\x1b[3~", "clear": "\x15",
}


class Screen(pyte.Screen):
    """pyte moves a restored cursor into the scrolling region; a terminal puts it where it was."""

    def restore_cursor(self):
        region, self.margins = self.margins, None
        super().restore_cursor()
        self.margins = region


class Terminal(Watch):
    """rows=0: a serial line that does not know its size."""

    def __init__(self, command, term="vt220", lang="C.UTF-8", rows=24, cols=80):
        super().__init__()
        self.command, self.term, self.lang = command, term, lang
        self.rows, self.cols = rows, cols
        self.screen = Screen(cols or 80, rows or 24)
        self.stream = pyte.ByteStream(self.screen)
        if lang == "C":
            self.stream.select_other_charset("@")
        self.sent = b""  # everything that the program wrote
        self.process = self.master = None

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
        self.process = subprocess.Popen(self.command, stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, preexec_fn=lead)
        os.close(slave)
        os.set_blocking(self.master, False)
        asyncio.get_running_loop().add_reader(self.master, self._read)
        return self

    async def __aexit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = await self.ended()
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        assert status == 0, f"switch-console ended with {status}:\n{self.picture()}\n{self.complaints()}"

    def _read(self):
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        if not data:  # the program has closed its side
            asyncio.get_running_loop().remove_reader(self.master)
        self.sent += data
        self.stream.feed(data)
        self.changed()

    def complaints(self):
        """What it wrote behind its last picture: words of a sanitizer."""
        return self.sent[-6000:].decode(errors="replace").replace("\x1b", "^[")

    def picture(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def line(self, y):
        return self.screen.display[y].rstrip()

    def line_with(self, text):
        """The first line that holds it."""
        return next((line.rstrip() for line in self.screen.display if text in line), None)

    async def shows(self, *texts, within=DEADLINE):
        """Until all of them are on the screen at once."""
        def found():
            picture = self.picture()
            return all(t in picture for t in texts)
        try:
            await self.until(found, f"{texts} on the screen", within)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.picture()}") from None

    async def hides(self, text, within=DEADLINE):
        """Until it is not on the screen."""
        try:
            await self.until(lambda: text not in self.picture(), f"no {text} on the screen", within)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.picture()}") from None

    def press(self, *keys):
        """Names of keys (KEYS), or text that is typed."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    async def go(self, keys, *texts, within=DEADLINE):
        """Presses, then waits for what must come of it."""
        self.press(*keys)
        await self.shows(*texts, within=within)

    def resize(self, rows, cols):
        self.screen.resize(rows, cols)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    async def ended(self, within=DEADLINE):
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), within)


def console(t, *words, **options):
    """The console of a stage's switch."""
    program = os.path.join(t.switch.binaries, "switch-console")
    return Terminal([program, "-s", t.switch.path, *words], **options)
