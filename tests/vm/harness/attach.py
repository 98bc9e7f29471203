"""A serial line of the guest on the terminal that we were started from."""

import os
import select
import sys
import termios
import tty

LEAVE = b"\x1d"  # Ctrl-]
REDRAW = "\x0c"  # Ctrl-L


def attach(line):
    """Both ways until Ctrl-] is typed or the line closes."""
    place = os.open(os.ctermid(), os.O_RDWR)
    before = termios.tcgetattr(place)
    seen = line.mark()
    try:
        tty.setraw(place)
        line.send(REDRAW)
        while line.is_open:
            ready, _, _ = select.select([place], [], [], 0.05)
            typed = os.read(place, 4096) if ready else b""
            if LEAVE in typed:
                return
            if typed:
                line.socket.sendall(typed)
            with line.changed:
                out, seen = line.data[seen:], len(line.data)
            os.write(place, out)
    finally:
        termios.tcsetattr(place, termios.TCSADRAIN, before)
        os.write(place, b"\x1b[0m\x1b[?25h\r\n")
        os.close(place)


def has_terminal():
    return sys.stdin.isatty() and sys.stdout.isatty()
