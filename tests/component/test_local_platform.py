"""Test `python -m local`: one platform at a time, whose processes all end with it, however it ends.

The services are stubs that only report that they are ready; Kafka and the stores are real.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import instance_lock, paths
from local.platform import SERVICES, Layout, port_variable, token_secret
from tests.infrastructure import wait_until

STAND_IN = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(b'{"ready": true, "healthy": true, "parts": {}}')

    def log_message(self, *_):
        pass

address = ("127.0.0.1", int(os.environ["CONCORD_SERVICE_PORT"]))
http.server.HTTPServer(address, Handler).serve_forever()
"""


class Terminal:
    """A terminal in which a person types `python -m local ...` for a folder of its own."""

    def __init__(self, folder: Path) -> None:
        stand_ins = folder / "stand-ins"
        for service in SERVICES:
            self._write(stand_ins / service / "service.py", STAND_IN)
        self._write(stand_ins / "chassis" / "__init__.py", "")
        self._write(stand_ins / "chassis" / "kafka" / "topics.py", "")
        self.layout = Layout.on_free_ports(folder / "home")
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(stand_ins),
            "CONCORD_HOME": str(self.layout.folder),
            "CONCORD_CACHE": str(paths.cache()),
            "COLUMNS": "300",
            **{port_variable(part): str(port) for part, port in self.layout.ports.items()},
        }
        self.begun: list[subprocess.Popen[str]] = []

    @staticmethod
    def _write(file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        begun = subprocess.Popen(
            [sys.executable, "-m", "local", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.begun.append(begun)
        return begun

    def type(self, *arguments: str) -> tuple[int, str]:
        begun = self.begin(*arguments)
        output, _ = begun.communicate(timeout=60)
        return begun.returncode, output

    def up(self) -> "subprocess.Popen[str]":
        begun = self.begin("up", "--no-demo")
        wait_until(lambda: self.is_ready() or begun.poll() is not None, limit=60)
        if begun.poll() is not None:
            raise AssertionError(f"it ended: {begun.communicate()[0]}")
        return begun

    def is_ready(self) -> bool:
        found = instance_lock.running(self.layout.folder)
        return found is not None and found.ready

    def answers(self, service: str) -> bool:
        return paths.is_listening(self.layout.ports[service])

    def runs(self, service: str) -> bool:
        """Tell whether the platform itself runs a service."""
        return (self.layout.run / f"{service}.pid").exists()

    def listening(self) -> list[str]:
        return [part for part, port in self.layout.ports.items() if paths.is_listening(port)]

    def end(self) -> None:
        for begun in self.begun:
            if begun.poll() is None:
                begun.kill()
                begun.wait(10)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.end()


def test_it_runs_once_and_stops_whole(terminal: Terminal) -> None:
    first = terminal.up()
    assert len(terminal.listening()) == len(terminal.layout.ports)

    code, said = terminal.type("up")
    assert (code, "The platform runs" in said) == (0, True), said
    assert terminal.layout.url("gateway") in said

    code, said = terminal.type("status")
    assert (code, said.count("takes requests, healthy")) == (0, len(SERVICES)), said

    command = "import os; print(os.environ['CONCORD_SALES_URL'])"
    code, said = terminal.type("env", "--", sys.executable, "-c", command)
    assert (code, said.strip()) == (0, terminal.layout.url("sales"))
    command = "import os; print(os.environ['CONCORD_STORE_DATABASE'])"
    code, said = terminal.type("env", "--of", "legal", "--", sys.executable, "-c", command)
    assert (code, said.strip()) == (0, "legal")

    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=40)
    assert first.returncode == 0, said
    assert f"{terminal.layout.url('finance')}/docs" in said
    assert token_secret(terminal.layout) not in said
    assert terminal.listening() == []
    assert terminal.type("down") == (0, "The platform is not running.\n")


@pytest.mark.fault
def test_nothing_outlives_one_that_was_killed_or_lost_a_part(terminal: Terminal) -> None:
    killed = terminal.up()
    killed.kill()
    killed.wait(10)
    wait_until(lambda: terminal.listening() == [], limit=10)
    assert instance_lock.running(terminal.layout.folder) is None

    # The data of the killed one is taken up again.
    second = terminal.up()
    os.kill(int((terminal.layout.run / "legal.pid").read_text()), signal.SIGKILL)
    said, _ = second.communicate(timeout=40)
    assert second.returncode == 1
    assert "legal has ended" in said
    assert terminal.listening() == []


def test_a_taken_port_is_named_with_the_variable_that_moves_it(terminal: Terminal) -> None:
    with socket.create_server((paths.HOST, terminal.layout.ports["delivery"])):
        code, said = terminal.type("up", "--no-demo")
    assert code == 1
    assert str(terminal.layout.ports["delivery"]) in said
    assert "CONCORD_DELIVERY_PORT" in said


def test_a_service_that_fails_at_the_start_is_named_with_its_last_words(
    terminal: Terminal,
) -> None:
    broken = terminal.layout.folder.parent / "stand-ins" / "finance" / "service.py"
    broken.write_text("raise SystemExit('no rates are known')")
    code, said = terminal.type("up", "--no-demo")
    assert code == 1
    assert "finance ended early" in said
    assert "no rates are known" in said
    assert terminal.listening() == []


def test_the_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    layout = Layout.on_free_ports(tmp_path)
    secret = token_secret(layout)
    assert len(secret) > 40
    assert token_secret(layout) == secret
    assert (layout.run / "token-secret").stat().st_mode & 0o777 == 0o600


def test_a_service_that_another_terminal_runs_is_taken_back_when_that_ends(
    terminal: Terminal,
) -> None:
    first = terminal.up()
    own = (terminal.layout.run / "sales.pid").read_text()

    developing = terminal.begin("dev", "sales")
    wait_until(lambda: terminal.answers("sales") and not terminal.runs("sales"), limit=40)
    assert terminal.type("dev", "sales")[0] == 1, "two terminals run one service"

    developing.send_signal(signal.SIGINT)
    said, _ = developing.communicate(timeout=20)
    assert (developing.returncode, "runs here and restarts" in said) == (0, True), said
    wait_until(lambda: terminal.answers("sales") and terminal.runs("sales"), limit=40)
    assert (terminal.layout.run / "sales.pid").read_text() != own
    assert first.poll() is None
