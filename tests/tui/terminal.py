"""switch-console on a terminal of our own."""

import os

from harness.terminal import Terminal


def console(t, *words, **options):
    """The console of a stage's switch."""
    program = os.path.join(t.switch.binaries, "switch-console")
    if "--login" in words and "--tries" not in words:
        words += ("--tries", os.path.join(t.folder, "console-tries"))
    return Terminal([program, "-s", t.switch.path, *words], gently=True, **options)
