"""Review statements of work and amendments on behalf of Delivery; the view of the contract."""

from collections.abc import Iterable, Iterator
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import AmendmentReviewed, SowReviewed
from contracts.event import Event
from contracts.legal import EarlyStartAuthorised, ObligationItem
from contracts.lines import ContractLine, total_price
from contracts.money import Money
from contracts.values import (
    AmendmentReview,
    ContentHash,
    Identifier,
    SowReview,
    TotalHours,
    Verdict,
    Version,
)
from delivery.contract import work_items
from delivery.contract.state import Contract
from delivery.coverage import hours_outside_contract
from delivery.engagement import Engagement
from delivery.policies import require_open
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


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


class ReviewAmendment(AmendmentReview, Command):
    """Approve the last draft of an amendment, or object and say why.

    It is needed where the amendment differs from the change that the customer approved.
    """


@capability.decide(ReviewAmendment, by=MANAGERS)
def review_amendment(
    state: Engagement, command: ReviewAmendment, context: Context
) -> Iterable[Event]:
    """Record Delivery's verdict on a content; it may be changed until the amendment is signed.

    Raises Refused where the amendment is unknown or signed, or the content is not its last draft's.
    """
    require_open(state)
    contract = state.contract
    by_id = {each.amendment: each for each in contract.amendments_drafted.values()}
    drafted = by_id.get(command.amendment)
    if drafted is None:
        sentence = f"Delivery has not received amendment {command.amendment}"
        gate("amendment-unknown", [Missing("amendment-unknown", sentence, "legal")])
        return
    if command.content_hash != drafted.content_hash:
        sentence = f"the last draft of {command.amendment} has the hash {drafted.content_hash}"
        raise Refused("amendment-outdated", sentence)
    event = AmendmentReviewed(**dict(command))
    if event == contract.amendment_reviews.get(command.amendment):
        return
    if drafted.change in contract.amendments:
        raise Refused("amendment-signed", f"amendment {command.amendment} is signed")
    yield event


class SowView(ViewModel):
    """Version of the statement of work that Legal drafted, and Delivery's verdict on it."""

    version: Version
    content_hash: ContentHash
    verdict: Verdict | None
    why: str | None


class AmendmentView(ViewModel):
    """Last draft of an amendment, Delivery's verdict on it, and the day of its signature."""

    amendment: Identifier
    change: Identifier
    content_hash: ContentHash
    price_delta: Money
    verdict: Verdict | None
    why: str | None
    signed_on: date | None


class ContractView(ViewModel):
    """Agreed lines, price, dates and signature as far as Delivery has processed them.

    Lines and price have signed amendments applied; `obligations` are the open ones.

    `hours_before_signature` are the hours recorded on days that no signed contract covers.
    """

    proposal_submitted: Version | None
    price: Money | None
    lines: tuple[ContractLine, ...]
    statements_of_work: tuple[SowView, ...]
    amendments: tuple[AmendmentView, ...]
    signed_on: date | None
    early_starts: tuple[EarlyStartAuthorised, ...]
    obligations: tuple[ObligationItem, ...]
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
    lines = state.lines
    promised = contract.terms or deal.won
    finishes = [each.finishes_on for each in (promised, *contract.amendments.values()) if each]
    return ContractFields(
        contract=ContractView(
            proposal_submitted=deal.submitted.version if deal.submitted else None,
            price=total_price(lines, lines[0].price.currency) if lines else None,
            lines=lines,
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
            amendments=tuple(_amendments(contract)),
            signed_on=contract.signed_on,
            early_starts=contract.early_starts,
            obligations=tuple(contract.obligations.values()),
            hours_before_signature=hours_outside_contract(state),
            promised_finish=finishes[-1] if finishes else None,
            budgeted=contract.budget is not None,
            settled_on=settled.settled_on if settled else None,
        )
    )


def _amendments(contract: Contract) -> Iterator[AmendmentView]:
    for change, drafted in contract.amendments_drafted.items():
        review = contract.amendment_reviews.get(drafted.amendment)
        current = review if review and review.content_hash == drafted.content_hash else None
        signed = contract.amendments.get(change)
        yield AmendmentView(
            amendment=drafted.amendment,
            change=change,
            content_hash=drafted.content_hash,
            price_delta=drafted.price_delta,
            verdict=current.verdict if current else None,
            why=current.why if current else None,
            signed_on=signed.signed_on if signed else None,
        )
