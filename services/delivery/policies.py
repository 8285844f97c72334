"""Check what several decisions of Delivery require: open, released, decided by the customer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from chassis.domain.commands import Missing, NotAllowed, Refused, gate
from chassis.domain.context import Context
from chassis.domain.reference import known_on, require_contact
from contracts.decimals import ROUNDING
from contracts.event import Recorded
from contracts.money import Money, Rate
from contracts.reference import PersonPublished, TemplatePublished
from contracts.roles import Role
from delivery.engagement import Engagement
from delivery.quantities import ZERO


def require_open(state: Engagement, *, after_termination: bool = False) -> None:
    """Refuse a command before the engagement is opened, or after it is over.

    `after_termination` allows commands that settle work done before the contract was terminated.
    Raises Refused where the engagement is not opened, closed, lost or terminated.
    """
    if state.deal.title is None:
        sentence = "Delivery has not received the opened opportunity from Sales"
        gate("opportunity-not-opened", [Missing("opportunity-not-opened", sentence, "sales")])
    closed = state.closing.closed
    if closed:
        raise Refused("engagement-over", f"the engagement was closed on {closed.closed_on}")
    if state.deal.lost_on:
        raise Refused("engagement-over", f"the deal was lost on {state.deal.lost_on}")
    terminated = state.contract.terminated
    if terminated and not after_termination:
        raise Refused("engagement-over", f"the contract ended on {terminated.terminated_on}")


def require_active(state: Engagement, week: date | None = None) -> None:
    """Refuse work on an engagement that is over or on hold.

    After a termination, work of a week that began by then may still be recorded, unless the
    engagement was put on hold before that week. Raises Refused otherwise.
    """
    terminated, hold = state.contract.terminated, state.management.on_hold
    worked = week if week and terminated and week <= terminated.terminated_on else None
    require_open(state, after_termination=worked is not None)
    if hold and (worked is None or worked > hold.held_on):
        raise Refused("engagement-on-hold", f"work is on hold since {hold.held_on}: {hold.reason}")


def known_person(context: Context, person: str, day: date | None = None) -> PersonPublished:
    """Return the person's record as it is on a day, by default today.

    Raises Refused where the person is unknown.
    """
    record = known_on(context.reference_data, PersonPublished, person, day or context.today)
    if record is None:
        raise Refused("person-unknown", f"no person {person} is known")
    return record.event


def known_staff(context: Context, person: str, *days: date) -> PersonPublished:
    """Return the record of a person who is with the company on these days, as it is on the last.

    Raises Refused where the person is unknown or, by the record as it is on one of the days, has
    not joined by that day or has left.
    """
    known = known_person(context, person)
    for day in days:
        known = known_person(context, person, day)
        if not known.works_on(day):
            raise Refused("person-not-with-company", f"{person} is not with the company on {day}")
    return known


def managers_above(context: Context, person: str) -> Iterator[str]:
    """Yield the person's manager, the manager's manager, and so on; each once."""
    seen = {person}
    while True:
        record = known_on(context.reference_data, PersonPublished, person, context.today)
        manager = record.event.manager if record else None
        if manager is None or manager in seen:
            return
        yield manager
        seen.add(manager)
        person = manager


def require_own_or_team(person: str, context: Context, *, else_by: tuple[Role, ...]) -> None:
    """Refuse an act on a person's record by others than the person or a manager above them.

    People with one of the roles `else_by` may act on every record. Raises NotAllowed.
    """
    if context.acting_for == person or not context.roles.isdisjoint(else_by):
        return
    if context.acting_for not in managers_above(context, person):
        raise NotAllowed(
            "record-not-own-or-team",
            f"only {person}, a manager above them, or one of {', '.join(else_by)} may do this",
        )


def require_customer(state: Engagement, field: str, contact: str, context: Context) -> None:
    """Refuse a decision of the customer by anyone but a contact of the engagement's account."""
    require_contact(field, contact, state.deal.account, context)


def recorded_for(context: Context, person: str) -> str | None:
    """Return the person of the customer for whom the actor records an act; None if it is theirs."""
    return None if context.actor == person else person


def known_template(context: Context, template: str) -> Recorded[TemplatePublished]:
    """Return a template as it is today; raises Refused where the template is unknown."""
    record = known_on(context.reference_data, TemplatePublished, template, context.today)
    if record is None:
        raise Refused("template-unknown", f"no template {template} is known")
    return record


def is_given_up(state: Engagement, change: str) -> bool:
    """Return whether the change was rejected and has no signed amendment.

    A signed amendment takes precedence over a rejection.
    """
    return change in state.changes.rejected and change not in state.contract.amendments


def not_covered(
    state: Engagement,
    first: date,
    last: date,
    today: date,
    *,
    hours: Decimal = ZERO,
    role: str | None = None,
) -> Missing | None:
    """Return what is missing before work between two days (gate 3), or None.

    Both days are inclusive. Under an early start, `hours` of the role and the work logged before
    must exceed neither its hours nor its amount; an early start that is used up allows no work.
    """
    signed = state.contract.signed
    if signed and signed.signed_on <= last:
        return None
    more = {role: hours} if role else {}
    return not_released(state, first, last, today) or _cap_exceeded(state, first, last, more)


def not_released(state: Engagement, first: date, last: date, today: date) -> Missing | None:
    """Return what is missing before work between two days, regardless of its hours, or None.

    The contract covers work whose last day is not before the signature. Once it is signed, an early
    start covers earlier work whose first day is not after the early start's last day; until then,
    an early start covers work only until its last day has passed (`today`, the business day in
    UTC).
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
            f"the statement of work was signed on {signed.signed_on}, after this work ({first})"
            if signed
            else "nothing is signed"
        )
        sentence = f"the early start was authorised until {until}, and {rest}"
        return Missing("early-start-expired", sentence, "legal")
    return None


def _cap_exceeded(
    state: Engagement, first: date, last: date, more: Mapping[str, Decimal]
) -> Missing | None:
    """Return what is missing if work beside the logged one exceeds the early starts' caps, or None.

    Caps in hours add up, and so do those in money; both apply. The cap of an early start does not
    cover work after its last day. `more` are hours by role.
    """
    starts = state.contract.early_starts
    ended = [start.expires_on for start in starts if start.expires_on < first]
    for after in (None, *ended):
        lasting = [start for start in starts if after is None or start.expires_on > after]
        logged = before_signature(state, after=after)
        hours = [start.cap_hours for start in lasting if start.cap_hours is not None]
        amounts = [start.cap_amount for start in lasting if start.cap_amount is not None]
        missing = _hours_beyond(hours, logged, more) if hours or not lasting else None
        missing = missing or (
            _worth_beyond(state, amounts, logged, more, last) if amounts else None
        )
        if missing:
            return missing
    return None


def _hours_beyond(
    caps: Iterable[Decimal], logged: Mapping[str, Decimal], more: Mapping[str, Decimal]
) -> Missing | None:
    cap, before = sum(caps, ZERO), sum(logged.values(), ZERO)
    added = sum(more.values(), ZERO)
    if before < cap and before + added <= cap:
        return None
    beyond = f": {added} more exceed the cap" if added else ""
    sentence = f"the early start allows {cap} hours, {before} are logged{beyond}"
    return Missing("early-start-cap-spent", sentence, "legal")


def _worth_beyond(
    state: Engagement,
    caps: Sequence[Money],
    logged: Mapping[str, Decimal],
    more: Mapping[str, Decimal],
    day: date,
) -> Missing | None:
    """Return what is missing if work at the bill rates of a day exceeds caps in money, or None.

    The worth is compared without rounding.
    """
    cap = Money.total(caps, caps[0].currency)
    roles = [role for role in {**logged, **more} if logged.get(role) or more.get(role)]
    found = {role: _bill_rate(state, role, day) for role in roles}
    rates = {
        role: each.amount
        for role, each in found.items()
        if each is not None and each.currency == cap.currency
    }
    unknown = [role for role in roles if role not in rates]
    if unknown:
        sentence = (
            f"the early start allows {cap}, and {', '.join(unknown)} has no bill rate in"
            f" {cap.currency}"
        )
        return Missing("rates-missing", sentence, "finance")

    def worth(hours: Mapping[str, Decimal]) -> Decimal:
        return sum((rates[role] * number for role, number in hours.items() if number), Decimal(0))

    before, added = worth(logged), worth(more)
    if before < cap.amount and before + added <= cap.amount:
        return None
    beyond = f": {_about(added, cap)} more exceed the cap" if added else ""
    sentence = f"the early start allows {cap}, {_about(before, cap)} are logged{beyond}"
    return Missing("early-start-cap-spent", sentence, "legal")


def _about(exact: Decimal, like: Money) -> Money:
    return Money.nearest(exact, like.currency, ROUNDING)


def _bill_rate(state: Engagement, role: str, day: date) -> Rate | None:
    """Return the rate of the first line that has one, else of the newest priced estimate."""
    agreed = (line.rate_on(role, day) for line in state.lines)
    priced = state.estimates.priced
    newest = priced[max(priced)].lines if priced else ()
    estimated = (line.rate for line in newest if line.role == role)
    return next((rate for rate in (*agreed, *estimated) if rate is not None), None)


def before_signature(state: Engagement, *, after: date | None = None) -> dict[str, Decimal]:
    """Return waiting and approved hours by role, of weeks that ended before the signature.

    While nothing is signed, all weeks count. With `after`, only weeks that began after that day do.
    """
    signed = state.contract.signed
    return state.timesheet.before(signed.signed_on if signed else None, after=after)


def not_implementable(state: Engagement, work: date) -> Iterator[Missing]:
    """Yield what is missing before implementation on a day (gate 4): requirements, a baseline.

    In tier light, the requirements are a section of the statement of work and are signed with it.
    """
    signatures = [signed.signed_on for signed in state.requirements.signed_off.values()]
    light = state.management.is_light
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
