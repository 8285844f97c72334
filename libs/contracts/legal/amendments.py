"""Define the events of amendments of the contract."""

from typing import ClassVar

from contracts.channels import LEGAL
from contracts.documents import AMENDMENT, DocumentHead
from contracts.event import Event
from contracts.lines import LineChanges, ScopeChange
from contracts.money import ItemMoney
from contracts.values import ContentHash, Day, Identifier, Signatories, Text


class AmendmentTerms(ScopeChange):
    """All that an amendment of the contract changes, with the hash of its content."""

    amendment: Identifier
    """Id of the amendment within the engagement."""
    change: Identifier
    """Id of the change order."""
    content_hash: ContentHash
    """SHA-256 of the document's canonical content: all other fields of its amendment-drafted
    event."""
    changes: LineChanges
    """Changes of the lines of the contract."""
    price_delta: ItemMoney
    """Sum of the price changes of the lines; negative for a reduction."""
    finishes_on: Day
    """New finish of the contract."""


class AmendmentDrafted(
    AmendmentTerms,
    DocumentHead,
    Event,
    channel=LEGAL,
    consumed_by=("sales", "delivery", "finance"),
):
    """The amendment of the contract for one change order was drafted, for the first time or anew.

    Published by Legal, also without a command: when the change is approved and priced, and when an
    unsigned draft no longer fits the change or the contract's finish. The latest draft of an
    amendment replaces earlier ones. The event is the whole document.
    """

    document_kind: ClassVar[str] = AMENDMENT

    scope_delta: Text
    """Change of the scope, in words."""


class AmendmentSigned(
    AmendmentTerms, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """Both parties signed an amendment of the contract. Contains all that it changes.

    Published by Legal.
    """

    signatories: Signatories
    """The signatures, one of each party."""
    signed_on: Day
    """Day of the later signature."""
