"""Fixtures of the fault tests: a separate platform for each module."""

from collections.abc import Iterator

import pytest

from local.platform import SERVICES, Layout, Platform
from tests.faults.collected_state import Places
from tests.faults.seeds import SEED


def pytest_report_header() -> str:
    """Return the header line with which this run's seeds can be repeated."""
    return f"seeds of the long fault tests: CONCORD_FAULT_SEED={SEED}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Start Kafka, five stores and five services, all of them processes that can be killed."""
    made = Platform(Layout.on_free_ports(tmp_path_factory.mktemp("platform")))
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def places(platform: Platform) -> Places:
    """Return what the checker reads."""
    return Places(
        platform.kafka.bootstrap,
        {name: (platform.stores[name].url, name) for name in SERVICES},
    )
