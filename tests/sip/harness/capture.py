"""What the switch has said in all tests of a run, as one capture for tshark: nothing of it may be malformed."""

import os
import shutil
import subprocess

# tshark's words for what is no message. A header that it has no name for (Remote-Party-ID) is none of that.
MALFORMED = '_ws.malformed || _ws.expert.message contains "alformed" || _ws.expert.message contains "Invalid SIP"'
RAW_IP = 101
MOST = 60000  # what a datagram can hold


class Capture:
    """One file. Messages are put behind each other by whoever has some, in one write each time."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.write(b"\xd4\xc3\xb2\xa1" + (2).to_bytes(2, "little") + (4).to_bytes(2, "little") + bytes(8)
                    + (65535).to_bytes(4, "little") + RAW_IP.to_bytes(4, "little"))

    def add(self, messages):
        out = b"".join(packet(data) for data in messages if is_ours(data))
        with open(self.path, "ab") as f:
            f.write(out)

    def complaints(self):
        """(number of messages, what tshark finds wrong)."""
        if not shutil.which("tshark"):
            return 0, ["no tshark on this machine"]
        with open(self.path, "rb") as f:
            data = f.read()
        count, at = 0, 24
        while at < len(data):
            at += 16 + int.from_bytes(data[at + 8:at + 12], "little")
            count += 1
        if not count:
            return 0, []
        done = subprocess.run(["tshark", "-r", self.path, "-d", "udp.port==5060,sip", "-Y", MALFORMED, "-T", "fields",
                               "-e", "frame.number", "-e", "sip.Request-Line", "-e", "sip.Status-Line", "-e", "sip.Call-ID",
                               "-e", "_ws.expert.message"], capture_output=True, text=True, check=False)
        if done.returncode:
            return count, [done.stderr.strip()]
        return count, done.stdout.splitlines()

    def remove(self):
        os.unlink(self.path)


def is_ours(data):
    """A 400 repeats what was wrong with the request (RFC 3261 §8.2.6.2)."""
    return b"SIP/2.0" in data[:4000] and len(data) < MOST and not data.startswith(b"SIP/2.0 400 ")


def packet(data):
    """A record with the message in a datagram from port 5060 to port 5060."""
    size = len(data) + 28
    ip = (b"\x45\x00" + size.to_bytes(2, "big") + bytes(4) + b"\x40\x11" + bytes(2)
          + bytes((127, 0, 0, 1)) + bytes((127, 0, 0, 2)))
    udp = (5060).to_bytes(2, "big") * 2 + (len(data) + 8).to_bytes(2, "big") + bytes(2)
    return bytes(8) + size.to_bytes(4, "little") * 2 + ip + udp + data
