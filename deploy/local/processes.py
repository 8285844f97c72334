"""Start child processes, wait for them, and stop them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

# With PR_SET_PDEATHSIG Linux kills a child when the *thread* that started it ends. So all are
# started from one thread that lives as long as this process: tests have short-lived threads.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="start-processes")

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")


class ProcessError(RuntimeError):
    """A process failed, ended early or was not ready in time; the message quotes its log."""


class Process:
    """A child process in a session of its own, with a log file and a pid file.

    In its own session, Ctrl-C in the terminal reaches only this process, which then stops its
    children in order. On Linux the child is killed when this process dies, however it dies. Only
    the child that this object started is ever signalled.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        log: Path | None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        pid_file: Path | None = None,
    ) -> None:
        """Create the process without starting it.

        With `log=None` it shares this process's output. `environment` is added to this process's.
        """
        self.name = name
        self.command = [os.fspath(part) for part in command]
        self.log = log
        self.environment = dict(environment or {})
        self.folder = folder
        self.pid_file = pid_file
        self._child: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"Process({self.name!r}, pid={self.pid}, running={self.running})"

    @property
    def pid(self) -> int | None:
        """Return the pid of the child last started, or None."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def returncode(self) -> int | None:
        """Return its exit code, or minus the signal that ended it; None while it runs."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it and append to its log; raises ProcessError where it is running."""
        if self.running:
            raise ProcessError(f"{self.name} is running already (pid {self.pid})")
        self._child = _starter.submit(self._spawn).result()
        if self.pid_file:
            self.pid_file.parent.mkdir(parents=True, exist_ok=True)
            self.pid_file.write_text(f"{self._child.pid}\n")

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable,
            "-I",
            "-S",
            str(_DIE_WITH_PARENT),
            str(os.getpid()),
            *self.command,
        ]
        output: BinaryIO | None = None
        if self.log:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            output = self.log.open("ab")
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env={**os.environ, **self.environment},
                cwd=self.folder,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()

    def wait_ready(self, is_ready: Callable[[], bool], *, limit: float = 60.0) -> float:
        """Wait until `is_ready` returns true; return the seconds.

        Raises ProcessError, with the last log lines, where the process ends before or `limit`
        seconds have passed.
        """
        started = time.monotonic()
        pause = 0.02
        while not is_ready():
            if not self.running:
                raise ProcessError(self.trouble(f"ended early ({self._how_it_ended()})"))
            if time.monotonic() - started > limit:
                raise ProcessError(self.trouble(f"was not ready within {limit:g} s"))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        return time.monotonic() - started

    def wait(self, limit: float | None = None) -> int:
        """Wait for its end and return its exit code; raises ProcessError after `limit` seconds."""
        if self._child is None:
            raise ProcessError(f"{self.name} was never started")
        try:
            return self._child.wait(limit)
        except subprocess.TimeoutExpired:
            raise ProcessError(self.trouble(f"did not end within {limit:g} s")) from None

    def stop(self, *, grace: float = 10.0) -> None:
        """Send SIGTERM, and kill it where it has not ended within `grace` seconds."""
        stop_all([self], grace=grace)

    def ask_to_stop(self) -> None:
        """Send SIGTERM, without waiting for its end."""
        self._signal(signal.SIGTERM)
        # A suspended process handles the signal only when it is resumed.
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, as a crash would, and wait for its end.

        Raises ProcessError where a starved machine has not ended it after a minute.
        """
        if self._child is None:
            return
        if self._child.poll() is None:
            self._signal(signal.SIGKILL)
            self.wait(60)
        self._remove_pid_file()

    def pause(self) -> None:
        """Suspend it: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it after `pause`."""
        self._signal(signal.SIGCONT)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        if not self.log or not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            text = file.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        # To its process group, since it may have started children. The pid of a child that has not
        # been waited for is not reused, so this never reaches another process.
        if self._child is not None and self._child.poll() is None:
            os.killpg(self._child.pid, number)

    def _how_it_ended(self) -> str:
        code = self.returncode
        if code is None:
            return "never started"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def trouble(self, what: str) -> str:
        """Return an error message with the log file and its last lines."""
        where = f"; log: {self.log}" if self.log else ""
        lines = self.tail()
        return f"{self.name} {what}{where}" + (f"\n{lines}" if lines else "")

    def _remove_pid_file(self) -> None:
        if self.pid_file:
            self.pid_file.unlink(missing_ok=True)


def stop_all(processes: Sequence[Process], *, grace: float = 10.0) -> None:
    """Send SIGTERM to all of them at once; kill those not ended within `grace` seconds."""
    for process in processes:
        process.ask_to_stop()
    deadline = time.monotonic() + grace
    for process in processes:
        while process.running and time.monotonic() < deadline:
            time.sleep(0.02)
    for process in processes:
        process.kill()
