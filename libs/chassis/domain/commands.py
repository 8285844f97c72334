"""Commands, and the refusals that answer them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from contracts.channels import Department
from contracts.refusals import REFUSALS, RefusalCode


class Command(BaseModel):
    """A request to a department to decide something.

    Invalid input raises pydantic's ValidationError, which names the field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def named(cls) -> str:
        """Return the command's name in URLs and in the journal: the class name in kebab case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


_CODE_SCHEMA = {
    "type": "string",
    "description": "Stable code of the condition; readers must accept unknown codes.",
    "x-codes": REFUSALS,
    "examples": ["estimate-not-priced"],
}


@dataclass(frozen=True, slots=True)
class Missing:
    """A condition that is not met: a stable code, a sentence, and who must meet it.

    `owed_by` is empty where the caller has to act, or only time can pass. `field` names the field
    of the command that the condition is about, if it is about one.
    """

    code: Annotated[RefusalCode, WithJsonSchema(_CODE_SCHEMA)]
    sentence: str
    owed_by: Department | None = None
    field: str | None = None


class Refused(Exception):
    """A refused command: a stable code, a sentence, and the conditions that are not met."""

    def __init__(self, code: RefusalCode, sentence: str, missing: Sequence[Missing] = ()) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.missing = code, sentence, tuple(missing)


def refused_field(code: RefusalCode, field: str | None, sentence: str) -> Refused:
    """Return the refusal of a command for one of its fields, if that is known."""
    return Refused(code, sentence, [Missing(code, sentence, field=field)])


class NotAllowed(Refused):
    """The refusal of a command that others may give, but not this actor."""


class NotRecordable(Refused):
    """The refusal of a command that would lead to an event that cannot be read back.

    `field` is the path of the field at fault, `why` the reason. Such an event in the journal would
    make the stream unreadable from then on. The message names neither event nor field where the
    event is `confidential`, or may have been computed from confidential values.
    """

    def __init__(self, event: str, field: str, why: str, *, confidential: bool) -> None:
        self.whole = f"the resulting event cannot be recorded: {event}, {field}: {why}"
        hidden = "a resulting confidential event cannot be recorded"
        super().__init__("event-not-recordable", hidden if confidential else self.whole)
        self.event, self.field, self.why, self.confidential = event, field, why, confidential
        self.safe_message = f"{event}, {field}"


def gate(code: RefusalCode, missing: Iterable[Missing | None]) -> None:
    """Refuse unless every entry is None; raises Refused with all conditions that are not met."""
    unmet = tuple(item for item in missing if item is not None)
    if unmet:
        raise Refused(code, "; ".join(item.sentence for item in unmet), unmet)
