"""Whoever builds the source somewhere else gets the same bytes: programs and all. (image.another_build_… takes the programs as they
are.)"""

import os
import shutil
import subprocess
import sys
import tempfile

from test_image import MADE, TOP, digest, image_time


def copy(folder):
    """The source as it stands, and the keys, without which no two builds are the same."""
    names = subprocess.run(["git", "-c", f"safe.directory={TOP}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=TOP, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if os.path.lexists(os.path.join(TOP, name)):
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), target, follow_symlinks=False)
    shutil.copytree(os.path.join(TOP, "build/keys"), os.path.join(folder, "build/keys"))


def test_the_source_elsewhere_gives_the_same_bytes(image):
    """In a folder with another and longer name, compiled from nothing, a compiler's cache left aside."""
    with tempfile.TemporaryDirectory(prefix="tandem-somewhere-else-") as place:
        folder = os.path.join(place, "tandem")
        copy(folder)
        own = {**os.environ, "CCACHE_DISABLE": "1", "SOURCE_DATE_EPOCH": str(image_time(image))}
        subprocess.run(["make", "-j2", "V=release", "all"], cwd=folder, env=own, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, "firmware/build.py", "--cache", os.path.join(TOP, "build/packages")], cwd=folder, env=own,
                       check=True, stdout=subprocess.DEVNULL)
        for name in MADE:
            assert digest(f"{folder}/build/image/{name}") == digest(f"{image}/{name}"), f"{name} differs"
