"""The package for CentOS 7, as far as it can be shown without one: what it asks of rpm, its units' directives, its
installation, upgrade and removal in a root of its own, and its programs when no system call newer than Linux 3.10 is there.

tests/sip can be run against it whole: `tests/vm/test_rpm.py FOLDER` leaves programs there that start so."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "firmware"))

from harness.ready import listens  # noqa: E402
from mk import el7, rpm as package  # noqa: E402
from mk.common import Fault, version  # noqa: E402

WITHIN = 60
NOSYS = os.path.join(TOP, "tests/vm/nosys.py")
# What rpm 4.11 of CentOS 7 can do; it knows nothing above.
RPMLIB = {"CompressedFileNames": "3.0.4-1", "FileDigests": "4.6.0-1", "PayloadFilesHavePrefix": "4.0-1",
          "PayloadIsXz": "5.2-1"}
APPLETS = "sh cat ls grep cut wc mkdir chown id"
GETENT = """\
#!/bin/sh
exec grep "^$2:" "/etc/$1"
"""
GROUPADD = """\
#!/bin/sh
for name; do :; done
echo "$name:x:$((900 + $(wc -l < /etc/group))):" >> /etc/group
"""
USERADD = """\
#!/bin/sh
for name; do :; done
gid=$(grep '^tandem:' /etc/group | cut -d: -f3)
echo "$name:x:$((900 + $(wc -l < /etc/passwd))):$gid::/var/lib/tandem:/sbin/nologin" >> /etc/passwd
"""
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> /systemctl.log
"""

_made = {}


def made(image, release="1"):
    """The package, made once for all tests here."""
    if release not in _made:
        out = os.path.join(os.path.dirname(image), "rpm")
        subprocess.run([sys.executable, os.path.join(TOP, "firmware/rpm.py"), "--out", out, "--bin",
                        os.path.join(os.path.dirname(image), "bin"), "--release", release], check=True,
                       stdout=subprocess.DEVNULL)
        _made[release] = os.path.join(out, f"tandem-{version()}-{release}.el7.x86_64.rpm")
    return _made[release]


def query(path, *words):
    return subprocess.run(["rpm", "-qp", *words, path], check=True, capture_output=True, text=True).stdout


class Root:
    """As much of a CentOS 7 as the package's scripts use: BusyBox, users, and a systemctl that writes down what it was told."""

    def __init__(self):
        self.place = tempfile.TemporaryDirectory(prefix="tandem-el7-")
        self.folder = self.place.name
        for name in ("bin", "usr/bin", "usr/sbin", "etc", "var/lib/rpm", "tmp", "run/tandem", "dev"):
            os.makedirs(os.path.join(self.folder, name))
        shutil.copy("/bin/busybox", os.path.join(self.folder, "bin/busybox"))
        for name in APPLETS.split():
            os.symlink("busybox", os.path.join(self.folder, "bin", name))
        for name, text in (("bin/getent", GETENT), ("usr/sbin/groupadd", GROUPADD), ("usr/sbin/useradd", USERADD),
                           ("bin/systemctl", SYSTEMCTL)):
            self.write(name, text)
            os.chmod(self.at(name), 0o755)
        self.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        self.write("etc/group", "root:x:0:\n")
        os.mknod(self.at("dev/null"), 0o20666, os.makedev(1, 3))
        os.mknod(self.at("dev/urandom"), 0o20666, os.makedev(1, 9))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.place.cleanup()

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.at(name), "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(self.at(name), encoding="utf-8") as f:
            return f.read()

    def rpm(self, *words):
        """The host's own packages are not CentOS's, so what it requires of them is not looked at."""
        done = subprocess.run(["rpm", "--root", self.folder, "--nodeps", *words], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0 and "scriptlet failed" not in done.stderr, done.stderr

    def run(self, *words, check=True):
        """In the root, and with no system call above 313."""
        done = subprocess.run([sys.executable, NOSYS, "--root", self.folder, *words], capture_output=True, text=True,
                              check=False, timeout=WITHIN)
        assert not check or done.returncode == 0, f"{words}: {done.returncode} {done.stderr}"
        return done.stdout


def test_rpm_of_centos_7_can_read_it(image):
    requires = query(made(image), "--requires").split("\n")
    asked = dict((line.split("(")[1].split(")")[0], line.split()[-1]) for line in requires if line.startswith("rpmlib"))
    assert asked == RPMLIB, asked
    assert {line for line in requires if line and not line.startswith("rpmlib")} == {"/bin/sh", "shadow-utils", "systemd"}
    assert query(made(image), "--qf", "%{payloadcompressor} %{filedigestalgo} %{arch} %{os}") == "xz 8 x86_64 linux"
    assert query(made(image), "--configfiles").split() == ["/etc/tandem/switchd.env"]
    print(f"     {os.path.getsize(made(image)) >> 10} KiB")


def test_selinux_labels_its_files_by_where_they_stand(image):
    """CentOS 7's policy knows these places: bin_t is what is in a folder bin below /usr, lib_t in lib, ld_so_t the loader there. A
    program elsewhere would not leave init's domain."""
    known = re.compile(r"/usr/lib/tandem(/bin/[a-z-]+|/lib/[^/]+|/bin|/lib)?$|/usr/s?bin/[a-z]+(-[a-z]+)?$"
                       r"|/usr/lib/(systemd/system|tmpfiles\.d)/[^/]+$|/usr/share/(man/man\d|doc)/|/etc/tandem|/var/lib/tandem")
    paths = query(made(image), "--list").split()
    assert len(paths) > 20 and [path for path in paths if not known.match(path)] == []


def test_its_units_are_for_systemd_219(image):
    """No directive is there that is not said to be known, and the switch is as shut in as that systemd can."""
    with Root() as root:
        root.rpm("-i", made(image))
        known = {(" ".join(rule).split() or [name])[0] if rule not in (["keep"], ["drop"]) else name
                 for name, rule in el7.rules().items() if rule != ["drop"]}
        known |= {rule[1] for rule in el7.rules().values() if rule[0] in ("Service", "Unit")}
        for name in package.UNITS:
            lines = [line for line in root.read(f"usr/lib/systemd/system/{name}").splitlines() if "=" in line]
            assert {line.split("=")[0] for line in lines} <= known, name
            assert "NoNewPrivileges=yes" in lines and "ProtectSystem=full" in lines, lines
            start = next(line for line in lines if line.startswith("ExecStart=")).split("=")[1].split()[0]
            assert os.path.islink(root.at(start[1:])), start
        lines = root.read("usr/lib/systemd/system/switchd.service").splitlines()
        assert "User=switch" in lines and "CapabilityBoundingSet=" in lines, lines
    try:
        el7.unit("x.service", "[Service]\nFromTheFuture=yes\n")
        raise AssertionError("a directive that nobody knows went through")
    except Fault as fault:
        assert "FromTheFuture" in str(fault)


def test_installed_upgraded_and_removed_it_leaves_what_is_not_its_own(image):
    with Root() as root:
        root.rpm("-i", made(image))
        assert {"switch", "root"} == {line.split(":")[0] for line in root.read("etc/passwd").splitlines()}
        root.write("etc/tandem/switchd.env", "SWITCHD_ARGS=mine\n")
        root.write("var/lib/tandem/ledger.db", "money")
        root.rpm("-U", made(image, "2"))
        assert root.read("etc/tandem/switchd.env") == "SWITCHD_ARGS=mine\n"
        assert root.read("var/lib/tandem/ledger.db") == "money"
        assert "try-restart switchd.service" in root.read("systemctl.log")
        assert "stop" not in root.read("systemctl.log")
        root.rpm("-e", "tandem")
        assert "stop switchd.service" in root.read("systemctl.log")
        assert root.read("var/lib/tandem/ledger.db") == "money", "the books are gone"
        assert root.read("etc/tandem/switchd.env.rpmsave") == "SWITCHD_ARGS=mine\n"
        assert not os.path.exists(root.at("usr/lib/tandem")) and not os.path.lexists(root.at("usr/sbin/switchd"))


def test_its_programs_need_nothing_newer_than_linux_3_10(image):
    with Root() as root:
        root.rpm("-i", made(image))
        for name, folder in package.PROGRAMS.items():
            assert root.run(f"/usr/{folder}/{name}", "--version") == f"{name} {version()}\n"
        switch = subprocess.Popen([sys.executable, NOSYS, "--root", root.folder, "/usr/sbin/switchd", "--listen",
                                   "udp:127.0.0.1:0", "--media", "127.0.0.1"], stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + WITHIN
            while not listens(root.at("run/tandem/control.sock")):
                assert switch.poll() is None and time.monotonic() < end, "switchd does not start"
                time.sleep(0.02)
            root.run("/usr/bin/switchctl", "account", "add", "id=acme", "limit_money=0")
            root.run("/usr/bin/switchctl", "account", "recharge", "acme", "amount=1.00")
            assert json.loads(root.run("/usr/bin/switchctl", "--json", "account", "show", "acme"))["balance"].startswith("1")
        finally:
            switch.terminate()
            assert switch.wait(WITHIN) == 0


def programs(folder):
    """All programs of build/bin in the folder, those of the package with its own runtime, and all without newer calls."""
    image = os.path.join(TOP, "build/image")
    root = Root()
    root.rpm("-i", made(image))
    shutil.rmtree("/" + package.HOME, ignore_errors=True)
    shutil.copytree(root.at(package.HOME), "/" + package.HOME)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(os.path.join(TOP, "build/bin")):
        own = f"/{package.HOME}/bin/{name}" if name in package.PROGRAMS else os.path.join(TOP, "build/bin", name)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nexec {sys.executable} {NOSYS} {own} "$@"\n')
        os.chmod(os.path.join(folder, name), 0o755)
    shutil.copytree(os.path.join(TOP, "build/keys"), os.path.join(os.path.dirname(folder), "keys"), dirs_exist_ok=True)
    root.place.cleanup()


if __name__ == "__main__":
    programs(os.path.abspath(sys.argv[1]))
