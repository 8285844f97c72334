"""Records of reference data: their state, the next version, and what a record may name.

    ACCOUNT = reference_decider(Record[AccountPublished], capability)

    @capability.decide(PublishAccount, by=SELLERS, opens=True)
    def publish_account(
        state: Record[AccountPublished], command: PublishAccount, context: Context
    ) -> Iterable[Event]:
        require_record("account-unknown", "parent", AccountPublished, command.parent, context)
        yield from next_version(state, command, context)

Routes to publish, read and list the records: `chassis.web.reference_routes`.
"""

from collections.abc import Callable, Iterator
from datetime import date, tzinfo
from functools import partial
from typing import Annotated, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, refused_field
from chassis.domain.context import Context, ReferenceData
from chassis.domain.decider import Decider
from chassis.domain.state import Keep, Part
from chassis.domain.stream import Stream
from contracts.event import Recorded
from contracts.reference import (
    AccountPublished,
    CompanyPublished,
    ContactPublished,
    Reference,
    in_force,
)
from contracts.refusals import RefusalCode
from contracts.values import AccountId, ContactId, Day

R = TypeVar("R", bound=Reference)

MOST_VERSIONS = 100
"""Versions of a record that its view contains."""


class Record(Part, Generic[R]):
    """State of a record: its published versions, oldest first; none after it was erased."""

    id: str
    versions: Annotated[tuple[R, ...], Keep()] = ()

    @classmethod
    def published(cls) -> type[R]:
        """Return the type of event that publishes a version."""
        return cast(type[R], next(iter(cls.steps)))

    @property
    def newest(self) -> R | None:
        """The newest version, which may not be in force yet; None before the first one."""
        return self.versions[-1] if self.versions else None


class Publish(Command):
    """Base of the commands that publish a version of a record: its whole content."""

    effective_from: Day | None = None
    """First day on which the version is in force."""


def next_version(
    state: Record[R],
    command: Publish,
    context: Context,
    *,
    from_today: bool = False,
    **kept: object,
) -> Iterator[R]:
    """Yield the next version of a record, unless it equals the one in force on its first day.

    It is in force until the first day of a version that was published for a later day. Without a
    day, it is in force from today on, or replaces the version in force today from its first day on
    where `from_today` is false. `kept` are fields that the command does not have.
    """
    kind = state.published()
    known = in_force(state.versions, command.effective_from or context.today)
    day = command.effective_from or (known and known.effective_from)
    event = kind(**{**dict(command), **kept, kind.id_field(): state.id, "effective_from": day})
    if event == known:
        return
    if from_today and command.effective_from is None:
        event = event.model_copy(update={"effective_from": context.today})
    yield event


def known_on(records: ReferenceData, kind: type[R], id: str, day: date) -> Recorded[R] | None:
    """Return the version of a record in force on a day; the newest where none is in force yet.

    None where this department knows no such record.
    """
    return records.on(kind, id, day) or records.latest(kind, id)


def require_record(
    code: RefusalCode, field: str, kind: type[R], id: str | None, context: Context
) -> R | None:
    """Return the record that a field names as it is today (`known_on`); None where it names none.

    Raises Refused with the code, naming the field, where this department knows no such record.
    """
    if id is None:
        return None
    found = known_on(context.reference_data, kind, id, context.today)
    if found is None:
        sentence = f"{field}: no {kind.kind.replace('-', ' ')} {id} is published"
        raise refused_field(code, field, sentence)
    return found.event


def require_contact(
    field: str, contact: ContactId | None, account: AccountId | None, context: Context
) -> None:
    """Refuse a contact who is unknown or belongs to another account; raises Refused with the field.

    Nothing is refused where none is named.
    """
    record = require_record("contact-unknown", field, ContactPublished, contact, context)
    if record is not None and record.account != account:
        sentence = f"{field}: {contact} is a contact of {record.account}, not of {account}"
        raise refused_field("contact-of-other-account", field, sentence)


def account_zone(account: AccountId | None, records: ReferenceData, day: date) -> tzinfo | None:
    """Return the time zone of an account on a day; None where it is not known."""
    record = records.on(AccountPublished, account or "", day)
    name = record.event.time_zone if record else None
    return ZoneInfo(name) if name else None


def company_zone(company: str | None, records: ReferenceData, day: date) -> tzinfo | None:
    """Return the time zone of a company on a day; None where the company is not known."""
    found = None if company is None else records.on(CompanyPublished, company, day)
    return None if found is None else ZoneInfo(found.event.time_zone)


def reference_decider(
    state: type[Record[R]],
    capability: Capability[Record[R]],
    zone: Callable[[R, ReferenceData, date], tzinfo | None] | None = None,
) -> Decider[Record[R]]:
    """Return the decider of one kind of record; `zone` returns the time zone of a record's days.

    The record is the version in force on the day, or the newest where none is in force yet. Raises
    TypeError where the event has no field for the id.
    """
    kind = state.published()
    if kind.id_field() not in kind.model_fields:
        raise TypeError(f"{kind.__name__} has no field {kind.id_field()} for the id")
    return Decider(
        department=kind.channel.department,
        kind=kind.kind,
        initial=lambda subject: state(id=subject),
        capabilities=(capability,),
        zone=zone and partial(_zone_of, zone),
    )


def _zone_of(
    zone: Callable[[R, ReferenceData, date], tzinfo | None],
    state: Record[R],
    records: ReferenceData,
    day: date,
) -> tzinfo | None:
    version = in_force(state.versions, day) or state.newest
    return zone(version, records, day) if version else None


class VersionView(ViewModel, Generic[R]):
    """A version of a record and its number, from 1."""

    version: int
    record: R


class RecordView(ViewModel, Generic[R]):
    """A record: the version in force today, the newest one, and all versions.

    `in_force` is null where no version is in force today. `versions` are the newest 100, newest
    first.
    """

    id: str
    in_force: VersionView[R] | None
    newest: VersionView[R] | None
    versions: tuple[VersionView[R], ...]


def record_view(stream: Stream[Record[R]], today: date) -> RecordView[R]:
    """Return the view of a record on a day."""
    versions, kind = stream.state.versions, stream.state.published()
    last = stream.position.get(kind.channel.name, 0)  # numbers go on after an erasure
    shown = [
        VersionView(version=number, record=record)
        for number, record in enumerate(versions, start=last - len(versions) + 1)
    ]
    current = in_force(versions, today)
    return RecordView(
        id=stream.subject,
        in_force=next((each for each in shown if each.record is current), None),
        newest=shown[-1] if shown else None,
        versions=tuple(reversed(shown[-MOST_VERSIONS:])),
    )
