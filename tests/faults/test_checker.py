"""Test that the checker finds every kind of defect in what real services did.

An engagement runs its whole lifecycle through the five services. The checker finds nothing in the
result; with one record, commit or view changed, it reports what is wrong.
"""

import copy
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import pytest
import pytest_asyncio

from contracts import delivery, finance, sales
from contracts.channels import CHANNELS, SALES
from contracts.event import Event, Recorded, encode
from gateway.view.engagement_view import apply_event
from tests.component.consumer_harness import topics
from tests.faults.checker import at_rest, check, told
from tests.faults.collected_state import (
    NO_EVENT,
    PLANTED,
    Acknowledged,
    Evidence,
    Published,
    decoded,
    gather,
)
from tests.faults.in_process_platform import world
from tests.faults.load import Person, begin_history, live, short_scenario
from tests.infrastructure import KafkaServer, StoreServer, unique_name

pytestmark = pytest.mark.long

LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Lived:
    """The collected state after an engagement, and the requests that were acknowledged."""

    engagement: str
    evidence: Evidence
    acknowledged: Sequence[Acknowledged]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived(kafka: KafkaServer, store: StoreServer) -> AsyncIterator[Lived]:
    async with world(kafka, store, unique_name("lived")) as made:
        await begin_history(made.driver)
        scenario = replace(
            short_scenario(Random(7), "lived"),
            shape="fixed",
            outcome="delivered",
            change=True,
        )
        person = Person(made.driver, "lived")
        await live(scenario, person)
        key = person.engagement.encode()
        header = (PLANTED, f"{NO_EVENT}: no JSON".encode())
        async with topics(kafka.bootstrap, made.places.prefix) as publisher:
            await publisher.put(SALES, key, b"{oops", [header])
        evidence = await at_rest(lambda: gather(made.places), made.driver.acknowledged, limit=LIMIT)
        yield Lived(person.engagement, evidence, made.driver.acknowledged)


# ---- alterations --------------------------------------------------------------------------------

Alter = Callable[[Evidence], None]


def place_of(evidence: Evidence, kind: type[Event], nth: int = 0) -> tuple[list[Published], int]:
    """Return the records of an event type's topic, and the index of its nth event there."""
    records = evidence.topics[kind.channel.name]
    places = [
        place
        for place, record in enumerate(records)
        if record.recorded is not None and isinstance(record.recorded.event, kind)
    ]
    return records, places[nth]


def told_of(evidence: Evidence, kind: type[Event]) -> Recorded[Event]:
    """Return the first event of a type."""
    records, place = place_of(evidence, kind)
    recorded = records[place].recorded
    assert recorded is not None
    return recorded


def again(record: Published, recorded: Recorded[Event]) -> Published:
    """Return the record with another event in it."""
    return replace(record, value=encode(recorded))


def heard_in(evidence: Evidence, service: str, kind: type[Event]) -> tuple[int, int]:
    """Return the indexes of the commit with the first event of a type, and of its entry.

    Raises AssertionError where the department has not consumed it.
    """
    event = told_of(evidence, kind)
    for number, commit in enumerate(evidence.journals[service]):
        for entry, kept in enumerate(commit.events):
            if kept.own or kept.channel not in CHANNELS:
                continue
            if decoded(kept.record).id == event.id:
                return number, entry
    raise AssertionError(f"{service} heard no {kind.__name__}")


def skipped_on_the_topic(evidence: Evidence) -> None:
    records, place = place_of(evidence, delivery.TimeApproved)
    del records[place]


def last_not_on_the_topic(evidence: Evidence) -> None:
    evidence.topics["delivery"].pop()


def swapped_on_the_topic(evidence: Evidence) -> None:
    records, place = place_of(evidence, delivery.TimeApproved)
    records[place], records[place + 1] = records[place + 1], records[place]


def repeated_in_other_bytes(evidence: Evidence) -> None:
    records, place = place_of(evidence, sales.DealWon)
    recorded = records[place].recorded
    assert recorded is not None
    records.append(again(records[place], replace(recorded, actor="mallory")))


def on_another_partition(evidence: Evidence) -> None:
    records, place = place_of(evidence, sales.DealWon)
    records[place] = replace(records[place], partition=(records[place].partition + 1) % 12)


def said_by_nobody(evidence: Evidence) -> None:
    last = evidence.topics["legal"][-1]
    assert last.recorded is not None
    beyond = replace(last.recorded, sequence=last.recorded.sequence + 1)
    evidence.topics["legal"].append(again(last, beyond))


def commit_lost(evidence: Evidence) -> None:
    journal = evidence.journals["delivery"]
    del journal[heard_in(evidence, "delivery", sales.DealWon)[0]]


def acknowledged_lost(evidence: Evidence) -> None:
    journal = evidence.journals["delivery"]
    held = told_of(evidence, delivery.KickoffHeld).id
    journal[:] = [each for each in journal if held not in {own.id for own in each.own_events()}]


def taken_in_twice(evidence: Evidence) -> None:
    number, entry = heard_in(evidence, "finance", delivery.TimeApproved)
    journal = evidence.journals["finance"]
    kept = journal[number].events
    journal[number] = replace(journal[number], events=(*kept, kept[entry]))


def passed_over(evidence: Evidence) -> None:
    number, entry = heard_in(evidence, "finance", delivery.TimeApproved)
    journal = evidence.journals["finance"]
    kept = journal[number].events
    journal[number] = replace(journal[number], events=(*kept[:entry], *kept[entry + 1 :]))


def not_heard_to_the_end(evidence: Evidence) -> None:
    journal = evidence.journals["legal"]
    last = max(n for n, each in enumerate(journal) if each.stream.startswith("engagement:"))
    position = {**journal[last].position, "sales": journal[last].position["sales"] - 1}
    journal[last] = replace(journal[last], position=position)


def list_left_behind(evidence: Evidence) -> None:
    views = evidence.views["sales"]
    stream = next(name for name in views if name.startswith("engagement:"))
    views[stream] = replace(views[stream], fields={**(views[stream].fields or {}), "stage": "lost"})


def snapshot_of_something_else(evidence: Evidence) -> None:
    views = evidence.views["sales"]
    stream = next(name for name in views if name.startswith("engagement:"))
    known = views[stream].known
    state = known.stream.state
    other = state.updated(opportunity=state.opportunity.updated(opened=None))
    known = replace(known, stream=replace(known.stream, state=other))
    views[stream] = replace(views[stream], known=known)


def folded_twice(evidence: Evidence) -> None:
    event = told_of(evidence, delivery.TimeApproved)
    view = evidence.folded[event.subject].view
    fresh = copy.deepcopy(view.freshness)
    apply_event(view, event)
    view.freshness = fresh


def not_folded(evidence: Evidence) -> None:
    for cached in evidence.folded.values():
        del cached.view.freshness["legal"]


def counted_twice(evidence: Evidence) -> None:
    totals = next(each for each in evidence.totals.values() if each.get("hours.approved"))
    totals["hours.approved"] *= 2


def timeline_with_a_hole(evidence: Evidence) -> None:
    for runs in evidence.timelines.values():
        for run in runs:
            if run.channel == "sales":
                run.events.pop()


def accrued_twice(evidence: Evidence) -> None:
    records, _ = place_of(evidence, finance.CostAccrued)
    last = records[place_of(evidence, finance.CostAccrued, -1)[1]].recorded
    end = records[-1].recorded
    assert last is not None
    assert end is not None
    records.append(again(records[-1], replace(last, sequence=end.sequence + 1)))


def number_given_twice(evidence: Evidence) -> None:
    records, place = place_of(evidence, finance.InvoiceIssued, -1)
    recorded = records[place].recorded
    assert recorded is not None
    assert isinstance(recorded.event, finance.InvoiceIssued)
    first = told_of(evidence, finance.InvoiceIssued).event
    assert isinstance(first, finance.InvoiceIssued)
    event = recorded.event.model_copy(update={"number": first.number})
    records[place] = again(records[place], replace(recorded, event=event))


def no_file(evidence: Evidence) -> None:
    evidence.topics["legal"] = [
        record
        for record in evidence.topics["legal"]
        if record.recorded is None or record.recorded.event.type != "concord.legal.file-opened.v1"
    ]


def planted_one_vanished(evidence: Evidence) -> None:
    evidence.aside["legal"].clear()


def honest_one_set_aside(evidence: Evidence) -> None:
    (aside,) = evidence.aside["legal"]
    records, place = place_of(evidence, sales.DealWon)
    name = f"{aside.id.rpartition('/')[0]}/{records[place].offset}"
    evidence.aside["legal"].append(replace(aside, id=name, raw=records[place].value))


def planted_by_nobody(evidence: Evidence) -> None:
    evidence.planted.clear()


def set_aside_though_a_repeat(evidence: Evidence) -> None:
    (planted,) = evidence.planted
    evidence.planted[0] = replace(planted, sequence=1)


def event_waits(evidence: Evidence) -> None:
    (aside,) = evidence.aside["gateway"]
    evidence.parked["gateway"].append(replace(aside, code="gap", sequence=7))


@pytest.mark.parametrize(
    ("alter", "sentence"),
    [
        (skipped_on_the_topic, "is in the journal and not on its topic"),
        (skipped_on_the_topic, "came where"),
        (last_not_on_the_topic, "is in the journal and not on its topic"),
        (swapped_on_the_topic, "came where"),
        (repeated_in_other_bytes, "is repeated in other bytes"),
        (on_another_partition, "is not on partition"),
        (said_by_nobody, "is on its topic and in no journal"),
        (commit_lost, "delivery: commits of engagement:"),
        (commit_lost, "cannot be folded afresh"),
        (acknowledged_lost, "was acknowledged and is not in the journal"),
        (taken_in_twice, "was taken in 2 times"),
        (passed_over, "was passed over"),
        (not_heard_to_the_end, "legal consumes sales of"),
        (list_left_behind, "shows in lists what was before"),
        (snapshot_of_something_else, "is not what its journal gave at"),
        (folded_twice, "is not what its events give, in delivery"),
        (not_folded, "gateway: the view of"),
        (counted_twice, "are not those of its engagements: hours.approved"),
        (timeline_with_a_hole, "gateway: the timeline of"),
        (accrued_twice, "is there 2 times"),
        (accrued_twice, "the costs until then add up to"),
        (number_given_twice, "invoices of DE-2025 are numbered"),
        (no_file, "DealWon once led to no FileOpened"),
        (planted_one_vanished, "legal has not set"),
        (honest_one_set_aside, "which no test injected"),
        (planted_by_nobody, "which no test injected"),
        (set_aside_though_a_repeat, "which passes by"),
        (event_waits, "gateway parks"),
    ],
    ids=lambda given: given.__name__ if callable(given) else "",
)
def test_an_altered_state_is_found(lived: Lived, alter: Alter, sentence: str) -> None:
    assert check(lived.evidence, lived.acknowledged) == []
    altered = copy.deepcopy(lived.evidence)
    alter(altered)
    assert sentence in told(check(altered, lived.acknowledged))


def test_an_answer_that_the_journal_does_not_have_is_found(lived: Lived) -> None:
    first = next(each for each in lived.acknowledged if each.said)
    for other in (
        replace(first, key="of-nobody"),
        replace(first, number=first.number + 1),
        replace(first, said=(*first.said, "another")),
    ):
        assert len(check(lived.evidence, [other])) == 1
