"""A switchd for a benchmark: started on a folder, asked over its control socket, stopped."""

import json
import os
import socket
import subprocess
import time


class Switch:
    """settings: PARAMETER=VALUE, for this run."""

    def __init__(self, binaries, data, *settings, port=15999):
        self.path, self.address = os.path.join(data, "control.sock"), f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [os.path.join(binaries, "switchd"), "--data", data, "--control", self.path, "--listen",
             f"udp:{self.address}", "--media", "127.0.0.1", *(w for s in settings for w in ("--set", s))],
            stderr=subprocess.DEVNULL)
        self.socket = None
        while not self.socket:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(self.path)
            except OSError:
                self.socket = None
                time.sleep(0.1)
                assert self.process.poll() is None, "switchd did not start"
        self.file = self.socket.makefile("rw")

    def ask(self, method, **params):
        self.file.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        assert "result" in answer, answer
        return answer["result"]

    def stop(self):
        self.process.terminate()
        self.process.wait()
