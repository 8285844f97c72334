"""Define the events of obligations that a contract gives the parties beside its main ones."""

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.values import (
    ContentHash,
    Correction,
    Day,
    DocumentHash,
    Identifier,
    Party,
    PersonId,
    ShortText,
    Text,
    Value,
)


class Obligation(Value):
    """A duty that the contract gives one of the parties beside delivering and paying.

    Examples are reports, an insurance certificate, an audit, the return of data, or notice by a
    day.
    """

    text: Text
    """The duty in words."""
    owed_by: Party
    """Party that owes it."""
    person: PersonId
    """Person who sees to it: one of the company, or a contact of the customer that owes it."""
    due_on: Day | None = None
    """Day by which it is owed; null where the contract names none."""
    clause: ShortText
    """Clause of the document, such as `12.3 Insurance`."""
    document: ContentHash
    """Hash of the signed statement of work or amendment that has the clause."""


class ObligationItem(Obligation):
    """An obligation and its id."""

    obligation: Identifier
    """Id of the obligation within the engagement."""


class ObligationRecorded(ObligationItem, Event, channel=LEGAL, consumed_by=("delivery",)):
    """An obligation of the contract was recorded. Published by Legal.

    An engagement with an open obligation cannot be closed.
    """

    recorded_on: Day
    """Day on which it was recorded."""


class ObligationFulfilment(Value):
    """The fulfilment of an obligation, with its proof."""

    obligation: Identifier
    """Id of the obligation within the engagement."""
    evidence: DocumentHash | None = None
    """Hash of the document that proves it; null where there is none."""


class ObligationMet(ObligationFulfilment, Event, channel=LEGAL, consumed_by=("delivery",)):
    """The party that owed an obligation met it. Published by Legal."""

    met_on: Day
    """Day on which it was met."""


class ObligationCorrection(Correction):
    """The correction of a wrong record of an obligation, or of its fulfilment."""

    obligation: Identifier
    """Id of the obligation within the engagement."""


class ObligationReopened(
    ObligationItem, Correction, Event, channel=LEGAL, consumed_by=("delivery",)
):
    """An obligation that was recorded as met by mistake is open again. Contains it whole.

    Published by Legal.
    """

    met_on: Day
    """Day of the fulfilment that is withdrawn."""
    reopened_on: Day
    """Day on which the record was corrected."""


class ObligationWithdrawn(ObligationCorrection, Event, channel=LEGAL, consumed_by=("delivery",)):
    """An obligation that was recorded by mistake was withdrawn. Published by Legal."""

    withdrawn_on: Day
    """Day on which the record was withdrawn."""
