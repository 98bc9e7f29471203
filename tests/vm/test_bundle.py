"""Updates put into slots that are plain files, through switchctl and switch-hostd as they are in the image: what is
refused, and that nothing happened then; what is written. (test_update.py does it to a running machine.)"""

import base64
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "firmware"))

from harness.ready import listens  # noqa: E402
from mk import bundle, grubenv  # noqa: E402
from mk.common import Fault  # noqa: E402

HEAD = 84
WITHIN = 60
NOW = {"version": "0.0.9", "built": 1700000000, "machine": "x86_64"}


class Host:
    """switch-hostd with slot A running and B empty. The update is a small one, signed as all are, or the image's own."""

    def __init__(self, image, is_real=False):
        self.place = tempfile.TemporaryDirectory(prefix="tandem-host-")
        self.bin = os.path.join(os.path.dirname(image), "bin")
        for name in ("slots", "state", "keys"):
            os.mkdir(self.at(name))
        self.update = os.path.join(image, f"tandem-{bundle.version()}.update") if is_real else self.small()
        for name in ("boot-a", "boot-b", "root-a", "root-b"):
            with open(self.at("slots", name), "wb") as f:
                f.truncate((96 if name[0] == "b" else 512) << 20)
        self.write("slots/grubenv", grubenv.block(grubenv.FRESH))
        self.write("image.json", json.dumps(NOW).encode())
        self.write("keys/one.pub", subprocess.run(["openssl", "pkey", "-in", bundle.key(), "-pubout"], check=True,
                                                  capture_output=True).stdout)
        self.daemon, self.within = None, []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *what):
        self.daemon.terminate()
        assert self.daemon.wait(WITHIN) == 0
        self.place.cleanup()

    def at(self, *names):
        return os.path.join(self.place.name, *names)

    def write(self, name, data):
        with open(self.at(name), "wb") as f:
            f.write(data)

    def small(self, root=700000):
        self.write("boot", os.urandom(300000) + bytes(5000))
        self.write("root", os.urandom(root))
        return bundle.build(self.place.name, self.place.name, self.at("boot"), self.at("root"), NOW["built"] + 1)

    def start(self):
        self.daemon = subprocess.Popen(
            [*self.within, f"{self.bin}/switch-hostd", "--control", self.at("host.sock"), "--state", self.at("state"), "--keys",
             self.at("keys"), "--image", self.at("image.json"), "--slots", self.at("slots"), "--running", "a"],
            stderr=subprocess.DEVNULL)
        end = time.monotonic() + WITHIN
        while not listens(self.at("host.sock")):
            assert self.daemon.poll() is None and time.monotonic() < end, "switch-hostd does not start"
            time.sleep(0.01)

    def ask(self, *words):
        """The answer, or what it was refused with."""
        done = subprocess.run([f"{self.bin}/switchctl", "-s", self.at("control.sock"), "--json", *words],
                              capture_output=True, text=True, check=False, timeout=WITHIN)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    def send(self, data, **more):
        """A piece by the protocol itself: (result, error)."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(WITHIN)
            s.connect(self.at("host.sock"))
            text = data if isinstance(data, str) else base64.b64encode(data).decode()
            s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "update.install",
                                  "params": {"file": text, **more}}).encode() + b"\n")
            answer = json.loads(s.makefile().readline())
        return answer.get("result"), answer.get("error", {}).get("message", "")

    def words(self):
        with open(self.at("slots", "grubenv"), "rb") as f:
            return grubenv.parse(f.read())

    def state(self, slot):
        return {s["slot"]: s["state"] for s in self.ask("update", "status")["slots"]}[slot]

    def changed(self, at, data, cut=None):
        """The update with some bytes changed, or cut off: its path."""
        with open(self.update, "rb") as f:
            whole = bytearray(f.read())
        whole[at:at + len(data)] = data
        self.write("changed", whole[:cut])
        return self.at("changed")

    def signed(self, **other):
        """The update with another list, signed by the right key: its path."""
        with open(self.update, "rb") as f:
            whole = f.read()
        size = struct.unpack("<I", whole[16:20])[0]
        text = json.dumps({**json.loads(whole[HEAD:HEAD + size]), **other}).encode()
        head = bundle.MAGIC + struct.pack("<I", len(text))
        self.write("changed", head + bundle.sign(self.place.name, head + text) + text + whole[HEAD + size:])
        return self.at("changed")

    def refused(self, why, *words):
        """It is refused with these words, and A is what is started as before."""
        said = self.ask("update", "install", *words)
        assert isinstance(said, str) and why in said, said
        assert self.words()["ORDER"] == "A B" and self.words()["B_OK"] == "0", self.words()


def test_an_update_is_written_and_is_what_starts_next(image):
    with Host(image, is_real=True) as h:
        assert h.state("B") == "empty"
        said = h.ask("update", "install", h.update)
        assert said == {"version": bundle.version(), "slot": "B", "restarting": False}, said
        assert h.words() == {"ORDER": "B A", "A_OK": "1", "A_TRY": "0", "B_OK": "1", "B_TRY": "0", "RESET": "0"}
        assert h.state("A") == "running" and h.state("B") == "installed, starts next"
        with open(h.update, "rb") as f:
            size = struct.unpack("<I", f.read(20)[16:])[0]
            f.seek(HEAD)
            parts = json.loads(f.read(size))["parts"]
            for part in parts:
                with open(h.at("slots", f"{part['name']}-b"), "rb") as slot:
                    assert slot.read(part["size"]) == f.read(part["size"]), f"{part['name']} differs"
        assert os.stat(h.at("slots", "root-a")).st_blocks == 0, "the running slot was written to"


def test_what_is_no_update_of_ours_is_refused(image):
    with Host(image) as h:
        whole = os.path.getsize(h.update)
        h.write("text", b"hello\n" * 100)
        h.refused("it begins differently", h.at("text"))
        h.write("text", b"")
        h.refused("it is too short", h.at("text"))
        h.refused("its list has no sensible length", h.changed(16, b"\xff\xff\xff\xff"))
        h.refused("ends within its list", h.changed(0, b"", HEAD + 10))
        h.refused("it was cut off", h.changed(0, b"", whole - 1))
        h.refused("it was added to", h.changed(whole, b"x"))
        h.refused("not signed by a key that this machine knows", h.changed(HEAD + 30, b"9"))
        h.refused("not signed by a key that this machine knows", h.changed(30, b"\0"))
        h.refused("root is not what was signed", h.changed(whole - 5000, b"\x01\x02\x03"))
        os.unlink(h.at("keys", "one.pub"))
        h.refused("knows no key", h.update)


def test_the_wrong_machine_an_older_version_and_an_odd_list_are_refused(image):
    with Host(image) as h:
        h.refused("another kind of machine", h.signed(machine="aarch64"))
        h.refused("not of this product", h.signed(product="other"))
        h.refused("does not say when it was built", h.signed(built=-1))
        h.refused("is not what it should be", h.signed(more=1))
        h.refused("older than what runs", h.signed(built=NOW["built"] - 1))
        big = [{"name": name, "size": 1 << 40, "sha256": "00" * 32} for name in ("boot", "root")]
        h.refused("it was cut off", h.signed(parts=big))
        h.refused("names other parts", h.signed(parts=big[:1]))
        assert h.ask("update", "install", h.signed(built=NOW["built"] - 1), "older=true")["slot"] == "B"


def test_pieces_find_together_or_are_forgotten(image):
    """Two files at once, each by its token; no more than a few; and what is no piece ends its file."""
    with Host(image) as h, open(h.update, "rb") as f:
        whole = f.read()
        first, second = h.send(whole[:1000], more=True)[0]["token"], h.send(b"other", more=True)[0]["token"]
        assert "no update" in h.send(b"", token=second)[1]
        assert "no such file" in h.send(b"", token=second)[1]
        assert h.send(whole[1000:], token=first)[0]["slot"] == "B"
        tokens = [h.send(b"x", more=True)[0]["token"] for _ in range(4)]
        assert "4 files are being sent already" in h.send(b"x", more=True)[1]
        assert "base64" in h.send("%%%", token=tokens[0], more=True)[1]
        assert "no such file" in h.send(b"x", token=tokens[0])[1]
        assert h.send(b"x", more=True)[0]["token"] not in tokens
        assert "neither true nor false" in h.send(b"x", more="perhaps")[1]


def test_a_file_that_is_sent_leaves_room_for_calls(image):
    """On a disk of its own: no piece is taken while less than a sixteenth of it is free, and pieces are again afterwards."""
    disk = 16 << 20
    h = Host(image)
    h.within = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f'mount -t tmpfs -o size={disk} none "$0" && exec "$@"', h.at("state")]
    with h:
        seen = f"/proc/{h.daemon.pid}/root{h.at('state')}"

        def leave(free):
            """So many bytes of the disk are free."""
            with open(f"{seen}/filler", "wb") as f:
                s = os.statvfs(seen)
                os.posix_fallocate(f.fileno(), 0, s.f_bavail * s.f_frsize - free)
        leave(disk // 16 + (64 << 10))
        token = h.send(b"x" * 1000, more=True)[0]["token"]
        leave(disk // 16 - (64 << 10))
        assert "there is no room for the file" in h.send(b"x", token=token, more=True)[1]
        assert "no such file is being sent" in h.send(b"x", token=token)[1], "its beginning was kept"
        assert "there is no room for the file" in h.send(b"x", more=True)[1]
        os.unlink(f"{seen}/filler")
        assert "token" in h.send(b"x", more=True)[0]


def test_a_key_is_replaced_by_the_next_one(image):
    """A machine that knows two keys takes updates of both."""
    with Host(image) as h:
        os.rename(h.at("keys", "one.pub"), h.at("keys", "two.pub"))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", h.at("other.pem")], check=True)
        subprocess.run(["openssl", "pkey", "-in", h.at("other.pem"), "-pubout", "-out", h.at("keys", "one.pub")],
                       check=True)
        assert h.ask("update", "install", h.update)["slot"] == "B"


@contextlib.contextmanager
def keys_of_a_build(**paths):
    """The keys that a build is given by its environment."""
    names = {"key": "TANDEM_UPDATE_KEY", "next": "TANDEM_UPDATE_NEXT"}
    before = {name: os.environ.pop(name, None) for name in names.values()}
    os.environ.update({names[kind]: path for kind, path in paths.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def test_three_releases_change_the_key(image):
    """One knows its own key and the next one; the second is signed with the next one and is taken; the first key then counts no
    more. A private key does not get into an image as the next one."""
    with Host(image) as h:
        for name in ("first", "other"):
            subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", h.at(f"{name}.pem")], check=True)
            subprocess.run(["openssl", "pkey", "-in", h.at(f"{name}.pem"), "-pubout", "-out", h.at(f"{name}.pub")], check=True)

        def runs(**given):
            """The machine is one of that build."""
            root = h.at("root-tree")
            shutil.rmtree(root, ignore_errors=True)
            with keys_of_a_build(**given):
                bundle.lay(root, NOW["built"])
            shutil.rmtree(h.at("keys"))
            shutil.copytree(os.path.join(root, bundle.KEYS), h.at("keys"))

        def signed_by(name):
            with keys_of_a_build(key=h.at(f"{name}.pem")):
                return h.small()
        runs(key=h.at("first.pem"), next=h.at("other.pub"))
        assert sorted(os.listdir(h.at("keys"))) == ["next-1.pub", "release.pub"]
        assert h.ask("update", "install", signed_by("other"))["slot"] == "B"
        h.write("slots/grubenv", grubenv.block(grubenv.FRESH))
        runs(key=h.at("other.pem"))
        h.refused("not signed by a key that this machine knows", signed_by("first"))
        try:
            runs(key=h.at("first.pem"), next=h.at("other.pem"))
            raise AssertionError("a private key went into the image")
        except Fault:
            pass


def test_a_slot_without_health_keeps_the_other_one(image):
    with Host(image) as h:
        h.write("slots/grubenv", grubenv.block({**grubenv.FRESH, "A_TRY": "1"}))
        h.refused("has not reported health", h.update)


def test_back_to_the_slot_before(image):
    with Host(image) as h:
        said = h.ask("update", "rollback")
        assert "the other slot is empty" in said, said
        h.write("slots/grubenv", grubenv.block({**grubenv.FRESH, "B_OK": "1", "B_TRY": "1"}))
        assert h.state("B") == "failed"
        assert h.ask("update", "rollback") == {"version": None, "slot": "B", "restarting": False}
        assert h.words() == {"ORDER": "B A", "A_OK": "1", "A_TRY": "0", "B_OK": "1", "B_TRY": "0", "RESET": "0"}


def test_a_power_cut_while_it_is_written_leaves_the_old_slot(image):
    """Killed at several moments: the boot loader never gets a slot that is not whole."""
    with Host(image) as h:
        h.small(20 << 20)
        for delay in (0.1, 0.5, 0.9, 1.2, 1.4):
            client = subprocess.Popen([f"{h.bin}/switchctl", "-s", h.at("control.sock"), "update", "install", h.update],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            h.daemon.kill()
            h.daemon.wait()
            client.wait()
            os.unlink(h.at("host.sock"))
            words = h.words()
            assert words["A_OK"] == "1" and words["A_TRY"] == "0", words
            assert words["B_OK"] == "0" or words["ORDER"] == "B A", words
            h.start()
        assert h.ask("update", "install", h.update)["slot"] == "B"
