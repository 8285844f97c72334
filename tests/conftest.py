"""Fixtures for all tests: a real Kafka and a real document store."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from tests.infrastructure import KafkaServer, StoreServer, Supply, unique_name

# No deadline, since a machine may be busy; `print_blob` prints how to repeat a failing example.
# Examples are the same in each run; `make faults` searches for new ones.
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
    """Return the Kafka of this run; see `tests.infrastructure.Server` for its methods."""
    return _supply.kafka()


@pytest.fixture(scope="session")
def store(_supply: Supply) -> StoreServer:
    """Return the document store of this run; see `tests.infrastructure.Server` for its methods."""
    return _supply.store()


@pytest.fixture
def _own_supply(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supply]:
    supply = Supply(tmp_path_factory.mktemp("own-servers"))
    yield supply
    supply.end()


@pytest.fixture
def fresh_kafka(_own_supply: Supply) -> Callable[..., KafkaServer]:
    """Return a function that starts a Kafka for this test alone: `fresh_kafka(brokers=3)`."""
    return lambda brokers=1: _own_supply.kafka(given=False, brokers=brokers)


@pytest.fixture
def fresh_store(_own_supply: Supply) -> Callable[[], StoreServer]:
    """Return a function that starts a document store for this test alone: `fresh_store()`."""
    return lambda: _own_supply.store(given=False)


@pytest.fixture
def isolation(request: pytest.FixtureRequest) -> str:
    """Return a unique name for this test's databases, topics and consumer groups."""
    return unique_name(request.node.name[:24])
