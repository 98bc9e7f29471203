#!/usr/bin/env python3
"""Runs a program as on Linux 3.10: every system call numbered above 313 is answered ENOSYS, and the kernel's release is
hidden (OpenSSL looks at it).

    tests/vm/nosys.py [--root DIR] PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import struct
import sys

LAST = 313  # finit_module, the newest of Linux 3.10 on x86-64
ENOSYS = 38
UNAME26 = 0x0020000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_IF_ABOVE, RETURN = 0x20, 0x25, 0x06


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def shut():
    code = b"".join(struct.pack("<HBBI", *step) for step in (
        (LOAD, 0, 0, 0), (JUMP_IF_ABOVE, 0, 1, LAST), (RETURN, 0, 0, RET_ERRNO | ENOSYS), (RETURN, 0, 0, RET_ALLOW)))
    held = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.cast(held, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.personality(UNAME26)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def main():
    words = sys.argv[1:]
    if words[0] == "--root":
        os.chroot(words[1])
        os.chdir("/")
        words = words[2:]
    shut()
    os.execv(words[0], words)


main()
