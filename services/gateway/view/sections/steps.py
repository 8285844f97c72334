"""Declare how a section keeps events: by a field what is only stored, by a function all else.

A field that is declared by `newest`, `each_by`, `each_with_day`, `every` or `newest_ref` is filled
without a function. Functions are registered with `Steps.on`, run after that, and change the section
in place: copies would cost too much over a hundred thousand events. `Steps.describe` declares the
sentence of an event in the timeline, `of_person` and `of_people` what of it not every reader sees.
A large section has its functions and sentences in parts, a
module for each (`PartSteps`), and lists the parts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar, overload

from contracts.delivery import SowReviewed as DeliveryReviewed
from contracts.event import Event, Recorded, write_position
from contracts.finance import SowReviewed as FinanceReviewed
from contracts.lines import ContractLine, ContractLineKind
from contracts.values import AmendmentReview, Deliverable, PersonId
from gateway.redaction import PositionText
from gateway.view.sections.sentences import Names

Section = TypeVar("Section")
Fields_contra = TypeVar("Fields_contra", contravariant=True)
"""A class with the fields that steps need: a section, or a protocol that a section matches."""

Key = TypeVar("Key")
F = TypeVar("F", bound=Event)
G = TypeVar("G", bound=Event)
Reopened = TypeVar("Reopened", bound=Event)
Withdrawn = TypeVar("Withdrawn", bound=Event)
Part = TypeVar("Part")
_Step: TypeAlias = Callable[[Section, Recorded[F]], None]
AnyStep = Callable[[Any, Any], None]
"""A function that applies a recorded event of one type to a section of one class."""

AnySentence = Callable[[Any, Names], str]
"""A function that describes an event of one type."""

FieldPaths: TypeAlias = Mapping[str, "bool | FieldPaths"]
"""Fields of an event as pydantic names them; ``__all__`` are the members of a list."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A declaration of what readers see of an event whose person's details they may not see.

    They see the fields that are `shown`, or all but those that are `hidden`, and this sentence in
    place of the full one, if there is another. Where all fields are not shown, its author is not
    shown either: it may be the person. `Reader.sees_details_of` decides who sees the whole event,
    by its field `person`; an event without that field has works of several people.
    """

    shown: FieldPaths | None = None
    hidden: FieldPaths | None = None
    sentence: AnySentence | None = None

    @property
    def hides_author(self) -> bool:
        """True if it is an event of one person, who may be its author."""
        return self.shown is not None


_STORES = "stores"
STEPS = "steps"
"""The key in the metadata of a view's field under which the steps of its section are."""


_OF_PERSON: set[type[Event]] = set()
"""Events whose author not every reader sees: it may be the person."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an event, with which the timeline finds it and a disconnect proves itself.

    `heard` is the position that the event's author had processed. `author` is the person who stated
    it, or for whom a stand-in did; None where no person did and where not every reader sees it.
    `on` is the day on which what it states happened, where the event has it.
    """

    event: str
    type: str
    channel: str
    streamsequence: int
    occurred_at: datetime
    heard: PositionText
    author: PersonId | None = None
    on: date | None = None

    @property
    def day(self) -> date:
        """The day on which what it states happened, else on which it occurred (UTC)."""
        return self.on or self.occurred_at.astimezone(UTC).date()


def ref(recorded: Recorded[Event]) -> Ref:
    """Return a reference to a recorded event."""
    event = recorded.event
    kind, department = type(event), event.channel.department
    person = recorded.on_behalf_of or recorded.actor
    field_of_day = day_field(kind)
    return Ref(
        recorded.id,
        event.type,
        event.channel.name,
        recorded.sequence,
        recorded.occurred_at,
        write_position(recorded.heard),
        None if kind in _OF_PERSON or person == department else person,
        getattr(event, field_of_day) if field_of_day else None,
    )


@cache
def day_field(kind: type[Event]) -> str | None:
    """Return the field with the day on which what an event states happened, or None.

    Such a field is named after the participle in the name of the event, as `signed_on` is in
    `sow-signed`; that of a status report or a measurement is `as_of`.
    """
    words = kind.type.split(".")[2].split("-")
    named = (f"{word}_on" for word in (*reversed(words), "held"))
    return next((name for name in (*named, "as_of") if name in kind.model_fields), None)


@dataclass(frozen=True, slots=True)
class Kept(Generic[Part]):
    """An event as it was published, or the part of it that is needed, and the reference to it."""

    event: Part
    said: Ref


_Kinds: TypeAlias = tuple[type[Event], ...]


def _forget(name: str) -> AnyStep:
    return lambda section, _: setattr(section, name, None)


def _drop(key: Callable[[Any], object]) -> Callable[[str], AnyStep]:
    """Return what removes the item with the key of an event from a field."""
    return lambda name: (
        lambda section, recorded: getattr(section, name).pop(key(recorded.event), None)
    )


def _stores(*functions: tuple[_Kinds, Callable[[str], AnyStep]]) -> Mapping[str, object]:
    """Return the metadata of a field: for each type of event its function, by the field's name."""
    return {_STORES: {kind: function for kinds, function in functions for kind in kinds}}


@overload
def newest(kind: type[F], *, until: _Kinds = ()) -> Kept[F] | None: ...


@overload
def newest(kind: type[F], *, kept: Callable[[F], Part]) -> Kept[Part] | None: ...


def newest(
    kind: type[F], *, kept: Callable[[F], Any] | None = None, until: _Kinds = ()
) -> Kept[Any] | None:
    """Declare a field that keeps the newest event of a type, until one of other types.

    `kept` returns the part of an event to keep, where the whole is a document with long lists.
    """

    def into(name: str) -> AnyStep:
        def store(section: object, recorded: Recorded[F]) -> None:
            event = recorded.event
            setattr(section, name, Kept(kept(event) if kept else event, ref(recorded)))

        return store

    return field(default=None, metadata=_stores(((kind,), into), (until, _forget)))


def newest_ref(*kinds: type[Event], until: _Kinds = ()) -> Ref | None:
    """Declare a field that keeps the reference to the newest event of these types, until others."""

    def into(name: str) -> AnyStep:
        def store(section: object, recorded: Recorded[Event]) -> None:
            setattr(section, name, ref(recorded))

        return store

    return field(default=None, metadata=_stores((kinds, into), (until, _forget)))


@overload
def each_by(
    kind: type[F], key: Callable[[F | G], Key], *, until: type[G]
) -> dict[Key, Kept[F]]: ...


@overload
def each_by(kind: type[F], key: Callable[[F], Key]) -> dict[Key, Kept[F]]: ...


@overload
def each_by(
    kind: type[F], key: Callable[[F], Key], *, kept: Callable[[F], Part]
) -> dict[Key, Kept[Part]]: ...


def each_by(
    kind: type[F],
    key: Callable[[Any], Key],
    *,
    kept: Callable[[F], Any] | None = None,
    until: type[Event] | None = None,
) -> dict[Key, Kept[Any]]:
    """Declare a field that keeps the newest event of a type for each key, until another type's.

    `kept` returns the part of an event to keep, where the whole is a document with long lists.
    """

    def into(name: str) -> AnyStep:
        def store(section: object, recorded: Recorded[F]) -> None:
            event = recorded.event
            by_key: dict[Key, Kept[Any]] = getattr(section, name)
            by_key[key(event)] = Kept(kept(event) if kept else event, ref(recorded))

        return store

    ends = () if until is None else (until,)
    return field(default_factory=dict, metadata=_stores(((kind,), into), (ends, _drop(key))))


def each_with_day(
    kinds: tuple[type[F], ...],
    key: Callable[[F | G | Reopened | Withdrawn], Key],
    item: Callable[[Recorded[F]], Part],
    *,
    day: str,
    by: type[G],
    reopened: type[Reopened],
    until: type[Withdrawn],
) -> dict[Key, Part]:
    """Declare a field that keeps an item for each key, until an event withdraws the item.

    An event of the type `by` sets the item's day of this name, as the event has it, and one of the
    type `reopened` removes the day. Raises TypeError where the event has no such day.
    """
    if day not in by.model_fields:
        raise TypeError(f"{by.type} has no {day}")

    def into(name: str) -> AnyStep:
        def store(section: object, recorded: Recorded[F]) -> None:
            getattr(section, name)[key(recorded.event)] = item(recorded)

        return store

    def with_day(name: str) -> AnyStep:
        def change(section: object, recorded: Recorded[G | Reopened]) -> None:
            event = recorded.event
            known = getattr(section, name).get(key(event))
            if known is not None:
                setattr(known, day, getattr(event, day) if isinstance(event, by) else None)

        return change

    return field(
        default_factory=dict,
        metadata=_stores((kinds, into), ((by, reopened), with_day), ((until,), _drop(key))),
    )


def every(kind: type[F]) -> list[Kept[F]]:
    """Declare a field that keeps all events of a type, in their order."""

    def into(name: str) -> AnyStep:
        def store(section: object, recorded: Recorded[F]) -> None:
            getattr(section, name).append(Kept(recorded.event, ref(recorded)))

        return store

    return field(default_factory=list, metadata=_stores(((kind,), into)))


class PartSteps(Generic[Fields_contra]):
    """The steps of a part of a section by type of event, and the sentences of its events.

    `Fields_contra` is a protocol of the fields that the steps need. The part does not import the
    section, whose fields have the part's classes. `ignored` are types that the section does not
    need; they are described as well.
    """

    def __init__(self, *, ignored: Iterable[type[Event]] = ()) -> None:
        self.ignored = frozenset(ignored)
        self.sentences: dict[type[Event], AnySentence] = {}
        self.personal: dict[type[Event], Personal] = {}
        self.functions: dict[type[Event], AnyStep] = {}

    @overload
    def on(
        self, kind: type[F], /
    ) -> Callable[[_Step[Fields_contra, F]], _Step[Fields_contra, F]]: ...

    @overload
    def on(
        self, kind: type[F], also: type[G], /
    ) -> Callable[[_Step[Fields_contra, F | G]], _Step[Fields_contra, F | G]]: ...

    @overload
    def on(
        self, kind: type[Event], also: type[Event], /, *more: type[Event]
    ) -> Callable[[AnyStep], AnyStep]: ...

    def on(self, *kinds: type[Event]) -> Callable[[AnyStep], AnyStep]:
        """Register a function for a type of event, or for several that it treats alike.

        The types of more than two are not compared with that of the function's argument. Raises
        TypeError where a type has a function already.
        """

        def register(step: AnyStep) -> AnyStep:
            for kind in kinds:
                if kind in self.functions:
                    raise TypeError(f"{kind.type} has two steps")
                self.functions[kind] = step
            return step

        return register

    def describe(self, kind: type[F], sentence: Callable[[F, Names], str]) -> None:
        """Declare the sentence of a type of event; raises TypeError where it has one already."""
        if kind in self.sentences:
            raise TypeError(f"{kind.type} has two sentences")
        self.sentences[kind] = sentence

    def of_person(
        self,
        kind: type[F],
        shown: FieldPaths,
        sentence: Callable[[F, Names], str] | None = None,
    ) -> None:
        """Declare an event of a person's time or expenses, and what every reader sees of it."""
        _OF_PERSON.add(kind)
        self.personal[kind] = Personal(shown=shown, sentence=sentence)

    def of_people(self, *kinds: type[Event], hidden: FieldPaths) -> None:
        """Declare events that have works of people in some fields, which not every reader sees."""
        for kind in kinds:
            self.personal[kind] = Personal(hidden=hidden)


class Steps(PartSteps[Section]):
    """The steps of a section and of its parts, and the sentences that describe their events.

    Raises TypeError where the section is not a dataclass, and where an event has two steps or two
    sentences. The type checker compares the parts with the section where its class is written out,
    as in ``Steps[FinanceSection](FinanceSection, ...)``.
    """

    def __init__(
        self,
        section: type[Section],
        *parts: PartSteps[Section],
        ignored: Iterable[type[Event]] = (),
    ) -> None:
        super().__init__(ignored=frozenset(ignored).union(*(each.ignored for each in parts)))
        self.section = section
        self._stores: dict[type[Event], list[AnyStep]] = {}
        for each in fields(section):  # type: ignore[arg-type]
            for kind, function_for in each.metadata.get(_STORES, {}).items():
                self._stores.setdefault(kind, []).append(function_for(each.name))
        for part in parts:
            for kind, step in part.functions.items():
                self.on(kind)(step)
            for kind, sentence in part.sentences.items():
                self.describe(kind, sentence)
            self.personal |= part.personal

    def by_type(self) -> Iterator[tuple[type[Event], AnyStep]]:
        """Yield each type of event with the one function that does all that the section does."""
        for kind in {**self._stores, **self.functions}:
            steps = list(self._stores.get(kind, ()))
            if kind in self.functions:
                steps.append(self.functions[kind])
            yield kind, steps[0] if len(steps) == 1 else _one_after_the_other(steps)


def _one_after_the_other(functions: Iterable[AnyStep]) -> AnyStep:
    functions = tuple(functions)

    def step(section: object, recorded: Recorded[Event]) -> None:
        for each in functions:
            each(section, recorded)

    return step


def section(steps: Steps[Section]) -> Section:
    """Declare a field of a view that is a section with these steps."""
    return field(default_factory=steps.section, metadata={STEPS: steps})


@dataclass(frozen=True, slots=True)
class Review:
    """The verdict on a version of the statement of work; the notes are in the timeline."""

    version: int
    verdict: str


def review(event: DeliveryReviewed | FinanceReviewed) -> Review:
    """Return the part of a review that a view keeps."""
    return Review(event.version, event.verdict)


@dataclass(frozen=True, slots=True)
class AmendmentVerdict:
    """The verdict on a content of an amendment; the notes are in the timeline."""

    content_hash: str
    verdict: str


def verdict_on_amendment(event: AmendmentReview) -> AmendmentVerdict:
    """Return the part of an amendment's review that a view keeps."""
    return AmendmentVerdict(event.content_hash, event.verdict)


def titles(deliverables: Iterable[Deliverable]) -> dict[str, str]:
    """Return the titles of deliverables by id."""
    return {each.deliverable: each.title for each in deliverables}


Line = TypeVar("Line", bound=ContractLine)


def unbilled(lines: Iterable[Line]) -> list[Line]:
    """Return lines without their billing schedules, which may have hundreds of entries."""
    return [line.model_copy(update={"billing": ()}) for line in lines]


_KEPT_ENTRIES = ("period", "on-acceptance")


def with_kept_billing(lines: Iterable[ContractLine]) -> list[ContractLine]:
    """Return lines whose billing schedules have fees of retainers and what acceptance bills only.

    Entries by date may be hundreds, and no rule needs them.
    """
    return [
        line.model_copy(
            update={"billing": tuple(item for item in line.billing if item.kind in _KEPT_ENTRIES)}
        )
        for line in lines
    ]


def line_hours(lines: Iterable[ContractLine], kind: ContractLineKind | None = None) -> Decimal:
    """Return the planned hours of lines, or of those of one kind."""
    of_kind = (line for line in lines if kind is None or line.kind == kind)
    return sum((each.hours for line in of_kind for each in line.hours), Decimal(0))
