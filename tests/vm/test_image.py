"""What is in the image, looked at without starting it."""

import fnmatch
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "firmware"))

from mk import bundle, tree  # noqa: E402

UNITS = os.path.join(TOP, "rootfs/usr/lib/systemd/system")
EXPOSURE_MAX = 1.5
# Own units that are worse, each with the reason.
NEED_ROOT = {
    "chronyd.service": "sets the clock, which is all that counts against it",
    "debug-shell.service": "the root shell of the tests; only the kernel's command line starts it",
    "emergency.service": "asks for the administrator's password, then is a root shell",
    "rescue.service": "asks for the administrator's password, then is a root shell",
    "sshd.service": "changes to the user who logs in",
    "switch-audit.service": "reads whatever there is, and asks the packet filter",
    "switch-tune.service": "writes to /proc/sys and /sys",
    "switch-tune-again.service": "writes to /proc/sys and /sys",
    "tandem-change.service": "writes the machine's configuration and restarts services",
    "tandem-console@.service": "set-up writes the machine's configuration and restarts services",
    "tandem-grow.service": "writes the partition table",
    "tandem-health.service": "places test calls, from addresses that it puts on lo",
    "tandem-rescue@.service": "asks for the administrator's password, then is a root shell",
    "tandem-return.service": "restarts the machine",
    "tandem-setup.service": "set-up writes the machine's configuration and restarts services",
}
# Where an operator of CentOS 7 looks.
PLACES = ("/etc/centos-release", "/etc/redhat-release", "/etc/os-release", "/etc/sysctl.d",
          "/etc/sysconfig/network-scripts/ifcfg-lo", "/usr/lib/systemd/system", "/usr/bin/systemctl",
          "/usr/bin/journalctl", "/usr/sbin/ss", "/usr/sbin/ip", "/usr/sbin/nft", "/usr/sbin/tcpdump",
          "/usr/sbin/sshd", "/usr/sbin/sysctl")

# What a build leaves.
MADE = ("tandem.img", "tandem.img.zst", "tandem.img.zst.sha256", "tandem-install.iso", f"tandem-{bundle.version()}.update",
        "install.img", "sbom.spdx.json", "initrd.img", "vmlinuz", "cmdline")

_unpacked = {}


def unpacked(image):
    """The root file system as a folder, unpacked once for all tests here."""
    if image not in _unpacked:
        keep = tempfile.TemporaryDirectory(prefix="tandem-root-")
        root = os.path.join(keep.name, "root")
        with open(os.path.join(image, "tandem.img"), "rb") as f:
            f.seek(2 * 512 + 3 * 128 + 32)  # the fourth partition
            first = int.from_bytes(f.read(8), "little") * 512
        subprocess.run(["unsquashfs", "-no-progress", "-quiet", "-no-xattrs", "-o", str(first), "-d", root,
                        os.path.join(image, "tandem.img")], check=True, capture_output=True)
        _unpacked[image] = (keep, root)
    return _unpacked[image][1]


def inside(root, path):
    """The path in the tree, its links followed as in the running system."""
    for _ in range(16):
        full = root + path
        if not os.path.islink(full):
            return full if os.path.lexists(full) else None
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(full)))
    return None


def image_time(image):
    """The one time that is in it."""
    with open(f"{unpacked(image)}/{bundle.IMAGE}", encoding="ascii") as f:
        return json.load(f)["built"]


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def test_another_build_gives_the_same_bytes(image):
    """From the packages on, in another folder, with nothing kept from the first."""
    with tempfile.TemporaryDirectory(prefix="tandem-build-") as folder:
        cache = os.path.join(folder, "packages")
        os.mkdir(cache)
        for deb in glob.glob(os.path.join(TOP, "build/packages/*.deb")):
            shutil.copy(deb, cache)
        subprocess.run([sys.executable, os.path.join(TOP, "firmware/build.py"), "--out", f"{folder}/image",
                        "--cache", cache, "--bin", os.path.join(os.path.dirname(image), "bin")],
                       env={**os.environ, "SOURCE_DATE_EPOCH": str(image_time(image))}, check=True, stdout=subprocess.DEVNULL)
        for name in MADE:
            assert digest(f"{folder}/image/{name}") == digest(f"{image}/{name}"), f"{name} differs"


def test_every_library_is_there(image):
    assert tree.unresolved(unpacked(image)) == []


def test_units_are_no_more_exposed_than_they_must_be(image):
    root = unpacked(image)
    worse = {}
    for path in sorted(glob.glob(f"{UNITS}/*.service")):
        name = os.path.basename(path)
        text = tree.inside(root, "usr/bin/systemd-analyze", "security", "--offline=true", "--no-pager",
                           f"--root={root}", name.replace("@.", "@x."), env={"SYSTEMD_COLORS": "0"}).decode()
        score = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", text).group(1))
        if score > EXPOSURE_MAX:
            worse[name] = score
    assert set(worse) == set(NEED_ROOT), f"{worse}, excused: {sorted(NEED_ROOT)}"
    print(f"     excused: {', '.join(f'{name} {score}' for name, score in worse.items())}")


def test_units_are_ones_that_systemd_understands(image):
    root = unpacked(image)
    names = [os.path.basename(path) for path in glob.glob(f"{UNITS}/*.service") if "@" not in path]
    done = subprocess.run([f"{root}/usr/lib64/ld-linux-x86-64.so.2", "--library-path",
                           f"{root}/{tree.LIBRARIES}:{root}/{tree.LIBRARIES}/systemd",
                           f"{root}/usr/bin/systemd-analyze", "verify", "--man=no", f"--root={root}", *names],
                          capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines()
            if any(name in line for name in names) and "is not executable" not in line]
    assert said == [], "\n".join(said)


def test_what_is_to_be_started_is_linked(image):
    """Each unit of ours that says where it is wanted is wanted there, by a link that leads to it: systemd ignores a plain file
    in its place. (A template is linked by its instances.)"""
    root, lost = unpacked(image), []
    for path in sorted(glob.glob(f"{UNITS}/*.service") + glob.glob(f"{UNITS}/*.timer")):
        name = os.path.basename(path)
        with open(path, encoding="utf-8") as f:
            targets = re.findall(r"^WantedBy=(\S+)$", f.read(), re.MULTILINE)
        for target in targets:
            links = glob.glob(f"{root}/etc/systemd/system/{target}.wants/{name.replace('@.', '@*.')}")
            if not links or not all(os.path.islink(x) and os.readlink(x).endswith("/" + name) for x in links):
                lost.append(f"{name} in {target}")
    assert lost == [], lost


def test_things_are_where_a_centos_operator_looks(image):
    root = unpacked(image)
    lost = [path for path in PLACES if not inside(root, path)]
    assert lost == [], lost
    with open(inside(root, "/etc/os-release"), encoding="ascii") as f:
        release = f.read()
    assert 'ID_LIKE="rhel centos fedora"' in release and 'VERSION_ID="7"' in release, release


def test_the_switch_is_who_the_last_blocks_are_kept_for(image):
    """tandem-init, which knows no names, mounts the data partition for that user."""
    with open(os.path.join(TOP, "firmware/init/root.c"), encoding="ascii") as f:
        kept_for = re.search(r"resuid=(\d+)", f.read())[1]
    with open(f"{unpacked(image)}/etc/passwd", encoding="ascii") as f:
        users = {line.split(":")[0]: line.split(":")[2] for line in f}
    assert users["switch"] == kept_for, users


def test_nothing_is_set_uid_or_open_to_all(image):
    root, bad = unpacked(image), []
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if not os.path.islink(path) and (mode & 0o6000 or mode & 0o002 and not mode & 0o1000):
                bad.append(os.path.relpath(path, root))
    assert bad == [], bad


def test_no_secret_and_no_log_in_by_password(image):
    root, found = unpacked(image), []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or os.path.getsize(path) > 1 << 20:
                continue
            with open(path, "rb") as f:
                if re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]", f.read()):
                    found.append(os.path.relpath(path, root))
    assert found == [], found
    with open(f"{root}/etc/shadow", encoding="ascii") as f:
        hashes = {line.split(":")[0]: line.split(":")[1] for line in f}
    assert set(hashes.values()) <= {"*", "!*"}, hashes


def test_the_audit_finds_nothing(image):
    """switch-audit, with the image's own libraries, looks at the tree that will be the root. What takes a
    running machine is looked at in tests/vm/test_audit.py."""
    root = unpacked(image)
    done = subprocess.run([f"{root}/usr/lib64/ld-linux-x86-64.so.2", "--library-path", f"{root}/{tree.LIBRARIES}",
                           f"{root}/usr/sbin/switch-audit", "--root", root, "--json", "check"],
                          capture_output=True, text=True, check=False)
    rows = json.loads(done.stdout)
    faults = [f"{r['id']} {r['title']}: {r['found']}" for r in rows if r["state"] in ("failed", "unknown")]
    assert done.returncode == 0 and not faults, "\n".join(faults) + done.stderr
    skipped = [r["id"] for r in rows if r["state"] == "skipped"]
    print(f"     {len(rows) - len(skipped)} controls passed, {len(skipped)} take a running machine")


def test_the_audit_looks_at_every_program_of_ours(image):
    """A program that layers.mk names and no ELF control does is one whose flags nobody checks."""
    root = unpacked(image)
    with open(os.path.join(TOP, "lib/model/controls.tsv"), encoding="utf-8") as f:
        rows = [line.split("\t") for line in f]
    patterns = [row[2].split()[1:] for row in rows if row[1] == "elf"]
    with open(f"{image}/sbom.spdx.json", encoding="utf-8") as f:
        ours = {p["name"] for p in json.load(f)["packages"]}
    paths = [f"/{place}/{name}" for place in ("usr/bin", "usr/sbin", "usr/libexec/tandem") for name in ours
             if os.path.exists(f"{root}/{place}/{name}") and name.startswith(("switch", "tandem"))]
    assert len(paths) > 10, paths
    for path in paths:
        for words in patterns:
            assert any(fnmatch.fnmatchcase(path, word) for word in words), f"{path}: {words}"


def test_size(image):
    """A slot must hold the next release, too."""
    packed = os.path.getsize(f"{image}/tandem.img.zst") >> 20
    files = tree.size(unpacked(image)) >> 20
    print(f"     tandem.img.zst {packed} MiB; root tree {files} MiB")
    assert packed < 128, packed
    medium = os.path.getsize(f"{image}/tandem-install.iso") >> 20
    assert medium < 300, medium
