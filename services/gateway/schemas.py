"""Response models of the gateway's API, built for what the caller may see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic_core import to_json
from starlette.responses import Response

from chassis.application.passed_over import PassedOverView, shown
from chassis.base.view_model import ViewModel
from contracts.channels import Department, is_open, open_channels
from contracts.event import Event, Recorded
from contracts.gateway import Side
from contracts.money import Money
from contracts.roles import Role
from gateway.portfolio.list_index import ListedDisconnect, Page
from gateway.portfolio.summary import Summary
from gateway.queries import EngagementDetails
from gateway.redaction import Position, Reader, Redacted, nothing
from gateway.rules import Disconnect
from gateway.rules.computed_status import Status, statuses
from gateway.view.approved_work import LineWork, approved_work
from gateway.view.engagement_view import Freshness, data_of, withheld_from
from gateway.view.sections.delivery.section import DeliverySection
from gateway.view.sections.finance.confidential import ConfidentialSection
from gateway.view.sections.finance.section import FinanceSection
from gateway.view.sections.gateway import Waiver
from gateway.view.sections.legal import LegalSection
from gateway.view.sections.sales import SalesSection
from gateway.view.sections.steps import Ref
from gateway.view.waiting import Waits


class EngagementPage(ViewModel):
    """A page of engagements; `next` is the cursor of the next page."""

    items: list[Summary]
    next: str | None


class DisconnectView(ViewModel):
    """A disconnect: the contradiction, the events that prove it, and what depends on it.

    `heard` of an event is how far its author had processed other channels when it was recorded.
    `sides` are what is contradictory: what a department believes, who stated it, and on what day.
    `role` can resolve it with the `command`, which is of the owner's department unless `command_of`
    names another one; `ends_with` is the person of the engagement who has that role, or null where
    none is known. `waived` is its waiver while it runs.
    `exposure` is the price that it touches and `at_stake` the difference itself; null is unknown.
    """

    engagement: str
    title: str | None
    finding: str
    rule: str
    sentence: str
    sides: tuple[Side, Side]
    since: datetime
    owner: Department
    role: Role
    ends_with: str | None
    command: str
    command_of: Department | None
    severity: str
    exposure: Money | None
    at_stake: Money | None
    days: int | None
    confidential: bool
    evidence: list[Ref]
    waived: Waiver | None


class DisconnectPage(ViewModel):
    """A page of disconnects; `next` is the cursor of the next page."""

    items: list[DisconnectView]
    next: str | None


def _open_waits(waits: Waits | None) -> Waits | None:
    return waits and waits.seen(confidential=False)


def _open_passed_over(items: Sequence[PassedOverView]) -> list[PassedOverView]:
    return [each for each in items if is_open(each.channel)]


def _open_statuses(items: Sequence[Status]) -> list[Status]:
    return [each for each in items if not each.confidential]


def _open_disconnects(items: Sequence[DisconnectView]) -> list[DisconnectView]:
    return [each for each in items if not each.confidential]


class EngagementView(ViewModel):
    """One engagement, from the events of all departments.

    `complete` is true where every event has arrived that the authors of its events had processed,
    as far as the caller may see them; `disconnects` are those of the last moment at which it was.
    `lacking` has, by channel, the last `streamsequence` that an author had processed and that did
    not arrive. An engagement with `waits` is not complete: an event of it could not be processed.
    `passed_over` are missing events that a person decided to skip. `approved_work` has the worth of
    the work that is not billed, of each line by time and materials or at cost. `computed_status`
    has, by dimension, what follows from figures beside what the report states. `cost_unknown`
    is the number of approved time entries and expenses whose cost is not known: no cost contains
    them. It, costs and margins are null for callers who may not see them.
    """

    engagement: str
    stage: str
    complete: bool
    lacking: Position
    waits: Annotated[Waits | None, Redacted(_open_waits)]
    passed_over: Annotated[list[PassedOverView], Redacted(_open_passed_over)]
    summary: Summary
    sales: SalesSection
    legal: LegalSection
    delivery: DeliverySection
    finance: FinanceSection
    approved_work: list[LineWork]
    computed_status: Annotated[list[Status], Redacted(_open_statuses)]
    confidential: Annotated[ConfidentialSection | None, Redacted(nothing)]
    cost_unknown: Annotated[int | None, Redacted(nothing)]
    freshness: Annotated[dict[str, Freshness], Redacted(open_channels)]
    disconnects: Annotated[list[DisconnectView], Redacted(_open_disconnects)]


class TimelineEntry(ViewModel):
    """An event: its author, when it occurred and was recorded (UTC), and its data.

    `heard` is how far its author had processed other channels. `on_behalf_of` is the person
    whom the actor acted for, as a stand-in, or null. `data` has what the caller may see of it: of
    time and expenses of others, in most roles, neither people nor notes, receipts or amounts.
    `withheld` is true where something is left out; author and cause of a person's event are null
    then.
    """

    id: str
    type: str
    channel: str
    streamsequence: int
    actor: str | None
    on_behalf_of: str | None
    cause: str | None
    occurred_at: datetime
    recorded_at: datetime
    heard: Position
    withheld: bool
    data: dict[str, Any]


def written(
    view: ViewModel | Sequence[ViewModel], headers: Mapping[str, str], reader: Reader
) -> Response:
    """Return the view as a response, with what the reader may see."""
    content = to_json(view, context=reader)
    return Response(content, headers=headers, media_type="application/json")


def engagement_view(details: EngagementDetails, reader: Reader) -> EngagementView:
    """Return the response model of an engagement; attention is that of the reader."""
    view, confidential = details.view, reader.confidential
    waived = details.row.waived
    return EngagementView(
        engagement=view.engagement,
        stage=view.stage,
        complete=details.complete_for(confidential=confidential),
        lacking=view.missing(confidential=confidential),
        waits=details.waits,
        passed_over=shown(details.passed_over, confidential=True),
        summary=details.row.seen(confidential=confidential),
        sales=view.sales,
        legal=view.legal,
        delivery=view.delivery,
        finance=view.finance,
        approved_work=approved_work(view),
        computed_status=statuses(view, details.tolerances, confidential=True),
        confidential=view.confidential,
        cost_unknown=view.cost_unknown,
        freshness=view.freshness,
        disconnects=[
            disconnect_view(view.engagement, view.sales.title, each, waived.get(each.finding))
            for each in details.disconnects.values()
        ],
    )


def disconnect_view(
    engagement: str, title: str | None, disconnect: Disconnect, waived: Waiver | None
) -> DisconnectView:
    """Return the response model of a disconnect."""
    return DisconnectView(
        engagement=engagement,
        title=title,
        finding=disconnect.finding,
        rule=disconnect.rule,
        sentence=disconnect.sentence,
        sides=disconnect.sides,
        since=disconnect.since,
        owner=disconnect.owner,
        role=disconnect.role,
        ends_with=disconnect.ends_with,
        command=disconnect.command,
        command_of=disconnect.command_of,
        severity=disconnect.severity,
        exposure=disconnect.exposure,
        at_stake=disconnect.at_stake,
        days=disconnect.days,
        confidential=disconnect.confidential,
        evidence=list(disconnect.evidence),
        waived=waived,
    )


def timeline_entry(recorded: Recorded[Event], reader: Reader) -> TimelineEntry:
    """Return the response model of an event in a timeline, with what the reader may see."""
    personal = withheld_from(reader, recorded.event)
    shows_author = personal is None or not personal.hides_author
    return TimelineEntry(
        id=recorded.id,
        type=recorded.event.type,
        channel=recorded.channel.name,
        streamsequence=recorded.sequence,
        actor=recorded.actor if shows_author else None,
        on_behalf_of=recorded.on_behalf_of if shows_author else None,
        cause=recorded.cause if shows_author else None,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        heard=dict(recorded.heard),
        withheld=personal is not None,
        data=data_of(recorded.event, reader),
    )


def disconnect_page(page: Page[ListedDisconnect]) -> DisconnectPage:
    """Return the response model of a page of disconnects."""
    items = [
        disconnect_view(each.engagement, each.title, each.disconnect, each.waived)
        for each in page.items
    ]
    return DisconnectPage(items=items, next=page.next)
