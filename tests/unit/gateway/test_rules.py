"""Rules declare id, title and owner where they are defined, and all of them are applied."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules

import pytest

import gateway.rules
from contracts.gateway import MOST_EVIDENCE
from gateway.pages.names import rule_title
from gateway.rules import RULES, Disconnect, Rule, Rules, Tolerances
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref


def find_nothing(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    return ()


@pytest.mark.parametrize("rule", [*RULES], ids=lambda rule: rule.id)
def test_every_rule_has_a_title_of_its_own_that_pages_show(rule: Rule) -> None:
    assert rule.title
    assert rule_title(rule.id) == rule.title
    assert [each.id for each in RULES if each.title == rule.title] == [rule.id]
    assert rule.owner in ("sales", "legal", "delivery", "finance")


def test_every_module_of_rules_is_applied() -> None:
    registered = {
        rule.id
        for module in iter_modules(gateway.rules.__path__, "gateway.rules.")
        for rule in getattr(import_module(module.name), "rules", ())
    }

    assert registered == {rule.id for rule in RULES}


def test_a_rule_without_title_or_owner_cannot_be_registered() -> None:
    rules = Rules()

    with pytest.raises(TypeError):
        rules.register("late")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        rules.register("late", title="Late", owner="legal")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="needs an id and a title"):
        rules.register("late", title="", owner="legal", command="draft-sow")(find_nothing)
    assert len(rules) == 0


def test_two_rules_cannot_have_the_same_id() -> None:
    rules, others = Rules(), Rules()
    for each in (rules, others):
        each.register("late", title="Late", owner="legal", command="draft-sow")(find_nothing)

    with pytest.raises(ValueError, match="two rules have the id late"):
        rules.register("late", title="Later", owner="legal", command="draft-sow")(find_nothing)
    with pytest.raises(ValueError, match="two rules have the id late"):
        Rules(rules, others)


def test_a_rule_that_no_longer_exists_is_written_as_its_id_in_words() -> None:
    assert RULES.title("sow-unsigned") is None
    assert rule_title("sow-unsigned") == "SOW unsigned"


def test_a_disconnect_names_no_more_evidence_than_an_event_may() -> None:
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    proof = [
        Ref(f"e-{nth}", "concord.legal.sow-signed.v1", "legal", nth, begin + timedelta(nth), "")
        for nth in range(1, MOST_EVIDENCE + 2)
    ]
    found = next(iter(RULES)).disconnect(
        "Two departments disagree.", proof, sides=(side("sales", "1 h"), side("legal", "2 h"))
    )

    assert found.evidence == tuple(proof[:MOST_EVIDENCE])
    assert found.since == proof[-1].occurred_at
