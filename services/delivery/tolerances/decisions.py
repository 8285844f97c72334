"""Publish the tolerances of a company as reference data; the gateway finds disconnects by them."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from contracts.event import Event
from contracts.reference import CompanyPublished, Tolerances, TolerancesPublished
from delivery.roles import TOLERANCE_KEEPERS

capability: Capability[Record[TolerancesPublished]] = Capability(__name__)


class PublishTolerances(Tolerances, Publish):
    """Publish the tolerances of a company. A tolerance that is left out has its default."""


@capability.decide(PublishTolerances, by=TOLERANCE_KEEPERS, opens=True)
def publish_tolerances(
    state: Record[TolerancesPublished], command: PublishTolerances, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Without a day it is in force from today on: what was found on earlier days was right then.
    Raises Refused where no such company is published.
    """
    require_record("company-unknown", "tolerances", CompanyPublished, state.id, context)
    yield from next_version(state, command, context, from_today=True)
