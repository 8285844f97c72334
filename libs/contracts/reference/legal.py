"""Define the reference data of Legal: agreements with accounts."""

from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from contracts.channels import LEGAL_REFERENCE
from contracts.reference.record import Reference
from contracts.values import AccountId, Day, DocumentHash, Identifier, Text, Value
from contracts.vocabularies import OPEN, Unlisted

AgreementType = Annotated[Literal["nda", "msa"] | Unlisted, OPEN]
"""`nda`: non-disclosure agreement. `msa`: master services agreement."""


class AgreementTerms(Value):
    """An agreement between the company and an account, without its days."""

    account: AccountId
    """Id of the account."""
    agreement_type: AgreementType
    """Type: non-disclosure (`nda`) or master services agreement (`msa`)."""
    terms: Text | None = None
    """The terms in brief, as statements of work refer to them; null where none are noted."""
    expires_on: Day | None = None
    """Last day on which the agreement is in force; null where it does not expire."""


class KeptAgreement(AgreementTerms):
    """An agreement, with the document that was uploaded to its record."""

    document: DocumentHash | None = None
    """Hash of the signed document; null where it is not kept."""


class AgreementPublished(KeptAgreement, Reference, channel=LEGAL_REFERENCE):
    """A version of the record of an agreement with an account. Published by Legal."""

    kind: ClassVar[str] = "agreement"
    agreement: Identifier
    """Id of the agreement; a renewal is another agreement."""
    signed_on: Day
    """Day on which the second party signed."""
    starts_on: Day
    """First day on which the agreement is in force."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.expires_on is not None and self.expires_on < self.starts_on:
            raise ValueError("expires_on must not be before starts_on")
        return self

    def is_in_force(self, day: date) -> bool:
        """Return whether the agreement is in force on a day."""
        return self.starts_on <= day and (self.expires_on is None or day <= self.expires_on)
