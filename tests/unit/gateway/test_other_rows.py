"""The rows of other workers are read less often when a read takes longer."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway import publisher as publisher_module
from gateway.publisher import DisconnectPublisher


@pytest.mark.parametrize(
    ("takes", "looks"),
    [(0.0, 121), (0.01, 121), (0.4, 15), (2.0, 5)],
    ids=["none", "few", "10,000 rows", "very many"],
)
async def test_reading_rows_of_other_workers_takes_a_small_part_of_the_time(
    monkeypatch: pytest.MonkeyPatch, takes: float, looks: int
) -> None:
    now, count = 0.0, 0

    async def refresh_other_rows() -> None:
        nonlocal now, count
        now, count = now + takes, count + 1

    async def before_each_round() -> None: ...

    monkeypatch.setattr(publisher_module, "time", SimpleNamespace(monotonic=lambda: now))
    projector = cast("Any", SimpleNamespace(refresh_other_rows=refresh_other_rows))
    publisher = DisconnectPublisher(projector, cast("Any", None), lambda: False, before_each_round)
    for half_seconds in range(121):
        now = max(now, half_seconds / 2)
        await publisher.refresh_other_rows()

    assert count == pytest.approx(looks, abs=1)
