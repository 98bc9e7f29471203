"""sbom.spdx.json: what the image is made of, as SPDX 2.3."""

import datetime
import hashlib
import json
import os

from mk.common import version, write

NONE = "NOASSERTION"


def identity(name):
    return "SPDXRef-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in name)


def part(name, version_text, digest, url=None):
    """One SPDX package."""
    found = {
        "SPDXID": identity(f"Package-{name}"),
        "name": name,
        "versionInfo": version_text,
        "downloadLocation": NONE,
        "filesAnalyzed": False,
        "licenseConcluded": NONE,
        "licenseDeclared": NONE,
        "copyrightText": NONE,
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
    }
    if url:
        found["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER",
                                  "referenceType": "purl", "referenceLocator": url}]
    return found


def purl(package):
    text = package.version.replace("+", "%2B").replace(":", "%3A")
    return f"pkg:deb/debian/{package.name}@{text}?arch={package.arch}&distro=debian-12"


def digest_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def build(out, packages, program_paths, image, epoch):
    """program_paths: our programs as they are in the image."""
    digest = digest_of(image)
    parts = [part(p.name, p.version, p.sha256, purl(p)) for p in packages]
    parts += [part(os.path.basename(path), version(), digest_of(path)) for path in program_paths]
    whole = part("tandem", version(), digest)
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"tandem-{version()}",
        "documentNamespace": f"https://spdx.org/spdxdocs/tandem-{version()}-{digest}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Tool: tandem firmware/build.py"]},
        "packages": [whole, *parts],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": whole["SPDXID"]}]
                         + [{"spdxElementId": whole["SPDXID"], "relationshipType": "CONTAINS",
                             "relatedSpdxElement": p["SPDXID"]} for p in parts],
    }
    write(out, json.dumps(document, indent=1) + "\n")
