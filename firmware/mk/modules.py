"""Which kernel modules are kept: those that a list names and all that these need."""

import fnmatch
import os

from mk.common import Fault, rows, run


def patterns(listing):
    """What to take and what to leave, as patterns of whole paths."""
    lines = rows(listing)
    return ([f"kernel/{line}" for line in lines if not line.startswith("!")],
            [f"kernel/{line[1:]}" for line in lines if line.startswith("!")])


def any_of(path, globs):
    return any(fnmatch.fnmatchcase(path, glob) for glob in globs)


class Kernel:
    """The modules of a kernel as its package has them."""

    def __init__(self, tree):
        self.base = os.path.join(tree, "usr/lib/modules")
        names = os.listdir(self.base)
        if len(names) != 1:
            raise Fault(f"one kernel expected, found {names}")
        self.release = names[0]
        self.folder = os.path.join(self.base, self.release)
        self.tree = tree
        if not os.path.exists(os.path.join(self.folder, "modules.dep")):
            index(tree, self.release)
        self.needs = dict(self.read_needs())

    def read_needs(self):
        with open(os.path.join(self.folder, "modules.dep"), encoding="ascii") as f:
            for line in f:
                path, _, needs = line.partition(":")
                yield path, needs.split()

    def chosen(self, listing):
        """Paths (kernel/...) by a list of ours, with what they need."""
        take, leave = patterns(listing)
        named = [path for path in self.needs if any_of(path, take) and not any_of(path, leave)]
        return sorted(set(named).union(*(self.needs[path] for path in named)))

    def check(self, listing):
        """A pattern that names nothing is a mistake, or a kernel that changed."""
        unused = [p for group in patterns(listing) for p in group
                  if not fnmatch.filter(self.needs, p)]
        if unused:
            raise Fault(f"{listing}: names no module: {', '.join(unused)}")

    def prune(self, *listings):
        """Removes from the tree what no list chooses, and indexes the rest."""
        for listing in listings:
            self.check(listing)
        keep = {path for listing in listings for path in self.chosen(listing)}
        for path in self.needs:
            if path not in keep:
                os.unlink(os.path.join(self.folder, path))
        for folder, _, _ in os.walk(os.path.join(self.folder, "kernel"), topdown=False):
            if not os.listdir(folder):
                os.rmdir(folder)
        index(self.tree, self.release)
        self.needs = dict(self.read_needs())


def index(tree, release):
    """depmod, without the tables that nobody reads."""
    run("depmod", "-b", tree, release)
    folder = os.path.join(tree, "lib/modules", release)
    for name in ("modules.symbols", "modules.symbols.bin"):
        os.unlink(os.path.join(folder, name))
