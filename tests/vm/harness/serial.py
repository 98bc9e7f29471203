"""A serial line of the guest: what came out of it, what stands on its screen, and keys into it."""

import re
import socket
import threading
import time

from harness.screen import Screen, octets


class Gone(Exception):
    """The guest ended, or the deadline passed; the message holds what was there instead."""


class Serial:
    """Reads on a thread of its own until the line closes; every wait has a deadline."""

    def __init__(self, name, path, log):
        self.name = name
        self.log = open(log, "ab")
        self.data = b""
        self.is_open = True
        self.changed = threading.Condition()
        self.terminal = Screen()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            try:
                chunk = self.socket.recv(65536)
            except OSError:
                chunk = b""
            with self.changed:
                if not chunk:
                    self.is_open = False
                else:
                    self.log.write(chunk)
                    self.log.flush()
                    self.data += chunk
                    self.terminal.take(chunk)
                self.changed.notify_all()
            if not chunk:
                return

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()
        self.socket.close()
        self.log.close()

    def send(self, text):
        """Types text as it is."""
        self.socket.sendall(text.encode())

    def press(self, *names):
        """Keys by name (harness/screen.py); a single character stands for itself."""
        self.socket.sendall(octets(names))

    @property
    def text(self):
        """Everything that ever came out, without escape sequences."""
        with self.changed:
            raw = self.data.decode(errors="replace")
        return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78c])", "", raw)

    @property
    def screen(self):
        """What stands on the 80 by 24 screen now, as lines."""
        with self.changed:
            return self.terminal.shown

    def mark(self):
        """A place in the output, for wait_for(since=)."""
        with self.changed:
            return len(self.data)

    def _wait(self, what, holds, seen, timeout):
        deadline = time.monotonic() + timeout
        with self.changed:
            while not (found := holds()):
                left = deadline - time.monotonic()
                if left <= 0 or not self.is_open:
                    why = f"no {what!r} within {timeout} s" if left <= 0 else f"no {what!r}, line closed"
                    raise Gone(f"{self.name}: {why}; there was:\n{seen()}")
                self.changed.wait(left)
        return found

    def wait_for(self, pattern, timeout=180, since=0):
        """The match of a pattern (regular expression) in the output after the mark `since`."""
        compiled = re.compile(pattern.encode())
        return self._wait(pattern, lambda: compiled.search(self.data, since),
                          lambda: self.data[since:][-2000:].decode(errors="replace"), timeout)

    def wait_screen(self, pattern, timeout=180):
        """Waits until the screen as it stands holds the pattern; gives the match."""
        compiled = re.compile(pattern)
        return self._wait(pattern, lambda: compiled.search(self.terminal.text), lambda: self.terminal.text, timeout)
