"""Define the events of signatures of the statement of work."""

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.legal.sows import SowVersion
from contracts.values import Day, Party, PersonId, Signatories, Signatory, Text, Value


class SowSentForSignature(SowVersion, Event, channel=LEGAL, consumed_by=("sales",)):
    """The approved version of the statement of work was sent to both parties for signature.

    Published by Legal.
    """

    sent_on: Day
    """Day on which it was sent."""


class SowSignatureRecorded(SowVersion, Event, channel=LEGAL):
    """One party signed a version of the statement of work. Published by Legal."""

    signatory: Signatory
    """The signature."""


class Declination(Value):
    """The refusal of a party to sign."""

    party: Party
    """Party that declined."""
    person: PersonId
    """Person who declined."""
    why: Text
    """Reason that was given."""


class SignatureDeclined(Declination, SowVersion, Event, channel=LEGAL, consumed_by=("sales",)):
    """A party declined to sign a version of the statement of work that was sent for signature.

    Published by Legal. The version is not out for signature any more until it is sent again.
    """

    declined_on: Day
    """Day on which the party declined."""


class SowSigned(SowVersion, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")):
    """Both parties signed the statement of work, which is now the contract. Published by Legal."""

    signatories: Signatories
    """The signatures, one of each party."""
    signed_on: Day
    """Day of the later signature."""
