"""A process that is started, waited for, and stopped by the one that started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

# Linux kills a guarded child when the *thread* that started it ends, so all are started from one
# thread that lives as long as this program: tests start things from threads that come and go.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="start-processes")

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")


class ProcessError(RuntimeError):
    """A process ended early, or was not ready in time; the message holds its last log lines."""


class Process:
    """One program, in a session of its own, with a log file and a pid file.

    It runs in its own session, so that a Ctrl-C in the terminal reaches only the program that
    started it, which then stops the others in order. On Linux it is killed when that program dies,
    however it dies. Only what this object itself started is ever signalled.
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
        """Describe the process; nothing starts yet.

        `log=None` leaves the output where this program's goes (a progress bar, say).
        `environment` is added to this program's own.
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
        """The id of the process last started."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def returncode(self) -> int | None:
        """How it ended: its exit code, or minus the signal; `None` while it runs."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it; its log goes on where it ended."""
        if self.running:
            raise ProcessError(f"{self.name} is running already (pid {self.pid})")
        self._child = _starter.submit(self._spawn).result()
        if self.pid_file:
            self.pid_file.parent.mkdir(parents=True, exist_ok=True)
            self.pid_file.write_text(f"{self._child.pid}\n")

    def _spawn(self) -> "subprocess.Popen[bytes]":
        guarded = [
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
                guarded,
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
        """Wait until `is_ready` says so, and return the seconds it took.

        Raises `ProcessError`, with the last lines of the log, when the process ends first or the
        limit passes.
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
        """Wait until it ends by itself, and return its exit code."""
        if self._child is None:
            raise ProcessError(f"{self.name} was never started")
        try:
            return self._child.wait(limit)
        except subprocess.TimeoutExpired:
            raise ProcessError(self.trouble(f"did not end within {limit:g} s")) from None

    def stop(self, *, grace: float = 10.0) -> None:
        """Ask it to end, and kill it when it has not within `grace` seconds."""
        stop_all([self], grace=grace)

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting for it."""
        self._signal(signal.SIGTERM)
        # One that was paused cannot hear the request until it goes on.
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would: it gets no chance to tidy up."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._signal(signal.SIGKILL)
            self._child.wait(10)
        self._forget_pid()

    def pause(self) -> None:
        """Freeze it: it keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one go on."""
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
        # Its group, since a program may have started others; the group bears its pid. A child
        # that has not been waited for keeps its pid, so this can never reach a stranger.
        if self._child is not None and self._child.poll() is None:
            os.killpg(self._child.pid, number)

    def _how_it_ended(self) -> str:
        code = self.returncode
        if code is None:
            return "never started"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def trouble(self, what: str) -> str:
        """Return a sentence about what went wrong, with how to look further."""
        where = f"; log: {self.log}" if self.log else ""
        lines = self.tail()
        return f"{self.name} {what}{where}" + (f"\n{lines}" if lines else "")

    def _forget_pid(self) -> None:
        if self.pid_file:
            self.pid_file.unlink(missing_ok=True)


def stop_all(processes: Sequence[Process], *, grace: float = 10.0) -> None:
    """Ask all of them to end, at the same time; kill those that have not within `grace` seconds."""
    for process in processes:
        process.ask_to_stop()
    deadline = time.monotonic() + grace
    for process in processes:
        while process.running and time.monotonic() < deadline:
            time.sleep(0.02)
    for process in processes:
        process.kill()
