"""States of streams: parts that keep events, and that change with events.

    class Opportunity(Part):
        opened: Kept[OpportunityOpened] = None
        pipeline_stage: PipelineStage = "prospecting"

        @on_event
        def _advanced(self, event: OpportunityAdvanced) -> Self:
            return self.updated(pipeline_stage=event.pipeline_stage)

Storing an event needs no function: a field of type `Kept`, or annotated with `Keep`, stores it, and
one annotated with `KeepDay` the day on which it happened. The state of a stream is a part whose
fields are parts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict

from contracts.event import Event, Recorded

E = TypeVar("E", bound=Event)
P = TypeVar("P", bound="Part")
F = TypeVar("F", bound=Callable[[Any, Any], Any])
_Step: TypeAlias = Callable[[Any, Recorded[Any]], Any]


@dataclass(frozen=True, slots=True)
class Keep:
    """Annotation of a part's field that stores events as they are.

    An optional event is the newest one. A tuple contains all events in order. A dictionary contains
    the newest event for each value of the event's field `by`. An event of a type in `until` drops
    the event that is kept, of a dictionary the one with the same value.
    """

    by: str = ""
    until: tuple[type[Event], ...] = ()


@dataclass(frozen=True, slots=True)
class KeepDay:
    """Annotation of a part's field that stores on which day (UTC) something happened.

    An optional day is that of the newest event of the types in `of`. A dictionary contains the day
    for each value of the event's field `by`. An event of a type in `until` drops the day, of a
    dictionary the one with the same value.
    """

    of: tuple[type[Event], ...]
    by: str = ""
    until: tuple[type[Event], ...] = ()


Kept: TypeAlias = Annotated[E | None, Keep()]
"""Field that stores the newest event of a type, or None before the first."""


def on_event(step: F) -> F:
    """Mark a method of a part as the step for a type of event; it returns the part afterwards.

    The type is that of its argument: an event, or `Recorded` with an event where the step needs the
    envelope; a union names several types. Fields with `Keep` are stored before the step.
    """
    vars(step)["is_step"] = True
    return step


class Part(BaseModel):
    """Base of the state of a stream, and of the parts that it consists of.

    A subclass raises TypeError for a step or a kept field without a type of event. A generic part
    has steps once its types are given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: ClassVar[Mapping[type[Event], tuple[_Step, ...]]] = {}
    """The steps by type of event, in the order in which they are applied."""
    computed: ClassVar[tuple[str, ...]] = ()
    """The cached properties; a changed copy computes them anew."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        cls.computed = tuple(
            name
            for base in cls.__mro__
            for name, value in vars(base).items()
            if isinstance(value, cached_property)
        )
        if cls.__pydantic_generic_metadata__["parameters"]:
            return
        values: dict[type[Event], dict[str, _Step]] = {}
        for name, field in cls.model_fields.items():
            place = f"{cls.__name__}.{name}"
            kept = next((each for each in field.metadata if isinstance(each, Keep | KeepDay)), None)
            if kept is not None:
                for kind, step in _keeping(name, field.annotation, kept, place):
                    values.setdefault(kind, {})[name] = step
            elif isinstance(field.annotation, type) and issubclass(field.annotation, Part):
                for kind, nested in field.annotation.steps.items():
                    values.setdefault(kind, {})[name] = _within(name, nested)
            elif _has_part(field.annotation):
                raise TypeError(f"{place} is not always a part, so that its steps are not applied")
        steps = {kind: (_setting(fields),) for kind, fields in values.items()}
        methods = {name: method for base in reversed(cls.__mro__) for name, method in _steps(base)}
        for name, step in methods.items():
            kinds, whole = _consumed(step, f"{cls.__name__}.{name}")
            for kind in kinds:
                applied = step if whole else _with_event(step)
                steps[kind] = (*steps.get(kind, ()), applied)
        cls.steps = steps

    def after(self, recorded: Recorded[Event]) -> Self:
        """Return the part after an event: unchanged if it has no step for the type."""
        part = self
        for step in self.steps.get(type(recorded.event), ()):
            part = step(part, recorded)
        return part

    def updated(self, **fields: object) -> Self:
        """Return a copy with some fields replaced, unchecked; raises TypeError for unknown ones."""
        if not fields.keys() <= type(self).model_fields.keys():
            unknown = sorted(fields.keys() - type(self).model_fields.keys())
            raise TypeError(f"{type(self).__name__} has no field {', '.join(unknown)}")
        return _changed(self, fields)


def _changed(part: P, fields: Mapping[str, object]) -> P:
    """Return a copy with some fields replaced; `model_copy` of pydantic takes much longer."""
    copy = object.__new__(type(part))
    values = {**part.__dict__, **fields}
    for name in part.computed:
        values.pop(name, None)
    object.__setattr__(copy, "__dict__", values)
    object.__setattr__(copy, "__pydantic_fields_set__", part.__pydantic_fields_set__)
    object.__setattr__(copy, "__pydantic_extra__", None)
    object.__setattr__(copy, "__pydantic_private__", None)
    return copy


def _steps(base: type) -> Iterator[tuple[str, FunctionType]]:
    for name, method in vars(base).items():
        if isinstance(method, FunctionType) and "is_step" in vars(method):
            yield name, method


def _has_part(annotation: Any) -> bool:
    """Return whether a part is inside of an annotation, such as ``Progress | None``."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return issubclass(annotation, Part)
    return any(_has_part(each) for each in get_args(annotation))


def _kept_in(annotation: Any, kept: Keep, place: str) -> tuple[type[Event], ...]:
    """Return the types of event that a field keeps; raises TypeError where it cannot keep them."""
    keyed = get_origin(annotation) is dict
    if kept.by and not keyed:
        raise TypeError(f"{place} is no dictionary, so that it has no key to keep events by")
    kinds = _events_in(get_args(annotation)[1] if keyed else annotation, place)
    if len({frozenset(kind.model_fields) for kind in kinds}) < len(kinds):
        raise TypeError(f"{place} keeps two types with the same fields, read as the first of them")
    if kept.until and get_origin(annotation) is tuple:
        raise TypeError(f"{place} keeps all events, so that none is dropped")
    for kind in (*kinds, *kept.until) if keyed else ():
        if kept.by not in kind.model_fields:
            raise TypeError(f"{place}: {kind.type} has no field {kept.by!r} to keep it by")
    return kinds


def _keeping(
    name: str, annotation: Any, kept: Keep | KeepDay, place: str
) -> Iterator[tuple[type[Event], _Step]]:
    """Yield the functions for the value of a field that keeps events, or their days, by type."""
    if isinstance(kept, Keep):
        for kind in _kept_in(annotation, kept, place):
            yield kind, _kept(name, annotation, kept)
    else:
        for kind in kept.of:
            yield kind, _day_of(name, kept.by)
    for kind in kept.until:
        yield kind, _dropped(name, kept.by)


def _setting(values: Mapping[str, _Step]) -> _Step:
    """Return the step that sets fields to these functions of the part and the event."""
    fields = tuple(values.items())

    def step(part: Part, recorded: Recorded[Any]) -> Part:
        return _changed(part, {name: value(part, recorded) for name, value in fields})

    return step


def _kept(name: str, annotation: Any, kept: Keep) -> _Step:
    """Return the function for the value of a field after an event that it keeps."""
    origin = get_origin(annotation)
    if origin is dict:
        return lambda part, recorded: {
            **getattr(part, name),
            getattr(recorded.event, kept.by): recorded.event,
        }
    if origin is tuple:
        return lambda part, recorded: (*getattr(part, name), recorded.event)
    return lambda _, recorded: recorded.event


def _dropped(name: str, by: str) -> _Step:
    """Return the function for the value of a field after an event that ends what it keeps."""

    def value(part: Part, recorded: Recorded[Any]) -> Any:
        if not by:
            return None
        ended = getattr(recorded.event, by)
        return {key: event for key, event in getattr(part, name).items() if key != ended}

    return value


def _day_of(name: str, by: str) -> _Step:
    """Return the function for the value of a field that keeps the day of events."""
    if not by:
        return lambda _, recorded: recorded.occurred_at.date()
    return lambda part, recorded: {
        **getattr(part, name),
        getattr(recorded.event, by): recorded.occurred_at.date(),
    }


def _within(name: str, steps: tuple[_Step, ...]) -> _Step:
    """Return the function for the value of a part inside another one after an event."""

    def value(whole: Part, recorded: Recorded[Any]) -> Any:
        part = getattr(whole, name)
        for each in steps:
            part = each(part, recorded)
        return part

    return value


def _with_event(step: Callable[[Any, Any], Any]) -> _Step:
    return lambda part, recorded: step(part, recorded.event)


def _consumed(step: Callable[[Any, Any], Any], place: str) -> tuple[tuple[type[Event], ...], bool]:
    """Return the event types of a step's argument, and whether it is a `Recorded`."""
    arguments = [hint for name, hint in get_type_hints(step).items() if name != "return"]
    whole = bool(arguments) and get_origin(arguments[0]) is Recorded
    argument = get_args(arguments[0])[0] if whole else arguments[0] if arguments else None
    return _events_in(argument, place), whole


def _events_in(annotation: Any, place: str) -> tuple[type[Event], ...]:
    """Return the event types in an annotation; raises TypeError where there are none."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, Event):
            return (annotation,)
    elif get_origin(annotation) in {Union, UnionType, Annotated, tuple}:
        parts = (each for each in get_args(annotation) if each not in {type(None), Ellipsis})
        return tuple(kind for part in parts for kind in _events_in(part, place))
    raise TypeError(f"{place} names no type of event")
