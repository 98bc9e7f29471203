"""Whether a daemon of this machine is there."""

import socket


def listens(path):
    """Whether a daemon takes connections there: a socket is seen at its path a moment before it listens."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0
