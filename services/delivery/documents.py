"""Identify texts for the customer by the hash of their content."""

from chassis.domain.documents import DocumentCommand, DocumentKept
from contracts.values import ContentHash
from delivery.engagement import Engagement


def text_document(
    state: Engagement, command: DocumentCommand, kind: str, concerns: str | None = None
) -> tuple[ContentHash, tuple[DocumentKept, ...]]:
    """Return the hash of the document that a command sends, and its content if it has a text.

    The hashed content names the engagement, the customer and the thing that it concerns, so that
    equal texts for two customers are two documents.
    """
    if command.content_hash is not None:
        return command.content_hash, ()
    kept = DocumentKept.of(
        kind,
        {
            "engagement": state.engagement,
            "customer": state.deal.account,
            "concerns": concerns,
            "text": command.content,
        },
    )
    return kept.content_hash, (kept,)
