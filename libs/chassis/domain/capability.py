"""A capability of a department: commands with roles, reactions, deadlines, work items, view, row.

    capability = Capability[Engagement](__name__)

    @capability.decide(QualifyOpportunity, by=SELLERS)
    def qualify_opportunity(
        state: Engagement, command: QualifyOpportunity, context: Context
    ) -> Iterable[Event]: ...

The list of capabilities in a department's `service.py` is all that routes, views and lists are made
from.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, create_model

from chassis.base.view_model import SortedWithin, ViewModel
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline
from chassis.domain.ids import derived
from chassis.domain.requests import Asking
from chassis.domain.state import Part
from chassis.domain.work_items import ItemKind, WorkItem
from contracts.event import Event
from contracts.reference import StandInPurpose
from contracts.roles import Role

S = TypeVar("S", bound=Part)
C = TypeVar("C", bound=Command)
M = TypeVar("M", bound=ViewModel)
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command of a capability, the decision on it, and how it is given over HTTP.

    `by` are the roles that may give it; None where only the service itself gives it, without a
    route. `opens` says that it may begin a stream; where `prefix` is given, the stream gets a new
    id that begins with it. The id follows from the request or, with `id_from`, from what that
    returns: commands for which it is equal open one stream. `at` is the last part of the path, by
    default the command's name. `stand_in` is the purpose for which a stand-in must be recorded to
    give it for another person. `many` says that one request may give it to several streams.
    """

    command: type[Command]
    decision: Callable[[Any, Any, Context], Iterable[Event]]
    by: tuple[Role, ...] | None
    opens: bool
    prefix: str | None
    at: str | None
    id_from: Callable[[Any], str] | None
    stand_in: StandInPurpose
    many: bool = False

    def new_id(self, command: Command, request: str) -> str:
        """Return the id of the stream that a command opens: a prefix, a dash, and a hash.

        `request` is what identifies the request.
        """
        return f"{self.prefix}-{derived(self.id_from(command) if self.id_from else request)}"

    @property
    def path(self) -> str:
        """The last part of the path; empty where a new stream is opened without `at`."""
        return self.at or ("" if self.prefix is not None else self.command.named())


@dataclass(frozen=True, slots=True)
class WorkSource(Generic[S]):
    """A function that yields the work items of a state, and the kinds of its items."""

    kinds: tuple[ItemKind, ...]
    items: Callable[[S], Iterable[WorkItem]]
    confidential: bool


class Capability(Generic[S]):
    """The declarations of one capability on the whole state of a stream.

    `module` is the name of the module that declares it (``__name__``).
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.commands: list[CommandEntry] = []
        self.reactions: list[Callable[[S, Context], Iterable[Event]]] = []
        self.askings: list[Asking[S, Any]] = []
        self.deadline_sources: list[Callable[[S], Iterable[Deadline]]] = []
        self.views: list[Callable[[S], ViewModel]] = []
        self.confidential_views: list[Callable[[S], ViewModel]] = []
        self.narrowings: dict[str, Callable[[Any, S, Context], object]] = {}
        self.rows: list[Callable[[S], ViewModel]] = []
        self.work_sources: list[WorkSource[S]] = []

    def decide(
        self,
        command: type[C],
        *,
        by: tuple[Role, ...] | None,
        opens: bool = False,
        prefix: str | None = None,
        at: str | None = None,
        id_from: Callable[[C], str] | None = None,
        stand_in: StandInPurpose = "approvals",
        many: bool = False,
    ) -> Callable[
        [Callable[[S, C, Context], Iterable[Event]]], Callable[[S, C, Context], Iterable[Event]]
    ]:
        """Register the decision on a command; the arguments are those of `CommandEntry`.

        Raises TypeError where `by` is empty.
        """
        if by is not None and not by:
            raise TypeError(f"no role may give {command.named()}: name the roles")

        def register(
            decision: Callable[[S, C, Context], Iterable[Event]],
        ) -> Callable[[S, C, Context], Iterable[Event]]:
            opening = opens or prefix is not None
            entry = CommandEntry(
                command, decision, by, opening, prefix, at, id_from, stand_in, many
            )
            self.commands.append(entry)
            return decision

        return register

    def react(
        self, reaction: Callable[[S, Context], Iterable[Event]]
    ) -> Callable[[S, Context], Iterable[Event]]:
        """Register a reaction: the events that follow from a state without a command."""
        self.reactions.append(reaction)
        return reaction

    def request(self, command: type[C], *, of: str, confidential: bool = False) -> Asking[S, C]:
        """Declare that the capability asks streams of the kind `of` to carry out a command."""
        asking = Asking[S, C](command, of, confidential=confidential)
        self.askings.append(asking)
        return asking

    def deadlines(
        self, source: Callable[[S], Iterable[Deadline]]
    ) -> Callable[[S], Iterable[Deadline]]:
        """Register the deadlines of a state; their decision is on `DeadlinePassed`."""
        self.deadline_sources.append(source)
        return source

    def view(self, view: Callable[[S], M]) -> Callable[[S], M]:
        """Register a part of the view; the return annotation names its fields."""
        self.views.append(view)
        return view

    def confidential_view(self, view: Callable[[S], M]) -> Callable[[S], M]:
        """Register a part of the view that only callers with the role `confidential` get."""
        self.confidential_views.append(view)
        return view

    def narrow(
        self, field: str
    ) -> Callable[[Callable[[F, S, Context], F]], Callable[[F, S, Context], F]]:
        """Register what a reader may see of a field of the view, open or confidential.

        The function gets the value of the field, the state, and the context of the reader, and
        returns the value without what concerns only others. The values of the fields `work` and
        `confidential_work` are the work items of all capabilities; several may narrow them.
        """

        def register(narrowing: Callable[[F, S, Context], F]) -> Callable[[F, S, Context], F]:
            self.narrowings[field] = narrowing
            return narrowing

        return register

    def work(
        self,
        kinds: tuple[ItemKind, ...],
        items: Callable[[S], Iterable[WorkItem]],
        *,
        confidential: bool = False,
    ) -> None:
        """Register a function that yields the work items of a state, which are of these kinds.

        Items that are computed from costs are `confidential`: only callers with that role get them.
        """
        self.work_sources.append(WorkSource(kinds, items, confidential))

    def row(self, row: Callable[[S], M]) -> Callable[[S], M]:
        """Register a part of the list row; its fields can be filtered and sorted by."""
        self.rows.append(row)
        return row


class Composed(Generic[S]):
    """A view or a list row whose fields, all at one level, are declared by several capabilities.

    Raises TypeError where two of the parts have a field of the same name, or where a part has no
    model as its return annotation.
    """

    def __init__(self, parts: Iterable[Callable[[S], ViewModel]]) -> None:
        self.parts = tuple(parts)
        self.models = tuple(_returned(part) for part in self.parts)
        self.fields = tuple(name for model in self.models for name in model.model_fields)
        for name in set(self.fields):
            if self.fields.count(name) > 1:
                models = ", ".join(each.__name__ for each in self.models)
                raise TypeError(f"the field {name} has two meanings in {models}")

    @property
    def within(self) -> dict[str, str]:
        """Return the columns that are sorted within another one, with its name."""
        return {
            name: each.column
            for model in self.models
            for name, known in model.model_fields.items()
            for each in known.metadata
            if isinstance(each, SortedWithin)
        }

    def __call__(self, state: S) -> dict[str, Any]:
        """Return the values of all fields for a state."""
        values: dict[str, Any] = {}
        for part in self.parts:
            values |= vars(part(state))  # to iterate over a model takes longer than to make it
        return values

    def model(self, name: str, doc: str | None = None) -> type[BaseModel]:
        """Return the model with all fields."""
        return create_model(name, __base__=self.models or ViewModel, __doc__=doc)


def _returned(part: Callable[..., Any]) -> type[ViewModel]:
    model = get_type_hints(part).get("return")
    if not (isinstance(model, type) and issubclass(model, ViewModel)):
        raise TypeError(f"{part.__module__}.{part.__name__} must be annotated with its model")
    return model
