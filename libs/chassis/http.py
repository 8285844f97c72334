"""Routes: one way to expose a decider over HTTP.

    def view(state: Engagement) -> EngagementView: ...

    engagements = Routes(ENGAGEMENT, path="engagements", view=view, seen_by=("account-executive",))
    engagements.opening(OpenOpportunity, by=("account-executive",), prefix="E")
    engagements.command(QualifyOpportunity, by=("account-executive", "sales-manager"))

gives ``POST /engagements``, ``POST /engagements/{engagement}/qualify-opportunity``,
``GET /engagements/{engagement}`` and, where a listing is given, ``GET /engagements``. A command's
docstring is what people read in the OpenAPI document.
"""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from chassis.auth import Role
from chassis.decider import Command, Decider

S = TypeVar("S", bound=BaseModel)
C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A command, who may give it, and where. `prefix` makes the id of the stream that it opens."""

    command: type[Command]
    by: tuple[Role, ...]
    at: str
    prefix: str | None = None


class Routes(Generic[S]):
    """The routes of one kind of stream.

    `view` makes of a state what the people in `seen_by` read; its return annotation is the schema.
    `confidential`, where given, is what is read instead by those with the role of that name.
    `subject` is the type of the id in the path (EngagementId for engagements unless given).
    `erased_by` may erase a record of reference data whole (``DELETE /people/{person}``).
    """

    def __init__(
        self,
        decider: Decider[S],
        *,
        path: str,
        view: Callable[[S], BaseModel],
        seen_by: tuple[Role, ...],
        confidential: Callable[[S], BaseModel] | None = None,
        subject: Any = None,
        erased_by: tuple[Role, ...] = (),
    ) -> None:
        self.decider = decider
        self.path = path
        self.view = view
        self.confidential = confidential
        self.seen_by = seen_by
        self.subject = subject
        self.erased_by = erased_by
        self.commands: list[CommandRoute] = []

    def command(self, kind: type[Command], *, by: tuple[Role, ...], at: str | None = None) -> None:
        """Take a command on a stream that the path names: ``POST /<path>/{id}/<command>``.

        `at` replaces the last part, which is the command's name otherwise. A command that may open
        a stream (`Decider.opens`) makes it under the id in the path.
        """
        self._add(CommandRoute(kind, by, f"/{{id}}/{at or kind.named()}"))

    def opening(
        self, kind: type[Command], *, by: tuple[Role, ...], prefix: str, at: str = ""
    ) -> None:
        """Take a command that opens a stream under an id of its own: ``POST /<path>[/<at>]``.

        The id is `prefix`, a dash and thirteen characters drawn from the actor and the
        Idempotency-Key: the same request always opens the same stream.
        """
        if kind not in self.decider.opens:
            raise TypeError(f"{kind.named()} does not open a stream of kind {self.decider.kind}")
        self._add(CommandRoute(kind, by, f"/{at}" if at else "", prefix))

    def _add(self, route: CommandRoute) -> None:
        if route.command not in self.decider.decide.types:
            raise TypeError(f"nobody decides {route.command.named()} on {self.decider.kind}")
        if not route.by:
            raise TypeError(f"nobody may give {route.command.named()}: name the roles")
        self.commands.append(route)

    @property
    def view_model(self) -> type[BaseModel]:
        """The schema of what is read."""
        model = typing.get_type_hints(self.view).get("return")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"the view of {self.path} must say which model it returns")
        return model
