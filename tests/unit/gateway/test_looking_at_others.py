"""The rows of other workers are read less often where it takes longer."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway import announcing as announcing_module
from gateway.announcing import Announcing


@pytest.mark.parametrize(
    ("takes", "looks"),
    [(0.0, 121), (0.01, 121), (0.4, 15), (2.0, 5)],
    ids=["none", "few", "10,000 rows", "very many"],
)
async def test_reading_all_rows_of_others_takes_a_small_part_of_the_time(
    monkeypatch: pytest.MonkeyPatch, takes: float, looks: int
) -> None:
    now, count = 0.0, 0

    async def look_at_others() -> None:
        nonlocal now, count
        now, count = now + takes, count + 1

    async def look_after() -> None: ...

    monkeypatch.setattr(announcing_module, "time", SimpleNamespace(monotonic=lambda: now))
    folding = cast("Any", SimpleNamespace(look_at_others=look_at_others))
    announcing = Announcing(folding, cast("Any", None), lambda: False, look_after)
    for half_seconds in range(121):
        now = max(now, half_seconds / 2)
        await announcing.look_at_others()

    assert count == pytest.approx(looks, abs=1)
