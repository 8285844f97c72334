"""Test the pages in a browser, on an in-process gateway: read, sign in, waive, live updates."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from chassis.web.auth import LEEWAY
from contracts import delivery
from gateway.pages import live_updates
from tests.browser.conftest import Site, served
from tests.builders import Life
from tests.in_process_gateway import TODAY, InMemory, app_of, token
from tests.portfolio_builder import company, green_in_the_red, late, named, retold
from tests.weeks import rejected, submitted

NEXT_MONTH = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERA = token("vera", "vp-engagement-management", "executive", "confidential")
LATE = named(1)
PLACES = (
    "/",
    "/pages/engagements",
    "/pages/disconnects",
    f"/pages/engagements/{LATE}",
    f"/pages/engagements/{named(3)}",
    "/pages/engagements/E-0000000000099",
)
OVERFLOWING = """
    document.querySelectorAll('.reports .rag').forEach(each => each.firstChild.data = '128');
    [...document.querySelectorAll('.figures > div')]
        .filter(each => each.scrollWidth > each.clientWidth).map(each => each.innerText)
"""
"""Figures that are wider than their column, in a portfolio of some hundred engagements."""
SCRIPT = "<script>document.title = 'taken over'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def gateway() -> InMemory:
    return InMemory(*company())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(gateway: InMemory) -> AsyncIterator[Site]:
    async with served(app_of(gateway)) as site:
        yield site


async def signed_in(page: Page, site: Site, path: str = "/", by: str = VERA) -> None:
    await page.context.add_cookies(
        [{"name": "concord", "value": by, "url": site.url, "httpOnly": True, "sameSite": "Strict"}]
    )
    await page.goto(site.url + path)


async def other_site(page: Page, body: str) -> None:
    """Open a page of another site, also on this machine."""
    address = "http://localhost:9/"
    await page.route(address, lambda route: route.fulfill(content_type="text/html", body=body))
    await page.goto(address)


# ---- reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_pages_are_accessible_and_fit_the_window(
    browser: Browser, site: Site, place: str, scheme: str, width: int
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    try:
        page = await context.new_page()
        await signed_in(page, site, place)
        found = await Axe().run(page, options={"resultTypes": ["violations"]})
        beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        over = await page.evaluate(OVERFLOWING)
    finally:
        await context.close()

    assert found.violations_count == 0, found.generate_report()
    assert beyond <= 0
    assert over == [], "a figure overlaps the next"


async def test_very_long_texts_fit_the_window(browser: Browser) -> None:
    word = "Verantwortungsbewusstsein" * 8
    life = late(Life(LATE).worked())
    life.say(106, delivery.RaidItemClosed(item="R" * 64, resolution=word * 5, closed_on=TODAY))
    events = retold(life.events, title=word[:200], account="A" * 64, factor=10_000)
    async with served(app_of(InMemory(*events))) as site:
        context = await browser.new_context(viewport={"width": 390, "height": 844})
        page = await context.new_page()
        await signed_in(page, site)
        for place in PLACES[:4]:
            await page.goto(site.url + place)
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, place
        await context.close()


async def test_the_sign_in_page_is_accessible(page: Page, site: Site) -> None:
    await page.goto(site.url)

    found = await Axe().run(page)

    assert found.violations_count == 0, found.generate_report()


async def test_the_keyboard_reaches_everything_in_order(page: Page, site: Site) -> None:
    await signed_in(page, site)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Opportunity 1")).to_be_focused()

    await page.get_by_role("link", name="Warehouse control, phase two").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Warehouse control, phase two")


async def test_the_portfolio_leads_to_an_engagement_and_its_evidence(
    page: Page, site: Site
) -> None:
    await signed_in(page, site)
    attention = page.get_by_role("region", name="What needs attention")
    row = attention.get_by_role("row", name="Warehouse control")
    await expect(row).to_contain_text("21 days later")
    await expect(row).to_contain_text("300,000 EUR")
    await row.get_by_role("link", name="Warehouse control").click()

    case = page.get_by_role("article", name="Promised before forecast")
    await expect(case).to_contain_text("not yet Legal 5")
    await case.get_by_role("link", name="Sales 6").first.click()
    assert page.url.endswith("?events=all#sales-6")
    await expect(page.locator("#sales-6")).to_be_in_viewport()
    await expect(page.locator("#sales-6")).to_contain_text("Deal won on proposal 1")


async def test_margins_are_hidden_without_the_role(page: Page, site: Site) -> None:
    await signed_in(page, site, by=token("ann", "account-executive"))

    await expect(page.get_by_role("table", name="The portfolio in each currency")).to_be_visible()
    assert "argin" not in await page.inner_text("body")
    await page.goto(f"{site.url}/pages/engagements/{LATE}")
    await expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    assert "argin" not in await page.inner_text("body")
    await expect(page.get_by_text("Waive this disconnect")).to_have_count(0)


# ---- signing in ------------------------------------------------------------------------------


async def test_a_link_with_a_token_fills_it_in_and_leaves_no_token_behind(
    page: Page, site: Site
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    await page.goto(f"{site.url}/pages/engagements/{LATE}#token={VERA}")
    enter = page.get_by_role("button", name="Sign in as vera")
    await expect(enter).to_be_visible()
    assert await page.context.cookies() == []
    await enter.click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Warehouse control, phase two")
    assert page.url == f"{site.url}/pages/engagements/{LATE}"
    assert not [url for url in asked if VERA in url]
    assert VERA not in await page.evaluate("document.cookie")
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    await page.go_back()
    assert VERA not in page.url


async def test_a_link_with_a_token_does_not_replace_a_session(page: Page, site: Site) -> None:
    await signed_in(page, site, by=token("ann", "account-executive"))
    before = await page.context.cookies()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))

    await page.goto(f"{site.url}/pages/disconnects#token={VERA}")

    await expect(page.get_by_role("status")).to_have_text("Live")
    await expect(page.get_by_role("banner")).to_contain_text("Ann Archer")
    assert page.url == f"{site.url}/pages/disconnects"
    assert not [each for each in sent if not each.startswith("GET ")]
    assert await page.context.cookies() == before


async def test_a_person_signs_in_by_hand_and_out_again(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/pages/disconnects")
    await page.get_by_label("Access token").fill("nonsense")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text(
        "Sign-in failed: the token cannot be read."
    )

    await page.get_by_label("Access token").fill(VERA)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Disconnects")
    assert page.url == f"{site.url}/pages/disconnects"

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.go_back()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_a_link_on_another_site_keeps_the_session(page: Page, site: Site) -> None:
    await signed_in(page, site)
    await other_site(page, f'<a href="{site.url}/pages/disconnects">Look</a>')

    await page.get_by_role("link", name="Look").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Disconnects")


async def test_a_form_on_another_site_cannot_waive(page: Page, site: Site) -> None:
    await signed_in(page, site)
    target = f"{site.url}/pages/engagements/{LATE}/waive"
    await other_site(
        page,
        f'<form method="post" action="{target}"><input name="why" value="x">'
        '<input name="finding" value="promised-finish-before-forecast"><button>Go</button>',
    )
    async with page.expect_response(target) as refused:
        await page.get_by_role("button").click()
    assert (await refused.value).status == 401, "the browser does not send the cookie"
    await page.wait_for_load_state()

    await page.goto(f"{site.url}/pages/disconnects?waived=true")
    await expect(page.get_by_text("None.")).to_be_visible()


async def test_when_the_token_runs_out_the_page_asks_to_sign_in(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_updates, "HEARTBEAT", 0.2)
    valid = timedelta(hours=1, seconds=10) - LEEWAY  # so it is accepted for ten more seconds
    short = token("vera", "executive", ago=timedelta(hours=1), hours=valid / timedelta(hours=1))
    await signed_in(page, site, by=short)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Portfolio")

    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await expect(page.get_by_role("alert")).to_contain_text("Your sign-in has expired")


# ---- live ------------------------------------------------------------------------------------


async def test_changes_appear_without_a_reload_and_keep_the_focus(
    page: Page, context: BrowserContext
) -> None:
    gateway = InMemory(*company())
    async with served(app_of(gateway)) as site:
        await signed_in(page, site, f"/pages/engagements/{LATE}")
        await expect(page.get_by_role("status")).to_have_text("Live")
        await page.evaluate("window.unchanged = true")
        case = page.get_by_role("article", name="Promised before forecast")
        await case.get_by_text("Waive this disconnect").click()
        reason = case.get_by_label("Reason for the waiver")
        await reason.fill("Because the customer")

        life = late(Life(LATE).worked())
        news = life.say(106, rejected(submitted("T-9", life.week(9), 8), SCRIPT)).events[-1]
        gateway.handle_events([news])

        row = page.get_by_role("row", name="not approved")
        await expect(row).to_contain_text(SCRIPT)
        await expect(reason).to_be_focused()
        await expect(reason).to_have_value("Because the customer")
        assert await page.evaluate("window.unchanged")
        assert "taken over" not in await page.title()

        await page.goto(site.url)
        await expect(page.get_by_role("link", name="Delivering 5")).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("Live")
        await page.evaluate("window.unchanged = true")
        gateway.handle_events(retold(Life(named(40)).worked().events, title=SCRIPT))
        await expect(page.get_by_role("link", name="Delivering 6")).to_be_visible()
        await page.goto(site.url + "/pages/engagements?sort=-updated")
        await expect(page.get_by_role("link", name=SCRIPT)).to_be_visible()


async def test_rows_keep_their_place_and_focus_when_others_come_and_go(page: Page) -> None:
    gateway = InMemory(*company())
    async with served(app_of(gateway)) as site:
        await signed_in(page, site)
        await expect(page.get_by_role("status")).to_have_text("Live")
        link = page.locator(f"#a-{named(7)} a").first
        await link.focus()
        await page.evaluate(f"document.getElementById('a-{named(7)}').mark = 'the same row'")

        gateway.handle_events(green_in_the_red(Life(named(50))).events)

        await expect(page.locator(f"#a-{named(50)}")).to_be_visible()
        await expect(link).to_be_focused()
        assert (
            await page.evaluate(f"document.getElementById('a-{named(7)}').mark") == "the same row"
        )
        shown = await page.locator("#attention + .body tbody tr").evaluate_all(
            "rows => rows.map(row => row.id)"
        )
        await page.reload()
        assert shown == await page.locator("#attention + .body tbody tr").evaluate_all(
            "rows => rows.map(row => row.id)"
        )


async def test_the_page_shows_when_it_is_offline_and_catches_up(page: Page) -> None:
    gateway = InMemory(*company())
    async with served(app_of(gateway)) as site:
        await signed_in(page, site)
        await expect(page.get_by_role("status")).to_have_text("Live")
        await page.evaluate("window.unchanged = true")

        await site.stop()
        await expect(page.get_by_role("status")).to_have_text("Not live; trying again")
        gateway.handle_events(late(Life(named(60)).worked()).events)
        await site.start()

        await expect(page.get_by_role("status")).to_have_text("Live")
        await expect(page.get_by_role("link", name="Delivering 6")).to_be_visible()
        assert await page.evaluate("window.unchanged")


# ---- waiving ---------------------------------------------------------------------------------


async def test_a_disconnect_is_waived_with_a_reason(page: Page) -> None:
    gateway = InMemory(*company())
    async with served(app_of(gateway)) as site:
        await signed_in(page, site, f"/pages/engagements/{LATE}")
        case = page.get_by_role("article", name="Promised before forecast")
        await case.get_by_text("Waive this disconnect").click()
        await case.get_by_role("button", name="Waive with this reason").click()
        assert page.url.endswith(LATE), "a waiver without a reason is not sent"
        await case.get_by_label("Reason for the waiver").fill("Agreed with the customer.")
        await case.get_by_role("button", name="Waive with this reason").click()
        assert page.url.endswith(LATE), "a waiver without a last day is not sent"
        await case.get_by_label("Last day of the waiver").fill(NEXT_MONTH)
        await case.get_by_role("button", name="Waive with this reason").click()

        await expect(case).to_contain_text("Waived by Vera Voss")
        await expect(case).to_contain_text("“Agreed with the customer.”")
        await expect(case).to_be_in_viewport()
        await page.get_by_role("link", name="Portfolio").click()
        await expect(page.get_by_role("link", name="1 waived")).to_be_visible()
        await expect(page.locator("main")).not_to_contain_text("21 days later")
