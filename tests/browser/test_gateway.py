"""Test the pages of a running gateway, with a real Kafka, store and browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from chassis.kafka.topics import create_topics
from chassis.runtime.service import create_app
from contracts.event import Event, Recorded
from contracts.reference import AccountPublished, PersonPublished
from gateway.service import SERVICE
from tests.browser.conftest import served
from tests.builders import Life
from tests.component.consumer_harness import Topics, topics
from tests.component.sample_app import healthy, settings_at, token, until
from tests.infrastructure import KafkaServer, StoreServer, unique_name
from tests.portfolio_builder import late, named, retold
from tests.weeks import rejected, submitted

NEXT_MONTH = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEGINS = datetime.now(UTC).date() - timedelta(days=110)
LATE, NEW = named(1), named(2)
SCRIPT = "<script>document.title = 'taken over'</script>"


@dataclass
class World:
    """The gateway's address, and a publisher on the topics."""

    url: str
    topics: Topics


def reference(subject: str, event: Event) -> Recorded[Event]:
    now = datetime.now(UTC)
    return Recorded(f"r-{subject}", subject, 1, event, "ann", "test", now, now, {})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(kafka: KafkaServer, store: StoreServer) -> AsyncIterator[World]:
    name = unique_name("pages")
    await create_topics(kafka.bootstrap, name)
    given = settings_at(kafka, store, name)
    async with topics(kafka.bootstrap, name) as speaking:
        await speaking.say(
            reference(
                "vera", PersonPublished(person="vera", name="Vera Voss", department="executive")
            ),
            reference("acme", AccountPublished(account="acme", name="Acme Logistics")),
            *retold(late(Life(LATE, BEGINS).worked()).events, title="Warehouse control"),
        )
        async with (
            served(create_app(SERVICE, given)) as site,
            httpx.AsyncClient(base_url=site.url) as client,
        ):
            await until(lambda: healthy(client))
            yield World(site.url, speaking)


async def signed_in(page: Page, world: World) -> None:
    header = token("vera", "vp-engagement-management", "confidential")["Authorization"]
    await page.goto(f"{world.url}/#token={header.removeprefix('Bearer ')}")
    await page.get_by_role("button", name="Sign in as vera").click()


async def test_events_appear_on_the_page_without_a_reload(page: Page, world: World) -> None:
    await signed_in(page, world)
    row = page.get_by_role("region", name="What needs attention").get_by_role("row")
    await expect(row.filter(has_text="Warehouse control")).to_contain_text("21 days later")
    await expect(row.filter(has_text="Warehouse control")).to_contain_text("Acme Logistics")
    await expect(page.get_by_role("status")).to_have_text("Live")
    await page.evaluate("window.unchanged = true")

    await world.topics.say(*retold(Life(NEW, BEGINS).opened().events, title=SCRIPT))

    await expect(page.get_by_role("link", name="Opportunity 1")).to_be_visible()
    assert await page.evaluate("window.unchanged")
    await page.get_by_role("link", name="Opportunity 1").click()
    await page.get_by_role("link", name=SCRIPT).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    assert await page.title() == f"{SCRIPT} · Concord"


async def test_an_engagement_stays_live_and_its_disconnect_is_waived(
    page: Page, world: World
) -> None:
    await signed_in(page, world)
    await page.get_by_role("link", name="Warehouse control").first.click()
    await expect(page.get_by_role("status")).to_have_text("Live")
    case = page.get_by_role("article", name="Promised before forecast")
    await expect(case).to_contain_text("not yet Legal 5")
    await expect(page.get_by_role("table", name="The margins")).to_contain_text("30%")

    life = late(Life(LATE, BEGINS).worked())
    life.say(106, rejected(submitted("T-9", life.week(9), 8), "Entered twice."))
    await world.topics.say(life.events[-1])
    await expect(page.get_by_role("row", name="not approved")).to_be_visible()

    await expect(page.get_by_role("row", name="Disconnect detected: The customer")).to_be_visible()
    await case.get_by_text("Waive this disconnect").click()
    await case.get_by_label("Reason for the waiver").fill("Agreed with the customer.")
    await case.get_by_label("Last day of the waiver").fill(NEXT_MONTH)
    await case.get_by_role("button", name="Waive with this reason").click()
    await expect(case).to_contain_text("Waived by Vera Voss")
    await expect(page.get_by_role("row", name="Vera Voss waived")).to_be_visible()
