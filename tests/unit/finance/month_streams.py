"""Carry out what an engagement requests of the streams of its booked months, in memory."""

from dataclasses import dataclass, field

from chassis.domain.pending import Refusal, Requested
from contracts.event import Event
from finance.booked_works.state import BookedWorks
from finance.engagement import Engagement
from finance.service import BOOKED_WORKS
from finance.work.works import Work
from testkit.scenario import Outcome, Scenario, given


@dataclass
class MonthStreams:
    """The streams of the months of engagements, by their subjects.

    `published` are the events of engagements after the outcomes of their requests.
    """

    streams: dict[str, Scenario[BookedWorks]] = field(default_factory=dict)
    published: list[Event] = field(default_factory=list)

    def after(self, engagement: Scenario[Engagement]) -> Scenario[Engagement]:
        """Return the engagement after the outcomes of all requests to its months."""
        while asked := asked_of_months(engagement):
            engagement = self.carried_out(engagement, asked[0])
        return engagement

    def carried_out(
        self, engagement: Scenario[Engagement], asked: Requested
    ) -> Scenario[Engagement]:
        """Return the engagement after the outcome of one request."""
        subject = asked.stream.partition(":")[2]
        known = self.streams.get(subject)
        entry = BOOKED_WORKS.by_name[asked.command]
        if known is None and not entry.opens:
            refused = Refusal("unknown-stream", f"{asked.stream} is not known here")
            return self._told(engagement.when_outcome(asked.id, asked.item, refused=refused))
        outcome = (known or given(BOOKED_WORKS, subject)).when(
            entry.command.model_validate_json(asked.content)
        )
        self.streams[subject] = outcome.then_accepted()
        return self._told(engagement.when_outcome(asked.id, asked.item, *outcome.events))

    def _told(self, outcome: Outcome[Engagement]) -> Scenario[Engagement]:
        self.published += (each.event for each in outcome.published)
        return outcome.then_accepted()

    def works(self, month: str) -> dict[str, Work]:
        """Return the works of a month by their keys, of all engagements."""
        return {
            key: work
            for subject, stream in self.streams.items()
            if subject.endswith(f".{month}")
            for key, work in stream.state.works.items()
        }


def asked_of_months(engagement: Scenario[Engagement]) -> list[Requested]:
    """Return the requests to the streams of months that have no outcome."""
    pending = (each.event for each in engagement.stream.requests.values())
    return [each for each in pending if each.kind == "booked-works"]
