"""A platform of their own for the tests of each module, and what they read of it."""

from collections.abc import Iterator

import pytest

from local.platform import SERVICES, Layout, Platform
from tests.faults.collected_state import Places
from tests.faults.seeds import SEED


def pytest_report_header() -> str:
    """Say how the seeds of this run can be had again."""
    return f"seeds of the long fault tests: CONCORD_FAULT_SEED={SEED}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Kafka, five stores and the five services, every one a process that can be killed."""
    made = Platform(Layout.on_free_ports(tmp_path_factory.mktemp("platform")))
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def places(platform: Platform) -> Places:
    """Where the checker reads."""
    return Places(
        platform.kafka.bootstrap,
        {name: (platform.stores[name].url, name) for name in SERVICES},
    )
