"""The image's units as systemd 219 understands them: one source for both (spec firmware, CentOS 7)."""

from mk.common import Fault, rows

# systemd 219 gives no capability to another user than root: there the daemon is root with these alone.
CAPABLE = "CAP_NET_ADMIN CAP_CHOWN CAP_DAC_OVERRIDE"
AS_ROOT = {"switch-lockoutd.service": {"User": None, "Group": None, "CapabilityBoundingSet": CAPABLE,
                                       # The host's own programs go out as ever.
                                       "ExecStart": "/usr/sbin/switch-lockoutd --guest"}}


def rules():
    """directive -> (what is done, its words)"""
    return {row.split()[0]: row.split()[1:] for row in rows("el7.list")}


def one(name, value, rule):
    """(section or None, line or None) of a directive."""
    if rule == ["keep"]:
        return None, f"{name}={value}"
    if rule == ["drop"]:
        return None, None
    section = rule[0] if rule[0] in ("Unit", "Service", "Install") else None
    words = rule[1:] if section else rule
    return section, f"{words[0]}={words[1] if len(words) > 1 else value}"


def unit(name, text):
    """The text of the unit for systemd 219."""
    known, own, sections, current = rules(), AS_ROOT.get(name, {}), {}, None
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            current = line[1:-1]
            sections.setdefault(current, [])
        elif line and not line.startswith("#"):
            directive, value = line.split("=", 1)
            if directive not in known:
                raise Fault(f"{name}: what does systemd 219 make of {directive}=? Say it in firmware/el7.list")
            if directive in own:
                if own[directive] is None:
                    continue
                value = own[directive]
            section, line = one(directive, value, known[directive])
            if line:
                sections.setdefault(section or current, []).append(line)
    return "\n".join("\n".join([f"[{section}]", *lines, ""]) for section, lines in sections.items())
