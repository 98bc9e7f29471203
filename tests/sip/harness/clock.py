"""A wall clock that a test can step: a preloaded library in the switchd under test (clock.c)."""

import mmap
import os
import struct
import subprocess

SOURCE = os.path.join(os.path.dirname(__file__), "clock.c")


class Clock:
    def __init__(self, stage):
        """Before the switch starts."""
        folder = stage.folder
        library, path = os.path.join(folder, "clock.so"), os.path.join(folder, "clock")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True, timeout=60)
        with open(path, "wb") as f:
            f.write(bytes(8))
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 8)
        stage.switch.wrapper = ["env", f"LD_PRELOAD={library}", f"STEPPED_CLOCK={path}",
                                # a sanitizer's runtime wants to be the first library
                                f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"]

    def step(self, seconds):
        """By that much from the true time."""
        self.map[:] = struct.pack("=q", int(seconds * 1000))
