"""What the gateway keeps is folded again when the same events come to make other views."""

from datetime import date
from hashlib import blake2b

from chassis.base.partitioning import partition_of
from gateway.disconnects import judge
from gateway.fold import View, dump, fold
from gateway.portfolio import contribution
from gateway.shelf import FOLD, Held, row_of
from tests.portfolio_builder import company

TODAY = date(2026, 5, 25)
KNOWN = {"16": "1f39a4d135efe577"}
"""What the events of a small company come to, by the number of the fold.

Where `tests.portfolio_builder` builds other events, the number of the fold stays and this changes.
"""


def folded() -> str:
    views: dict[str, View] = {}
    for recorded in company():
        view = views.setdefault(recorded.subject, View(recorded.subject))
        fold(view, recorded)
    digest = blake2b(digest_size=8)
    for engagement, view in sorted(views.items()):
        held = Held(view, partition_of(engagement), findings=judge(view, TODAY))
        row = row_of(held)
        figures = contribution(view, held.findings.values(), row.waived)
        digest.update(dump(view))
        digest.update(row.summary.model_dump_json().encode())
        digest.update(repr((held.findings, sorted(figures.items()))).encode())
    return digest.hexdigest()


def test_whoever_changes_what_events_come_to_raises_the_number_of_the_fold() -> None:
    assert KNOWN.get(FOLD) == folded(), "views come out otherwise: raise FOLD, and note it here"
