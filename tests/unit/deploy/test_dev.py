"""A service under development restarts on each change and ends with its terminal."""

import sys
from collections.abc import Iterator

from local.dev import serve
from local.processes import Process

WAITS = "import time; time.sleep(60)"


def test_each_change_restarts_the_process() -> None:
    process = Process("sales", [sys.executable, "-c", WAITS], log=None)
    pids: list[int | None] = []
    reported: list[str] = []

    def changes() -> Iterator[set[str]]:
        pids.append(process.pid)
        yield {"api.py"}
        pids.append(process.pid)

    serve(process, changes(), reported.append)

    assert len(set(pids)) == 2
    assert not process.running
    assert "changed: api.py; restarting sales" in reported


def test_a_process_that_ended_by_itself_is_started_at_the_next_change() -> None:
    process = Process("sales", [sys.executable, "-c", "raise SystemExit(1)"], log=None)
    started: list[int | None] = []

    def changes() -> Iterator[set[str]]:
        process.wait(20)
        started.append(process.pid)
        yield {"broken.py"}
        started.append(process.pid)

    serve(process, changes(), lambda _: None)
    assert len(set(started)) == 2
