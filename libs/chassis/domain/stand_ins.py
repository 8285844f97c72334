"""Check that a person may give a command on behalf of another one, as their stand-in."""

from chassis.domain.commands import NotAllowed
from chassis.domain.context import Context
from contracts.reference import StandInPurpose, StandInsPublished


def require_stand_in(context: Context, purpose: StandInPurpose) -> None:
    """Refuse a command on behalf of a person whose stand-in the actor is not on the day.

    The day is `context.today`, in the time zone of the stream. Nothing is refused where the actor
    acts for themselves. Raises NotAllowed.
    """
    person, day = context.on_behalf_of, context.today
    if person is None:
        return
    record = context.reference_data.on(StandInsPublished, person, day)
    known = record.event.stand_ins if record else ()
    if not any(
        each.stand_in == context.actor
        and each.purpose == purpose
        and each.first <= day <= each.last
        for each in known
    ):
        raise NotAllowed(
            "stand-in-not-recorded",
            f"{context.actor} is not recorded as a stand-in of {person} for {purpose} on {day}",
        )
