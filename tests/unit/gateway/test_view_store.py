"""The version of projected views is raised when the same events give other views."""

from datetime import date
from hashlib import blake2b

from chassis.base.partitioning import partition_of
from gateway.disconnects import judge
from gateway.engagement_view import View, apply_event, dump
from gateway.portfolio import contribution
from gateway.view_store import PROJECTION_VERSION, CachedView, row_of
from tests.portfolio_builder import company

TODAY = date(2026, 5, 25)
KNOWN = {"18": "d7b5a3ede8056915"}
"""Digest of the views of a small company, by version of the projection.

Where `tests.portfolio_builder` has other events, the version stays and the digest changes.
"""


def digest_of_views() -> str:
    views: dict[str, View] = {}
    for recorded in company():
        view = views.setdefault(recorded.subject, View(recorded.subject))
        apply_event(view, recorded)
    digest = blake2b(digest_size=8)
    for engagement, view in sorted(views.items()):
        held = CachedView(view, partition_of(engagement), disconnects=judge(view, TODAY))
        row = row_of(held)
        figures = contribution(view, held.disconnects.values(), row.waived)
        digest.update(dump(view))
        digest.update(row.summary.model_dump_json().encode())
        digest.update(repr((held.disconnects, sorted(figures.items()))).encode())
    return digest.hexdigest()


def test_views_of_the_same_events_are_the_same_unless_the_version_is_raised() -> None:
    assert KNOWN.get(PROJECTION_VERSION) == digest_of_views(), (
        "the views differ: raise PROJECTION_VERSION, and note version and digest here"
    )
