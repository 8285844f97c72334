"""Import an export, repeat it, and resume it after a failure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chassis.domain.commands import Command
from chassis.domain.decider import Decider, handle_command
from chassis.domain.stream import Stream
from sales.accounts.decisions import IntroduceAccount
from sales.accounts.names import account_id
from sales.importing.export import Export, read_export
from sales.importing.import_runner import AT_ONCE, Progress, Report, steps, take_over
from sales.importing.options import Options
from sales.importing.owners import Owners
from sales.service import ACCOUNT, ENGAGEMENT
from testkit.scenario import given
from tests.unit.sales.builders import OPEN, RECORDS

SHIPPED = (Path(__file__).parents[2] / "data" / "crm_pipeline.csv").read_text()
OWNERS = Owners({"nora-field": "Nora Field"}, bytes(32))
PRODUCTS = ("Portal Basic", "Data Lake")
RUNS = count(1)


class InMemoryStreams:
    """All streams of Sales in a dictionary, decided as in the service."""

    def __init__(self) -> None:
        self.by_id: dict[str, Stream[Any]] = {}
        self.keys: dict[str, tuple[str, Command]] = {}
        self.occurred: dict[str, datetime | None] = {}
        self.fails_after: int | None = None

    async def __call__(
        self, kind: str, subject: str, command: Command, key: str, occurred_at: datetime | None
    ) -> bool:
        if self.fails_after is not None and len(self.keys) >= self.fails_after:
            raise ConnectionError("away")
        assert self.keys.setdefault(key, (subject, command)) == (subject, command), key
        decider: Decider[Any] = {"account": ACCOUNT, "engagement": ENGAGEMENT}[kind]  # type: ignore[assignment]
        scenario = given(decider, subject)
        stream = self.by_id.get(scenario.stream.id, scenario.stream)
        step = handle_command(decider, stream, command, scenario._context("ann"))
        self.by_id[stream.id] = step.stream
        self.occurred[subject] = occurred_at
        return bool(step.own_events)


def export_of(text: str, accounts: Sequence[str] = ()) -> Export:
    return read_export(
        {"export.csv": text.encode()},
        {account_id(name): IntroduceAccount(name=name) for name in accounts},
        PRODUCTS,
        OWNERS,
        source="crm",
        today=date(2026, 1, 5),
        options=Options(currency="USD"),
    )


async def imported(streams: InMemoryStreams, text: str = SHIPPED) -> Report:
    return await take_over(export_of(text), streams, f"run-{next(RUNS)}")


async def test_valid_rows_are_imported_and_the_others_are_reported() -> None:
    streams = InMemoryStreams()
    report = await imported(streams)
    assert (report.rows, report.taken, report.unchanged, report.refused) == (18, 6, 0, 12)
    assert report.accounts_published == 3
    assert len([stream for stream in streams.by_id if stream.startswith("engagement:")]) == 6
    ivo, _ = OWNERS.owner("Ivo Marsh")
    assert f"sales_agent: 'Ivo Marsh' is not a known person; the owner is {ivo} (rows 4, 5, 6)" in (
        report.notes
    )
    assert [len(listing) for listing in (report.refusals, report.notes)] == [12, 4]


async def test_a_repeated_import_changes_nothing() -> None:
    streams = InMemoryStreams()
    await imported(streams)
    before = dict(streams.by_id)
    again = await imported(streams)
    assert (again.taken, again.unchanged, again.refused) == (0, 6, 12)
    assert again.accounts_published == 0
    assert streams.by_id == before


async def test_what_moved_in_the_crm_is_recorded_and_nothing_else() -> None:
    streams = InMemoryStreams()
    await imported(streams)
    before = dict(streams.by_id)
    moved = SHIPPED.replace('"4,821.50"', "4900.5").replace(
        "Harbour & Sons,Prospecting,,,12000", "Harbour & Sons,Won,,3/1/2017,12000"
    )
    report = await imported(streams, moved)
    counts = (report.taken, report.updated, report.unchanged, report.refused)
    assert counts == (0, 2, 4, 12)
    assert [(each.row, each.field, each.reason) for each in report.changes] == [
        (2, "value", "recorded as 4,821.50 USD, given as 4,900.50 USD"),
        (5, "outcome", "recorded as open, given as won"),
        (5, "stage", "recorded as prospecting, given as empty"),
        (5, "closed on", "recorded as empty, given as 2017-03-01"),
    ]
    changed = {each for each, stream in streams.by_id.items() if stream != before[each]}
    assert len(changed) == 2
    won = export_of(moved).taken[3].opportunity.engagement
    assert streams.occurred[won] == datetime(2017, 3, 1, tzinfo=UTC)

    again = await imported(streams, moved)
    assert (again.updated, again.unchanged) == (0, 6)
    back = await imported(streams)
    assert (back.updated, back.unchanged) == (2, 4), "the CRM moved back"


async def test_a_changed_account_is_told_by_its_names() -> None:
    streams = InMemoryStreams()
    await imported(streams)
    moved = export_of(SHIPPED.replace('"Smith, Jones"', "Northwind Traders"), ["Smith, Jones"])
    report = await take_over(moved, streams, "moved")
    assert [(each.field, each.reason) for each in report.changes] == [
        ("account", "recorded as Smith, Jones, given as Northwind Traders"),
        (
            "title",
            "recorded as Data Lake for Smith, Jones, given as Data Lake for Northwind Traders",
        ),
    ]


async def test_a_column_that_an_export_does_not_have_changes_nothing() -> None:
    streams = InMemoryStreams()
    header, *lines = SHIPPED.splitlines()
    wide = "\n".join((f"{header},region", *(f"{line},West" if line else "" for line in lines)))
    await imported(streams, wide)
    assert (await imported(streams)).updated == 0


async def test_a_deal_that_was_opened_here_is_not_imported() -> None:
    streams = InMemoryStreams()
    export = export_of(SHIPPED)
    engagement = export.taken[0].opportunity.engagement
    begun = given(ENGAGEMENT, engagement, records=RECORDS).after(OPEN, by="ann")
    streams.by_id[begun.stream.id] = begun.stream
    report = await imported(streams)
    assert [each.row for each in report.refusals][:1] == [2]
    assert report.updated == 0


async def test_an_interrupted_import_is_completed_by_the_next_one() -> None:
    streams = InMemoryStreams()
    streams.fails_after = 5
    with pytest.raises(ConnectionError):
        await imported(streams)
    streams.fails_after = None
    rest = await imported(streams)
    assert (rest.taken, rest.unchanged) == (4, 2)


async def test_rows_occur_on_the_dates_of_the_crm() -> None:
    streams = InMemoryStreams()
    export = export_of(SHIPPED)
    await take_over(export, streams, "1")
    moments = [streams.occurred[row.opportunity.engagement] for row in export.taken]
    assert [moment.date() if moment else None for moment in moments] == [
        date(2017, 3, 1),
        date(2017, 3, 22),
        date(2017, 2, 25),
        None,
        date(2017, 3, 7),
        date(2017, 3, 19),
    ]


async def test_a_large_export_is_imported_in_batches() -> None:
    lines = [
        f"X-{number},Nora Field,Data Lake,Acme,Engaging,2/25/2017,,"
        for number in range(3 * AT_ONCE)
    ]
    text = "\n".join([SHIPPED.splitlines()[0], *lines])
    report: Report = await imported(InMemoryStreams(), text)
    assert (report.taken, report.accounts_published, report.notes) == (3 * AT_ONCE, 1, ())


async def test_the_progress_is_told_after_each_batch_and_the_report_last() -> None:
    lines = [
        f"X-{number},Nora Field,Data Lake,Acme,Won,2/25/2017,2/26/2017,1.5" for number in range(250)
    ]
    text = "\n".join([SHIPPED.splitlines()[0], *lines])
    *progress, report = [
        step async for step in steps(export_of(text), InMemoryStreams(), "1", dry_run=True)
    ]
    assert progress == [Progress(done=done, rows=250) for done in (100, 200, 250)]
    assert isinstance(report, Report)
    assert report.dry_run
    [total] = report.totals
    assert (total.outcome, total.rows, str(total.value)) == ("won", 250, "375.00 USD")
