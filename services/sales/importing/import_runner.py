"""Import an export: first its new accounts, then its rows, in concurrent batches."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from chassis.domain.commands import Command, Refused
from chassis.domain.ids import derived
from contracts.values import AccountId, Value
from sales.accounts.decisions import IntroduceAccount
from sales.importing.export import Export, Row
from sales.importing.table import Refusal

AT_ONCE = 100
"""Number of concurrent commands; their commits are written in groups."""

T = TypeVar("T")
R = TypeVar("R")


class Report(Value):
    """The result of an import.

    Each row is `taken`, `unchanged` (imported before, with equal content) or `refused`. Rows are
    numbered from 1, the header, as in a spreadsheet.
    """

    rows: int
    taken: int
    unchanged: int
    refused: int
    accounts_published: int
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


async def take_over(export: Export, send: SendCommand) -> Report:
    """Import the accounts and rows of an export.

    May be repeated after a failure: rows that were already imported count as unchanged.
    """

    async def introduce(account: tuple[AccountId, IntroduceAccount]) -> bool:
        subject, command = account
        return await send("account", subject, command, _key(subject, command), None)

    async def take(row: Row) -> bool | list[Refusal]:
        command = row.opportunity
        key = _key(command.engagement, command)
        try:
            return await send("engagement", command.engagement, command, key, command.occurred_at)
        except Refused as refused:
            return _refusals(export, row, refused)

    introduced = await _many(introduce, list(export.accounts.items()))
    outcomes = await _many(take, export.taken)
    refusals = [*export.refused]
    for outcome in outcomes:
        if not isinstance(outcome, bool):
            refusals += outcome
    return Report(
        rows=export.rows,
        taken=sum(outcome is True for outcome in outcomes),
        unchanged=sum(outcome is False for outcome in outcomes),
        refused=len({(refusal.file, refusal.row) for refusal in refusals}),
        accounts_published=sum(introduced),
        refusals=tuple(sorted(refusals, key=lambda refusal: (refusal.file or "", refusal.row))),
        notes=export.notes,
    )


async def _many(act: Callable[[T], Coroutine[None, None, R]], items: Sequence[T]) -> list[R]:
    results: list[R] = []
    for start in range(0, len(items), AT_ONCE):
        outcomes = await asyncio.gather(
            *(act(item) for item in items[start : start + AT_ONCE]), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            results.append(outcome)
    return results


def _key(subject: str, command: Command) -> str:
    """Return an idempotency key that changes with the content, so that a changed row is decided."""
    return f"import-{derived(f'{subject}/{command.model_dump_json()}', 20)}"


def _refusals(export: Export, row: Row, refused: Refused) -> list[Refusal]:
    external_id = row.opportunity.external_id
    if refused.missing:
        found = [(item.field or item.code, item.sentence) for item in refused.missing]
    else:
        found = [("external_id", str(refused))]
    return [
        Refusal(
            file=row.file,
            row=row.row,
            opportunity_id=external_id,
            field=export.columns.get(field, field),
            reason=reason,
        )
        for field, reason in found
    ]
