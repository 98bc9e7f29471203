"""Network namespaces around a guest: one with the bridge that QEMU runs in, and the outside ones.

    Network()                        namespace "tdmPID", bridge br0 in it
    net.outside("caller", "198.51.100.10/24")   a namespace with one interface on the bridge
    net.tap()                        a tap on the bridge, for QEMU

Nothing here touches the machine's own network: ports and addresses are free to be anything.
"""

import itertools
import os
import subprocess

_serial = itertools.count()


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Outside:
    """A host beside the guest. popen() and run() put a program there."""

    def __init__(self, namespace, address):
        self.namespace = namespace
        self.address = address.split("/")[0]

    def prefix(self):
        return ["ip", "netns", "exec", self.namespace]

    def run(self, *command, **options):
        return subprocess.run([*self.prefix(), *command], **options)

    def popen(self, *command, **options):
        return subprocess.Popen([*self.prefix(), *command], **options)


class Network:
    def __init__(self):
        self.namespace = f"tdm{os.getpid()}x{next(_serial)}"
        self.made = []
        self.taps = 0
        self._namespace(self.namespace)
        self._inside("link", "add", "br0", "type", "bridge")
        self._inside("link", "set", "br0", "up")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def _namespace(self, name):
        ip("netns", "add", name)
        self.made.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def _inside(self, *words):
        ip("-n", self.namespace, *words)

    def prefix(self):
        """What QEMU is started with."""
        return ["ip", "netns", "exec", self.namespace]

    def tap(self):
        name = f"tap{self.taps}"
        self.taps += 1
        self._inside("tuntap", "add", name, "mode", "tap")
        self._inside("link", "set", name, "master", "br0", "up")
        return name

    def outside(self, name, *addresses):
        """A namespace with an interface eth0 that has the addresses (with their prefix lengths)."""
        namespace = f"{self.namespace}{name}"
        self._namespace(namespace)
        port = f"p{len(self.made)}"
        self._inside("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self._inside("link", "set", port, "master", "br0", "up")
        for address in addresses:
            extra = ["nodad"] if ":" in address else []
            ip("-n", namespace, "address", "add", address, "dev", "eth0", *extra)
        ip("-n", namespace, "link", "set", "eth0", "up")
        return Outside(namespace, addresses[0])

    def close(self):
        for name in reversed(self.made):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        self.made = []
