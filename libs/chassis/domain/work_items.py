"""Work items: what somebody owes, to whom, since when, and the command with which it is done.

    DRAFT = ItemKind(
        "invoice-not-approved",
        department="finance", role="controller", command="approve-invoice", owed_to="finance",
    )

    def items(state: Engagement) -> Iterator[WorkItem]:
        for invoice in ...:
            yield DRAFT(invoice.invoice, f"draft {invoice.invoice} waits", since=invoice.due_on)

    capability.work((DRAFT,), items)

Items are computed from the state whenever they are read, so an item exists exactly while something
waits. Whether it is overdue depends on the day and is computed then, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chassis.domain.commands import Missing
from contracts.channels import Department
from contracts.refusals import RefusalCode
from contracts.roles import Role
from contracts.values import PersonId

Side = Department | Literal["customer"]
"""A department, or the customer."""


@dataclass(frozen=True, slots=True)
class Party:
    """A department or the customer and, where they are known, a role and a person of theirs."""

    department: Side
    role: Role | None = None
    person: PersonId | None = None


@dataclass(frozen=True, slots=True)
class ItemKind:
    """Kind of work items: what those of one code and owner have in common.

    The `role` of the `department` owes them, and does them with the `command`, which is one of that
    department unless `command_of` names another one. `stream` is the kind of stream that takes the
    command where that is not the kind of the item's own stream. What the customer owes is
    `by_customer`: the command records it. `blocks` are commands that are refused while there is
    such an item. Items of one code may be of several kinds, by who owes them.
    """

    code: RefusalCode
    department: Department
    role: Role
    command: str
    owed_to: Side
    by_customer: bool = False
    blocks: tuple[str, ...] = ()
    command_of: Department | None = None
    stream: str | None = None

    def __call__(
        self,
        about: str,
        sentence: str,
        *,
        since: date | None,
        due: date | None = None,
        person: PersonId | None = None,
        to_person: PersonId | None = None,
        not_by: tuple[PersonId, ...] = (),
    ) -> "WorkItem":
        """Return an item of this kind."""
        return WorkItem(self, about, sentence, since, due, person, to_person, not_by)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something that waits for somebody.

    `about` is the id of what it is about, such as an invoice; together with the kind it identifies
    the item within its stream. `person` is who owes it where that is known, else everybody with the
    role does, without the people in `not_by`: a second person has to do what they requested.
    `to_person` is who waits for it. `since` is the day from which it is owed, None where it is not
    known; `due` the last day, None where none is agreed. The day of a moment is in UTC.
    """

    kind: ItemKind
    about: str
    sentence: str
    since: date | None
    due: date | None = None
    person: PersonId | None = None
    to_person: PersonId | None = None
    not_by: tuple[PersonId, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what identifies the item within its stream."""
        return (self.kind.code, self.kind.department, self.about)

    @property
    def owed_by(self) -> Party:
        """Return who has to act."""
        if self.kind.by_customer:
            return Party("customer", None, self.person)
        return Party(self.kind.department, self.kind.role, self.person)

    @property
    def owed_to(self) -> Party:
        """Return who waits."""
        return Party(self.kind.owed_to, None, self.to_person)

    @property
    def missing(self) -> Missing:
        """Return the item as a condition of a gate that is not met."""
        return Missing(self.kind.code, self.sentence, self.kind.department)

    def is_overdue(self, today: date) -> bool:
        """Return whether the last day has passed."""
        return self.due is not None and self.due < today


def by_age(items: Iterable[WorkItem]) -> list[WorkItem]:
    """Return items with the oldest first; those of an unknown age are last."""
    return sorted(items, key=lambda each: (each.since or date.max, *each.key))
