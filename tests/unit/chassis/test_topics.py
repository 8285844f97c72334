"""Whoever makes the topics waits for Kafka, for a time, and not for what will not pass."""

import socket
import time
from collections.abc import Iterator

import pytest
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)

from chassis.kafka import topics
from local.paths import free_port


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "WAIT", 0.3)
    monkeypatch.setattr(topics, "AWAY", 0.3)


@pytest.fixture
def silent() -> Iterator[str]:
    """Something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def told(monkeypatch: pytest.MonkeyPatch, bootstrap: str) -> None:
    for name in ("USER", "PASSWORD", "CA"):
        monkeypatch.delenv(f"CONCORD_KAFKA_{name}", raising=False)
    monkeypatch.setenv("CONCORD_KAFKA_BOOTSTRAP", bootstrap)


def test_kafka_that_does_not_come_is_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    told(monkeypatch, address)
    assert topics.main() == 1
    assert f"topics on {address}: KafkaConnectionError" in capfd.readouterr().err


@pytest.mark.parametrize(("words", "code"), [((), 1), (("--wait-for", "sales"), 0)])
def test_kafka_that_never_answers_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, silent: str, words: tuple[str, ...], code: int
) -> None:
    told(monkeypatch, silent)
    began = time.monotonic()
    assert topics.main(words) == code
    assert time.monotonic() - began < 30


def test_a_service_starts_where_kafka_is_away(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told(monkeypatch, f"127.0.0.1:{free_port()}")
    assert topics.main(["--wait-for", "sales"]) == 0
    assert "Kafka is away, sales starts without it" in capfd.readouterr().err


async def test_what_passes_is_tried_again() -> None:
    errors = [KafkaConnectionError(), InvalidReplicationFactorError(), ConnectionResetError()]

    async def work() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert await topics._patiently(work, 60) == "done"


async def test_what_does_not_pass_is_raised_at_once() -> None:
    tries = []

    async def work() -> None:
        tries.append(1)
        raise TopicAuthorizationFailedError

    with pytest.raises(TopicAuthorizationFailedError):
        await topics._patiently(work, 60)
    assert len(tries) == 1


def test_an_unknown_department_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        topics.main(["--wait-for", "marketing"])
    assert "sales" in capsys.readouterr().err
