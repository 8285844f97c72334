"""Define the events of the business requirements document (BRD)."""

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import ContentHash, CustomerAct, Day, PersonId, RecordedAct, Version


class BrdSubmitted(Event, channel=DELIVERY):
    """A version of the business requirements document (BRD) was submitted to the customer.

    Published by Delivery.
    """

    version: Version
    """Counts the versions of the document from 1."""
    content_hash: ContentHash
    """Hash of the content of the document."""


class BrdSignOff(CustomerAct):
    """The sign-off of a version of the business requirements document."""

    version: Version
    """Version of the business requirements document."""
    signed_by: PersonId
    """Person of the customer."""


class BrdSignedOff(BrdSignOff, RecordedAct, Event, channel=DELIVERY):
    """The customer signed off a version of the business requirements document (BRD).

    Published by Delivery.
    """

    content_hash: ContentHash
    """Hash of the content that was signed off."""
    signed_on: Day
    """Day of the sign-off."""
