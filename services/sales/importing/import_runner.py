"""Import an export: first its new accounts, then its rows, in concurrent batches."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Final, NamedTuple, Protocol, TypeVar

from chassis.domain.commands import Command, Refused
from contracts.values import AccountId, Value
from sales.accounts.decisions import IntroduceAccount
from sales.importing.export import Export, Row, Total
from sales.importing.table import Refusal

_FIELDS: Final = {"pipeline_stage": "stage", "loss_reason_text": "loss reason in its words"}
"""Names of fields in the list of changes; of other fields, their own."""
AT_ONCE = 100
"""Number of concurrent commands; their commits are written in groups."""

T = TypeVar("T")
R = TypeVar("R")


class Progress(Value):
    """The part of an import that is done: `done` of `rows` rows to import."""

    done: int
    rows: int


class Report(Value):
    """The result of an import.

    Each row is `taken`, `updated` (imported before, and changed in the CRM), `unchanged` or
    `refused`. Rows are numbered from 1 as in a spreadsheet. `changes` are the fields that changed,
    by their names here. `totals` are those of the rows that were read, as a control.
    `accounts_known` are those that the export names and that were published before. With `dry_run`,
    nothing was recorded.
    """

    dry_run: bool
    rows: int
    taken: int
    updated: int
    unchanged: int
    refused: int
    accounts_published: int
    accounts_known: int
    totals: tuple[Total, ...]
    changes: tuple[Refusal, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


class SendCommand(Protocol):
    """A function that sends a command to a stream."""

    async def __call__(
        self, kind: str, subject: str, command: Command, key: str, occurred_at: datetime | None
    ) -> bool:
        """Return whether the command led to new events; raises Refused.

        `key` is the idempotency key, `occurred_at` the time of the events (None: now).
        """


class _Outcome(NamedTuple):
    """The outcome of a row: whether it was taken or updated, and reasons or changes by field."""

    kind: str
    fields: tuple[Refusal, ...] = ()


async def take_over(export: Export, send: SendCommand, run: str) -> Report:
    """Import the accounts and rows of an export; `run` identifies this import.

    May be repeated after a failure: rows that were already imported count as unchanged.
    """
    async for step in steps(export, send, run):
        if isinstance(step, Report):
            return step
    raise RuntimeError("an import ends with its report")


async def steps(
    export: Export, send: SendCommand, run: str, *, dry_run: bool = False
) -> AsyncIterator[Progress | Report]:
    """Import an export as `take_over` does; yield the progress after each batch, then the report.

    `dry_run` is repeated in the report.
    """

    async def introduce(account: tuple[AccountId, IntroduceAccount]) -> bool:
        subject, command = account
        return await send("account", subject, command, f"import-{run}-{subject}", None)

    introduced: list[bool] = []
    async for batch in _batches(introduce, list(export.accounts.items())):
        introduced += batch
    outcomes: list[_Outcome] = []
    async for taken in _batches(lambda row: _take(export, row, send, run), export.taken):
        outcomes += taken
        yield Progress(done=len(outcomes), rows=len(export.taken))
    refusals = [*export.refused, *_fields(outcomes, "refused")]
    yield Report(
        dry_run=dry_run,
        rows=export.rows,
        taken=sum(outcome.kind == "taken" for outcome in outcomes),
        updated=sum(outcome.kind == "updated" for outcome in outcomes),
        unchanged=sum(outcome.kind == "unchanged" for outcome in outcomes),
        refused=len({(refusal.file, refusal.row) for refusal in refusals}),
        accounts_published=sum(introduced),
        accounts_known=export.accounts_known,
        totals=export.totals,
        changes=tuple(_fields(outcomes, "updated")),
        refusals=tuple(sorted(refusals, key=lambda refusal: (refusal.file or "", refusal.row))),
        notes=export.notes,
    )


async def _take(export: Export, row: Row, send: SendCommand, run: str) -> _Outcome:
    """Import a row; one that was imported before with other content is recorded as changed."""
    command, key = row.opportunity, f"import-{run}-{row.opportunity.engagement}"
    subject = command.engagement
    try:
        new = await send("engagement", subject, command, key, command.occurred_at)
        return _Outcome("taken" if new else "unchanged")
    except Refused as refused:
        if refused.code != "already-recorded":
            return _Outcome("refused", tuple(_refusals(export, row, refused)))
        changes = tuple(_changes(export, row, refused))
    ended = command.closed_on if command.outcome != "open" else None
    occurred_at = datetime.combine(ended, time(), UTC) if ended else None
    try:
        await send("engagement", subject, command.moved(), f"{key}-moved", occurred_at)
    except Refused as refused:
        return _Outcome("refused", tuple(_refusals(export, row, refused)))
    return _Outcome("updated", changes)


async def _batches(
    act: Callable[[T], Coroutine[None, None, R]], items: Sequence[T]
) -> AsyncIterator[list[R]]:
    for start in range(0, len(items), AT_ONCE):
        outcomes = await asyncio.gather(
            *(act(item) for item in items[start : start + AT_ONCE]), return_exceptions=True
        )
        batch: list[R] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            batch.append(outcome)
        yield batch


def _fields(outcomes: Sequence[_Outcome], kind: str) -> Iterator[Refusal]:
    return (each for outcome in outcomes if outcome.kind == kind for each in outcome.fields)


def _refusals(export: Export, row: Row, refused: Refused) -> Iterator[Refusal]:
    if refused.missing:
        found = [(item.field or item.code, item.sentence) for item in refused.missing]
    else:
        found = [("external_id", str(refused))]
    for field, reason in found:
        yield _of(row, export.columns.get(field, field), reason)


def _changes(export: Export, row: Row, refused: Refused) -> Iterator[Refusal]:
    """Yield what changed by fields, since a column may tell several; accounts by their names."""
    for item in refused.missing:
        field, change = item.field or item.code, item.sentence
        if field == "account":
            for account, name in export.account_names.items():
                change = change.replace(account, name)
        yield _of(row, _FIELDS.get(field, field.replace("_", " ")), change)


def _of(row: Row, field: str, reason: str) -> Refusal:
    return Refusal(
        file=row.file,
        row=row.row,
        opportunity_id=row.opportunity.external_id,
        field=field,
        reason=reason,
    )
