"""Test that a request, the journal, Kafka and all departments' reactions are one trace."""

import secrets
from contextlib import suppress

from chassis.domain.ids import derived
from local.demo.driver import PlatformAccess
from local.demo.reference_data import CUSTOMERS
from sales.accounts.names import account_id
from tests.e2e.conftest import ApiClient
from tests.e2e.scenarios import IN_A_MONTH
from tests.e2e.spans import Collector, Span
from tests.infrastructure import wait_until

EVERYBODY = {
    "sales": {"POST /engagements", "decide", "append"},
    "legal": {"hear", "append"},
    "delivery": {"hear", "append"},
    "finance": {"hear", "append"},
    "gateway": {"fold"},
}
"""Spans of each service in the trace of an opportunity that is opened."""


def test_a_request_is_followed_through_every_department(
    api: ApiClient, access: PlatformAccess, collector: Collector
) -> None:
    assert access.urls
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    answer = api.request(
        "POST",
        "sales",
        "/engagements",
        by="ann",
        body={
            "account": account_id(CUSTOMERS[0].name),
            "title": "Traced",
            "expected_value": {"amount": "1000", "currency": "EUR"},
            "expected_close": IN_A_MONTH.isoformat(),
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

    def missing() -> list[str]:
        """Return what is missing: spans are exported with a delay, some before their parents."""
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
        wait_until(lambda: not missing(), limit=60)
    assert missing() == []
    request = next(span for span in collector.trace(trace) if span.name == "POST /engagements")
    assert request.parent == root


def test_only_sampled_requests_are_traced(collector: Collector, api: ApiClient) -> None:
    before = len(collector.spans())
    assert api.request("GET", "gateway", "/portfolio").status_code == 200
    assert not any(span.name == "GET /portfolio" for span in collector.spans()[before:])
