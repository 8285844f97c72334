"""Taking a whole export over: accounts first, then its rows, many at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from chassis.domain.decider import Command, Refused, derived
from contracts.values import AccountId, Value
from sales.accounts import IntroduceAccount
from sales.importing.export import COLUMN_OF, Export, Refusal, Row

AT_ONCE = 100
"""Commands under way at a time; their commits travel together."""

T = TypeVar("T")
R = TypeVar("R")


class Report(Value):
    """What came of an export: how many of its rows, why not the others, and what to know.

    Rows are `taken`, or `unchanged` since they were taken before, or `refused`. Rows count from 1,
    the header's, as a spreadsheet shows them.
    """

    rows: int
    taken: int
    unchanged: int
    refused: int
    accounts_published: int
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


class Give(Protocol):
    """Gives a command to a stream and tells whether it said anything; raises Refused."""

    async def __call__(
        self, kind: str, subject: str, command: Command, key: str, occurred_at: datetime | None
    ) -> bool:
        """Give it under this idempotency key, as of this moment (None: now)."""


async def take_over(export: Export, give: Give) -> Report:
    """Take over what an export holds.

    May be repeated after a fault in the middle: what was taken is then found unchanged.
    """

    async def introduce(account: tuple[AccountId, str]) -> bool:
        subject, name = account
        command = IntroduceAccount(name=name)
        return await give("account", subject, command, _key(subject, command), None)

    async def take(row: Row) -> bool | list[Refusal]:
        command = row.opportunity
        key = _key(command.engagement, command)
        try:
            return await give("engagement", command.engagement, command, key, command.occurred_at)
        except Refused as refused:
            return _refusals(row, refused)

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
        refused=len({refusal.row for refusal in refusals}),
        accounts_published=sum(introduced),
        refusals=tuple(sorted(refusals, key=lambda refusal: refusal.row)),
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
    """The same for the same content, so that a row that has changed is decided anew."""
    return f"import-{derived(f'{subject}/{command.model_dump_json()}', 20)}"


def _refusals(row: Row, refused: Refused) -> list[Refusal]:
    external_id = row.opportunity.external_id
    if not refused.missing:
        found = [("opportunity_id", str(refused))]
    else:
        found = [(COLUMN_OF.get(item.code, item.code), item.sentence) for item in refused.missing]
    return [
        Refusal(row=row.row, opportunity_id=external_id, field=field, reason=reason)
        for field, reason in found
    ]
