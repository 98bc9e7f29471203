"""Under which licences a package is, as SPDX says it.

Debian's packages bring a file `copyright`. Where it is machine-readable, every licence that it names counts, those of the
package's build scripts included; a name that licences.list does not know becomes a LicenseRef with the text that stands there.
A file that is free text was read by a person: licences.list has the answer under the package's name.
"""

import os
import re

from mk.common import Fault, read, rows

DOC = "usr/share/doc"
REF = "LicenseRef-"
TEXT = "TEXT"  # in licences.list: the package's copyright file as it stands
# In the order in which they bind; a comma ends what stands before it.
BETWEEN = ((r",\s+and\s+", " AND "), (r",\s+or\s+", " OR "), (r"\s+or\s+", " OR "), (r"\s+and\s+", " AND "))


def table():
    """(Debian's name -> SPDX's expression, package -> expression)"""
    names, packages = {}, {}
    for line in rows("licences.list"):
        name, _, expression = line.partition(" = ")
        (packages if name.startswith("@") else names)[name.strip().removeprefix("@")] = expression.strip()
    return names, packages


def fields(text):
    """(name, text below it) of each License field."""
    for paragraph in re.split(r"\n\s*\n", text):
        found = re.search(r"^License:[ \t]*(.*(?:\n[ \t].*)*)", paragraph, re.M)
        if found:
            name, _, body = found[1].partition("\n")
            yield name.strip(), "\n".join(line.strip().removeprefix(".") for line in body.split("\n")).strip()


class Expressions:
    """Of all packages of a document; `texts`: LicenseRef -> the text that it stands for."""

    def __init__(self, root):
        self.root, self.texts = root, {}
        self.names, self.packages = table()

    def of(self, package):
        """The expression of a package whose files are in the tree."""
        path = os.path.join(self.root, DOC, package, "copyright")
        text = read(path) if os.path.exists(path) else ""
        if package in self.packages:
            said = self.packages[package]
            return said.replace(TEXT, self._reference(package, text)) if TEXT in said else said
        if not text.startswith("Format:"):
            raise Fault(f"{package}: its copyright file is no machine-readable one; read it, and add to firmware/licences.list "
                        f"@{package} = EXPRESSION")
        given = list(fields(text))
        bodies = {name: body for name, body in reversed(given) if body}
        return " AND ".join(sorted({self._any(name, package, bodies) for name, _ in given if name}))

    def _any(self, words, package, bodies):
        """A name, or several with `and` and `or` between them."""
        if words in self.names:
            return self.names[words]
        for pattern, word in BETWEEN:
            parts = re.split(pattern, words)
            if len(parts) > 1:
                return f"({word.join(self._any(part, package, bodies) for part in parts)})"
        body = bodies.get(words) or next((text for name, text in bodies.items() if words in name), None)
        if body is None:
            raise Fault(f"{package}: its copyright file names the licence {words} and has no text of it: "
                        "firmware/licences.list has to say what SPDX calls it")
        return self._reference(words, body)

    def _reference(self, name, text):
        """A LicenseRef for that text; one text has one."""
        base = REF + re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")
        made = next((ref for ref, known in self.texts.items() if known == text), base)
        number = 1
        while self.texts.get(made, text) != text:
            number += 1
            made = f"{base}-{number}"
        self.texts[made] = text
        return made
