"""Check what several decisions of Delivery require: open, released, decided by the customer."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from chassis.domain.authority import require_customer_contact
from chassis.domain.commands import Missing, NotAllowed, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.reference import known_on, require_contact
from contracts.counting import counted
from contracts.event import Recorded
from contracts.holds import hold_of
from contracts.reference import (
    ContactPublished,
    ContactRole,
    PersonPublished,
    StandInPurpose,
    StandInsPublished,
    TemplatePublished,
)
from contracts.roles import Role
from contracts.values import PersonId
from delivery.engagement import Engagement
from delivery.roles import ACCOUNTANTS, DIRECTORS, MANAGERS

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DECIDERS: tuple[ContactRole, ...] = ("approver", "sponsor")
"""Roles of the contacts who accept and reject deliverables and approve changes."""
_MOST_NAMED = 3
"""Number of people, and of reasons, that a sentence names."""


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
        day = f" on {state.deal.lost_on}" if state.deal.lost_day_is_known else ""
        raise Refused("engagement-over", f"the deal was lost{day}")
    terminated = state.contract.terminated
    if terminated and not after_termination:
        raise Refused("engagement-over", f"the contract ended on {terminated.terminated_on}")


def require_active(state: Engagement, day: date) -> None:
    """Refuse work of a day on which the engagement was over or on hold.

    Work of a day up to the termination may still be recorded after it, and work of a day before a
    hold, or after its end, at any time. Raises Refused otherwise.
    """
    terminated = state.contract.terminated
    before_end = terminated is not None and day <= terminated.terminated_on
    require_open(state, after_termination=before_end)
    for hold in on_hold(state, day):
        raise Refused("engagement-on-hold", hold.sentence)


def on_hold(state: Engagement, day: date) -> Iterator[Missing]:
    """Yield that work was on hold on a day: also after it was resumed on a later one."""
    hold, past = state.management.on_hold, hold_of(state.management.past_holds, day)
    if hold and day >= hold.held_on:
        sentence = f"work is on hold since {hold.held_on}: {hold.reason}"
        yield Missing("engagement-on-hold", sentence, "delivery")
    elif past:
        sentence = f"work was on hold from {past[0]} until it was resumed on {past[1]}"
        yield Missing("engagement-on-hold", sentence, "delivery")


def require_recordable(state: Engagement) -> None:
    """Refuse time and expenses before the engagement is opened, and after it was closed.

    They are true after a loss, a termination or during a hold, too: no gate refuses them.
    """
    if state.deal.title is None or state.closing.closed:
        require_open(state)


def require_not_author(
    context: Context, person: str, submitted_by: Collection[str], what: str
) -> None:
    """Refuse that a person decides on what they did or submitted, themselves or by a stand-in."""
    if not context.acting.isdisjoint({person, *submitted_by}):
        raise Refused("approver-is-author", f"a person cannot decide on their own {what}")


def approver_of(state: Engagement, authors: Collection[str]) -> PersonId | None:
    """Return the engagement manager, or None where there is none, or they are one of the authors.

    Then somebody else with the role has to approve.
    """
    return None if state.manager in authors else state.manager


def few_of(people: Iterable[str]) -> str:
    """Return the first of some people, each once, for a sentence."""
    named = [*dict.fromkeys(people)]
    return ", ".join(named[:_MOST_NAMED]) + (", ..." if len(named) > _MOST_NAMED else "")


def few_reasons(found: Iterable[Missing]) -> str:
    """Return the sentences of the first of some reasons, and the number of the others.

    Of reasons that differ in days only, there is one for each day of work or each hold: the first
    is named, with the number of the others.
    """
    alike: dict[str, dict[str, Missing]] = {}
    for each in found:
        alike.setdefault(_DAY.sub("", each.sentence), {}).setdefault(each.sentence, each)
    more = len(alike) - _MOST_NAMED
    first = "; ".join(_first_of([*each.values()]) for each in [*alike.values()][:_MOST_NAMED])
    return f"{first}; and {counted(more, 'more reason')}" if more > 0 else first


def _first_of(alike: Sequence[Missing]) -> str:
    first, others = alike[0], len(alike) - 1
    what = "other hold" if first.code == "engagement-on-hold" else "other day"
    return f"{first.sentence} (and {counted(others, what)})" if others else first.sentence


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


def reads_records_of(person: str, context: Context) -> bool:
    """Return whether the actor is the person, a manager above them, or their stand-in today."""
    actor = context.actor
    if actor == person or actor in managers_above(context, person):
        return True
    return stands_in(context, person)


def stands_in(context: Context, person: str, purpose: StandInPurpose | None = None) -> bool:
    """Return whether the actor is a person's stand-in today, for a purpose or for any."""
    record = context.reference_data.on(StandInsPublished, person, context.today)
    known = record.event.stand_ins if record else ()
    return any(
        each.stand_in == context.actor
        and purpose in {None, each.purpose}
        and each.first <= context.today <= each.last
        for each in known
    )


def reads_every_expense(context: Context) -> bool:
    """Return whether the actor may see the expenses of all people."""
    return not context.roles.isdisjoint((*DIRECTORS, *ACCOUNTANTS))


def reads_every_week(context: Context) -> bool:
    """Return whether the actor may see the time of all people, because they approve or plan."""
    return not context.roles.isdisjoint((*MANAGERS, *DIRECTORS))


def reads_week(person: str, context: Context) -> bool:
    """Return whether the actor may see the time of a person."""
    return reads_every_week(context) or reads_records_of(person, context)


def approves_for(manager: str, context: Context) -> bool:
    """Return whether the actor is an engagement manager, or their stand-in for approvals today."""
    if context.roles.isdisjoint(MANAGERS):
        return False
    return context.actor == manager or stands_in(context, manager, "approvals")


def reads_expense(state: Engagement, person: str, context: Context) -> bool:
    """Return whether the actor may see an expense of a person on the engagement.

    Directors and accountants see all, others their own, those of their team and of the people whose
    stand-in they are, and the manager of the engagement those on it.
    """
    if reads_every_expense(context) or reads_records_of(person, context):
        return True
    return state.manager is not None and approves_for(state.manager, context)


def every_person(context: Context) -> Iterator[str]:
    """Yield the ids of the actor and of all people on record, each once."""
    records = context.reference_data.all(PersonPublished)
    yield from dict.fromkeys((context.actor, *(each.event.person for each in records)))


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


def require_customer(
    state: Engagement,
    field: str,
    contact: str,
    context: Context,
    *roles: ContactRole,
    on: date | None = None,
) -> None:
    """Refuse an act of the customer by anyone but a contact of the engagement's account.

    The contact has one of the roles on the day, by default today; without roles, any contact may
    act. Raises Refused as `require_customer_contact` does.
    """
    day, account = on or context.today, state.deal.account
    require_customer_contact(field, contact, account, day, context, *roles)


def require_on_record(state: Engagement, field: str, person: str, context: Context) -> None:
    """Refuse a person who is neither of the company nor a contact of the engagement's account.

    Raises Refused, naming the field.
    """
    records = context.reference_data
    if records.latest(PersonPublished, person) is None:
        if records.latest(ContactPublished, person) is None:
            sentence = f"{field}: {person} is on record neither in the company nor as a contact"
            raise refused_field("person-unknown", field, sentence)
        require_contact(field, person, state.deal.account, context)


def deemed_after(state: Engagement) -> int | None:
    """Return the days in which the customer has to decide on a submission, or None.

    After them the submission is deemed accepted, if the signed statement of work says so.
    """
    statement = state.contract.statement
    return statement.acceptance_terms.deemed_after_days if statement else None


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


def change_not_released(state: Engagement, change: str, day: date) -> Iterator[Missing]:
    """Yield what is missing before work on a change on a day (gate 6): all if it is rejected."""
    if is_given_up(state, change):
        yield Missing("change-rejected", f"change {change} was rejected", "delivery")
        return
    yield from change_not_priced(state, change)
    if change not in state.changes.approved:
        sentence = f"the customer has not approved change {change}"
        yield Missing("change-not-approved", sentence, "delivery")
    amendment = state.contract.amendments.get(change)
    if amendment is None:
        drafted = state.contract.amendments_drafted.get(change)
        what = f"amendment {drafted.amendment}" if drafted else "an amendment"
        sentence = f"{what} for change {change} is not signed"
        yield Missing("amendment-not-signed", sentence, "legal")
    elif amendment.signed_on > day:
        sentence = f"amendment {amendment.amendment} was signed on {amendment.signed_on}"
        yield Missing("date-before-amendment", f"{sentence}, after {day}", "delivery")
    baseline = state.planning.baseline
    if baseline is None or change not in baseline.changes:
        sentence = f"change {change} is not in the baseline of the plan"
        yield Missing("plan-not-rebaselined", sentence, "delivery")
    if change not in state.contract.budget_amended:
        sentence = f"the budget is not amended by change {change}"
        yield Missing("budget-not-amended", sentence, "finance")


def change_not_priced(state: Engagement, change: str) -> Iterator[Missing]:
    """Yield what is missing before the customer may approve a change: assessment and price."""
    if change not in state.changes.assessed:
        yield Missing("change-not-assessed", f"change {change} is not assessed", "delivery")
    if not state.changes.is_priced(change):
        sentence = f"change {change} is not priced as it was last assessed"
        yield Missing("change-not-priced", sentence, "finance")


def not_implementable(state: Engagement, work: date) -> Iterator[Missing]:
    """Yield what is missing before implementation on a day (gate 4): requirements, a baseline.

    In tier light, the requirements are a section of the statement of work and are signed with it,
    which covers work from its effective day on. Those of an engagement that was taken over are not
    judged.
    """
    taken_over = state.importing.taken_over is not None
    signatures = [
        (signed.signed_on, f"the requirements were signed off on {signed.signed_on}")
        for signed in state.requirements.signed_off.values()
    ]
    light, signed_on = state.management.is_light, state.contract.signed_on
    if light and signed_on:
        since = min(signed_on, state.time.covered_from or signed_on)
        signatures.append((since, f"the statement of work was signed on {signed_on}"))
    if not signatures and not taken_over:
        what = "statement of work" if light else "requirements document"
        sentence = f"the {what} is not signed off by the customer"
        yield Missing("brd-not-signed-off", sentence, "legal" if light else "delivery")
    elif not taken_over and min(signatures)[0] > work:
        sentence = f"{min(signatures)[1]}, after this work ({work})"
        yield Missing("date-before-sign-off", sentence, "delivery")
    baselined = state.first_baselined_on
    if baselined is None:
        yield Missing("plan-not-baselined", "the plan has no baseline", "delivery")
    elif baselined > work:
        sentence = f"the plan was baselined on {baselined}, after this work ({work})"
        yield Missing("date-before-baseline", sentence, "delivery")
