"""The HTTP routes of engagements: commands, view and list, and the documents."""

from typing import TypeVar

from fastapi import APIRouter

from chassis.domain.decider import Decider
from chassis.domain.state import Part
from chassis.web.command_routes import CommandRoutes
from chassis.web.document_routes import Private, document_routes
from contracts.roles import Role

S = TypeVar("S", bound=Part)


class EngagementRoutes(CommandRoutes[S]):
    """The routes of engagements.

    `seen_by` are the roles that may read engagements, their list and their documents, `uploaded_by`
    those that may upload files. `private` says who may read files with a purpose.
    """

    def __init__(
        self,
        decider: Decider[S],
        *,
        seen_by: tuple[Role, ...],
        uploaded_by: tuple[Role, ...],
        private: Private[S] | None = None,
    ) -> None:
        super().__init__(decider, path="engagements", seen_by=seen_by)
        self._uploaded_by = uploaded_by
        self._private = private

    def router(self) -> APIRouter:
        """Return the routes, for an application of `chassis.runtime.service`."""
        router = super().router()
        router.include_router(
            document_routes(
                seen_by=self.seen_by, uploaded_by=self._uploaded_by, private=self._private
            )
        )
        return router
