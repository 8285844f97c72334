"""Check what `make stream` prints: an engagement's commits in every service, with events."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.eventstore.journal import Journal
from chassis.eventstore.mongo import Store
from local.stream import commits, show
from tests.component.test_journal import commit
from tests.infrastructure import StoreServer


@pytest.fixture
async def stores(store: StoreServer, isolation: str) -> AsyncIterator[dict[str, Store]]:
    opened = {name: Store(store.url, f"{isolation}-{name}") for name in ("sales", "legal")}
    yield opened
    for each in opened.values():
        await each.close()


async def test_commits_of_all_services_come_in_order_of_time(
    stores: dict[str, Store], capsys: pytest.CaptureFixture[str]
) -> None:
    first = commit()
    for service, later in (("sales", 0), ("legal", 1)):
        await stores[service].prepare()
        at = first.at + timedelta(seconds=later)
        await Journal(stores[service]).append(replace(first, at=at))
    await Journal(stores["sales"]).append(
        replace(commit(number=2), at=first.at + timedelta(seconds=2))
    )
    await Journal(stores["sales"]).append(commit(stream="engagement:E-2"))

    found = await commits(stores, "E-1")
    for line in found:
        show(line, data=True)

    assert [(line.service, line.commit.number) for line in found] == [
        ("sales", 1),
        ("legal", 1),
        ("sales", 2),
    ]
    printed = capsys.readouterr().out
    assert "sales 2" in printed
    assert "+ delivery" in printed
    assert "manager-assigned" in printed
