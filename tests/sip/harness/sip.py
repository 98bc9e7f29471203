"""SIP messages: a small and strict parser, and a builder.

The parser is part of the checker. It takes what a careful B2BUA may send and nothing else, so that
every message of the switch is checked by being read: Malformed says what is wrong with it.
"""

import re
import secrets

CRLF = b"\r\n"
COOKIE = "z9hG4bK"
COMPACT = {"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length",
           "c": "Content-Type", "s": "Subject", "k": "Supported", "e": "Content-Encoding"}
ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")
TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")


class Malformed(ValueError):
    """A message that must not have been sent."""


def token(size=8):
    return secrets.token_hex(size)


def canonical(name):
    """via, VIA and v are Via."""
    return COMPACT.get(name.lower()) or "-".join(
        {"id": "ID", "cseq": "CSeq", "www": "WWW", "mime": "MIME"}.get(w, w.capitalize())
        for w in name.lower().split("-"))


class Message:
    """A request (method, uri) or a response (code, reason) with headers in their order."""

    def __init__(self, method=None, uri=None, code=None, reason=None, headers=(), body=b""):
        self.method, self.uri, self.code, self.reason = method, uri, code, reason
        self.headers = [(canonical(n), str(v)) for n, v in headers]
        self.body = body

    @property
    def is_request(self):
        return self.method is not None

    def get(self, name, default=None):
        name = canonical(name)
        return next((v for n, v in self.headers if n == name), default)

    def all(self, name):
        name = canonical(name)
        return [v for n, v in self.headers if n == name]

    def set(self, name, value):
        """Replaces the first of that name, or adds it."""
        name = canonical(name)
        for i, (n, _) in enumerate(self.headers):
            if n == name:
                self.headers[i] = (name, str(value))
                return self
        self.headers.append((name, str(value)))
        return self

    def drop(self, name):
        self.headers = [(n, v) for n, v in self.headers if n != canonical(name)]
        return self

    @property
    def call_id(self):
        return self.get("Call-ID")

    @property
    def cseq(self):
        number, method = self.get("CSeq").split()
        return int(number), method

    @property
    def branch(self):
        return param(self.get("Via"), "branch")

    @property
    def from_tag(self):
        return param(self.get("From"), "tag")

    @property
    def to_tag(self):
        return param(self.get("To"), "tag")

    @property
    def contact(self):
        value = self.get("Contact")
        return uri_of(value) if value else None

    @property
    def sdp(self):
        return Sdp.parse(self.body) if self.body else None

    def start_line(self):
        if self.is_request:
            return f"{self.method} {self.uri} SIP/2.0"
        return f"SIP/2.0 {self.code} {self.reason}"

    def brief(self):
        """For a ladder: 'INVITE 880171 (SDP)', '200 OK INVITE'."""
        sdp = " (SDP)" if self.body else ""
        if self.is_request:
            return f"{self.method}{' ' + user_of(self.uri) if self.method == 'INVITE' else ''}{sdp}"
        return f"{self.code} {self.reason} ({self.cseq[1]}){sdp}"

    def encode(self):
        lines = [self.start_line()] + [f"{n}: {v}" for n, v in self.headers if n != "Content-Length"]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8") + CRLF + CRLF + self.body

    def reply(self, code, reason=None, tag=None, headers=(), body=b""):
        """A response to this request, with its Via, From, To, Call-ID and CSeq as they came."""
        to = self.get("To")
        if tag and not self.to_tag:
            to += f";tag={tag}"
        kept = [("Via", v) for v in self.all("Via")]
        kept += [("Record-Route", v) for v in self.all("Record-Route")]
        kept += [("From", self.get("From")), ("To", to), ("Call-ID", self.call_id),
                 ("CSeq", self.get("CSeq"))]
        return Message(code=code, reason=reason or REASONS.get(code, "Because"),
                       headers=kept + list(headers), body=body)


REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 302: "Moved Temporarily",
           401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 407: "Proxy Authentication Required",
           408: "Request Timeout", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
           486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
           500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere",
           603: "Decline"}


def split_params(value):
    """'<sip:a;x=1>;tag=2' -> ('<sip:a;x=1>', {'tag': '2'}): parameters after the address."""
    head, _, tail = value.rpartition(">")
    if head:
        head += ">"
    else:
        head, _, tail = value.partition(";")
        tail = ";" + tail if tail else ""
    params = {}
    for part in tail.split(";"):
        if part.strip():
            name, _, val = part.strip().partition("=")
            params[name.strip().lower()] = val.strip().strip('"')
    return head.strip(), params


def param(value, name):
    return split_params(value)[1].get(name) if value else None


def uri_of(value):
    """The URI inside a From, To, Contact or Route value."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else split_params(value)[0]


def user_of(uri):
    found = re.match(r"sips?:([^@;>]*)@", uri)
    return found.group(1) if found else ""


def display_of(value):
    return value.split("<")[0].strip().strip('"')


def host_port(uri):
    """('127.0.0.1', 5060) of a SIP URI."""
    found = re.match(r"sips?:(?:[^@>]*@)?(\[[^\]]*\]|[^:;>?]+)(?::(\d+))?", uri)
    if not found:
        raise Malformed(f"no host in URI {uri!r}")
    return found.group(1).strip("[]"), int(found.group(2) or 5060)


def parse(data):
    """One whole message; Malformed for anything that a switch must not emit."""
    head, gap, body = data.partition(CRLF + CRLF)
    if not gap:
        raise Malformed("no empty line after the headers")
    for odd in (b"\0", b"\x1b"):
        if odd in head:
            raise Malformed(f"control octet {odd!r} in the headers")
    if b"\n" in head.replace(CRLF, b"") or b"\r" in head.replace(CRLF, b""):
        raise Malformed("a line that does not end in CRLF")
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError as e:
        raise Malformed(f"headers are not UTF-8: {e}") from None
    msg = _start(lines[0])
    for line in lines[1:]:
        if line[:1] in (" ", "\t"):
            raise Malformed("a folded header")
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.match(name):
            raise Malformed(f"bad header line {line!r}")
        msg.headers.append((canonical(name), value.strip()))
    msg.body = body
    _check(msg)
    return msg


def _start(line):
    if line.startswith("SIP/2.0 "):
        found = re.match(r"SIP/2\.0 ([1-6]\d\d) (.*)\Z", line)
        if not found:
            raise Malformed(f"bad status line {line!r}")
        return Message(code=int(found.group(1)), reason=found.group(2))
    found = re.match(r"(\S+) (\S+) SIP/2\.0\Z", line)
    if not found or not TOKEN.match(found.group(1)):
        raise Malformed(f"bad request line {line!r}")
    return Message(method=found.group(1), uri=found.group(2))


def _check(msg):
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        if not msg.get(name):
            raise Malformed(f"{msg.start_line()!r} has no {name}")
    for name in ONCE:
        if len(msg.all(name)) > 1:
            raise Malformed(f"{name} twice")
    if not re.match(r"\d+ [A-Z]+\Z", msg.get("CSeq")) or not 0 <= msg.cseq[0] < 2 ** 31:
        raise Malformed(f"bad CSeq {msg.get('CSeq')!r}")
    length = msg.get("Content-Length")
    if length is None or not length.isdigit() or int(length) != len(msg.body):
        raise Malformed(f"Content-Length {length!r} for a body of {len(msg.body)}")
    if msg.body and not msg.get("Content-Type"):
        raise Malformed("a body without Content-Type")
    if not (msg.branch or "").startswith(COOKIE):
        raise Malformed(f"Via without a branch of RFC 3261: {msg.get('Via')!r}")
    if not msg.from_tag:
        raise Malformed("From without a tag")
    if msg.is_request:
        _check_request(msg)
    elif msg.code > 100 and not msg.to_tag:
        raise Malformed(f"{msg.code} without a To tag")
    if msg.cseq[1] == "INVITE" and (msg.is_request or 200 <= msg.code < 300) and not msg.contact:
        raise Malformed(f"{msg.start_line()!r} without a Contact")
    if msg.body and msg.get("Content-Type").lower() == "application/sdp":
        Sdp.parse(msg.body)


def _check_request(msg):
    if msg.cseq[1] != msg.method:
        raise Malformed(f"CSeq {msg.get('CSeq')!r} in a {msg.method}")
    forwards = msg.get("Max-Forwards")
    if forwards is None or not forwards.isdigit() or not 0 < int(forwards) <= 255:
        raise Malformed(f"Max-Forwards {forwards!r}")


class Sdp:
    """One stream's view of a session description: audio, or with kind="image" a fax (T.38)."""

    T38 = ["a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF", "a=T38FaxUdpEC:t38UDPRedundancy"]

    def __init__(self, ip, port, payloads=(8, 0, 101), direction="sendrecv", session=1, version=1,
                 user="-", extra=(), kind="audio"):
        self.ip, self.port, self.payloads, self.direction = ip, port, list(payloads), direction
        self.session, self.version, self.user, self.extra, self.kind = session, version, user, list(extra), kind

    RTPMAP = {0: "PCMU/8000", 8: "PCMA/8000", 18: "G729/8000", 101: "telephone-event/8000"}

    def encode(self):
        kind = "IP6" if ":" in self.ip else "IP4"
        lines = ["v=0", f"o={self.user} {self.session} {self.version} IN {kind} {self.ip}", "s=-",
                 f"c=IN {kind} {self.ip}", "t=0 0"]
        if self.kind == "image":
            lines += ["m=audio 0 RTP/AVP 8", f"m=image {self.port} udptl t38"] + self.T38 + self.extra
            return "\r\n".join(lines).encode() + CRLF
        lines += [f"m=audio {self.port} RTP/AVP {' '.join(map(str, self.payloads))}"]
        lines += [f"a=rtpmap:{p} {self.RTPMAP[p]}" for p in self.payloads if p in self.RTPMAP]
        lines += [f"a={self.direction}"] + self.extra
        return "\r\n".join(lines).encode() + CRLF

    @classmethod
    def parse(cls, body):
        try:
            lines = body.decode("utf-8").split("\r\n")
        except UnicodeDecodeError:
            raise Malformed(f"SDP that is not UTF-8: {body!r}") from None
        if lines[-1] != "" or any(not re.match(r"[a-z]=", line) for line in lines[:-1]):
            raise Malformed(f"bad SDP {body!r}")
        if lines[0] != "v=0" or [line[0] for line in lines[:3]] != ["v", "o", "s"]:
            raise Malformed(f"SDP does not begin with v, o, s: {lines[:3]}")
        origin = re.match(r"o=(\S+) (\d+) (\d+) IN IP[46] (\S+)\Z", lines[1])
        media = [re.match(r"m=(\S+) (\d+) (\S+) (.+)\Z", line) for line in lines if line[:2] == "m="]
        where = [re.match(r"c=IN IP[46] (\S+)\Z", line) for line in lines if line[:2] == "c="]
        if not origin or not media or not all(media) or not where or not all(where):
            raise Malformed(f"SDP without a usable o=, m= or c=: {body!r}")
        used = [m for m in media if m.group(2) != "0"] or media
        seen = next((m for m in used if m.group(1) == "audio"), used[0])
        direction = next((line[2:] for line in lines
                          if line in ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")), "sendrecv")
        return cls(where[-1].group(1), int(seen.group(2)), [int(p) if p.isdigit() else p for p in seen.group(4).split()],
                   direction, int(origin.group(2)), int(origin.group(3)), origin.group(1), kind=seen.group(1))
