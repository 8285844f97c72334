"""Review statements of work and amendments on behalf of Finance."""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import AmendmentReviewed, SowReviewed
from contracts.legal import AmendmentDrafted, SowDrafted
from contracts.line_faults import billing_faults
from contracts.lines import changed_lines, total_price
from contracts.money import Money
from contracts.values import AmendmentReview, SowReview, Verdict
from finance.contract import work_items
from finance.engagement import Engagement
from finance.policies import require_running
from finance.roles import ACCOUNTING

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class ReviewSow(SowReview, Command):
    """Approve the latest version of the statement of work for Finance, or object and say why.

    An approved version can be budgeted: it is in the currency of the engagement, the billing of
    each line adds up to its price, and time and materials have rates. The verdict may be changed
    until the signature.
    """


class ReviewAmendment(AmendmentReview, Command):
    """Approve the last draft of an amendment for Finance, or object and say why.

    An approved amendment fits the lines of the budget. The verdict may be changed until the
    signature.
    """


@capability.decide(ReviewSow, by=ACCOUNTING)
def review_sow(state: Engagement, command: ReviewSow, context: Context) -> Iterable[Event]:
    """Record Finance's verdict on the content that was received under this version.

    Raises Refused where the engagement is over, the version is unknown or superseded, one is
    signed, or an approved version cannot be billed.
    """
    require_running(state)
    contract = state.contract
    sow = contract.sows.get(command.version)
    if sow is None:
        raise Refused(
            "sow-unknown",
            f"Finance has not received version {command.version} of the statement of work",
        )
    known = contract.reviews.get(command.version)
    if known and known.verdict == command.verdict:
        return
    if contract.signed:
        raise Refused("sow-signed", f"version {contract.signed.version} is signed already")
    if command.version != max(contract.sows):
        raise Refused(
            "sow-superseded",
            f"version {command.version} is superseded by version {max(contract.sows)}",
        )
    if command.verdict == "approved":
        gate("sow-not-billable", _faults(state, sow))
    yield SowReviewed(**dict(command), content_hash=sow.content_hash)


@capability.decide(ReviewAmendment, by=ACCOUNTING)
def review_amendment(
    state: Engagement, command: ReviewAmendment, context: Context
) -> Iterable[Event]:
    """Record Finance's verdict on the content of the amendment that was received last.

    An equal repetition changes nothing. Raises Refused where the engagement is over, the amendment
    is unknown or signed, its last draft has another content, or an approved one does not fit the
    budget.
    """
    require_running(state)
    draft = state.contract.amendments.get(command.amendment)
    if draft is None:
        raise Refused(
            "amendment-unknown", f"Finance has not received amendment {command.amendment}"
        )
    reviewed = AmendmentReviewed(**dict(command))
    if state.contract.amendment_reviews.get(command.amendment) == reviewed:
        return
    if any(each.amendment == command.amendment for each in state.budgeting.amendments):
        raise Refused("amendment-signed", f"amendment {command.amendment} is signed already")
    if command.content_hash != draft.content_hash:
        raise Refused(
            "content-differs",
            f"the last draft of amendment {command.amendment} has the hash {draft.content_hash}",
        )
    if command.verdict == "approved":
        gate("amendment-inconsistent", _amendment_faults(state, draft))
    yield reviewed


def _amendment_faults(state: Engagement, draft: AmendmentDrafted) -> Iterable[Missing]:
    if state.budget is None:
        yield Missing("budget-not-set", "there is no budget that could be amended", "legal")
        return
    try:
        changed_lines(state.budget.lines, draft.changes)
    except ValueError:
        yield Missing(
            "amendment-inconsistent",
            f"the changes of amendment {draft.amendment} do not fit the lines of the contract",
            "legal",
        )


def _faults(state: Engagement, sow: SowDrafted) -> Iterable[Missing]:
    version, currency = f"version {sow.version}", sow.price.currency
    if currency != state.money:
        yield Missing(
            "currency-differs",
            f"{version} is in {currency}, the engagement in {state.money}",
            "legal",
        )
    if (total := total_price(sow.lines, sow.lines[0].price.currency)) != sow.price:
        yield Missing(
            "sow-inconsistent",
            f"the lines of {version} add up to {total}, its price is {sow.price}",
            "legal",
        )
    deliverables = (each.deliverable for each in sow.deliverables)
    for code, sentence in billing_faults(sow.lines, deliverables):
        yield Missing(code, f"{version}: {sentence}", "legal")


class SowView(ViewModel):
    """Version of the statement of work, and Finance's verdict on it."""

    version: int
    content_hash: str
    price: Money
    won_price: Money | None
    verdict: Verdict | None
    signed_on: date | None


class AmendmentView(ViewModel):
    """Last draft of an amendment, and Finance's verdict on it."""

    amendment: str
    change: str
    content_hash: str
    price_delta: Money
    verdict: Verdict | None


class ContractFields(ViewModel):
    """Statements of work, amendments and early starts in the view of an engagement."""

    sows: list[SowView]
    amendments: list[AmendmentView]
    early_start_until: date | None


@capability.view
def contract_view(state: Engagement) -> ContractFields:
    """Return statements of work, amendments and early starts for the view of an engagement."""
    contract, won = state.contract, state.opportunity.won
    return ContractFields(
        sows=[
            SowView(
                version=version,
                content_hash=sow.content_hash,
                price=sow.price,
                won_price=won.price if won else None,
                verdict=contract.reviews[version].verdict if version in contract.reviews else None,
                signed_on=contract.signed_on if sow is contract.sow else None,
            )
            for version, sow in sorted(contract.sows.items())
        ],
        amendments=[
            AmendmentView(
                amendment=draft.amendment,
                change=draft.change,
                content_hash=draft.content_hash,
                price_delta=draft.price_delta,
                verdict=review.verdict
                if (review := contract.amendment_reviews.get(name))
                and review.content_hash == draft.content_hash
                else None,
            )
            for name, draft in contract.amendments.items()
        ],
        early_start_until=contract.early_start_until,
    )
