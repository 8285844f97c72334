"""Review the statement of work on behalf of Delivery; the view of the contract."""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import SowReviewed
from contracts.event import Event
from contracts.legal import EarlyStartAuthorised
from contracts.money import Money
from contracts.values import ContentHash, SowReview, TotalHours, Verdict, Version
from delivery.engagement import Engagement
from delivery.policies import before_signature, require_open
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)


class ReviewSow(SowReview, Command):
    """Approve the newest version of the statement of work, or object and say why.

    The verdict is for the content that Delivery received from Legal under this version.
    """


@capability.decide(ReviewSow, by=MANAGERS)
def review_sow(state: Engagement, command: ReviewSow, context: Context) -> Iterable[Event]:
    """Record Delivery's verdict; it may be changed until the statement of work is signed.

    Raises Refused where the version is unknown or superseded, or the statement of work is signed.
    """
    require_open(state)
    contract = state.contract
    drafted = contract.drafted.get(command.version)
    if drafted is None:
        sentence = f"Delivery has not received version {command.version} of the statement of work"
        gate("sow-unknown", [Missing("sow-unknown", sentence, "legal")])
        return
    newest = max(contract.drafted)
    if command.version != newest:
        sentence = f"statement of work {command.version} is superseded by {newest}"
        raise Refused("sow-superseded", sentence)
    event = SowReviewed(content_hash=drafted.content_hash, **dict(command))
    if event == contract.reviews.get(command.version):
        return
    if contract.signed:
        raise Refused("sow-signed", "the statement of work is signed")
    yield event


class SowView(ViewModel):
    """Version of the statement of work that Legal drafted, and Delivery's verdict on it."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict | None
    why: str | None


class ContractView(ViewModel):
    """Agreed price, dates and signature as far as Delivery has processed them.

    `hours_before_signature` are the hours logged in weeks that no contract covers.
    """

    proposal_submitted: Version | None
    price: Money | None
    statements_of_work: tuple[SowView, ...]
    signed_on: date | None
    early_starts: tuple[EarlyStartAuthorised, ...]
    hours_before_signature: TotalHours
    promised_finish: date | None
    budgeted: bool
    settled_on: date | None


class ContractFields(ViewModel):
    """The contract in the view of an engagement."""

    contract: ContractView


@capability.view
def contract_view(state: Engagement) -> ContractFields:
    """Return the contract for the view of an engagement."""
    deal, contract, settled = state.deal, state.contract, state.closing.settled
    promised = contract.statement or deal.won
    finishes = [each.finishes_on for each in (promised, *contract.amendments.values()) if each]
    return ContractFields(
        contract=ContractView(
            proposal_submitted=deal.submitted.version if deal.submitted else None,
            price=promised.price if promised else None,
            statements_of_work=tuple(
                SowView(
                    version=version,
                    content_hash=each.content_hash,
                    verdict=review.verdict if review else None,
                    why=review.why if review else None,
                )
                for version, each in sorted(contract.drafted.items())
                for review in [contract.reviews.get(version)]
            ),
            signed_on=contract.signed.signed_on if contract.signed else None,
            early_starts=contract.early_starts,
            hours_before_signature=before_signature(state),
            promised_finish=finishes[-1] if finishes else None,
            budgeted=contract.budget is not None,
            settled_on=settled.settled_on if settled else None,
        )
    )
