"""Allow one running platform per folder, by a file lock, and find or stop the running one."""

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

_READERS_LOCK = 1.0
"""Seconds to wait for the lock: `running` takes a shared lock for a moment, too."""


class AlreadyRunning(RuntimeError):
    """A platform of this folder runs already."""

    def __init__(self, instance: "Instance | None") -> None:
        """Keep its description; None if it has not been written yet."""
        super().__init__("the platform runs already")
        self.instance = instance


@dataclass(frozen=True)
class Instance:
    """A running platform; `since` is in seconds since 1970."""

    pid: int
    since: float
    ready: bool
    ports: dict[str, int]

    def layout(self, folder: Path) -> Layout:
        """Return its layout, which may differ from that of the current environment."""
        return Layout(folder, self.ports)


class InstanceLock:
    """The exclusive lock on a folder, with the description of the platform that runs there."""

    def __init__(self, layout: Layout, file: TextIO) -> None:
        """Write the description into the locked file; use `acquire`."""
        self._file = file
        self._instance = Instance(os.getpid(), time.time(), ready=False, ports=dict(layout.ports))
        self._write()

    def mark_ready(self) -> None:
        """Record in the file that the platform is ready."""
        self._instance = Instance(**{**asdict(self._instance), "ready": True})
        self._write()

    def _write(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump(asdict(self._instance), self._file)
        self._file.flush()


def _file(folder: Path) -> Path:
    return folder / "run" / "platform.json"


@contextmanager
def acquire(layout: Layout) -> Iterator[InstanceLock]:
    """Lock the folder for this process; raise AlreadyRunning where another process has it.

    The lock is on an open file and ends with the process, however that ends, so a pid left behind
    by a crash is never mistaken for a running platform.
    """
    path = _file(layout.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _locked(file, within=_READERS_LOCK):
            raise AlreadyRunning(_read(path))
        yield InstanceLock(layout, file)


def running(folder: Path) -> Instance | None:
    """Return the platform that runs in this folder, or None."""
    path = _file(folder)
    if not path.exists():
        return None
    with path.open() as file:
        try:
            # Shared, so that two calls at the same time do not mistake each other for a platform.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(path)
    return None


def _locked(file: TextIO, *, within: float) -> bool:
    """Lock the file exclusively within a number of seconds; return whether that succeeded."""
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


def stop(folder: Path, *, limit: float = 45.0) -> bool:
    """Stop the platform of this folder and wait for its end; return whether one was running.

    Raises TimeoutError where it has not stopped within `limit` seconds.
    """
    instance = running(folder)
    if instance is None:
        return False
    os.kill(instance.pid, signal.SIGTERM)
    deadline = time.monotonic() + limit
    while running(folder) is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the platform (pid {instance.pid}) has not stopped in {limit:g} s")
        time.sleep(0.1)
    return True


def _read(path: Path) -> Instance | None:
    try:
        return Instance(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        return None
