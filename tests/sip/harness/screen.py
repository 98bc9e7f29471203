"""What stands on a vt220, and the keys that it sends."""

import sys

try:
    import pyte
except ImportError:
    sys.path.append("/usr/lib/python3/dist-packages")  # of Debian, for a python that is not Debian's own
    import pyte

ROWS, COLUMNS = 24, 80
KEYS = {
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[1~", "ins": "\x1b[2~",
    "del": "\x1b[3~", "end": "\x1b[4~", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "f1": "\x1bOP", "f2": "\x1bOQ",
    "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~", "f7": "\x1b[18~", "f8": "\x1b[19~",
    "f9": "\x1b[20~", "f10": "\x1b[21~", "enter": "\r", "tab": "\t", "backtab": "\x1b[Z", "esc": "\x1b",
    "backspace": "\x7f", "clear": "\x15", "save": "\x0f", "leave": "\x18", "interrupt": "\x03", "suspend": "\x1a",
    "quit": "\x1c", "eof": "\x04",
}


class Screen(pyte.Screen):
    def __init__(self, columns=COLUMNS, rows=ROWS):
        super().__init__(columns, rows)
        self.stream = pyte.ByteStream(self)

    def restore_cursor(self):
        """Anywhere on the screen, as a vt220 does; pyte keeps it inside the scrolling region."""
        margins, self.margins = self.margins, None
        super().restore_cursor()
        self.margins = margins

    def take(self, data):
        """Octets that the program wrote."""
        self.stream.feed(data)

    def take_octets(self):
        """Text is not UTF-8 from here on."""
        self.stream.select_other_charset("@")

    @property
    def shown(self):
        return [line.rstrip() for line in self.display]

    @property
    def text(self):
        return "\n".join(self.shown).rstrip()


def octets(names):
    """Keys by name; anything else stands for itself."""
    return "".join(KEYS.get(name, name) for name in names).encode()
