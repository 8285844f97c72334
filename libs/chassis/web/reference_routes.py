"""The HTTP routes of one kind of reference records: publish, read, list and erase.

    accounts = ReferenceRoutes(
        ACCOUNT, path="accounts", seen_by=COMPANY, listed=("name", "country")
    )

In addition to the fields of its capability's view, a record has those of `RecordView`; of a kind on
a confidential channel, only callers with the role `confidential` get them.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, create_model

from chassis.application.read_models import Listing, Value
from chassis.domain.decider import Decider
from chassis.domain.reference import Record, RecordView, record_view
from chassis.domain.stream import Stream
from chassis.web.command_routes import CommandRoutes
from chassis.web.dependencies import get_service
from contracts.decimals import canonical_decimal
from contracts.places import day_at
from contracts.reference import Reference
from contracts.roles import Role

R = TypeVar("R", bound=Reference)


class ReferenceRoutes(CommandRoutes[Record[R]], Generic[R]):
    """The routes of one kind of reference records.

    `listed` are the fields of the newest version that the list has, beside `effective_from`; they
    must be texts, numbers, days or booleans, and not confidential. The other arguments are those of
    `CommandRoutes`. Raises TypeError where the record has no such field.
    """

    changes_by_day: ClassVar[bool] = True

    def __init__(
        self,
        decider: Decider[Record[R]],
        *,
        path: str,
        seen_by: tuple[Role, ...],
        listed: tuple[str, ...],
        subject: Any = None,
        erased_by: tuple[Role, ...] = (),
    ) -> None:
        super().__init__(decider, path=path, seen_by=seen_by, subject=subject, erased_by=erased_by)
        self.record: type[R] = decider.state_type.published()
        self.listed = (*listed, "effective_from")
        if unknown := set(self.listed) - self.record.model_fields.keys():
            raise TypeError(f"{self.record.__name__} has no field {', '.join(sorted(unknown))}")

    @cached_property
    def listing(self) -> Listing:
        """The listing of the records, by fields of their newest version."""
        return Listing(self.decider.kind, self.listed, self._row)

    def _row(self, state: Record[R]) -> Mapping[str, Value]:
        newest = state.newest
        return {name: _listed(getattr(newest, name, None)) for name in self.listed}

    def _view(self, request: Request, stream: Stream[Record[R]]) -> dict[str, object]:
        view, caller = super()._view(request, stream), request.state.caller
        if not self.record.channel.confidential or caller.may("confidential"):
            records, now = get_service(request).reference_data, datetime.now(UTC)
            zone = self.decider.zone_at(stream.state, records, now)
            view |= dict(record_view(stream, day_at(now, zone)))
        return view

    @cached_property
    def view_model(self) -> type[BaseModel]:
        """The model of the view that every reader gets."""
        model = super().view_model
        if self.record.channel.confidential:
            return model
        whole = RecordView[self.record]  # type: ignore[name-defined]
        return create_model(model.__name__, __base__=(model, whole), __doc__=model.__doc__)


def _listed(value: object) -> Value:
    """Return the value of a field as a row has it; raises TypeError for any other type."""
    if isinstance(value, Decimal):
        return canonical_decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a list cannot show {type(value).__name__}")
