"""Messages that no decent peer sends, and what must come of each (spec/security.md §1).

Each row is (name, message, answers): answers is the set of codes that are right; None in it means
that silence is right too. A message is text with \\n for CRLF, or bytes as they are.
"""

SDP = ("v=0\no=- 1 1 IN IP4 {ip}\ns=-\nc=IN IP4 {ip}\nt=0 0\nm=audio 40000 RTP/AVP 8\n"
       "a=rtpmap:8 PCMA/8000\n")
HEAD = {
    "via": "Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK{token}",
    "max": "Max-Forwards: 70",
    "from": "From: <sip:1001@{ip}>;tag=t{token}",
    "to": "To: <sip:88017@{sip}>",
    "id": "Call-ID: {token}@{ip}",
    "cseq": "CSeq: 1 INVITE",
    "contact": "Contact: <sip:1001@{ip}:{port}>",
    "type": "Content-Type: application/sdp",
    "length": "Content-Length: {length}",
}
SILENT_OK = None


def message(line="INVITE sip:88017@{sip} SIP/2.0", body=SDP, drop=(), add=(), **changes):
    """A good INVITE with some lines exchanged, dropped or added at the end of the headers."""
    lines = [line] + [changes.get(k, v) for k, v in HEAD.items() if k not in drop] + list(add)
    return "\n".join(lines) + "\n\n", body


def other(method, **changes):
    """The same as another method, without a body."""
    return message(f"{method} sip:88017@{{sip}} SIP/2.0", body="", drop=("type",),
                   **{"cseq": f"CSeq: 1 {method}", **changes})


def table():
    bad, refused = {400}, {400, 413, 513}
    m = message
    rows = [
        ("CSeq without a number", m(cseq="CSeq: INVITE"), bad),
        ("CSeq over 2^31-1", m(cseq="CSeq: 2147483648 INVITE"), bad),
        ("CSeq over 2^64", m(cseq="CSeq: 18446744073709551617 INVITE"), bad),
        ("CSeq negative", m(cseq="CSeq: -1 INVITE"), bad),
        ("CSeq in hex", m(cseq="CSeq: 0x10 INVITE"), bad),
        ("CSeq of another method", m(cseq="CSeq: 1 OPTIONS"), bad),
        ("CSeq twice", m(add=["CSeq: 2 INVITE"]), bad),
        ("no CSeq", m(drop=("cseq",)), bad | {None}),
        ("no Call-ID", m(drop=("id",)), bad | {None}),
        ("no From", m(drop=("from",)), bad | {None}),
        ("no To", m(drop=("to",)), bad | {None}),
        ("no Via", m(drop=("via",)), bad | {None}),
        ("no Contact", m(drop=("contact",)), bad),
        ("no Max-Forwards, which is allowed to be absent", m(drop=("max",)), {200}),
        ("empty From", m(**{"from": "From:"}), bad | {None}),
        ("From without a tag", m(**{"from": "From: <sip:1001@{ip}>"}), {200, 400}),
        ("From twice", m(add=["From: <sip:1@{ip}>;tag=2"]), bad),
        ("compact From beside From", m(add=["f: <sip:1@{ip}>;tag=2"]), bad),
        ("To twice", m(add=["To: <sip:99@{sip}>"]), bad),
        ("Call-ID twice", m(add=["Call-ID: x"]), bad),
        ("Max-Forwards twice", m(add=["Max-Forwards: 5"]), bad),
        ("Max-Forwards 0", m(max="Max-Forwards: 0"), {483}),
        ("Max-Forwards 256", m(max="Max-Forwards: 256"), bad),
        ("Max-Forwards not a number", m(max="Max-Forwards: many"), bad),
        ("Max-Forwards negative", m(max="Max-Forwards: -1"), bad),
        ("two Content-Length that differ", m(add=["Content-Length: 3"]), bad),
        ("two Content-Length, one compact", m(add=["l: 3"]), bad),
        ("space before the colon of a second length", m(add=["Content-Length : 3"]), bad),
        ("Content-Length longer than the datagram", m(length="Content-Length: 9999"), bad),
        ("Content-Length negative", m(length="Content-Length: -1"), bad),
        ("Content-Length not a number", m(length="Content-Length: abc"), bad),
        ("Content-Length over 2^64", m(length="Content-Length: 18446744073709551616"), bad),
        ("Content-Type twice", m(add=["Content-Type: text/plain"]), bad),
        ("unknown body type", m(type="Content-Type: application/x-unknown"), {415}),
        ("a body without a type", m(drop=("type",)), {400, 415}),
        ("unknown scheme", m("INVITE nobodyKnowsThisScheme:88017 SIP/2.0"), {416}),
        ("SIP/7.0", m("INVITE sip:88017@{sip} SIP/7.0"), {505}),
        ("SIP/2.0 in small letters of HTTP", m("INVITE sip:88017@{sip} HTTP/1.1"), {400, 505, None}),
        ("no version", m("INVITE sip:88017@{sip}"), bad | {None}),
        ("spaces in the Request-URI", m("INVITE sip:880 17@{sip} SIP/2.0"), bad | {None}),
        ("Request-URI in angle brackets", m("INVITE <sip:88017@{sip}> SIP/2.0"), bad | {200, None}),
        ("%00 in the user", m("INVITE sip:880%0017@{sip} SIP/2.0", to="To: <sip:880%0017@{sip}>"), bad),
        ("a control octet in the user", m(to="To: <sip:880\x0117@{sip}>"), bad | {None}),
        ("escape in the display name", m(**{"from": 'From: "\x1b[31mred" <sip:1001@{ip}>;tag=1'}), {200, 400, None}),
        ("invalid UTF-8 in a display name", "utf8", {200, 400, None}),
        ("NUL inside a header", m(add=["Subject: a\0b"]), {200, 400, None}),
        ("NUL in a header name", m(add=["Sub\0ject: a"]), bad | {None}),
        ("a header without a colon", m(add=["Nonsense"]), {200, 400, None}),
        ("an empty header name", m(add=[": value"]), {200, 400, None}),
        ("a header name with a space inside", m(add=["Sub ject: x"]), {200, 400, None}),
        ("Require of the unknown", m(add=["Require: nothingSupportsThis"]), {420}),
        ("Proxy-Require of the unknown", m(add=["Proxy-Require: nothingSupportsThis"]), {420}),
        ("unknown method", other("NEWMETHOD"), {405, 501}),
        ("MESSAGE", other("MESSAGE"), {405, 603}), ("SUBSCRIBE", other("SUBSCRIBE"), {405, 603}),
        ("NOTIFY", other("NOTIFY"), {405, 481, 603}), ("REFER", other("REFER"), {405, 603}),
        ("PUBLISH", other("PUBLISH"), {405, 603}),
        ("BYE of no dialog", other("BYE", to="To: <sip:88017@{sip}>;tag=none"), {481}),
        ("BYE without a To tag", other("BYE"), {481}),
        ("CANCEL of nothing", other("CANCEL"), {481}),
        ("ACK of nothing", other("ACK", to="To: <sip:88017@{sip}>;tag=none"), {None}),
        ("PRACK of nothing", other("PRACK", to="To: <sip:88017@{sip}>;tag=none"), {405, 481}),
        ("INVITE in no dialog", m(to="To: <sip:88017@{sip}>;tag=none"), {481}),
        ("a stray response", m("SIP/2.0 200 OK"), {None}),
        ("a response with a status of 99", m("SIP/2.0 99 What"), {None}),
        ("a response with a status of 4294967496", m("SIP/2.0 4294967496 OK"), {None}),
        ("Via without a branch", m(via="Via: SIP/2.0/UDP {ip}:{port}"), {200, 400, None}),
        ("Via with a port of 99999", m(via="Via: SIP/2.0/UDP {ip}:99999;rport;branch=z9hG4bK{token}"), {200, 400, None}),
        ("Via that is nonsense", m(via="Via: ;;;,,,==="), {400, None}),
        ("Via of 127.0.0.1 with another transport", m(via="Via: SIP/2.0/XYZ {ip}:{port};rport;branch=z9hG4bK{token}"), {200, 400, None}),
        ("61 Vias", m(add=["Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx"] * 60), refused | {482, None}),
        ("257 header lines", m(add=[f"X-H{i}: 1" for i in range(257)]), refused | {None}),
        ("33 Record-Routes", m(add=["Record-Route: <sip:192.0.2.1;lr>"] * 33), refused | {None}),
        ("a header of 20,000 octets", m(add=["X-Long: " + "a" * 20000]), refused | {200, None}),
        ("a user part of 10,000 digits", m("INVITE sip:" + "8" * 10000 + "@{sip} SIP/2.0",
                                         to="To: <sip:" + "8" * 10000 + "@{sip}>"), refused | {403, 414, 484, None}),
        ("a Call-ID of 8,000 octets", m(id="Call-ID: " + "x" * 8000), refused | {200, None}),
        ("nested quotes", m(**{"from": 'From: "\\"\\"\\"\\"" <sip:1001@{ip}>;tag=1'}), {200, 400}),
        ("an unclosed quote", m(**{"from": 'From: "abc <sip:1001@{ip}>;tag=1'}), bad | {None}),
        ("an unclosed bracket", m(to="To: <sip:88017@{sip}"), bad | {None}),
        ("folded headers", m(add=["Subject: one\n two\n\tthree"]), {200}),
        ("odd case and compact names", m(via="v: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK{token}",
                                        **{"from": "FROM: <sip:1001@{ip}>;tag=x{token}"}, to="t: <sip:88017@{sip}>",
                                        id="I: {token}", length="L: {length}", type="c: application/sdp"), {200}),
        ("octets after the end of the body", "surplus", {200}),
        ("a second request after the first", "two", {200}),
    ]
    return rows + sdp_rows() + raw_rows()


def sdp_rows():
    """Descriptions that lie. 488 or 400: no media can come of them."""
    def sdp(body, answers=frozenset({400, 488, 415})):
        return message(body=body), set(answers)
    swap = SDP.replace
    rows = [
        ("SDP that is none", *sdp("hello\n")),
        ("SDP cut in the middle", *sdp("v=0\no=- 1 1 IN")),
        ("SDP without c=", *sdp(swap("c=IN IP4 {ip}\n", ""))),
        ("SDP with port 99999", *sdp(swap("40000", "99999"))),
        ("SDP with port -1", *sdp(swap("40000", "-1"))),
        ("SDP with port 4294967296", *sdp(swap("40000", "4294967296"))),
        ("SDP to a multicast address", *sdp(swap("c=IN IP4 {ip}", "c=IN IP4 224.2.2.2"))),
        ("SDP to broadcast", *sdp(swap("c=IN IP4 {ip}", "c=IN IP4 255.255.255.255"))),
        ("SDP with a name for an address", *sdp(swap("c=IN IP4 {ip}", "c=IN IP4 a.invalid"), {200, 400, 488})),
        ("SDP with 65 payload types", *sdp(swap("AVP 8", "AVP " + " ".join(map(str, range(65)))), {400, 413, 488, 200})),
        ("SDP with payload type 300", *sdp(swap("AVP 8", "AVP 300"))),
        ("SDP with 9 media lines", *sdp(SDP + "m=audio 40002 RTP/AVP 8\n" * 8, {400, 413, 488, 200})),
        ("SDP with NUL", *sdp(swap("s=-", "s=\0"), {400, 488, 200})),
        ("SDP of 60,000 octets", *sdp(SDP + "a=x:" + "y" * 58000 + "\n", {200, 400, 413, 488, 513})),
        ("SDP with bare LF", ("bare-lf",), {200, 400, 488}),
    ]
    return rows


def raw_rows():
    silent = {None, 400}
    return [("an empty datagram", b"", silent), ("only CRLF", b"\r\n\r\n", silent), ("one NUL", b"\0", silent),
            ("65,000 NULs", b"\0" * 65000, silent), ("65,000 letters", b"A" * 65000, silent),
            ("a start line and nothing more", b"INVITE sip:1@x SIP/2.0\r\n\r\n", silent),
            ("no end of headers", b"INVITE sip:1@x SIP/2.0\r\nVia: x", silent),
            ("60,000 colons", b"INVITE sip:1@x SIP/2.0\r\n" + b":" * 60000, silent),
            ("10,000 empty lines", b"\r\n" * 10000, silent), ("binary", bytes(range(256)) * 20, silent),
            ("RTP", b"\x80\x08" + b"\x55" * 170, silent), ("STUN", b"\0\1\0\0\x21\x12\xa4\x42" + b"1" * 12, silent),
            ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", silent)]


def encode(row, ip, port, sip, token):
    """The bytes of a row, for a sender at ip:port and a switch at sip (host:port)."""
    what = row[1]
    if isinstance(what, bytes):
        return what
    special = what if isinstance(what, str) else what[0] if len(what) == 1 else None
    head, body = message() if special else what

    def fill(text, **more):
        for name, value in {"ip": ip, "port": port, "sip": sip, "token": token, **more}.items():
            text = text.replace("{" + name + "}", str(value))
        return text
    content = fill(body).replace("\n", "\n" if special == "bare-lf" else "\r\n").encode()
    data = fill(head, length=len(content)).replace("\n", "\r\n").encode() + content
    if special == "utf8":
        data = data.replace(b"From: <", b'From: "\xff\xfe\xc0" <')
    if special == "surplus":
        data += b"\x01\x02garbage" * 20
    if special == "two":
        data += data.replace(token.encode(), token.encode() + b"-second").replace(b"88017", b"88018")
    return data
