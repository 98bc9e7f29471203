"""Licences made with the throw-away key of this build, by switch-license itself."""

import asyncio
import datetime
import os
import subprocess


def signing_key(binaries):
    """keys/licence.pem of the build that the programs stand in."""
    folder = binaries
    while folder != "/":
        path = os.path.join(folder, "keys", "licence.pem")
        if os.path.exists(path):
            return path
        folder = os.path.dirname(folder)
    raise AssertionError("no keys/licence.pem above the programs: this build took somebody else's key")


def moment(**ahead):
    """ISO 8601, so far from now."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)).isoformat()


async def tool(binaries, *words):
    """switch-license: (exit status, stdout, stderr)."""
    command = [os.path.join(binaries, "switch-license"), *words]
    done = await asyncio.to_thread(
        subprocess.run, command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


async def sign(binaries, key=None, **fields):
    """A licence file's content."""
    fields = {"customer": "Acme Telecom", "lines": 3, **fields}
    words = [f"{name}={value}" for name, value in fields.items()]
    status, out, err = await tool(binaries, "sign", "--key", key or signing_key(binaries), *words)
    assert status == 0, err
    return out
