"""Define the reviews of the statement of work and of amendments by Delivery."""

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import AmendmentReview, ContentHash, SowReview


class SowReviewed(SowReview, Event, channel=DELIVERY, consumed_by=("legal",)):
    """Delivery reviewed a version of the statement of work.

    Published by Delivery. A later review of the same version replaces this one.
    """

    content_hash: ContentHash
    """Hash of the content that was reviewed; the verdict holds for this content only."""


class AmendmentReviewed(AmendmentReview, Event, channel=DELIVERY, consumed_by=("legal",)):
    """Delivery reviewed an amendment that differs from the approved change.

    Published by Delivery. A later review of the same content replaces this one.
    """
