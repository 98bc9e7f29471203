#!/usr/bin/python3
"""Tests of switch-console: real keystrokes on a pseudo-terminal, the screen read back by pyte.

    tests/tui/run.py --bin build/bin [-k PATTERN]       the options of tests/sip/run.py

Its harness is that of tests/sip: a switchd, customers and vendors for each test.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "sip"), HERE]

import run  # noqa: E402  (that of tests/sip)

if __name__ == "__main__":
    sys.exit(run.main("tui", HERE, workers="2"))
