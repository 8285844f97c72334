"""What decisions of several capabilities ask first: is it open, is it released, who says so."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from chassis.domain.decider import Context, Missing, Refused, gate
from contracts.event import Event
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


def at_work(state: Engagement, week: date | None = None) -> None:
    """Refuse work on an engagement that is over, or that rests.

    Once the contract has ended, work of a week that had begun by then may still be told.
    """
    terminated, held = state.contract.terminated, state.held
    worked = week if week and terminated and week <= terminated.terminated_on else None
    standing(state, after_termination=worked is not None)
    if held and (worked is None or worked > held.held_on):
        raise Refused("on-hold", f"work is on hold since {held.held_on}: {held.reason}")


def day_of(context: Context, given: date | None) -> date:
    """The day of an act: as given, else today. What has happened cannot lie in the future.

    A day ahead is let pass, since somewhere east of UTC it is tomorrow already.
    """
    if given is not None and given > context.today + timedelta(days=1):
        raise Refused("in-the-future", f"{given} has not come yet: today is {context.today}")
    return given or context.today


def once(stands: Event | None, event: Event, code: str, sentence: str) -> Iterator[Event]:
    """Say the event, or nothing where it stands already; refuse where something else stands."""
    if stands is None:
        yield event
    elif stands != event:
        raise Refused(code, sentence)


def known_person(context: Context, person: str) -> PersonPublished:
    """The person's record, as far as this process has heard; refused where there is none."""
    record = context.records.latest(PersonPublished, person)
    if record is None:
        raise Refused("unknown-person", f"no person {person} is known")
    return record.event


def of_the_customer(context: Context, person: str) -> None:
    """Refuse where a person of the company would speak for the customer.

    People of a customer need not be in the reference data.
    """
    record = context.records.latest(PersonPublished, person)
    if record is not None and record.event.department != "customer":
        raise Refused(
            "not-the-customer",
            f"{person} is with {record.event.department}: only the customer can say this",
        )


def covered(
    state: Engagement, first: date, last: date, today: date, *, hours: Decimal
) -> Missing | None:
    """What lacks for work between two days, by contract or by early starts (gate 3); None: nothing.

    Under an early start these hours, with what is logged, must not go beyond its cap; once the cap
    is spent it covers nothing.
    """
    signed = state.contract.signed
    if signed and signed.signed_on <= last:
        return None
    return released(state, first, last, today) or _beyond_its_cap(state, first, hours)


def released(state: Engagement, first: date, last: date, today: date) -> Missing | None:
    """What lacks for work between two days, whatever its hours; None: nothing.

    The contract covers work that was not over when it was signed. An early-start authorisation
    covers work that began by its last day (by the business's calendar); while nothing is signed,
    only as long as one is in force.
    """
    signed, until = state.contract.signed, state.contract.early_start_until
    if signed and signed.signed_on <= last:
        return None
    if until is None:
        sentence = (
            f"the statement of work was signed on {signed.signed_on}, after this work ({last})"
            if signed
            else "the statement of work is not signed, and no early start is authorised"
        )
        return Missing("sow-not-signed", sentence, "legal")
    if until < (first if signed else today):
        rest = (
            f"the statement of work signed on {signed.signed_on}: this work ({first}) lies between"
            if signed
            else "nothing is signed"
        )
        sentence = f"the early start was authorised until {until}, and {rest}"
        return Missing("early-start-expired", sentence, "legal")
    return None


def _beyond_its_cap(state: Engagement, first: date, hours: Decimal) -> Missing | None:
    """What early starts lack for so many hours: caps add up, but none is for what came after it."""
    starts = state.contract.early_starts
    ended = [start.expires_on for start in starts if start.expires_on < first]
    for after in (None, *ended):
        cap = sum(
            (start.cap_hours for start in starts if after is None or start.expires_on > after),
            Decimal(0),
        )
        logged = before_signature(state, after=after)
        if logged >= cap or logged + hours > cap:
            more = f": {hours} more would go beyond" if hours else ""
            sentence = f"the early start is for {cap} hours, {logged} are logged{more}"
            return Missing("early-start-cap-spent", sentence, "legal")
    return None


def before_signature(state: Engagement, *, after: date | None = None) -> Decimal:
    """Hours logged, waiting or approved, in weeks (begun after a day) no contract covers."""
    signed = state.contract.signed
    return state.timesheet.before(signed.signed_on if signed else None, after=after)


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
