"""Check what `make stream` prints: an engagement's commits in every service, with events."""

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.domain.documents import DocumentKept
from chassis.eventstore.journal import Commit, Journal, StoredEvent
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
    second = replace(commit(number=2), at=first.at + timedelta(seconds=2))
    await Journal(stores["sales"]).append(with_internal_event(second))
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
    assert ". internal  chassis.document-kept" in printed


def test_every_internal_event_of_the_services_is_known() -> None:
    # In a process of its own, since other tests import what the program has to import itself.
    check = """
import pkgutil
from importlib import import_module
import local.stream
from chassis.domain.internal import INTERNAL
from local.platform import SERVICES

known = set(INTERNAL)
for name in ("chassis", "common", *SERVICES):
    package = import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        import_module(module.name)
assert known == set(INTERNAL), set(INTERNAL) - known
assert known
"""

    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def with_internal_event(commit: Commit) -> Commit:
    """Return the commit with an event that is kept in the journal only, as of a document."""
    (published,) = commit.recorded()
    kept = DocumentKept.of("quote", {"text": "As discussed."})
    stored = StoredEvent.of(replace(published, event=kept), own=False)
    return replace(commit, events=(*commit.events, stored))
