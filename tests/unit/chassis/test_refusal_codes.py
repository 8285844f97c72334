"""The codes that are found in the code that a decision reaches."""

from collections.abc import Sequence

from chassis.web.refusal_codes import codes_of
from finance.service import ENGAGEMENT as ACCOUNT
from sales.service import ENGAGEMENT


def codes(decider, name: str) -> Sequence[str]:
    (entry,) = (each for kind, each in decider.commands.items() if kind.named() == name)
    return codes_of(entry.decision)


def test_codes_of_a_decision_and_of_the_functions_that_it_calls_are_found() -> None:
    assert codes(ENGAGEMENT, "open-opportunity") == [
        "account-unknown",
        "already-recorded",
        "engagement-over",
        "expected-close-passed",
        "field-differs",
        "opportunity-imported",
        "person-not-with-company",
        "person-unknown",
    ]


def test_codes_in_tables_and_in_methods_are_found() -> None:
    assert {"proposal-repriced", "proposal-below-floor"} <= {*codes(ENGAGEMENT, "submit-proposal")}
    assert "purchase-order-missing" in codes(ACCOUNT, "approve-invoice")


def test_codes_of_other_commands_are_not_found() -> None:
    assert "proposal-repriced" not in codes(ENGAGEMENT, "lose-deal")


def test_a_function_that_refuses_nothing_has_no_codes() -> None:
    assert codes_of(lambda: ()) == []
