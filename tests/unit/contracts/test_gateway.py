"""A consumer of the gateway's events knows which disconnects are unresolved."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from contracts.gateway import (
    Disconnect,
    DisconnectDetected,
    DisconnectResolved,
    DisconnectWaived,
    Side,
    open_disconnects,
)

UNTIL = date(2026, 4, 1)


def detected(
    finding: str, sentence: str = "They differ.", until: date | None = None
) -> DisconnectDetected:
    return DisconnectDetected(
        finding=finding,
        rule="sow-price",
        sentence=sentence,
        evidence=(),
        since=datetime(2026, 3, 2, tzinfo=UTC),
        sides=(Side(department="sales", value="2 EUR"), Side(department="legal", value="3 EUR")),
        owner="legal",
        command="draft-sow",
        role="contract-manager",
        waived_until=until,
    )


def waived(finding: str) -> DisconnectWaived:
    return DisconnectWaived(
        finding=finding, rule="sow-price", why="Agreed.", waived_by="vera", until=UNTIL
    )


def resolved(finding: str) -> DisconnectResolved:
    return DisconnectResolved(finding=finding, rule="sow-price")


AnyEvent = DisconnectDetected | DisconnectResolved | DisconnectWaived


def after(events: Sequence[AnyEvent]) -> list[tuple[str, str, bool]]:
    known: dict[str, Disconnect] = {}
    for event in events:
        known = open_disconnects(known, event)
    return [(name, each.detected.sentence, each.waived is not None) for name, each in known.items()]


def test_a_disconnect_is_open_until_it_is_resolved() -> None:
    assert after([detected("a"), detected("b")]) == [
        ("a", "They differ.", False),
        ("b", "They differ.", False),
    ]
    assert after([detected("a"), detected("b"), resolved("a")]) == [("b", "They differ.", False)]
    assert after([resolved("a")]) == []


def test_a_waiver_is_kept_when_the_disconnect_is_detected_again_and_dropped_on_resolution() -> None:
    grown: list[AnyEvent] = [detected("a"), waived("a"), detected("a", "They differ more.", UNTIL)]
    assert after(grown) == [("a", "They differ more.", True)]
    again: list[AnyEvent] = [detected("a"), waived("a"), resolved("a"), detected("a")]
    assert after(again) == [("a", "They differ.", False)]


def test_a_waiver_that_has_run_out_is_dropped_when_the_disconnect_is_detected_again() -> None:
    assert after([detected("a"), waived("a"), detected("a")]) == [("a", "They differ.", False)]


def test_a_waiver_of_an_unknown_disconnect_is_ignored() -> None:
    assert after([waived("a")]) == []
