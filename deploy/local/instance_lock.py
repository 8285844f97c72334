"""One platform per folder: who holds it, since when, and how to reach or end the one that runs."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from local.platform import Layout

_LOOKING = 1.0
"""Seconds for which whoever wants a folder waits for those who only look: they lock it, too."""


class AlreadyRunning(RuntimeError):
    """A platform of this folder runs already."""

    def __init__(self, session: "Session | None") -> None:
        """Keep what is known of it; nothing in the moment in which it begins."""
        super().__init__("the platform runs already")
        self.session = session


@dataclass(frozen=True)
class Session:
    """A platform that runs, as the program that runs it has written it down."""

    pid: int
    since: float
    ready: bool
    ports: dict[str, int]

    def layout(self, folder: Path) -> Layout:
        """Return its layout, which may differ from what the environment says now."""
        return Layout(folder, self.ports)


class Holder:
    """The hold on a folder: as long as it lasts, this program alone runs a platform there."""

    def __init__(self, layout: Layout, file: TextIO) -> None:
        """Keep the locked file; `hold` makes it."""
        self._file = file
        self._session = Session(os.getpid(), time.time(), ready=False, ports=dict(layout.ports))
        self._write()

    def say_ready(self) -> None:
        """Let others see that the platform is ready."""
        self._session = Session(**{**asdict(self._session), "ready": True})
        self._write()

    def _write(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(asdict(self._session), self._file)
        self._file.flush()


def _file(folder: Path) -> Path:
    return folder / "run" / "platform.json"


@contextmanager
def hold(layout: Layout) -> Iterator[Holder]:
    """Hold the folder for a platform; raise `AlreadyRunning` when somebody holds it.

    The hold is a lock on an open file: it ends with the program however that ends, so a process
    id that was left behind by a crash is never mistaken for a platform.
    """
    path = _file(layout.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _locked(file, within=_LOOKING):
            raise AlreadyRunning(_read(path))
        yield Holder(layout, file)


def running(folder: Path) -> Session | None:
    """Return the platform that runs in this folder, if one does."""
    path = _file(folder)
    if not path.exists():
        return None
    with path.open() as file:
        try:
            # Shared, so that two who only look never take each other for a platform.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(path)
    return None


def _locked(file: TextIO, *, within: float) -> bool:
    """Whether the file could be locked for this program alone within so many seconds."""
    ends = time.monotonic() + within
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                return False
            time.sleep(0.02)
        else:
            return True


def end(folder: Path, *, limit: float = 45.0) -> bool:
    """Ask the platform of this folder to stop, and wait for it; tell whether there was one.

    Raises `TimeoutError` when it has not stopped in time.
    """
    session = running(folder)
    if session is None:
        return False
    os.kill(session.pid, signal.SIGTERM)
    deadline = time.monotonic() + limit
    while running(folder) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the platform (pid {session.pid}) has not stopped in {limit:g} s")
        time.sleep(0.1)
    return True


def _read(path: Path) -> Session | None:
    try:
        return Session(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        return None
