"""A terminal for programs with screens: a vt220 of 80 x 24, read as a person reads it."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import sys
import termios

from .switch import die_with_parent
from .watch import DEADLINE, Watch

DEBIAN = "/usr/lib/python3/dist-packages"  # where pyte is for a python that is not Debian's own
KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "back-tab": "\x1b[Z", "backspace": "\x7f",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "f1": "\x1bOP",
    "f2": "\x1bOQ", "f4": "\x1bOS", "clear": "\x15", "save": "\x0f", "leave": "\x18",
    "interrupt": "\x03", "suspend": "\x1a", "quit": "\x1c", "end": "\x04",
}


def _pyte():
    try:
        import pyte
    except ImportError:
        sys.path.append(DEBIAN)
        import pyte
    return pyte


def _screen(pyte):
    class Screen(pyte.Screen):
        def restore_cursor(self):
            """Anywhere on the screen, as a vt220 does; pyte keeps it inside the scrolling region."""
            margins, self.margins = self.margins, None
            super().restore_cursor()
            self.margins = margins
    return Screen(80, 24)


class Terminal(Watch):
    """A program of which this is the terminal. `async with Terminal(words) as term`."""

    def __init__(self, words, term="vt220"):
        super().__init__()
        self.words, self.term = words, term
        pyte = _pyte()
        self.screen = _screen(pyte)
        self.stream = pyte.ByteStream(self.screen)
        self.output = b""
        self.pid = self.fd = self.status = None

    def __str__(self):
        return f"the screen:\n{self.text}\n"

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    async def __aenter__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            die_with_parent()
            environment = dict(os.environ, TERM=self.term, LC_ALL="C.UTF-8")
            os.execve(self.words[0], self.words, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.set_blocking(self.fd, False)
        asyncio.get_running_loop().add_reader(self.fd, self._read)
        return self

    async def __aexit__(self, *error):
        self.kill()

    def _read(self):
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if data:
            self.output += data
            self.stream.feed(data)
        else:
            self._close()
        self.changed()

    def _close(self):
        """The program first: one that is still ending must not be hung up on."""
        if self.status is None:
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
        if self.fd is not None:
            asyncio.get_running_loop().remove_reader(self.fd)
            os.close(self.fd)
            self.fd = None

    def kill(self):
        """Whatever it was doing."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self._close()

    async def see(self, *texts, within=DEADLINE):
        """Until all of them stand on the screen."""
        def is_there():
            shown = self.text
            return all(text in shown for text in texts) or self.status is not None
        await self.until(is_there, " and ".join(map(repr, texts)), within)
        missing = [text for text in texts if text not in self.text]
        assert not missing, f"it ended with {self.status} without {missing}:\n{self.text}"

    def sees(self, text):
        return text in self.text

    def type(self, text):
        os.write(self.fd, text.encode())

    def press(self, *names):
        for name in names:
            self.type(KEYS.get(name, name))

    async def ended(self, within=DEADLINE):
        """Its exit status."""
        await self.until(lambda: self.status is not None, "end of the program", within)
        return self.status
