"""Become another program that does not outlive the one that started it.

Runs as a script by its path, before anything of the project is imported:

    python guard.py PARENT PROGRAM [ARGUMENT ...]

Linux only has the wish "kill me when my parent dies" (`prctl`); it stays in force through `exec`.
Elsewhere this only becomes the program, and an orderly stop is all there is.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    # It may have died before the wish was spoken; then nobody would ever grant it.
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    _die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the program was named by the starter
