"""Fixtures every test may ask for: a real Kafka and a real document store."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from tests.infrastructure import KafkaServer, StoreServer, Supply, unique_name

# A failure on a small, busy machine must come from the code, not from the clock; and a failing
# example can be played again from the line that is printed.
# What passes once passes again: new examples are looked for by `make faults`.
settings.register_profile("search", deadline=None, print_blob=True)
settings.register_profile("concord", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("concord")


@pytest.fixture(scope="session")
def _supply(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supply]:
    supply = Supply(tmp_path_factory.mktemp("servers"))
    yield supply
    supply.end()


@pytest.fixture(scope="session")
def kafka(_supply: Supply) -> KafkaServer:
    """Kafka for the whole run: `.bootstrap`, and `.stop() .start() .kill() .pause() .resume()`."""
    return _supply.kafka()


@pytest.fixture(scope="session")
def store(_supply: Supply) -> StoreServer:
    """A document store for the whole run: `.url`, and what `kafka` has to take it away."""
    return _supply.store()


@pytest.fixture
def _own_supply(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supply]:
    supply = Supply(tmp_path_factory.mktemp("own-servers"))
    yield supply
    supply.end()


@pytest.fixture
def fresh_kafka(_own_supply: Supply) -> Callable[..., KafkaServer]:
    """Make a Kafka for this test alone: `fresh_kafka()`, or `fresh_kafka(brokers=3)`."""
    return lambda brokers=1: _own_supply.kafka(given=False, brokers=brokers)


@pytest.fixture
def fresh_store(_own_supply: Supply) -> Callable[[], StoreServer]:
    """Make a document store for this test alone: `fresh_store()`; one per department, say."""
    return lambda: _own_supply.store(given=False)


@pytest.fixture
def isolation(request: pytest.FixtureRequest) -> str:
    """A name for this test's databases, topics and groups, so that it shares none with another."""
    return unique_name(request.node.name[:24])
