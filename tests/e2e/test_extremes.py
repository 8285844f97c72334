"""Test that commands with extreme values leave every service readable, accepted or refused."""

from time import monotonic
from typing import Any

import pytest

from local.demo.reference_data import CUSTOMERS, TEMPLATE
from sales.accounts.names import account_id
from tests.e2e.conftest import ApiClient
from tests.e2e.scenarios import TODAY

pytestmark = pytest.mark.usefixtures("access")

ACCOUNT = account_id(CUSTOMERS[0].name)
OPENING: dict[str, Any] = {
    "account": ACCOUNT,
    "title": "More than anybody sells",
    "expected_value": {"amount": "99999999999999.99", "currency": "EUR"},
    "expected_close": "2999-12-31",
    "owner": "ann",
}
LINE = {"phase": "Build", "role": "engineer", "hours": 1_000_000}
MANAGING = {**LINE, "kind": "project-management"}


def command(api: ApiClient, service: str, path: str, body: Any, key: str, after: str = "") -> Any:
    """Return the answer to a command that waits for the events that its actor knows of."""
    prefer = "return=representation, wait=25"
    headers = {"Idempotency-Key": key, "Prefer": prefer, "Concord-After": after}
    return api.request("POST", service, path, by="everybody", body=body, headers=headers)


def opened(api: ApiClient, key: str) -> tuple[str, str]:
    """Open an opportunity and request an estimate; return its id and Sales' position."""
    answer = command(api, "sales", "/engagements", OPENING, key)
    assert answer.status_code == 201, answer.text
    engagement = answer.json()["id"]
    wanted = {
        "scope_summary": "Everything.",
        "deliverables": [{"deliverable": "all", "title": "All"}],
    }
    path = f"/engagements/{engagement}/request-estimate"
    answer = command(api, "sales", path, wanted, f"{key}-wanted")
    assert answer.status_code == 200, answer.text
    return engagement, answer.headers["Concord-Position"]


def test_the_largest_estimate_leaves_an_engagement_that_can_be_read(api: ApiClient) -> None:
    engagement, known = opened(api, "extreme-estimate")
    estimate = {
        "template": TEMPLATE,
        "lines": [*[LINE] * 499, MANAGING],
        "contingency": 100,
        "duration_days": 10_000,
    }
    path = f"/engagements/{engagement}/submit-estimate"
    answer = command(api, "delivery", path, estimate, "extreme-lines", known)
    assert answer.status_code == 200, answer.text
    assert float(answer.json()["state"]["estimates"][0]["hours"]) == 500_000_000

    headers = {"Concord-After": answer.headers["Concord-Position"], "Prefer": "wait=25"}
    for service in ("sales", "delivery", "finance", "gateway"):
        seen = api.request(
            "GET", service, f"/engagements/{engagement}", by="everybody", headers=headers
        )
        assert seen.status_code == 200, f"{service}: {seen.text}"
    assert api.get("gateway", f"/engagements/{engagement}")["delivery"]["estimates"]
    assert api.get("finance", f"/engagements/{engagement}", by="everybody")["estimates"]

    tier = {"tier": "critical", "reason": "It is large."}
    path = f"/engagements/{engagement}/choose-tier"
    answer = command(api, "delivery", path, tier, "extreme-tier")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("month", ["0000-01", "1969-12", "3000-01", "9999-12"])
def test_a_month_that_no_calendar_of_a_contract_has_is_refused_with_the_range(
    api: ApiClient, month: str
) -> None:
    path = "/engagements/E-0000000000000/bill-time"
    answer = command(api, "finance", path, {"month": month}, f"extreme-{month}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "month"
    assert "from 1970-01 to 2999-12" in answer.json()["detail"]


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "3000-01-01", "9999-12-31"])
def test_a_day_beyond_the_calendar_is_refused_with_the_range(api: ApiClient, day: str) -> None:
    late = {**OPENING, "expected_close": day}
    answer = command(api, "sales", "/engagements", late, f"extreme-{day}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "expected_close"
    assert "from 1970-01-01 to 2999-12-31" in answer.json()["detail"]


def test_a_scale_that_makes_lines_too_large_is_refused(api: ApiClient) -> None:
    template = {
        "name": f"Large work of {TODAY}",
        "estimate": [LINE, MANAGING],
        "phases": [
            {
                "phase": "Build",
                "duration_share": 100,
                "tasks": [{"title": "Build", "role": "engineer", "share": 100}],
            }
        ],
    }
    path = "/templates/large-work/publish-template"
    answer = command(api, "delivery", path, template, "extreme-template")
    assert answer.status_code == 200, answer.text
    engagement, known = opened(api, "extreme-scale")
    estimate = {"template": "large-work", "scale": 2, "duration_days": 1}
    path = f"/engagements/{engagement}/submit-estimate"
    headers = {"Concord-After": known, "Prefer": "wait=1"}
    ends = monotonic() + 60
    while (answer := refused(api, path, estimate, headers)) == "template-unknown":
        assert monotonic() < ends, "the template was not processed"
    assert answer == "hours-beyond-limit"


def refused(api: ApiClient, path: str, estimate: Any, headers: dict[str, str]) -> str:
    """Return the code with which the estimate is refused."""
    headers = {**headers, "Idempotency-Key": "extreme-scaled"}
    answer = api.request("POST", "delivery", path, by="everybody", body=estimate, headers=headers)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])
