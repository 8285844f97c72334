"""Check that what the gateway stored equals a new projection of the topics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date

from chassis.kafka.reference_data import ReferenceDataCache
from contracts.event import Event, Recorded, write_position
from gateway.portfolio.capacity import available_hours
from gateway.portfolio.figures import Figures, Portfolio, build_portfolio, contribution, sum_figures
from gateway.projection.timeline import in_order
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import CachedView
from gateway.rules import Disconnect, judge
from gateway.view.engagement_view import PROJECTED_CHANNELS, View, apply_event, dump
from gateway.view.sections.gateway import in_force
from tests.faults.checks import events_by_engagement
from tests.faults.collected_state import Evidence
from tests.faults.finding import Finding


def unified(evidence: Evidence) -> Iterator[Finding]:
    """Check that views, timelines and figures are complete and correct."""
    if "gateway" not in evidence.journals:
        return
    added: dict[int, list[Figures]] = {}
    for engagement, events in events_by_engagement(evidence).items():
        consumed = [each for each in events if each.channel.name in PROJECTED_CHANNELS]
        if not consumed:
            continue
        held = evidence.folded.get(engagement) or CachedView(View(engagement), 0)
        afresh = folded(engagement, consumed)
        is_at, must_be = held.view.position(), afresh.position()
        if is_at != must_be:
            yield Finding(
                f"gateway: the view of {engagement} is at {write_position(is_at)}, and"
                f" {write_position(must_be)} was published",
                may_pass=True,
            )
            continue
        added.setdefault(held.partition, []).append(held.figures)
        yield from _engagement(evidence, held, afresh, consumed)
    yield from _totals(evidence, added)


def folded(engagement: str, events: Iterable[Recorded[Event]]) -> View:
    """Return the view of these events."""
    view = View(engagement)
    for recorded in events:
        apply_event(view, recorded)
    return view


def portfolio(evidence: Evidence, today: date) -> Portfolio:
    """Return the portfolio on a day, from the topics, with confidential figures."""
    records = ReferenceDataCache(
        recorded
        for record in evidence.topics["delivery.reference"]
        if (recorded := record.recorded) is not None
    )
    tolerances, figures = CompanyTolerances(records), []
    for engagement, events in events_by_engagement(evidence).items():
        view = folded(
            engagement, [each for each in events if each.channel.name in PROJECTED_CHANNELS]
        )
        figures.append(_contribution(view, judge(view, today, tolerances.on(view, today)), today))
    return build_portfolio(
        sum_figures(figures), today, available_hours(records, today), with_confidential=True
    )


def _engagement(
    evidence: Evidence, held: CachedView, afresh: View, events: list[Recorded[Event]]
) -> Iterator[Finding]:
    engagement = held.view.engagement
    if not afresh.causally_complete:
        yield Finding(f"gateway: events in the `heard` of {engagement}'s events are missing")
    if dump(held.view) != dump(afresh):
        differ = [
            each.name
            for each in fields(View)
            if getattr(held.view, each.name) != getattr(afresh, each.name)
        ]
        yield Finding(
            f"gateway: the view of {engagement} is not what its events give, in"
            f" {', '.join(differ) or 'its bytes alone'}"
        )
        return
    findings = judge(afresh, held.judged_on, held.tolerances)
    if held.disconnects != findings:
        found = sorted(held.disconnects.keys() ^ findings.keys()) or "other texts"
        yield Finding(f"gateway: {engagement} has other disconnects than its events give: {found}")
    if _without_nothing(held.figures) != _without_nothing(
        _contribution(afresh, findings, held.judged_on)
    ):
        yield Finding(f"gateway: what {engagement} adds to the figures is not what its events give")
    yield from _timeline(evidence, engagement, events)


def _timeline(
    evidence: Evidence, engagement: str, events: Iterable[Recorded[Event]]
) -> Iterator[Finding]:
    runs = evidence.timelines.get(engagement, [])
    kept = {(each.channel.name, each.sequence): each.record for each in in_order(runs)}
    published = {(each.channel.name, each.sequence): each.record for each in events}
    for channel, sequence in sorted(published.keys() - kept.keys()):
        yield Finding(f"gateway: the timeline of {engagement} is without {channel} {sequence}")
    for channel, sequence in sorted(kept.keys() - published.keys()):
        yield Finding(
            f"gateway: the timeline of {engagement} has {channel} {sequence}, not on its topic",
            may_pass=True,
        )
    for channel, sequence in sorted(kept.keys() & published.keys()):
        if kept[channel, sequence] != published[channel, sequence]:
            yield Finding(
                f"gateway: the timeline of {engagement} has {channel} {sequence} in other bytes"
            )


def _totals(evidence: Evidence, added: Mapping[int, list[Figures]]) -> Iterator[Finding]:
    for partition, totals in evidence.totals.items():
        wanted = _without_nothing(sum_figures(added.get(partition, ())))
        found = _without_nothing(totals)
        if found != wanted:
            differ = sorted(
                name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)
            )
            yield Finding(
                f"gateway: figures of partition {partition} are not those of its engagements:"
                f" {', '.join(differ[:5])}",
                may_pass=True,
            )


def _contribution(view: View, findings: Mapping[str, Disconnect], today: date) -> Figures:
    return contribution(view, findings.values(), in_force(view.waivers, today))


def _without_nothing(figures: Figures) -> Figures:
    return {name: amount for name, amount in figures.items() if amount}
