"""Name what an engagement requests of its booked works: take works, and give some back."""

from typing import Annotated

from pydantic import Field, StringConstraints

from chassis.domain.commands import Command
from contracts.money import Money
from contracts.values import Identifier, Month, Value, WorkCount, YesNo
from finance.work.names import WorkKey
from finance.work.works import Work

BookedWorksId = Annotated[
    str,
    StringConstraints(pattern=r"^E-[0-9A-HJKMNP-TV-Z]{13}\.[0-9]{4}-(0[1-9]|1[0-2])$"),
    Field(examples=["E-0000000000001.2026-04"]),
]
"""Subject of the works: the engagement and the month of their days."""


def booked_works_id(engagement: str, month: Month) -> str:
    """Return the subject of the works of an engagement in a month."""
    return f"{engagement}.{month}"


class TakeWorks(Command):
    """Keep works that the engagement does not need any more."""

    works: tuple[Work, ...]


class WorkCost(Value):
    """Cost of a work; an entry that is approved again is another work, with another number."""

    work: WorkKey
    number: WorkCount
    cost: Money


class NoteCosts(Command):
    """Note what works cost: it was not known when they were taken. Confidential."""

    costs: tuple[WorkCost, ...]


class GiveBackWorks(Command):
    """Give back the works with these keys, and those that these invoices bill.

    With `unbilled`, also all that no invoice bills and that are not written down.
    """

    works: tuple[WorkKey, ...] = ()
    invoices: tuple[Identifier, ...] = ()
    unbilled: YesNo = False


def is_unbilled(work: Work) -> bool:
    """Return whether no invoice bills the work, and it is not written down."""
    return not work.bills and work.written_down is None
