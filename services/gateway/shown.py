"""What the gateway's API shows of engagements, disconnects and events, to whoever may see it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from chassis.application import passed_over
from chassis.application.passed_over import PassedOverView
from chassis.base.view_model import ViewModel
from contracts.channels import Department
from contracts.event import Event, Recorded, read_position, write_position
from contracts.money import Money
from gateway.disconnects import Finding
from gateway.fold import CONFIDENTIAL, Freshness
from gateway.reading import Unified
from gateway.rows import Page, Standing
from gateway.sections.delivery import DeliverySection
from gateway.sections.finance import ConfidentialSection, FinanceSection
from gateway.sections.folding import Ref
from gateway.sections.gateway import Waiver
from gateway.sections.legal import LegalSection
from gateway.sections.sales import SalesSection
from gateway.summary import Summary
from gateway.waiting import Waits

_HEARD = re.compile(r'(?<="heard":")[^"]*confidential[^"]*')
"""What an author had heard, in JSON; no text holds this, since a quote in a text is escaped."""


class EngagementPage(ViewModel):
    """A page of engagements; `next` is the cursor of the page behind it."""

    items: list[Summary]
    next: str | None


class DisconnectView(ViewModel):
    """A disconnect: what contradicts what, proved by which events, and what hangs on it.

    Each piece of evidence says how far its author had heard the others when it was recorded.
    """

    engagement: str
    title: str | None
    finding: str
    rule: str
    sentence: str
    since: datetime
    owner: Department
    severity: str
    stake: Money | None
    days: int | None
    confidential: bool
    evidence: list[Ref]
    waived: Waiver | None


class DisconnectPage(ViewModel):
    """A page of disconnects; `next` is the cursor of the page behind it."""

    items: list[DisconnectView]
    next: str | None


class EngagementView(ViewModel):
    """One engagement as all departments together tell it.

    `complete` says whether all that the departments had heard of each other is folded; findings
    are those of the last moment at which it was. `lacking` says up to which number an author had
    heard a channel of which less has arrived. An engagement that `waits` is not complete: an
    event of it could not be taken in. `passed_over` are events it was decided to do without. Costs
    and margins are null for those who may not see them.
    """

    engagement: str
    stage: str
    complete: bool
    lacking: dict[str, int]
    waits: Waits | None
    passed_over: list[PassedOverView]
    summary: Summary
    sales: SalesSection
    legal: LegalSection
    delivery: DeliverySection
    finance: FinanceSection
    confidential: ConfidentialSection | None
    freshness: dict[str, Freshness]
    disconnects: list[DisconnectView]


class TimelineEntry(ViewModel):
    """An event: who said what, when it happened and was recorded, and what its author had heard."""

    id: str
    type: str
    channel: str
    sequence: int
    actor: str
    cause: str
    occurred_at: datetime
    recorded_at: datetime
    heard: dict[str, int]
    data: dict[str, Any]


def seen(position: Mapping[str, int], *, confidential: bool) -> dict[str, int]:
    """A position as its readers may see it: how much is confidential is so, too."""
    if confidential:
        return dict(position)
    return {name: last for name, last in position.items() if name not in CONFIDENTIAL}


def written(
    view: ViewModel | Sequence[ViewModel], headers: Mapping[str, str], *, confidential: bool
) -> Response:
    """The view as an answer, with no more of what authors had heard than its readers may see."""
    text = to_json(view).decode()
    if not confidential:
        text = _HEARD.sub(
            lambda heard: write_position(seen(read_position(heard[0]), confidential=False)), text
        )
    return Response(text, headers=headers, media_type="application/json")


def engagement_view(unified: Unified, *, confidential: bool) -> EngagementView:
    """The view as its readers may see it."""
    view = unified.view
    waived = view.gateway.waived | view.gateway_confidential.waived
    return EngagementView(
        engagement=view.engagement,
        stage=view.stage,
        complete=unified.complete,
        lacking=seen(view.lacking(), confidential=confidential),
        waits=unified.waits and unified.waits.seen(confidential=confidential),
        passed_over=passed_over.shown(unified.passed_over, confidential=confidential),
        summary=unified.row.seen(confidential=confidential),
        sales=view.sales,
        legal=view.legal,
        delivery=view.delivery,
        finance=view.finance,
        confidential=view.confidential if confidential else None,
        freshness={
            channel: fresh
            for channel, fresh in view.freshness.items()
            if confidential or channel not in CONFIDENTIAL
        },
        disconnects=[
            disconnect_view(view.engagement, view.sales.title, each, waived.get(each.finding))
            for each in unified.findings.values()
            if confidential or not each.confidential
        ],
    )


def disconnect_view(
    engagement: str, title: str | None, finding: Finding, waived: Waiver | None
) -> DisconnectView:
    """A finding as it is shown."""
    return DisconnectView(
        engagement=engagement,
        title=title,
        finding=finding.finding,
        rule=finding.rule,
        sentence=finding.sentence,
        since=finding.since,
        owner=finding.owner,
        severity=finding.severity,
        stake=finding.stake,
        days=finding.days,
        confidential=finding.confidential,
        evidence=list(finding.evidence),
        waived=waived,
    )


def timeline_entry(recorded: Recorded[Event], *, confidential: bool) -> TimelineEntry:
    """An event as the timeline shows it."""
    return TimelineEntry(
        id=recorded.id,
        type=recorded.event.type,
        channel=recorded.channel.name,
        sequence=recorded.sequence,
        actor=recorded.actor,
        cause=recorded.cause,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        heard=seen(recorded.heard, confidential=confidential),
        data=recorded.event.model_dump(mode="json"),
    )


def disconnect_page(page: Page[Standing]) -> DisconnectPage:
    """A page of disconnects as it is shown."""
    items = [
        disconnect_view(each.engagement, each.title, each.finding, each.waived)
        for each in page.items
    ]
    return DisconnectPage(items=items, next=page.next)
