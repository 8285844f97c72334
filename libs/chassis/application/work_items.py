"""The view of work items as they are on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import WithJsonSchema

from chassis.base.view_model import ViewModel
from chassis.domain.work_items import Party, WorkItem, by_age
from contracts.channels import Department
from contracts.refusals import REFUSALS, RefusalCode
from contracts.roles import Role
from contracts.values import PersonId

_CODE_SCHEMA = {
    "type": "string",
    "description": "Stable code of the item; readers must accept unknown codes.",
    "x-codes": REFUSALS,
    "examples": ["time-waiting"],
}


@dataclass(frozen=True, slots=True)
class ItemCommand:
    """The command that does what is owed: its department, its name, and a role that may give it.

    `stream` is the kind of stream that takes it, such as `engagement`, `expense` or `rate-card`.
    """

    department: Department
    name: str
    stream: str
    role: Role


class WorkItemView(ViewModel):
    """Something that waits: what, for whom, owed by whom, and the command that does it.

    `about` is the id of what it is about. `owed_by` names a person where one is known, else
    everybody with the role but the people in `not_by`, who requested it: a second person has to do
    it. `since` is null where it is not known, `due` where no day is agreed; an item is overdue
    after its `due` day. `blocks` are commands that are refused until it is done.
    """

    code: Annotated[RefusalCode, WithJsonSchema(_CODE_SCHEMA)]
    about: str
    sentence: str
    owed_by: Party
    not_by: tuple[PersonId, ...]
    owed_to: Party
    since: date | None
    due: date | None
    overdue: bool
    blocks: tuple[str, ...]
    command: ItemCommand


def work_views(items: Iterable[WorkItem], stream: str, today: date) -> list[WorkItemView]:
    """Return the views of the items of a kind of stream on a day, the oldest first."""
    return [
        WorkItemView(
            code=each.kind.code,
            about=each.about,
            sentence=each.sentence,
            owed_by=each.owed_by,
            not_by=each.not_by,
            owed_to=each.owed_to,
            since=each.since,
            due=each.due,
            overdue=each.is_overdue(today),
            blocks=each.kind.blocks,
            command=ItemCommand(
                department=each.kind.command_of or each.kind.department,
                name=each.kind.command,
                stream=each.kind.stream or stream,
                role=each.kind.role,
            ),
        )
        for each in by_age(items)
    ]
