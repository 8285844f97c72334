"""Check what several decisions of Legal require: a file, approvals, agreements, a schedule."""

from collections.abc import Iterable, Iterator
from datetime import date

from chassis.domain.commands import Missing, Refused
from chassis.domain.context import Context
from contracts.money import Money
from contracts.reference import AgreementPublished, AgreementType
from contracts.values import BillingItem
from legal.engagement import Engagement
from legal.sows.state import REVIEWERS, Sow


def require_not_ended(state: Engagement) -> None:
    """Refuse an engagement that was terminated, lost or closed."""
    if state.ending.over:
        raise Refused("engagement-over", f"the engagement {state.ending.over}")


def require_open(state: Engagement) -> None:
    """Refuse unless the engagement has a file and is not over."""
    require_not_ended(state)
    if state.file.opened is None:
        raise Refused("file-not-open", "Legal has no file for this engagement: open one first")


def require_unsigned(state: Engagement, instead: str) -> None:
    """Refuse where the contract is signed; `instead` is the end of the sentence."""
    if state.contract:
        raise Refused(
            "sow-signed",
            f"the statement of work was signed on {state.contract.signed_on}: {instead}",
        )


def require_latest(state: Engagement, version: int) -> Sow:
    """Return a version of the statement of work; raises Refused unless it is the latest."""
    sow = state.sows.latest
    if sow is None or version > sow.drafted.version:
        raise Refused("sow-unknown", f"version {version} has not been drafted")
    if version < sow.drafted.version:
        raise Refused(
            "sow-superseded", f"version {version} was superseded by version {sow.drafted.version}"
        )
    return sow


def missing_approvals(sow: Sow) -> Iterator[Missing]:
    """Yield each missing approval of another department, with the reason of an objection."""
    version = sow.drafted.version
    for reviewer in REVIEWERS:
        review, name = sow.reviews.get(reviewer), reviewer.capitalize()
        if review is None:
            yield Missing(
                "delivery-review-missing" if reviewer == "delivery" else "finance-review-missing",
                f"{name} has not reviewed version {version}",
                reviewer,
            )
        elif review.verdict == "objected":
            yield Missing(
                "delivery-objected" if reviewer == "delivery" else "finance-objected",
                f"{name} objected to version {version}: {review.why or 'no reason given'}",
                "legal",
            )
        elif review.content_hash != sow.drafted.content_hash:
            yield Missing(
                "delivery-approved-other-content"
                if reviewer == "delivery"
                else "finance-approved-other-content",
                f"{name} approved content that differs from version {version}",
                reviewer,
            )


def missing_agreement(state: Engagement, day: date, context: Context) -> Missing | None:
    """Return what is missing if the account's agreement is not in force on a day, or None.

    A statement of work needs the master services agreement of the account, or its non-disclosure
    agreement where no master services agreement is on record. It needs none where none is.
    """
    account = state.file.opened.account if state.file.opened else None
    of_account = [
        each.event
        for each in context.reference_data.all(AgreementPublished)
        if each.event.account == account
    ]
    kinds: tuple[tuple[AgreementType, str], ...] = (
        ("msa", "master services agreement"),
        ("nda", "non-disclosure agreement"),
    )
    for kind, name in kinds:
        known = [each for each in of_account if each.agreement_type == kind]
        if any(each.is_in_force(day) for each in known):
            return None
        if known:
            last = max(known, key=lambda each: each.starts_on)
            term = f"from {last.starts_on}" + (f" to {last.expires_on}" if last.expires_on else "")
            sentence = f"no {name} with {account} is in force on {day}; the last one is {term}"
            return Missing("agreement-not-in-force", sentence, "legal")
    return None


def schedule_faults(
    schedule: Iterable[BillingItem], total: Money, deliverables: Iterable[str], document: str
) -> Iterator[Missing]:
    """Yield the faults of a billing schedule that should add up to `total`.

    Items may depend only on `deliverables`. A total of zero or less leaves nothing to bill: the
    schedule must be empty. `document` names the document in the sentences.
    """
    items, known = tuple(schedule), set(deliverables)
    if any(item.amount.currency != total.currency for item in items):
        yield Missing(
            "currency-differs", f"the billing schedule of {document} must be in {total.currency}"
        )
    else:
        due = Money.total((item.amount for item in items), total.currency)
        if due != (total if total.amount > 0 else Money.zero(total.currency)):
            yield Missing(
                "billing-schedule-differs",
                f"the billing schedule of {document} adds up to {due}, its price is {total}",
            )
    for item in items:
        unknown = [each for each in item.deliverables if each not in known]
        if unknown:
            yield Missing(
                "deliverable-unknown",
                f"billing item {item.item} waits for {', '.join(unknown)}, not part of {document}",
            )
