"""Work items over HTTP: open and confidential ones apart, overdue by the day of the reader."""

from datetime import date

from chassis.runtime.service import create_app
from contracts.roles import Role
from delivery.service import ENGAGEMENT
from delivery.service import SERVICE as DELIVERY
from finance.service import ENGAGEMENT as ACCOUNT
from finance.service import SERVICE as FINANCE
from tests.component.sample_app import settings
from tests.in_process_service import Served
from tests.unit.delivery.builders import ID, OPENED, PEOPLE, SOW, SOW_SIGNED, WON
from tests.unit.finance import builders as finance

ENGAGEMENTS = f"/engagements/{ID}"


def delivery(on: date) -> Served:
    return Served(DELIVERY, ENGAGEMENT, records=PEOPLE, on=on)


async def test_an_engagement_shows_what_waits_the_oldest_first() -> None:
    served = await delivery(date(2026, 4, 12)).consume(OPENED, WON, SOW, SOW_SIGNED)
    read = await served.request(ENGAGEMENTS, roles=("engagement-manager",))
    work = read.json()["work"]
    assert [each["since"] for each in work] == sorted(each["since"] for each in work)
    (kickoff,) = (each for each in work if each["code"] == "kickoff-not-held")
    assert kickoff == {
        "code": "kickoff-not-held",
        "about": "kickoff",
        "sentence": "the contract was signed on 2026-03-20, and no kickoff was held",
        "owed_by": {"department": "delivery", "role": "engagement-manager", "person": None},
        "not_by": [],
        "owed_to": {"department": "customer", "role": None, "person": None},
        "since": "2026-03-20",
        "due": None,
        "overdue": False,
        "blocks": ["go-live"],
        "command": {
            "department": "delivery",
            "name": "hold-kickoff",
            "stream": "engagement",
            "role": "engagement-manager",
        },
    }


async def test_an_item_is_overdue_after_its_day_and_then_the_etag_does_not_say_unchanged() -> None:
    roles: tuple[Role, ...] = ("engagement-manager",)
    issue = {"item": "I-1", "title": "No access", "severity": "high", "owner": "dev"}
    for on, overdue in ((date(2026, 4, 12), False), (date(2026, 4, 13), True)):
        served = await delivery(on).consume(OPENED)
        body = issue | {"due_on": "2026-04-12"}
        raised = await served.request(f"{ENGAGEMENTS}/raise-issue", body, roles=roles)
        assert raised.status_code == 200, raised.text
        read = await served.request(ENGAGEMENTS, roles=roles)
        (item,) = (each for each in read.json()["work"] if each["code"] == "issue-open")
        assert item["overdue"] is overdue
        etag = read.headers["ETag"]
        again = await served.request(ENGAGEMENTS, roles=roles, If_None_Match=etag)
        assert again.status_code == (200 if overdue else 304)


async def test_items_that_follow_from_costs_are_for_the_role_confidential_only() -> None:
    served = Served(FINANCE, ACCOUNT, records=(finance.CARD,), on=finance.SIGNED)
    await served.consume(
        finance.OPENED, finance.ESTIMATE, finance.WON, finance.HOURLY_SOW, finance.SOW_SIGNED
    )
    accountant = await served.request(ENGAGEMENTS, roles=("project-accountant",))
    assert "confidential_work" not in accountant.json()
    assert "cost" not in accountant.text.partition('"work"')[2].partition('"confidential')[0]
    both = await served.request(ENGAGEMENTS, roles=("project-accountant", "confidential"))
    assert both.json()["work"] == accountant.json()["work"]
    assert [each["code"] for each in both.json()["confidential_work"]] == ["cost-unknown"]


async def test_the_openapi_document_describes_the_items_and_their_codes() -> None:
    described = ((DELIVERY, ("EngagementView", "TimesheetView")), (FINANCE, ("EngagementView",)))
    for service, views in described:
        schemas = create_app(service, settings()).openapi()["components"]["schemas"]
        for view in views:
            assert schemas[view]["properties"]["work"]["items"]["$ref"].endswith("/WorkItemView")
        item = schemas["WorkItemView"]
        assert "time-waiting" in item["properties"]["code"]["x-codes"]
        assert "overdue after its `due` day" in " ".join(item["description"].split())
