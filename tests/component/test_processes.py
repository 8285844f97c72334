"""Test that a process is waited for, stopped in order or killed, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.processes import Process, ProcessError, stop_all
from tests.infrastructure import wait_until

Make = Callable[[str], Process]

# Each prints a line when its signal handler is set up.
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("goodbye", flush=True), sys.exit(0)))
print("here", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(60)
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Process] = []

    def make_one(code: str) -> Process:
        number = len(made)
        process = Process(
            f"process-{number}",
            [sys.executable, "-c", code],
            log=tmp_path / f"{number}.log",
            pid_file=tmp_path / f"{number}.pid",
        )
        made.append(process)
        return process

    yield make_one
    for process in made:
        process.kill()


def begin(process: Process) -> Process:
    process.start()
    process.wait_ready(lambda: "here" in process.tail(), limit=30)
    return process


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    # A zombie, a process that has ended but was not waited for yet, is not alive.
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_is_asked_to_end_and_does(make: Make) -> None:
    process = begin(make(POLITE))
    pid_file = process.pid_file
    assert pid_file
    assert pid_file.read_text() == f"{process.pid}\n"
    process.stop()
    assert process.returncode == 0
    assert process.tail().endswith("goodbye")
    assert not pid_file.exists()


def test_one_that_is_paused_still_ends_on_request(make: Make) -> None:
    process = begin(make(POLITE))
    process.pause()
    process.stop(grace=5)
    assert process.returncode == 0


def test_one_that_does_not_end_is_killed(make: Make) -> None:
    stubborn, polite = begin(make(STUBBORN)), begin(make(POLITE))
    stop_all([stubborn, polite], grace=3)
    assert (stubborn.returncode, polite.returncode) == (-signal.SIGKILL, 0)


def test_its_log_goes_on_after_a_crash(make: Make) -> None:
    process = begin(make(POLITE))
    process.kill()
    process.start()
    process.wait_ready(lambda: process.tail().count("here") == 2, limit=30)
    with pytest.raises(ProcessError, match="running already"):
        process.start()


def test_one_that_ends_early_reports_why(make: Make) -> None:
    process = make("raise SystemExit('the disk is full')")
    process.start()
    with pytest.raises(ProcessError, match=r"exit code 1(?s:.*)the disk is full"):
        process.wait_ready(lambda: False, limit=10)


def test_one_that_is_never_ready_is_not_waited_for_for_ever(make: Make) -> None:
    process = begin(make(POLITE))
    with pytest.raises(ProcessError, match=r"was not ready within 0\.2 s"):
        process.wait_ready(lambda: False, limit=0.2)


def test_it_outlives_the_thread_that_started_it(make: Make) -> None:
    process = make(POLITE)
    thread = threading.Thread(target=begin, args=(process,))
    thread.start()
    thread.join()
    with pytest.raises(ProcessError, match="did not end"):
        process.wait(0.3)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can do it")
def test_it_does_not_outlive_the_program_that_started_it(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from local.processes import Process
log = Path({str(tmp_path)!r}) / "log"
process = Process("child", [sys.executable, "-c", {STUBBORN!r}], log=log)
process.start()
process.wait_ready(lambda: "here" in process.tail())
print(process.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(child), limit=30)
