"""Test that containers are used only where Docker has the images, and without long waits."""

import http.server
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import infrastructure
from tests.infrastructure import KAFKA_IMAGE, STORE_IMAGE, KafkaContainer, Supply, docker_has


class Engine(http.server.ThreadingHTTPServer):
    """A stub of a Docker engine's API that has some images and can run none of them."""

    def __init__(self, *images: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.images = images
        self.asked: list[str] = []
        self.bodies = ""


class _Answers(http.server.BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        length = int(self.headers.get("content-length", 0))
        self.server.bodies += self.rfile.read(length).decode()
        has_it = any(f"/images/{image}/json" in self.path for image in self.server.images)
        answers: dict[str, dict[str, object]] = {"/version": {"ApiVersion": "1.50"}, "/info": {}}
        found: dict[str, object] | None = next(
            (answers[path] for path in answers if self.path.endswith(path)), None
        )
        if has_it:
            found = {"Id": "sha256:0", "RepoTags": list(self.server.images)}
        body = json.dumps(found or {"message": "no such thing"}).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names that the library calls

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Hide this machine's Docker settings from the test, and clear what is cached about them."""
    for name in [name for name in os.environ if name.startswith(("DOCKER_", "TC_", "TESTCONT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(infrastructure, "_unusable", set())
    monkeypatch.setattr(infrastructure, "DOCKER_ANSWERS_WITHIN", 0.5)
    docker_has.cache_clear()
    yield
    docker_has.cache_clear()


def serve(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{engine.server_port}")
    return engine


def test_an_engine_without_the_images_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine() as engine:
        serve(engine, monkeypatch)
        assert not docker_has(KAFKA_IMAGE)
        assert not any("/images/create" in path for path in engine.asked)
        engine.shutdown()


def test_an_engine_that_cannot_run_them_is_tried_once_and_pulls_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Engine(KAFKA_IMAGE, STORE_IMAGE) as engine:
        serve(engine, monkeypatch)
        assert docker_has(KAFKA_IMAGE)
        supply = Supply(tmp_path)
        with pytest.warns(UserWarning, match=f"Docker has {KAFKA_IMAGE} and cannot run it"):
            assert supply._contained(KAFKA_IMAGE, KafkaContainer) is None
        before = len(engine.asked)
        assert supply._contained(KAFKA_IMAGE, KafkaContainer) is None
        assert len(engine.asked) == before
        engine.shutdown()
    made = [path for path in engine.asked if "/containers/create" in path]
    assert made, engine.asked
    assert KAFKA_IMAGE in engine.bodies
    assert "ryuk" not in engine.bodies + " ".join(engine.asked)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "unix:///nowhere/docker.sock", "nonsense", "ssh://", "tcp://"]
)
def test_an_unusable_address_is_no_docker(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert not docker_has(STORE_IMAGE)


def test_an_engine_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert not docker_has(STORE_IMAGE)
        assert time.monotonic() - began < 20


def test_an_engine_on_another_machine_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(STORE_IMAGE) as engine:
        serve(engine, monkeypatch)
        # Reaches this machine, but looks like the address of another one.
        monkeypatch.setenv("DOCKER_HOST", f"tcp://0.0.0.0:{engine.server_port}")
        assert not docker_has(STORE_IMAGE)
        engine.shutdown()


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 600", "echo '{}'"])
def test_a_program_of_that_name_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    began = time.monotonic()
    assert not docker_has(KAFKA_IMAGE)
    assert time.monotonic() - began < 20
