"""The block in which GRUB and the running system tell each other about the slots.

ORDER is the order in which slots are tried; X_OK says that slot X holds a system that may be booted, X_TRY how often it was
started since it last reported health (three times, then the other one's turn comes). RESET: the next start makes the data
partition anew. firmware/slot does the same in C.
"""

SIZE = 1024
SIGNATURE = "# GRUB Environment Block\n"
FRESH = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0", "RESET": "0"}


def block(words):
    text = SIGNATURE + "".join(f"{name}={value}\n" for name, value in words.items())
    return text.ljust(SIZE, "#").encode()


def parse(data):
    text = data.decode()
    assert len(data) == SIZE and text.startswith(SIGNATURE), "no environment block"
    lines = text[len(SIGNATURE):].rstrip("#").splitlines()
    return dict(line.split("=", 1) for line in lines)
