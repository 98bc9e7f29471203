"""Other people's phones, as programs: baresip and linphonec, with sound files for microphone and ear."""

import array
import glob
import math
import os
import shutil
import subprocess
import wave

from . import net
from .watch import poll

RATE = 8000


def write_tone(path, hz, seconds=20):
    """A sine to be played as what the microphone hears."""
    samples = array.array("h", (int(12000 * math.sin(2 * math.pi * hz * i / RATE)) for i in range(RATE * seconds)))
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes(samples.tobytes())


def strength(samples, hz, rate):
    """Share of the energy that a tone of that frequency has (Goertzel)."""
    w = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = 0.0
    for x in samples:
        a, b = x + w * a - b, a
    total = sum(x * x for x in samples) or 1
    return 2 * (a * a + b * b - w * a * b) / (total * len(samples))


def hears(path, hz):
    """Is there half a second of that tone in what was recorded?"""
    found = glob.glob(path)
    if not found:
        return False
    with open(found[0], "rb") as f:
        data = f.read()
    rate = int.from_bytes(data[24:28], "little")  # 0 until the file is closed
    samples = array.array("h", data[44:44 + (len(data) - 44) // 2 * 2])
    for r in (rate,) if rate else (RATE, 16000, 48000):
        step = r // 2
        if any(strength(samples[i:i + step], hz, r) > 0.5 for i in range(0, len(samples) - step, step)):
            return True
    return False


def have_a_way_out():
    """Both programs look for an address that is not loopback's, and hold themselves offline without a default route.
    In a network of its own a test may have neither: then they get one that leads nowhere."""
    routes = subprocess.run(["ip", "route", "show", "default"], capture_output=True, text=True, check=True).stdout
    if not routes.strip():
        for words in ("addr add 10.255.255.1/32 dev lo", "route add default dev lo src 10.255.255.1"):
            subprocess.run(["ip", *words.split()], check=False, stderr=subprocess.DEVNULL)


class Softphone:
    """A program in a folder of its own. said: what it has printed so far."""

    def __init__(self, t, number, hz, password):
        self.t, self.number, self.hz, self.password = t, number, hz, password
        self.folder = os.path.join(t.folder, f"phone-{number}")
        os.makedirs(self.folder)
        self.speech, self.ear = os.path.join(self.folder, "speech.wav"), os.path.join(self.folder, "*dec.wav")
        write_tone(self.speech, hz)
        self.process, self.output = None, os.path.join(self.folder, "said")
        self.told = 0  # how much of that was of earlier calls
        t.keep(self)

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as f:
            f.write(text)
        return os.path.join(self.folder, name)

    def run(self, *command):
        assert shutil.which(command[0]), f"{command[0]} is not installed (build.sh installs it)"
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=self.folder,
                                            env=dict(os.environ, HOME=self.folder))

    @property
    def said(self):
        with open(self.output, "rb") as f:
            return f.read()

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    async def says(self, word, within=15):
        async def found():
            return word in self.said[self.told:]
        try:
            await poll(found, f"{word} from {self.number}", within)
        except AssertionError as e:
            raise AssertionError(f"{e}:\n{self.said.decode(errors='replace')[-3000:]}") from None

    async def hears(self, hz, within=20):
        async def heard():
            return hears(self.ear, hz)
        try:
            await poll(heard, f"a tone of {hz} Hz in the ear of {self.number}", within, every=0.3)
        except AssertionError as e:
            raise AssertionError(f"{e}:\n{self.said.decode(errors='replace')[-3000:]}") from None

    async def rests(self):
        """It has seen the end of its call, as far as another one has to wait for that."""

    def deaf_again(self):
        """What was heard and said before this call does not count."""
        self.told = len(self.said)
        for path in glob.glob(self.ear):
            os.unlink(path)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Baresip(Softphone):
    """Registers by itself, answers by itself."""

    async def start(self):
        ip, _ = self.t.address
        self.put("config", "\n".join((
            f"sip_listen 127.0.0.1:{net.free_port('127.0.0.1')}", "audio_buffer 20-160",
            f"audio_source aufile,{self.speech}", "audio_player aubridge,nowhere", f"snd_path {self.folder}",
            "module_path /usr/lib/baresip/modules", "module stdio.so", "module g711.so", "module aufile.so",
            "module aubridge.so", "module sndfile.so", "module_tmp account.so", "module_app menu.so", "")))
        self.put("accounts", f"<sip:{self.number}@{ip}:{self.t.address[1]}>;auth_pass={self.password};regint=600;"
                             "answermode=auto;audio_codecs=PCMA/8000/1\n")
        self.put("contacts", "")
        have_a_way_out()
        self.run("baresip", "-f", self.folder)

    def dial(self, number):
        self.tell(f"/dial {number}")

    async def speak(self):
        """It does from the start."""

    def hang_up(self):
        self.tell("/hangup")


class Linphone(Softphone):
    """linphonec, which does as it is told."""

    def __init__(self, *words, secure=None):
        super().__init__(*words)
        self.secure = secure  # harness/tls.py: it speaks TLS

    def place(self):
        ip, port = self.secure.address if self.secure else self.t.address
        return f"{ip}:{port}" + (";transport=tls" if self.secure else "")

    def tls_lines(self):
        """It does not know addresses in certificates, so not whose ours is; asked for its own, it has to have one."""
        own = self.secure.root.issue(f"phone-{self.number}")
        return (f"sip_tls_port=-1\nroot_ca={self.secure.root.path}\nverify_server_certs=1\nverify_server_cn=0\n"
                f"client_cert_chain={own.path}\nclient_cert_key={own.key}\n")

    async def start(self):
        tls = self.tls_lines() if self.secure else "sip_tls_port=0\n"
        rc = self.put("linphonerc", f"[sip]\nsip_port={net.free_port('127.0.0.1')}\nsip_tcp_port=0\n{tls}"
                                    f"[rtp]\naudio_rtp_port={net.free_port('127.0.0.1') & ~1}\n")
        for folder in (".local/share/linphone", ".config/linphone"):
            os.makedirs(os.path.join(self.folder, folder))
        have_a_way_out()
        self.run("linphonec", "-c", rc, "-a", "-d", "0")
        self.ear = os.path.join(self.folder, "ear.wav")
        self.tell("soundcard use files")
        self.tell(f"record {self.ear}")
        self.tell(f"register sip:{self.number}@{self.place().split(';')[0]} sip:{self.place()} {self.password}")

    def dial(self, number):
        self.tell(f"call sip:{number}@{self.place()}")

    async def speak(self):
        """A file can be played once there is a call to play it in."""
        await self.says(b"Media streams established")
        self.tell(f"play {self.speech}")

    async def rests(self):
        """It makes no second call beside another one."""
        await self.says(b" ended (")

    def hang_up(self):
        self.tell("terminate")
