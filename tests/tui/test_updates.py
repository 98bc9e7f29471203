"""The page of the machine's slots, over a switch-hostd whose slots are files."""

import os
import socket
import subprocess
import sys

from harness.watch import poll
from terminal import console

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "firmware"))

from mk import grubenv  # noqa: E402


async def test_the_slots_and_the_way_back(t):
    folder = os.path.dirname(t.switch.path)
    place = os.path.join(folder, "slots")
    os.makedirs(place)
    words = {**grubenv.FRESH, "B_OK": "1"}
    for name, data in (("grubenv", grubenv.block(words)), ("image.json", b'{"version": "9.8.7", "built": 1700000000}')):
        with open(os.path.join(place, name), "wb") as f:
            f.write(data)
    hostd = subprocess.Popen([os.path.join(t.binaries, "switch-hostd"), "--control", os.path.join(folder, "host.sock"),
                              "--state", os.path.join(folder, "host"), "--image", os.path.join(place, "image.json"),
                              "--slots", place, "--running", "a"], stderr=subprocess.DEVNULL)

    async def listens():
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(os.path.join(folder, "host.sock")) == 0
    try:
        await poll(listens, "switch-hostd")
        async with console(t) as c:
            await c.see("Tandem  Console")
            await c.go("1", "Tandem  Updates", "9.8.7", "running")
            await c.go("b", "Start from the other slot next time?")
            await c.go(["tab", "enter"], "the other slot starts next")
    finally:
        hostd.terminate()
        hostd.wait()
    with open(os.path.join(place, "grubenv"), "rb") as f:
        assert grubenv.parse(f.read())["ORDER"] == "B A"
