"""Lynis, an auditor whom we have not written, in the booted machine: its index, and what is short of it."""

import asyncio
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(TOP, "docs", "lynis.md")
INDEX = 85  # security.md; docs/lynis.md says where the rest is
TOOLS = ("/usr/bin/ps", "/usr/bin/pgrep", "/usr/bin/stat", "/usr/sbin/veritysetup")


def let():
    """{id: reason} of docs/lynis.md: what Lynis asks for and why it is not so."""
    with open(TABLE, encoding="utf-8") as f:
        return dict(re.findall(r"^\| ([A-Z]+(?:-\d+)?) \| (.+) \|$", f.read(), re.M))


def packed(folder):
    """The Debian package as it is, and the tools that it counts on and BusyBox has otherwise, as a disk."""
    path = os.path.join(folder, "lynis.tar")
    subprocess.run(["tar", "-cf", path, "--owner=0", "--group=0", "--transform=s,^,lynis/,", "-C", "/usr/share/lynis", ".",
                    "-C", "/usr/sbin", "lynis", "-C", "/etc/lynis", "default.prf"], check=True)
    subprocess.run(["tar", "-rhf", path, "--owner=0", "--group=0", "--transform=s,.*/,tools/,", "-P",
                    *TOOLS, *sorted({x for t in TOOLS for x in libraries(t)})], check=True)
    return path


def libraries(program):
    """What it is linked with, but for the C library, which the machine has."""
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return [path for path in re.findall(r" (/\S+) ", said) if not re.search(r"/(libc|ld-linux[^/]*)\.so", path)]


def look(machine, folder):
    """The report, as (index, warnings, suggestions): each [id, text]. Lynis does not know us by name, and is told what os-release
    says we are like. Its exit status says no more than that it has found something."""
    disk = machine.plug(packed(folder), "lynis")
    machine.check(f"""mkdir /run/audit && tar -xf /dev/{disk} -C /run/audit && mkdir /run/audit/lynis/plugins && cd /run/audit/lynis &&
        sed -i 's/"centos")/"centos"|"tandem")/' include/osdetection && chmod 600 include/* &&
        sed -i 's,^BIN_PATHS="\\(.*\\)\\\\,BIN_PATHS="\\1 /run/audit/tools \\\\,' include/consts && grep -q audit/tools include/consts""")
    machine.sh("(export LD_LIBRARY_PATH=/run/audit/tools PATH=/run/audit/tools:$PATH; cd /run/audit/lynis;"
               " sh lynis audit system --quick --no-colors --logfile /run/audit/log --profile default.prf"
               " --report-file /run/audit/report >/run/audit/said 2>&1)", 3500)
    if os.environ.get("LYNIS_KEEP"):
        for name in ("report", "said", "log"):
            with open(os.path.join(os.environ["LYNIS_KEEP"], name), "w", encoding="utf-8") as f:
                f.write(machine.check(f"cat /run/audit/{name}"))
    report = machine.check("cat /run/audit/report")
    assert "finish=true" in report, machine.sh("tail -n 30 /run/audit/said")[1]
    found = {kind: [line.split("|")[:2] for line in re.findall(rf"^{kind}\[\]=(.*)$", report, re.M)]
             for kind in ("warning", "suggestion")}
    return int(re.search(r"^hardening_index=(\d+)", report, re.M)[1]), found["warning"], found["suggestion"]


async def test_lynis_finds_what_is_known_and_no_more(site):
    """The index that was measured, and every warning and suggestion stands in docs/lynis.md with the reason why it is not followed."""
    index, warnings, suggestions = await asyncio.to_thread(look, site.switch.machine, site.folder)
    print(f"     lynis: index {index}, {len(warnings)} warnings, {len(suggestions)} suggestions")
    known = let()
    fresh = [s for s in warnings + suggestions if s[0] not in known]
    assert not fresh, "\n".join(": ".join(s) for s in fresh)
    gone = set(known) - {i for i, _ in warnings + suggestions}
    assert not gone, f"docs/lynis.md speaks of what Lynis no longer asks: {gone}"
    assert index >= INDEX, index
