"""Digest of RFC 7616/8760 as a client: reads a challenge, makes the Authorization header."""

import hashlib
import re
import secrets

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def challenges(response):
    """Every challenge of a 401 or 407 as a dict, in the order offered."""
    name = "WWW-Authenticate" if response.code == 401 else "Proxy-Authenticate"
    found = []
    for value in response.all(name):
        assert value.lower().startswith("digest "), f"not a digest challenge: {value}"
        pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value[7:])
        found.append({k.lower(): a or b for k, a, b in pairs})
    assert found, f"{response.code} without {name}"
    return found


def answer(asked, method, ruri, user, password, algorithm="MD5", nc=1, cnonce=None, **lies):
    """(header name, value) for the challenge of that algorithm. lies overrides any field sent."""
    challenge = next((c for c in challenges(asked) if c.get("algorithm", "MD5") == algorithm), None)
    assert challenge, f"no {algorithm} challenge in {asked.code}"
    return authorization(challenge, asked.code, method, ruri, user, password, nc, cnonce, **lies)


def authorization(challenge, code, method, ruri, user, password, nc=1, cnonce=None, **lies):
    algorithm = challenge.get("algorithm", "MD5")

    def h(text):
        return HASHES[algorithm](text.encode()).hexdigest()

    sent = {"username": user, "realm": challenge["realm"], "nonce": challenge["nonce"], "uri": ruri,
            "qop": "auth", "nc": f"{nc:08x}", "cnonce": cnonce or secrets.token_hex(8)}
    sent.update(lies)
    ha1 = h(f"{sent['username']}:{sent['realm']}:{password}")
    ha2 = h(f"{method}:{sent['uri']}")
    sent["response"] = lies["response"] if "response" in lies else h(
        ":".join((ha1, sent["nonce"], sent["nc"], sent["cnonce"], sent["qop"], ha2)))
    sent["algorithm"] = algorithm
    if "opaque" in challenge:
        sent["opaque"] = challenge["opaque"]
    bare = ("qop", "nc", "algorithm")
    text = ", ".join(f"{k}={v}" if k in bare else f'{k}="{v}"' for k, v in sent.items())
    return ("Authorization" if code == 401 else "Proxy-Authorization", "Digest " + text)
