"""Execute a program that is killed when its parent process dies.

Run as a script by its path, so that nothing of the project is imported:

    python die_with_parent.py PARENT-PID PROGRAM [ARGUMENT ...]

Uses Linux's `prctl(PR_SET_PDEATHSIG)`, which stays in force through `exec`. On other systems this
only executes the program, which then ends only by an orderly stop.
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
    # If the parent died before the call, no signal will ever come.
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    _die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the parent names the program
