"""State of the early starts."""

from collections.abc import Iterator
from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.event import Recorded
from contracts.legal import EarlyStartAuthorised, EarlyStartExpired
from contracts.values import PersonId, Value


class Authorisation(Value):
    """An authorisation to work before the signature; `expired` once its end is recorded."""

    authorised: EarlyStartAuthorised
    authorised_by: PersonId
    expired: bool = False


class EarlyStarts(Part):
    """All authorisations, in the order in which they were given."""

    authorisations: tuple[Authorisation, ...] = ()

    @on_event
    def _authorised(self, recorded: Recorded[EarlyStartAuthorised]) -> Self:
        new = Authorisation(authorised=recorded.event, authorised_by=recorded.actor)
        return self.updated(authorisations=(*self.authorisations, new))

    @on_event
    def _expired(self, event: EarlyStartExpired) -> Self:
        authorisations = tuple(
            each.model_copy(update={"expired": True})
            if each.authorised.expires_on == event.expired_on
            else each
            for each in self.authorisations
        )
        return self.updated(authorisations=authorisations)

    def lapsed(self, day: date) -> Iterator[EarlyStartExpired]:
        """Yield the expiry of authorisations whose last day is before `day` and not yet recorded.

        One event covers all authorisations with the same last day.
        """
        ended = (each.authorised.expires_on for each in self.authorisations if not each.expired)
        for last in dict.fromkeys(ended):
            if last < day:
                yield EarlyStartExpired(expired_on=last)
