"""Check what several decisions of Legal require: a file, approvals, agreements, no redlines."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.commands import Missing, Refused
from chassis.domain.context import Context
from chassis.domain.reference import known_on
from contracts.reference import AgreementPublished, AgreementType
from contracts.values import days_after
from legal.engagement import Engagement
from legal.sows.state import REVIEWERS, Sow


def require_not_ended(state: Engagement, *, after_termination: bool = False) -> None:
    """Refuse an engagement that was lost or closed or, unless that is allowed, terminated."""
    over = state.ending.over
    if over and not (after_termination and state.ending.only_terminated):
        raise Refused("engagement-over", f"the engagement {over}")


def require_open(state: Engagement, *, after_termination: bool = False) -> None:
    """Refuse unless the engagement has a file and is not over.

    A contract that was taken over is a file.

    `after_termination` allows commands that settle what a terminated contract has left.
    """
    require_not_ended(state, after_termination=after_termination)
    if state.file.opened is None and state.importing.taken_over is None:
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


def is_before(day: date, first: date) -> bool:
    """Return whether a party acted on a document before the day on which it was there to be signed.

    One day earlier is not before it: the two days may be those of different time zones.
    """
    return day < days_after(first, -1)


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


def _agreements(
    state: Engagement, kind: AgreementType, day: date, context: Context
) -> list[AgreementPublished]:
    """Return the account's agreements of a type, as their records are on a day (`known_on`)."""
    account = state.contract.customer if state.contract else state.file.account
    records = context.reference_data
    names = (each.event.agreement for each in records.all(AgreementPublished))
    known = (known_on(records, AgreementPublished, name, day) for name in names)
    return [
        each.event
        for each in known
        if each and each.event.account == account and each.event.agreement_type == kind
    ]


def agreement_in_force(
    state: Engagement, kind: AgreementType, day: date, context: Context
) -> AgreementPublished | None:
    """Return the account's agreement of a type that is in force on a day, the newest of several."""
    in_force = [each for each in _agreements(state, kind, day, context) if each.is_in_force(day)]
    return max(in_force, key=lambda each: each.starts_on, default=None)


def missing_agreement(state: Engagement, day: date, context: Context) -> Missing | None:
    """Return what is missing if the account's agreement is not in force on a day, or None.

    A statement of work and an amendment need the master services agreement of the account, or its
    non-disclosure agreement where no master services agreement is on record. They need none where
    none is.
    """
    kinds: tuple[tuple[AgreementType, str], ...] = (
        ("msa", "master services agreement"),
        ("nda", "non-disclosure agreement"),
    )
    for kind, name in kinds:
        if agreement_in_force(state, kind, day, context):
            return None
        known = _agreements(state, kind, day, context)
        if known:
            last = max(known, key=lambda each: each.starts_on)
            term = f"from {last.starts_on}" + (f" to {last.expires_on}" if last.expires_on else "")
            sentence = f"no {name} with {last.account} is in force on {day}; the last one is {term}"
            return Missing("agreement-not-in-force", sentence, "legal")
    return None


def missing_resolutions(state: Engagement, sow: Sow) -> Iterator[Missing]:
    """Yield each redline of any version that is open, and each accepted one of this version."""
    version = sow.drafted.version
    for redline in state.sows.open_redlines:
        yield Missing(
            "redline-open",
            f"the {redline.by}'s redline {redline.redline} of version {redline.version}, clause "
            f"{redline.clause}, is not resolved",
            "legal",
        )
    for redline in sow.redlines:
        resolved = state.sows.resolutions.get(redline.redline)
        if resolved and resolved.outcome == "accepted":
            yield Missing(
                "redline-accepted",
                f"version {version} does not contain the accepted wording of clause "
                f"{redline.clause} ({redline.redline}): draft the next version",
                "legal",
            )
