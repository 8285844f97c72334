"""What decisions of several capabilities ask first: is it open, is it released, who says so."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from chassis.decider import Context, Missing, Refused, gate
from contracts.fact import Fact
from contracts.reference import PersonPublished
from delivery.state import Engagement


def standing(state: Engagement, *, after_termination: bool = False) -> None:
    """Refuse what makes no sense before an engagement is opened, or after it is over.

    `after_termination` lets pass what is still to be settled about work that was done.
    """
    if state.title is None:
        sentence = "Delivery has not heard that Sales opened this engagement"
        gate("engagement-not-opened", [Missing("opportunity-opened", sentence, "sales")])
    if state.closed:
        raise Refused("engagement-over", f"the engagement was closed on {state.closed.closed_on}")
    if state.deal.lost or state.deal.lost_on:
        raise Refused("engagement-over", f"the deal was lost on {state.deal.lost_on}")
    terminated = state.contract.terminated
    if terminated and not after_termination:
        raise Refused("engagement-over", f"the contract ended on {terminated.terminated_on}")


def at_work(state: Engagement) -> None:
    """Refuse work on an engagement that is over, or that rests."""
    standing(state)
    if state.held:
        held = state.held
        raise Refused("on-hold", f"work is on hold since {held.held_on}: {held.reason}")


def day_of(context: Context, given: date | None) -> date:
    """The day of an act: as given, else today. What has happened cannot lie in the future.

    A day ahead is let pass, since somewhere east of UTC it is tomorrow already.
    """
    if given is not None and given > context.today + timedelta(days=1):
        raise Refused("in-the-future", f"{given} has not come yet: today is {context.today}")
    return given or context.today


def once(stands: Fact | None, fact: Fact, code: str, sentence: str) -> Iterator[Fact]:
    """Say the fact, or nothing where it stands already; refuse where something else stands."""
    if stands is None:
        yield fact
    elif stands != fact:
        raise Refused(code, sentence)


def known_person(context: Context, person: str) -> PersonPublished:
    """The person's record, as far as this process has heard; refused where there is none."""
    record = context.records.latest(PersonPublished, person)
    if record is None:
        raise Refused("unknown-person", f"no person {person} is known")
    return record.fact


def of_the_customer(context: Context, person: str) -> None:
    """Refuse where a person of the company would speak for the customer.

    People of a customer need not be in the reference data.
    """
    record = context.records.latest(PersonPublished, person)
    if record is not None and record.fact.department != "customer":
        raise Refused(
            "not-the-customer",
            f"{person} is with {record.fact.department}: only the customer can say this",
        )


def covered(
    state: Engagement, work: date, today: date, *, hours: Decimal, logged: Decimal
) -> Missing | None:
    """What lacks for work on a day, by contract or by an early start (gate 3); None: nothing.

    The contract covers work from the day it was signed. An early-start authorisation covers what
    is said while it is in force (to its last day, by the business's calendar), as long as `logged`
    hours and these do not go beyond its cap; once the cap is spent it covers nothing.
    """
    signed, early = state.contract.signed, state.contract.early_start
    if signed and signed.signed_on <= work:
        return None
    if early is None:
        sentence = (
            f"the statement of work was signed on {signed.signed_on}, after this work ({work})"
            if signed
            else "the statement of work is not signed, and no early start is authorised"
        )
        return Missing("sow-not-signed", sentence, "legal")
    if early.expires_on < today:
        sentence = f"the early start was authorised until {early.expires_on}, and nothing is signed"
        return Missing("early-start-expired", sentence, "legal")
    if logged >= early.cap_hours or logged + hours > early.cap_hours:
        more = f": {hours} more would go beyond" if hours else ""
        sentence = f"the early start is for {early.cap_hours} hours, {logged} are logged{more}"
        return Missing("early-start-cap-spent", sentence, "legal")
    return None


def before_signature(state: Engagement) -> Decimal:
    """Hours logged, waiting or approved, in weeks that the contract does not cover."""
    signed = state.contract.signed
    return state.timesheet.before(signed.signed_on if signed else None)


def implementation(state: Engagement, work: date) -> Iterator[Missing]:
    """What lacks for implementation on a day (gate 4): requirements signed off, a baseline.

    In tier light the requirements are a section of the statement of work, and signed with it.
    """
    signatures = [signed.signed_on for signed in state.brd_signed_off.values()]
    light = state.tier is not None and state.tier.tier == "light"
    if light and state.contract.signed:
        signatures.append(state.contract.signed.signed_on)
    if not signatures:
        what = "statement of work" if light else "requirements document"
        sentence = f"the {what} is not signed off by the customer"
        yield Missing("brd-not-signed-off", sentence, "legal" if light else "delivery")
    elif min(signatures) > work:
        sentence = (
            f"the requirements were signed off on {min(signatures)}, after this work ({work})"
        )
        yield Missing("brd-not-signed-off", sentence, "delivery")
    baselined = state.planning.first_baselined_on
    if baselined is None:
        yield Missing("plan-not-baselined", "the plan has no baseline", "delivery")
    elif baselined > work:
        sentence = f"the plan was baselined on {baselined}, after this work ({work})"
        yield Missing("plan-not-baselined", sentence, "delivery")
