"""One trace from a person's request through journal, Kafka and every department's reaction."""

import secrets
from contextlib import suppress

from chassis.domain.ids import derived
from local.play.company import CUSTOMERS
from local.play.stage import Company
from tests.e2e.conftest import Desk
from tests.e2e.spans import Collector, Span
from tests.e2e.stories import TODAY
from tests.infrastructure import wait_until

EVERYBODY = {
    "sales": {"POST /engagements", "decide", "append"},
    "legal": {"hear", "append"},
    "delivery": {"hear", "append"},
    "finance": {"hear", "append"},
    "gateway": {"fold"},
}
"""Spans that each service has in the trace of an opportunity that is opened."""


def test_a_request_is_followed_through_every_department(
    desk: Desk, company: Company, collector: Collector
) -> None:
    assert company.urls
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    answer = desk.ask(
        "POST",
        "sales",
        "/engagements",
        by="ann",
        body={
            "account": CUSTOMERS[0].account,
            "title": "Traced",
            "expected_value": {"amount": "1000", "currency": "EUR"},
            "expected_close": TODAY.isoformat(),
            "owner": "ann",
        },
        headers={
            "Idempotency-Key": derived(trace),
            "traceparent": f"00-{trace}-{root}-01",
        },
    )
    assert answer.status_code == 201, answer.text

    def by_service() -> dict[str, list[Span]]:
        services: dict[str, list[Span]] = {}
        for span in collector.trace(trace):
            services.setdefault(span.service, []).append(span)
        return services

    def lacking() -> list[str]:
        """What is not there yet: spans are sent every few seconds, some before their parents."""
        spans = collector.trace(trace)
        known = {span.id for span in spans} | {root}
        names = {service: {span.name for span in each} for service, each in by_service().items()}
        lost = [f"{span.name} hangs on none" for span in spans if span.parent not in known]
        return lost + [
            f"{service} has no {name}"
            for service, wanted in EVERYBODY.items()
            for name in sorted(wanted - names.get(service, set()))
        ]

    with suppress(AssertionError):
        wait_until(lambda: not lacking(), limit=60)
    assert lacking() == []
    request = next(span for span in collector.trace(trace) if span.name == "POST /engagements")
    assert request.parent == root


def test_only_what_asks_for_it_is_traced(collector: Collector, desk: Desk) -> None:
    before = len(collector.spans())
    assert desk.ask("GET", "gateway", "/portfolio").status_code == 200
    assert not any(span.name == "GET /portfolio" for span in collector.spans()[before:])
