"""An update in one file, signed (firmware/formats/bundle.h has its format), and the keys that it is known by.

The private key is TANDEM_UPDATE_KEY (PEM, Ed25519); without it a throw-away pair is made once, in build/keys. Its public
half goes into the image, with those that TANDEM_UPDATE_NEXT names (files, separated by colons): so a key is replaced by
a release that knows the old one and the next one.
"""

import hashlib
import json
import os
import struct

from mk.common import TOP, Fault, run, version, write

MAGIC = b"TANDEM-UPDATE-1\n"
MACHINE = "x86_64"
BLOCK = 4096
KEYS = "usr/share/tandem/update-keys"
IMAGE = "usr/share/tandem/image.json"


def key():
    """The private key's path."""
    given = os.environ.get("TANDEM_UPDATE_KEY")
    if given:
        return given
    path = os.path.join(TOP, "build/keys/update.pem")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", path)
        os.chmod(path, 0o600)
    return path


def lay(root, epoch):
    """What the running system knows of itself and of updates to come."""
    name = "release" if os.environ.get("TANDEM_UPDATE_KEY") else "development"
    write(os.path.join(root, KEYS, f"{name}.pub"), run("openssl", "pkey", "-in", key(), "-pubout"))
    for number, path in enumerate(filter(None, os.environ.get("TANDEM_UPDATE_NEXT", "").split(":")), 1):
        # openssl takes nothing else than a public key here: nobody puts a private one into an image by mistake.
        write(os.path.join(root, KEYS, f"next-{number}.pub"), run("openssl", "pkey", "-pubin", "-in", path, "-pubout"))
    write(os.path.join(root, IMAGE),
          json.dumps({"version": version(), "built": epoch, "machine": MACHINE}) + "\n")


def used(path):
    """How many bytes of the file are not zeros behind the last one that is something."""
    size = os.path.getsize(path)
    with open(path, "rb") as f:
        while size > 0:
            step = min(BLOCK, size)
            f.seek(size - step)
            if f.read(step).count(0) != step:
                break
            size -= step
    return size


def sha256(path, size):
    total = hashlib.sha256()
    with open(path, "rb") as f:
        while size > 0:
            chunk = f.read(min(1 << 20, size))
            total.update(chunk)
            size -= len(chunk)
    return total.hexdigest()


def sign(work, text):
    path = os.path.join(work, "signed")
    write(path, text)
    signature = run("openssl", "pkeyutl", "-sign", "-inkey", key(), "-rawin", "-in", path)
    if len(signature) != 64:
        raise Fault("the key of updates is no Ed25519 key")
    return signature


def build(work, out, boot, root, epoch):
    """boot and root: what the two partitions begin with. Gives the bundle's path."""
    parts = [(name, path, used(path)) for name, path in (("boot", boot), ("root", root))]
    listed = {"product": "tandem", "machine": MACHINE, "version": version(), "built": epoch,
              "parts": [{"name": name, "size": size, "sha256": sha256(path, size)}
                        for name, path, size in parts]}
    text = json.dumps(listed, separators=(",", ":")).encode()
    head = MAGIC + struct.pack("<I", len(text))
    target = os.path.join(out, f"tandem-{version()}.update")
    with open(target, "wb") as f:
        f.write(head + sign(work, head + text) + text)
        for _, path, size in parts:
            with open(path, "rb") as source:
                while size > 0:
                    chunk = source.read(min(1 << 20, size))
                    f.write(chunk)
                    size -= len(chunk)
    return target
