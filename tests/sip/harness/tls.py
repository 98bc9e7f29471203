"""TLS for both ends: certificates made with openssl, a switch that has them, and peers that speak it."""

import hashlib
import os
import ssl
import subprocess

from . import net


def openssl(*words, data=None):
    done = subprocess.run(("openssl",) + words, input=data, capture_output=True, check=False)
    assert done.returncode == 0, f"openssl {' '.join(words)}: {done.stderr.decode()}"
    return done.stdout


class Authority:
    """A root of our own, in a folder of the test."""

    def __init__(self, folder, name="root"):
        self.folder, self.name = folder, name
        os.makedirs(folder, exist_ok=True)
        self.key, self.path = self._file(f"{name}.root.key"), self._file(f"{name}.root.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.path)

    def _file(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, *names, days=1, folder=None):
        """NAME.crt and NAME.key for these names (IP:127.0.0.1, DNS:a.test); negative days: expired."""
        key = os.path.join(folder or self.folder, f"{name}.key")
        path = os.path.join(folder or self.folder, f"{name}.crt")
        request, extra = self._file(f"{name}.csr"), self._file(f"{name}.ext")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        with open(extra, "w", encoding="ascii") as f:
            f.write(f"subjectAltName={','.join(names)}\n" if names else "")
        openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key, "-days", str(days),
                "-extfile", extra, "-out", path)
        return Certificate(path, key)

    def revoke(self, *certificates, path):
        """The list of what this root has taken back, and these: crl.pem of a switch."""
        config, index = self._file(f"{self.name}.cnf"), self._file(f"{self.name}.index")
        if not os.path.exists(index):
            open(index, "w", encoding="ascii").close()
        with open(config, "w", encoding="ascii") as f:
            f.write(f"[ca]\ndefault_ca=own\n[own]\ndatabase={index}\ncertificate={self.path}\n"
                    f"private_key={self.key}\ndefault_md=sha256\ndefault_crl_days=1\n")
        for one in certificates:
            openssl("ca", "-config", config, "-revoke", one.path)
        openssl("ca", "-config", config, "-gencrl", "-out", path)

    def trusting(self, certificate=None, **versions):
        """A client's context that trusts this root alone, and shows this certificate if it is asked."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path)
        context.check_hostname = False
        if certificate:
            context.load_cert_chain(certificate.path, certificate.key)
        for name, value in versions.items():
            setattr(context, name, value)
        return context


class Certificate:
    def __init__(self, path, key):
        self.path, self.key = path, key

    @property
    def pin(self):
        """SHA-256 of the public key, as tls_pin wants it."""
        public = openssl("x509", "-in", self.path, "-noout", "-pubkey")
        return hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", data=public)).hexdigest()

    def serving(self, ask=None):
        """A server's context; ask: an authority whose certificates it wants to see."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key)
        if ask:
            context.load_verify_locations(ask.path)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class Secure:
    """What a test about TLS has beside its stage: a root, the switch's own folder, its TLS port."""

    def __init__(self, t, ip=None):
        self.t, self.ip = t, ip or t.switch.ip
        self.port = net.free_port(self.ip)
        self.root = Authority(os.path.join(t.folder, "root"))
        self.folder = os.path.join(t.folder, "tls")
        os.makedirs(self.folder, exist_ok=True)
        self.own = self.root.issue("switch", f"IP:{self.ip}", "DNS:switch.test", folder=self.folder)
        self.trust()
        t.switch.extra += ["--listen", f"tls:{net.host(self.ip)}:{self.port}", "--tls", self.folder]

    @property
    def address(self):
        return (self.ip, self.port)

    def trust(self, root=None):
        """The switch believes this root from now on (or its next reload)."""
        with open((root or self.root).path, "rb") as f, open(os.path.join(self.folder, "ca.pem"), "wb") as to:
            to.write(f.read())

    async def speak(self, peer, certificate=None, accepts=None, port=0, shows=None):
        """Gives an end its TLS: a certificate for its address unless another is given."""
        certificate = certificate or self.root.issue(peer.name, f"IP:{peer.ip}")
        peer.tls = await net.TcpServer(peer.ip, port, peer.received, accepts or certificate.serving(),
                                       self.root.trusting(shows)).open()
        return certificate

    async def flow(self, peer, name=None, context=None):
        return await peer.tls.connect(self.address, name, context)

    async def vendor(self, carrier, name=None, **gateway):
        """The carrier as a vendor by TLS."""
        await self.t.vendor(carrier, name, **{
            "transport": "tls", "address": [f"{net.host(carrier.ip)}:{carrier.tls.port}"], **gateway})
