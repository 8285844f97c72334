"""Run one service of the running platform from this terminal, and restart it when its code changes.

A file in the platform's run folder, named after the service, says that the service is taken over
and by which process. `python -m local up` reads it: it stops its own process of that service, and
starts one again once the file is gone or the process that wrote it has ended.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from watchfiles import PythonFilter, watch

from local import paths
from local.platform import Layout, Platform
from local.processes import Process

_FREE_WITHIN = 30.0


def taken_over(layout: Layout, service: str) -> bool:
    """Return whether another terminal runs this service now."""
    try:
        pid = int(_mark(layout, service).read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def take_over(layout: Layout, service: str) -> Iterator[None]:
    """Have the running platform leave a service to this process, until the block ends."""
    mark = _mark(layout, service)
    mark.write_text(f"{os.getpid()}\n")
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def process_of(platform: Platform, service: str) -> Process:
    """Return the process of a service that writes its log to this terminal; it is not started.

    Raises TimeoutError where the platform's own process of it does not end.
    """
    paths.wait_until_free(platform.layout.ports[service], limit=_FREE_WITHIN)
    return Process(
        service,
        platform.services[service].command,
        log=None,
        environment=platform.environment(service),
    )


def changes_of(service: str) -> Iterator[set[str]]:
    """Yield the names of changed files each time that code of the service or of `libs` changes."""
    folders = [paths.project() / "libs", paths.project() / "services" / service]
    for changes in watch(*folders, watch_filter=PythonFilter(), raise_interrupt=True):
        yield {Path(path).name for _, path in changes}


def serve(process: Process, changes: Iterable[set[str]], report: Callable[[str], None]) -> None:
    """Run a process until interrupted; restart it on each change, also one that has ended."""
    try:
        process.start()
        report(f"{process.name} runs here and restarts when its code changes; Ctrl-C ends it.")
        for changed in changes:
            report(f"changed: {', '.join(sorted(changed)[:3])}; restarting {process.name}")
            process.stop()
            process.start()
    finally:
        process.stop()


def _mark(layout: Layout, service: str) -> Path:
    return layout.run / f"{service}.dev"
