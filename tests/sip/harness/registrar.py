"""A vendor's registrar: takes the switch's REGISTERs by a plan, with or without a digest."""

import hashlib
import re
import secrets

from . import sip

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Registrar:
    """bindings: {user: Contact URI}; asked: every REGISTER in order, with the code it got."""

    def __init__(self, user=None, password=None, algorithm="MD5", realm="vendor.example", expires=60):
        self.user, self.password, self.algorithm, self.realm = user, password, algorithm, realm
        self.expires, self.least = expires, None  # what is granted; the shortest that is accepted
        self.refuse = None                        # (code, headers): everybody gets that
        self.deaf = False
        self.bindings, self.asked, self.nonces = {}, [], set()

    def received(self, txn):
        if self.deaf:
            return
        code, headers = self.judge(txn.msg)
        self.asked.append((txn.msg, code))
        txn.reply(txn.msg.reply(code, tag=sip.token(), headers=headers))

    def judge(self, msg):
        if self.refuse:
            return self.refuse
        if self.password and not self.knows(msg):
            nonce = secrets.token_hex(8)
            self.nonces.add(nonce)
            return 401, [("WWW-Authenticate", f'Digest realm="{self.realm}", nonce="{nonce}", '
                          f'algorithm={self.algorithm}, qop="auth"')]
        wanted = msg.get("Expires")
        if wanted != "0" and self.least and int(wanted or 0) < self.least:
            return 423, [("Min-Expires", self.least)]
        user = sip.user_of(sip.uri_of(msg.get("To")))
        if wanted == "0":
            self.bindings.pop(user, None)
            return 200, []
        self.bindings[user] = msg.contact
        granted = min(int(wanted or self.expires), self.expires)
        return 200, [("Contact", f"<{msg.contact}>;expires={granted}")]

    def knows(self, msg):
        """Its Authorization is right, and its nonce is one of ours that nobody used before."""
        fields = dict((k.lower(), a or b) for k, a, b in re.findall(
            r'(\w+)=(?:"([^"]*)"|([^\s,]+))', msg.get("Authorization") or ""))
        if fields.get("nonce") not in self.nonces:
            return False
        self.nonces.discard(fields["nonce"])

        def h(text):
            return HASHES[self.algorithm](text.encode()).hexdigest()
        want = h(":".join((h(f"{self.user}:{self.realm}:{self.password}"), fields["nonce"], fields["nc"],
                           fields["cnonce"], "auth", h(f"REGISTER:{fields['uri']}"))))
        return fields["username"] == self.user and fields["response"] == want and fields["uri"] == msg.uri
