"""The decider of a department's engagements: its own capabilities and those in common."""

from collections.abc import Callable
from datetime import date, tzinfo
from typing import TypeVar

from chassis.domain.capability import Capability
from chassis.domain.context import ReferenceData
from chassis.domain.decider import Decider
from chassis.domain.reference import account_zone
from common.disconnects import decisions as disconnects
from common.engagement import CommonParts
from common.questions import decisions as questions
from contracts.questions import Asked
from contracts.roles import Role
from contracts.values import AccountId

E = TypeVar("E", bound=CommonParts)


def engagement_decider(
    department: Asked,
    state: type[E],
    *capabilities: Capability[E],
    answering: tuple[Role, ...],
    owing: Role,
    account_of: Callable[[E], AccountId | None],
    require_open: Callable[[E], None],
    zone: Callable[[E, ReferenceData, date], tzinfo | None] | None = None,
) -> Decider[E]:
    """Return the decider of the engagements of a department; reactions are in the order given.

    `answering` are the roles that ask and answer questions, `owing` is the one that owes answers.
    `account_of` returns the customer's account; `require_open` refuses a question about an
    engagement that is over. `zone` returns the time zone in which days are judged, by default that
    of the account.
    """
    return Decider(
        department=department,
        kind="engagement",
        initial=lambda subject: state(engagement=subject),
        capabilities=(
            *capabilities,
            disconnects.capability_of(state),
            questions.capability_of(
                state,
                department=department,
                by=answering,
                owing=owing,
                account_of=account_of,
                require_open=require_open,
            ),
        ),
        zone=zone or (lambda state, *when: account_zone(account_of(state), *when)),
        documents=lambda state: state.documents.published,
    )
