"""What every step needs: where things are, running a program, telling how far we are."""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(HERE)
START = time.monotonic()
# The tools of the boot loader and of file systems are not on an ordinary user's path.
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


class Fault(Exception):
    """What the person at the keyboard is told, without a trace."""


def say(text):
    print(f"[{time.monotonic() - START:.0f} s] {text}", flush=True)


def epoch():
    """Every time in the image. The last commit's, so that the same source gives the same bytes."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    found = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=TOP, capture_output=True,
                           text=True, check=False)
    if found.returncode == 0 and found.stdout.strip():
        return int(found.stdout)
    return int(os.path.getmtime(os.path.join(TOP, "VERSION")))


def run(*command, env=None, **options):
    """Runs a program and gives its output; its complaint becomes a Fault."""
    fixed = {"PATH": PATH, "LC_ALL": "C", "TZ": "UTC", "HOME": "/", **(env or {})}
    try:
        done = subprocess.run([str(word) for word in command], env=fixed, capture_output=True,
                              check=False, **options)
    except FileNotFoundError:
        raise Fault(f"{command[0]} is missing: ./build.sh image installs it") from None
    if done.returncode != 0:
        raise Fault(f"{' '.join(map(str, command))}: exit status {done.returncode}\n"
                    + done.stderr.decode(errors="replace").strip())
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rows(name):
    """The lines of a list of ours, without comments."""
    lines = (line.strip() for line in read(os.path.join(HERE, name)).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)


def version():
    return read(os.path.join(TOP, "VERSION")).strip()


def main(function):
    try:
        function()
    except Fault as fault:
        print(f"image: {fault}", file=sys.stderr)
        sys.exit(1)
