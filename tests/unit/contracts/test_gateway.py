"""Which disconnects stand, for whoever hears what the gateway says of them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from contracts.gateway import (
    Disconnect,
    DisconnectDetected,
    DisconnectResolved,
    DisconnectWaived,
    open_disconnects,
)


def detected(finding: str, sentence: str = "They differ.") -> DisconnectDetected:
    return DisconnectDetected(
        finding=finding,
        rule="sow-price",
        sentence=sentence,
        evidence=(),
        since=datetime(2026, 3, 2, tzinfo=UTC),
        owner="legal",
    )


def waived(finding: str) -> DisconnectWaived:
    return DisconnectWaived(finding=finding, rule="sow-price", why="Agreed.", waived_by="vera")


def resolved(finding: str) -> DisconnectResolved:
    return DisconnectResolved(finding=finding, rule="sow-price")


Said = DisconnectDetected | DisconnectResolved | DisconnectWaived


def after(said: Sequence[Said]) -> list[tuple[str, str, bool]]:
    known: dict[str, Disconnect] = {}
    for each in said:
        known = open_disconnects(known, each)
    return [(name, each.detected.sentence, each.waived is not None) for name, each in known.items()]


def test_what_is_found_stands_until_it_is_resolved() -> None:
    assert after([detected("a"), detected("b")]) == [
        ("a", "They differ.", False),
        ("b", "They differ.", False),
    ]
    assert after([detected("a"), detected("b"), resolved("a")]) == [("b", "They differ.", False)]
    assert after([resolved("a")]) == []


def test_what_was_accepted_stays_accepted_when_it_grows() -> None:
    grown: list[Said] = [detected("a"), waived("a"), detected("a", "They differ more.")]
    assert after(grown) == [("a", "They differ more.", True)]
    again: list[Said] = [detected("a"), waived("a"), resolved("a"), detected("a")]
    assert after(again) == [("a", "They differ.", False)]


def test_what_never_stood_cannot_be_accepted() -> None:
    assert after([waived("a")]) == []
