"""The bill of materials: everything that is in the image, as SPDX 2.3 has it."""

import json
import os
import re
import sys

from test_image import TOP, digest

sys.path.append(os.path.join(TOP, "firmware"))

from mk import lock  # noqa: E402


def bill(image):
    with open(f"{image}/sbom.spdx.json", encoding="utf-8") as f:
        return json.load(f)


def test_the_bill_of_materials_names_everything(image):
    document = bill(image)
    parts = {p["name"]: p for p in document["packages"]}
    sums = {name: p["checksums"][0]["checksumValue"] for name, p in parts.items() if "checksums" in p}
    for package in lock.read_lock():
        assert sums[package.name] == package.sha256, package.name
        assert parts[package.name]["versionInfo"] == package.version, package.name
    assert sums["tandem"] == digest(f"{image}/tandem.img")
    assert "switchd" in sums and "tandem-init" in sums and "grub-pc-bin" in parts
    related = {r["relatedSpdxElement"] for r in document["relationships"]}
    assert {p["SPDXID"] for p in document["packages"]} == related


def words_of(expression):
    """The licences in an SPDX expression, which is well formed; exceptions too."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)

    def some(at):
        """Where the terms that begin there, AND and OR between them, end."""
        at = one(at)
        while at < len(tokens) and tokens[at] in ("AND", "OR"):
            at = one(at + 1)
        return at

    def one(at):
        if tokens[at] == "(":
            at = some(at + 1)
            assert tokens[at] == ")", expression
            return at + 1
        assert re.fullmatch(r"[A-Za-z0-9.-]+\+?", tokens[at]) and tokens[at] not in ("AND", "OR", "WITH"), expression
        return at + (3 if tokens[at + 1:at + 2] == ["WITH"] else 1)

    assert some(0) == len(tokens), expression
    return {t for t in tokens if t not in ("(", ")", "AND", "OR", "WITH")}


def test_the_bill_of_materials_is_spdx_2_3(image):
    """What that standard asks of a document, a package and a relationship; every package of Debian's says its licences, by SPDX's
    names or with their text."""
    document = bill(image)
    assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0"
    assert document["SPDXID"] == "SPDXRef-DOCUMENT" and document["name"]
    assert re.fullmatch(r"https?://[^#\s]+", document["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Person|Organization): \S", c) for c in document["creationInfo"]["creators"])
    ids = [p["SPDXID"] for p in document["packages"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
    for r in document["relationships"]:
        assert r["relationshipType"] in ("DESCRIBES", "CONTAINS"), r
        assert {r["spdxElementId"], r["relatedSpdxElement"]} <= {*ids, "SPDXRef-DOCUMENT"}, r
    texts = {t["licenseId"]: t["extractedText"] for t in document["hasExtractedLicensingInfos"]}
    ours = {p["name"] for p in document["packages"] if p["licenseDeclared"] == "NONE"}
    assert "openssh-server" not in ours and "switchd" in ours, ours
    used = set()
    for p in document["packages"]:
        assert p["name"] and p["versionInfo"] and p["downloadLocation"] and p["filesAnalyzed"] is False, p
        assert all(c["algorithm"] == "SHA256" and re.fullmatch("[0-9a-f]{64}", c["checksumValue"]) for c in p.get("checksums", []))
        for e in p.get("externalRefs", []):
            assert e["referenceCategory"] == "PACKAGE-MANAGER" and e["referenceType"] == "purl", e
            assert re.fullmatch(r"pkg:deb/debian/[^@\s]+@[^?\s]+\?arch=\w+&distro=debian-12", e["referenceLocator"]), e
        if p["name"] not in ours:
            used |= words_of(p["licenseDeclared"])
    assert {w for w in used if w.startswith("LicenseRef-")} == set(texts) and all(texts.values())
    print(f"     {len(ids)} packages, {len(used - set(texts))} licences of SPDX's list, {len(texts)} with their text")
