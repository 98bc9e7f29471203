"""sbom.spdx.json: what the image is made of, as SPDX 2.3: Debian's packages, our programs, and the boot loader, which is the build
machine's. Each with its version, and with the licences that it comes under (mk/licences.py)."""

import datetime
import hashlib
import json
import os

from mk import addon
from mk.common import Fault, run, version, write
from mk.licences import REF, Expressions

UNSAID = "NOASSERTION"
NONE = "NONE"  # our own: the project names no licence yet
BOOT_LOADER = ("grub-efi-amd64-bin", "grub-pc-bin")


def identity(name):
    return "SPDXRef-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in name)


def part(name, version_text, licence, digest=None, url=None):
    """One SPDX package."""
    found = {
        "SPDXID": identity(f"Package-{name}"),
        "name": name,
        "downloadLocation": UNSAID,
        "filesAnalyzed": False,
        "licenseConcluded": UNSAID,
        "licenseDeclared": licence,
        "copyrightText": UNSAID,
    }
    if version_text:
        found["versionInfo"] = version_text
    if digest:
        found["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    if url:
        found["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER",
                                  "referenceType": "purl", "referenceLocator": url}]
    return found


def purl(name, version_text, arch):
    text = version_text.replace("+", "%2B").replace(":", "%3A")
    return f"pkg:deb/debian/{name}@{text}?arch={arch}&distro=debian-12"


def boot_loader(known):
    """What grub-mkimage took its modules from. Elsewhere than on Debian nobody can say which version that was."""
    for name in BOOT_LOADER:
        try:
            found = run("dpkg-query", "-W", "-f", "${Version} ${Architecture}", name).decode().split()
        except Fault:
            found = []
        yield part(name, found[0] if found else UNSAID, known.of(name), url=purl(name, *found) if found else None)


def digest_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def added(source):
    """The files of the add-on, of which nobody here knows more than what they are called and hold."""
    return [{**part(f"firmware/{name}", None, UNSAID, digest_of(os.path.join(source, name))),
             "SPDXID": identity(f"Firmware-{number}")} for number, name in enumerate(addon.files(source), 1)]


def build(out, packages, root, program_paths, image, epoch, source=None):
    """root: where the packages are unpacked; program_paths: our programs as they are in the image; source: of the add-on."""
    digest, known = digest_of(image), Expressions(root)
    parts = [part(p.name, p.version, known.of(p.name), p.sha256, purl(p.name, p.version, p.arch)) for p in packages]
    parts += boot_loader(known)
    parts += [part(os.path.basename(path), version(), NONE, digest_of(path)) for path in program_paths]
    parts += added(source) if source else []
    whole = part("tandem", version(), NONE, digest)
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
        "hasExtractedLicensingInfos": [{"licenseId": ref, "extractedText": text, "name": ref.removeprefix(REF)}
                                       for ref, text in sorted(known.texts.items())],
    }
    write(out, json.dumps(document, indent=1) + "\n")
