"""Topics: the program waits for Kafka for a limited time, and not after permanent errors."""

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
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "WAIT", 0.3)
    monkeypatch.setattr(topics, "AWAY", 0.3)


@pytest.fixture
def silent() -> Iterator[str]:
    """Yield the address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def set_environment(monkeypatch: pytest.MonkeyPatch, bootstrap: str) -> None:
    for name in ("USER", "PASSWORD", "CA"):
        monkeypatch.delenv(f"CONCORD_KAFKA_{name}", raising=False)
    monkeypatch.setenv("CONCORD_KAFKA_BOOTSTRAP", bootstrap)


def test_an_unreachable_kafka_is_reported(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    set_environment(monkeypatch, address)
    assert topics.main() == 1
    assert f"topics on {address}: KafkaConnectionError" in capfd.readouterr().err


@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("--wait-for", "sales"), 0)])
def test_the_wait_for_a_kafka_that_never_answers_ends(
    monkeypatch: pytest.MonkeyPatch, silent: str, arguments: tuple[str, ...], code: int
) -> None:
    set_environment(monkeypatch, silent)
    began = time.monotonic()
    assert topics.main(arguments) == code
    assert time.monotonic() - began < 30


def test_a_service_starts_without_kafka(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    set_environment(monkeypatch, f"127.0.0.1:{free_port()}")
    assert topics.main(["--wait-for", "sales"]) == 0
    assert "Kafka is away, sales starts without it" in capfd.readouterr().err


async def test_a_transient_error_is_tried_again() -> None:
    errors = [KafkaConnectionError(), InvalidReplicationFactorError(), ConnectionResetError()]

    async def work() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert await topics._until_answered(work, 60) == "done"


async def test_a_permanent_error_is_raised_at_once() -> None:
    tries = []

    async def work() -> None:
        tries.append(1)
        raise TopicAuthorizationFailedError

    with pytest.raises(TopicAuthorizationFailedError):
        await topics._until_answered(work, 60)
    assert len(tries) == 1


def test_an_unknown_department_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        topics.main(["--wait-for", "marketing"])
    assert "sales" in capsys.readouterr().err
