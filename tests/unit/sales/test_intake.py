"""A whole export is taken over, and again, and in part."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from chassis.domain.decider import Command, Decider, Stream, handle_command
from sales.decider import ACCOUNT, ENGAGEMENT
from sales.importing.export import Export, Refusal, read_export
from sales.importing.intake import AT_ONCE, Report, take_over
from sales.importing.owners import Owners
from testkit.scenario import given

SHIPPED = (Path(__file__).parents[2] / "data" / "crm_pipeline.csv").read_text()
OWNERS = Owners({"nora-field": "Nora Field"}, bytes(32))
PRODUCTS = ("Portal Basic", "Data Lake")


class Books:
    """All streams of Sales, decided as in the service and kept in a dictionary."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream[Any]] = {}
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
        stream = self.streams.get(scenario.stream.id, scenario.stream)
        step = handle_command(decider, stream, command, scenario._context("ann"))
        self.streams[stream.id] = step.stream
        self.occurred[subject] = occurred_at
        return bool(step.said)


def export_of(text: str) -> Export:
    return read_export(
        text, {}, PRODUCTS, OWNERS, source="crm", currency="USD", today=date(2026, 1, 5)
    )


async def test_all_that_can_be_taken_is_taken_and_the_rest_is_told() -> None:
    books = Books()
    report = await take_over(export_of(SHIPPED), books)
    assert (report.rows, report.taken, report.unchanged, report.refused) == (18, 6, 0, 12)
    assert report.accounts_published == 3
    assert len([stream for stream in books.streams if stream.startswith("engagement:")]) == 6
    ivo, _ = OWNERS.owner("Ivo Marsh")
    assert f"sales_agent: 'Ivo Marsh' is nobody known here, and is {ivo} (rows 4, 5, 6)" in (
        report.notes
    )
    assert [len(listing) for listing in (report.refusals, report.notes)] == [12, 5]


async def test_the_same_export_again_changes_nothing() -> None:
    books = Books()
    await take_over(export_of(SHIPPED), books)
    before = dict(books.streams)
    again = await take_over(export_of(SHIPPED), books)
    assert (again.taken, again.unchanged, again.refused) == (0, 6, 12)
    assert again.accounts_published == 0
    assert books.streams == before


async def test_a_row_that_has_changed_is_told_and_not_taken() -> None:
    books = Books()
    await take_over(export_of(SHIPPED), books)
    before = dict(books.streams)
    changed = SHIPPED.replace('"4,821.50"', "4900").replace("3/1/2017,4900", "3/2/2017,4900")
    report = await take_over(export_of(changed), books)
    assert (report.taken, report.unchanged, report.refused) == (0, 5, 13)
    assert report.refusals[:2] == (
        Refusal(
            row=2,
            opportunity_id="OPP-1001",
            field="close_date",
            reason="was imported as 2017-03-01, and is 2017-03-02 now",
        ),
        Refusal(
            row=2,
            opportunity_id="OPP-1001",
            field="close_value",
            reason="was imported as 4,821.50 USD, and is 4,900.00 USD now",
        ),
    )
    assert books.streams == before


async def test_what_was_broken_off_is_finished_the_next_time() -> None:
    books = Books()
    books.fails_after = 5
    with pytest.raises(ConnectionError):
        await take_over(export_of(SHIPPED), books)
    books.fails_after = None
    rest = await take_over(export_of(SHIPPED), books)
    assert (rest.taken, rest.unchanged) == (4, 2)


async def test_rows_happened_when_the_crm_says() -> None:
    books = Books()
    export = export_of(SHIPPED)
    await take_over(export, books)
    moments = [books.occurred[row.opportunity.engagement] for row in export.taken]
    assert [moment.date() if moment else None for moment in moments] == [
        date(2017, 3, 1),
        date(2017, 3, 22),
        date(2017, 2, 25),
        None,
        date(2017, 3, 7),
        date(2017, 3, 19),
    ]


async def test_a_large_export_goes_in_portions() -> None:
    lines = [
        f"X-{number},Nora Field,Data Lake,Acme,Engaging,2/25/2017,,"
        for number in range(3 * AT_ONCE)
    ]
    text = "\n".join([SHIPPED.splitlines()[0], *lines])
    report: Report = await take_over(export_of(text), Books())
    assert (report.taken, report.accounts_published, report.notes) == (3 * AT_ONCE, 1, ())
