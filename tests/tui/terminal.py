"""switch-console on a terminal of our own."""

import os

from harness.terminal import Terminal


def console(t, *words, **options):
    """The console of a stage's switch."""
    program = os.path.join(t.switch.binaries, "switch-console")
    return Terminal([program, "-s", t.switch.path, *words], gently=True, **options)
