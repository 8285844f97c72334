"""Review the statement of work on behalf of Delivery."""

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import SowReviewed
from contracts.event import Event
from contracts.values import Text, Verdict, Version
from delivery.policies import require_open
from delivery.state import Engagement, decide


class ReviewSow(Command):
    """Approve the newest version of the statement of work, or object and say why.

    The verdict is for the content that Delivery received from Legal under this version.
    """

    version: Version
    verdict: Verdict
    why: Text | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.verdict == "objected" and self.why is None:
            raise ValueError("why is needed where verdict is objected")
        return self


@decide.on(ReviewSow)
def review_sow(state: Engagement, command: ReviewSow, context: Context) -> Iterator[Event]:
    """Record Delivery's verdict; it may be changed until the statement of work is signed.

    Raises Refused where the version is unknown or superseded, or the statement of work is signed.
    """
    require_open(state)
    drafted = state.contract.drafted.get(command.version)
    if drafted is None:
        sentence = f"Delivery has not received version {command.version} of the statement of work"
        gate("sow-unknown", [Missing("sow-unknown", sentence, "legal")])
        return
    newest = max(state.contract.drafted)
    if command.version != newest:
        sentence = f"statement of work {command.version} is superseded by {newest}"
        raise Refused("sow-superseded", sentence)
    event = SowReviewed(
        version=command.version,
        content_hash=drafted.content_hash,
        verdict=command.verdict,
        why=command.why,
    )
    if event == state.sow_reviews.get(command.version):
        return
    if state.contract.signed:
        raise Refused("sow-signed", "the statement of work is signed")
    yield event
