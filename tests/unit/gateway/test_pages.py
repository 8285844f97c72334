import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import jwt
import pytest

from chassis.domain.stream import PassedOver
from chassis.web.auth import Caller, Tokens
from chassis.web.problems import Problem
from contracts import finance
from contracts.values import Margin
from gateway import api
from gateway.pages import live_updates
from gateway.pages.routes import age_notice
from gateway.projection.projector import ViewChange
from gateway.view.waiting import Waits
from testkit.scenario import RecordsOf
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life
from tests.in_process_gateway import (
    ACCOUNTS,
    PEOPLE,
    SETTINGS,
    TODAY,
    InMemory,
    api_of,
    app_of,
    token,
)
from tests.portfolio_builder import company, green_in_the_red, late, named, retold
from tests.unit.finance.builders import exchange
from tests.unit.gateway.test_disconnects import margin_measured, measured
from tests.unit.imported import IMPORTED
from tests.weeks import rejected, submitted

HOST = "http://127.0.0.1"
LATE = named(1)
CONFIDENTIAL = named(3)
VERA = token("vera", "vp-engagement-management", "executive", "confidential")
ANN = token("ann", "account-executive")
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def company_events() -> InMemory:
    return InMemory(*company())


def browser(
    gateway: InMemory, signed_in: str | None = VERA, as_of: datetime | None = None
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app_of(gateway, as_of)),
        base_url=HOST,
        cookies={"concord": signed_in} if signed_in else None,
    )


FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


def text_of(page: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


# ---- content ---------------------------------------------------------------------------------


async def test_the_portfolio_shows_figures_attention_and_disconnects(
    company_events: InMemory,
) -> None:
    async with browser(company_events) as vera:
        page = await vera.get("/")

    text = text_of(page)
    assert page.status_code == 200
    assert "11 engagements, 9 under way." in text
    assert "Warehouse control, phase two" in text
    assert "Delivery now forecasts 25 June 2026, 21 days later." in text
    assert "Sold, not yet recognised 700,000 0 1,200,000" in text
    assert "Margin confidential Sold 30% – 30%" in text  # noqa: RUF001 - an en dash


async def test_the_portfolio_is_shown_in_one_currency_with_each_original_and_its_rate() -> None:
    gateway = InMemory(*company())
    rates = [
        exchange("1.25", date(2026, 1, 2)),
        exchange("2", date(2026, 2, 2)),
        exchange("1.2", date(2024, 1, 2), base="GBP", quote="EUR"),
    ]
    gateway.records = RecordsOf([*PEOPLE, *ACCOUNTS, *rates])
    async with browser(gateway) as vera:
        plain = await vera.get("/")
        shown = await vera.get("/?currency=EUR&on=2026-01-31")
        unknown = await vera.get("/?currency=XXX")
    assert "All amounts in" not in text_of(plain)
    text = text_of(shown)
    assert "All amounts in EUR, at the exchange rates of 31 January 2026" in text
    assert (
        "Backlog 1,660,000 700,000 EUR and 1,200,000 USD at EUR-USD-2026-01-02 (version 1)" in text
    )
    assert "Not known: the exchange rate GBP to EUR on 2026-01-31 is missing; Finance owes" in text
    assert "Sold, not yet recognised 700,000 0 1,200,000" in text
    assert unknown.status_code == 404  # as every parameter of a page that cannot be read


async def test_costs_and_margins_are_shown_only_to_readers_with_the_role(
    company_events: InMemory,
) -> None:
    async with browser(company_events, ANN) as ann:
        places = (
            "/",
            "/pages/disconnects",
            "/pages/engagements",
            f"/pages/engagements/{CONFIDENTIAL}",
        )
        pages = [await ann.get(place) for place in places]
        full = await ann.get(f"/pages/engagements/{CONFIDENTIAL}?events=all")

    for page in [*pages, full]:
        assert page.status_code == 200
        text = text_of(page).lower()
        for word in ("margin", "confidential", "cpi", "cost accrued", "12.0%", "30%"):
            assert word not in text, f"{word} on {page.url}"


async def test_an_engagement_shows_departments_margins_proof_and_timeline(
    company_events: InMemory,
) -> None:
    async with browser(company_events) as vera:
        page = await vera.get(f"/pages/engagements/{LATE}")

    text = text_of(page)
    assert "Promised finish 4 Jun 2026 as contracted" in text
    assert "Forecast finish 25 Jun 2026 21 days late" in text
    assert "not yet Legal 5" in text
    assert "Sold 300,000 EUR 210,000 EUR 30%" in text
    assert [
        name for name in ("Sales", "Legal", "Delivery", "Finance", "Gateway") if name not in text
    ] == []
    assert "Status report 9: scope green, schedule green, cost amber" in text
    assert "The latest 60 of" in text


async def test_a_forecast_has_its_day_and_the_trend_beside_it() -> None:
    life = Life().worked(8)
    whole = measured(life, "0.78", "0.80").model_copy(
        update={"estimate_at_completion_by_trend": eur(89_688)}
    )
    build = finance.PhasePerformance(
        phase="Build", **{name: getattr(whole, name) for name in finance.EarnedValue.model_fields}
    )
    trend = Margin(revenue=eur(100_000), cost=eur(89_688), margin=Decimal("0.10312"))
    margins = margin_measured(life, "36").model_copy(
        update={"report": 1, "forecast_on": life.day(90), "margin_by_trend": trend}
    )
    life.say(95, whole.model_copy(update={"phases": (build,)}), margins)
    async with browser(InMemory(*life.events)) as vera:
        text = text_of(await vera.get(f"/pages/engagements/{ENGAGEMENT}"))
    assert "Forecast of 5 April 2026 100,000 EUR 64,000 EUR 36%" in text
    assert "By trend 100,000 EUR 89,688 EUR 10.3%" in text
    assert "Build 70,000 EUR 40,000 EUR 32,000 EUR 41,000 EUR 0.78 0.80" in text


async def test_the_chosen_forecast_says_who_chose_it_and_why_beside_the_trend() -> None:
    life = Life().worked(8)
    chosen = finance.MeasuredChoice(method="as-planned", reason="Learnt now.", chosen_by="mara")
    whole = measured(life, "0.78", "0.80").model_copy(
        update={
            "forecast_choice": chosen,
            "estimate_at_completion": eur(79_000),
            "estimate_at_completion_by_trend": eur(89_688),
        }
    )
    unknown = whole.model_copy(update={"estimate_at_completion": None})
    usual = whole.model_copy(update={"forecast_choice": None})
    told = "AC + (BAC − EV), chosen by mara: “Learnt now.” By trend 89,688 EUR"  # noqa: RUF001
    for event, text in (
        (whole, f"Estimate at completion 79,000 EUR by {told}"),
        (unknown, f"Estimate at completion – by {told}"),  # noqa: RUF001
        (usual, "Estimate at completion 79,000 EUR by AC + ETC By trend 89,688 EUR"),
    ):
        shown = Life().worked(8)
        shown.say(95, event, margin_measured(shown, "36"))
        async with browser(InMemory(*shown.events)) as vera:
            assert text in text_of(await vera.get(f"/pages/engagements/{ENGAGEMENT}"))


async def test_imported_history_is_a_list_of_its_own() -> None:
    gateway = InMemory(*Life().say(1, IMPORTED).events)
    async with browser(gateway) as vera:
        usual = await vera.get("/pages/engagements")
        history = await vera.get("/pages/engagements?history=true")
        portfolio = await vera.get("/")
        both = await vera.get("/pages/engagements?history=both")
    assert "Engagements and imported history, all stages" in text_of(both)
    assert "Order desk" in text_of(both)
    assert "Order desk" not in text_of(usual)
    assert "Imported history, all stages" in text_of(history)
    assert "Order desk" in text_of(history)
    assert "no other figure: 1 deal of a CRM : 0 open, 1 won, 0 lost." in text_of(portfolio)
    assert "0 engagements, 0 under way" in text_of(portfolio)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", {"Portal for Acme"}),
        ("?history=false", {"Portal for Acme"}),
        ("?history=true", {"Order desk"}),
        ("?history=both", {"Portal for Acme", "Order desk"}),
        ("?stage=closed", set()),
    ],
)
async def test_the_list_of_engagements_is_without_imported_history_unless_asked(
    monkeypatch: pytest.MonkeyPatch, query: str, titles: set[str]
) -> None:
    old = [replace(each, subject="E-OLD") for each in Life().say(1, IMPORTED).events]
    gateway = InMemory(*Life().signed().events, *old)
    monkeypatch.setattr(api, "get_queries", lambda _: gateway)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=api_of()),
        base_url=HOST,
        headers={"Authorization": f"Bearer {VERA}"},
    ) as vera:
        listed = (await vera.get(f"/engagements{query}")).json()["items"]
    assert {each["title"] for each in listed} == titles


async def test_the_page_of_an_imported_deal_shows_when_it_was_opened_and_won_in_the_crm() -> None:
    shown: dict[date | None, str] = {}
    for opened_on in (IMPORTED.opened_on, None):
        deal = IMPORTED.model_copy(update={"opened_on": opened_on})
        async with browser(InMemory(*Life().say(1, deal).events)) as vera:
            shown[opened_on] = text_of(await vera.get(f"/pages/engagements/{ENGAGEMENT}"))
    assert "Opportunity 1 Oct 2025" in shown[IMPORTED.opened_on]
    assert "Opportunity day unknown" in shown[None]
    assert "Won 1 Dec 2025, in crm" in shown[None]


async def test_the_page_of_an_engagement_that_waits_shows_the_reason() -> None:
    since = datetime(2026, 6, 1, 10, 44, tzinfo=UTC)
    gateway = InMemory(*Life().signed().events)
    waits = Waits(
        state="parked", since=since, code="gap", channel="finance.confidential", why="finance 3"
    )
    gateway.wait(ENGAGEMENT, waits, PassedOver("sales", 2, 4, "olga", "Lost.", since))
    async with browser(gateway) as vera, browser(gateway, ANN) as ann:
        full = await vera.get(f"/pages/engagements/{ENGAGEMENT}")
        restricted = await ann.get(f"/pages/engagements/{ENGAGEMENT}")
        listed = await ann.get("/pages/engagements")

    text = text_of(full)
    assert "Since 1 Jun 2026, 10:44 UTC an event of finance.confidential could not be" in text
    assert "Reason: finance 3." in text
    assert "Events 2 to 4 of sales are missing here. olga decided" in text
    assert "Since 1 Jun 2026, 10:44 UTC an event could not be processed" in text_of(restricted)
    assert "finance 3" not in text_of(restricted)
    assert "incomplete: parked" in text_of(listed)


async def test_the_timeline_can_be_shown_in_full_or_for_one_department(
    company_events: InMemory,
) -> None:
    async with browser(company_events) as vera:
        everything = await vera.get(f"/pages/engagements/{LATE}?events=all")
        legal = await vera.get(f"/pages/engagements/{LATE}?said=legal")

    assert "Opportunity opened with Acme Logistics" in text_of(everything)
    assert legal.text.count('<tr role="row" id="legal-') == 5
    assert 'id="sales-1"' not in legal.text
    # Events in a position are linked to, on this page or on the one that shows them.
    for page in (everything, legal):
        for anchor in re.findall(r'href="#([a-z-]+-\d+)"', page.text):
            assert f'id="{anchor}"' in page.text


async def test_lists_are_filtered_and_paged(company_events: InMemory) -> None:
    events = [
        recorded
        for number in range(1, 61)
        for recorded in retold(
            Life().opened().events, engagement=named(number), title=f"No {number}"
        )
    ]
    async with browser(company_events) as vera, browser(InMemory(*events)) as other:
        delivering = await vera.get("/pages/engagements?stage=delivering&sort=title")
        open_ones = await vera.get("/pages/disconnects")
        finance = await vera.get("/pages/disconnects?owner=finance")
        first = await other.get("/pages/engagements?sort=title")
        onward = re.search(r'rel="next" href="([^"]+)"', first.text)
        assert onward
        second = await other.get("/pages/engagements" + onward[1].replace("&amp;", "&"))
        wrong = await other.get("/pages/engagements?sort=title&cursor=nonsense")

    assert "Fleet telemetry" in delivering.text
    assert "Harbour app" not in delivering.text
    assert "Warehouse control, phase two Acme Logistics" in text_of(open_ones)
    assert "None." in finance.text
    assert (
        first.text.count('<tr role="row" id="e-'),
        second.text.count('<tr role="row" id="e-'),
    ) == (50, 10)
    assert (wrong.status_code, wrong.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "place", ["/", "/pages/engagements", "/pages/disconnects", "/pages/engagements/{}"]
)
async def test_text_from_people_is_never_markup(place: str) -> None:
    life = late(Life(named(1)).worked())
    life.say(106, rejected(submitted("T-1", life.week(9), 8), SCRIPT))
    events = retold(life.events, title=SCRIPT, account="birch")
    async with browser(InMemory(*events)) as vera:
        page = await vera.get(place.format(named(1)))

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page.text
    assert "<Shipping>" not in page.text


async def test_an_empty_portfolio_has_texts_for_it() -> None:
    async with browser(InMemory()) as vera:
        page = await vera.get("/")

    assert "0 engagements, 0 under way. There are no open disconnects." in text_of(page)
    assert "No engagement has a price yet." in page.text
    assert "Nothing needs attention." in page.text


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("/pages/engagements/E-0000000000099", 404),
        ("/pages/engagements/nonsense", 404),
        ("/pages/engagements?stage=nonsense", 404),
        ("/pages/disconnects?owner=nonsense", 404),
        ("/pages/static/../routes.py", 404),
        ("/pages/static/nonsense.css", 404),
    ],
)
async def test_a_missing_resource_is_answered_with_a_page(
    place: str, status: int, company_events: InMemory
) -> None:
    async with browser(company_events) as vera:
        page = await vera.get(place)

    assert page.status_code == status
    assert "Not found" in page.text or place.startswith("/pages/static/..")


async def test_no_inline_script_runs_and_nothing_is_loaded_from_other_sites(
    company_events: InMemory,
) -> None:
    async with browser(company_events) as vera:
        page = await vera.get(f"/pages/engagements/{LATE}")
        loaded = re.findall(r'(?:src|href)="(/pages/static/[^"]+)"', page.text)
        files = [await vera.get(name) for name in loaded]

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert not re.search(r"<script(?! type=\"module\" src=)", page.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert not re.search(r"\son[a-z]+=", page.text)
    assert [file.status_code for file in files] == [200, 200, 200]
    assert page.headers["cache-control"] == "no-store"
    assert "immutable" in files[0].headers["cache-control"]


# ---- sign-in and roles -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "/",
        "/pages/engagements",
        "/pages/disconnects",
        "/pages/live",
        f"/pages/engagements/{LATE}?events=all",
    ],
)
async def test_pages_require_a_sign_in(place: str, company_events: InMemory) -> None:
    async with browser(company_events, None) as stranger:
        page = await stranger.get(place)

    assert page.status_code == 401
    assert "Sign in" in page.text
    assert f'value="{place}"' in page.text
    assert "Warehouse" not in page.text


async def test_signing_in_sets_a_cookie_for_this_site_only_and_redirects(
    company_events: InMemory,
) -> None:
    async with browser(company_events, None) as vera:
        answer = await vera.post(
            "/sign-in",
            data={"token": f" {VERA} ", "next": f"/pages/engagements/{LATE}"},
            headers=FROM_HERE,
        )
        page = await vera.get(answer.headers["location"])
        out = await vera.post(
            "/sign-out", headers={**FROM_HERE, "Content-Type": "application/x-www-form-urlencoded"}
        )
        after = await vera.get("/")

    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie  # on this machine there is no TLS
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert (page.status_code, after.status_code) == (200, 401)


async def test_outside_this_machine_the_cookie_requires_tls(
    company_events: InMemory,
) -> None:
    transport = httpx.ASGITransport(app=app_of(company_events))
    async with httpx.AsyncClient(transport=transport, base_url="https://concord.example") as vera:
        answer = await vera.post("/sign-in", data={"token": VERA}, headers=FROM_HERE)

    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "Access token"),
        ("nonsense", "the token cannot be read"),
        (VERA[:-4] + "AAAA", "wrong signature"),
        (token("vera", "executive", ago=timedelta(days=2)), "has expired"),
    ],
)
async def test_an_invalid_token_is_refused_with_the_reason(
    given: str, why: str, company_events: InMemory
) -> None:
    async with browser(company_events, None) as stranger:
        page = await stranger.post("/sign-in", data={"token": given}, headers=FROM_HERE)

    assert page.status_code == 401
    assert why in page.text
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (Problem(403, "sign-in-unknown", "no person is on record with the account a.archer"), 401),
        (Problem(503, "issuer-away", "the keys of the issuer were not read yet"), 503),
    ],
)
async def test_a_valid_token_that_admits_no_person_now_is_answered_with_the_reason(
    problem: Problem, status: int, company_events: InMemory
) -> None:
    class NoOne(Tokens):
        async def caller(self, token: str) -> Caller:
            raise problem

    app = app_of(company_events)
    app.state.tokens = NoOne(SETTINGS)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as ann:
        page = await ann.post("/sign-in", data={"token": ANN}, headers=FROM_HERE)

    assert page.status_code == status
    assert problem.detail in page.text
    assert "set-cookie" not in page.headers


async def test_a_token_that_no_browser_keeps_is_refused(company_events: InMemory) -> None:
    assert SETTINGS.token_secret is not None
    read = jwt.decode(ANN, options={"verify_signature": False}) | {"groups": ["group"] * 1000}
    long = jwt.encode(read, SETTINGS.token_secret.get_secret_value())
    async with browser(company_events, None) as ann:
        page = await ann.post("/sign-in", data={"token": long}, headers=FROM_HERE)

    assert page.status_code == 401
    assert "a browser keeps 4000" in page.text


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", ""],
)
async def test_signing_in_redirects_only_to_this_site(
    elsewhere: str, company_events: InMemory
) -> None:
    async with browser(company_events, None) as vera:
        answer = await vera.post(
            "/sign-in", data={"token": VERA, "next": elsewhere}, headers=FROM_HERE
        )

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("roles", [("customer",), ("partner",), ("confidential",), ()])
async def test_a_caller_without_a_role_is_refused(
    roles: tuple[str, ...], company_events: InMemory
) -> None:
    async with browser(company_events, token("cleo", *roles)) as cleo:  # type: ignore[arg-type]
        page = await cleo.get("/")

    assert page.status_code == 403
    assert "cleo has no role that may read these pages" in page.text
    assert "Warehouse" not in page.text


async def test_a_link_on_another_site_is_requested_again_from_this_site(
    company_events: InMemory,
) -> None:
    async with browser(company_events, None) as stranger:
        page = await stranger.get("/", headers={"Sec-Fetch-Site": "cross-site"})
        form = await stranger.post(
            f"/pages/engagements/{LATE}/waive", headers={"Sec-Fetch-Site": "cross-site"}
        )

    assert form.status_code == 401
    assert "refresh" not in form.text
    assert '<meta http-equiv="refresh" content="0">' in page.text
    assert "Warehouse" not in page.text


# ---- waiving ---------------------------------------------------------------------------------

FINDING = "promised-finish-before-forecast"


async def waived(
    gateway: InMemory, who: str, headers: dict[str, str], **form: str
) -> httpx.Response:
    async with browser(gateway, who) as client:
        return await client.post(
            f"/pages/engagements/{LATE}/waive",
            data={
                "finding": FINDING,
                "why": "Agreed with the customer.",
                "until": "2026-06-30",
                **form,
            },
            headers=headers,
        )


async def test_a_disconnect_is_waived_with_a_reason_and_stays_visible() -> None:
    gateway = InMemory(*company())

    answer = await waived(gateway, VERA, FROM_HERE)
    async with browser(gateway) as vera:
        page = await vera.get(answer.headers["location"])
        first = await vera.get("/")

    assert answer.status_code == 303
    assert "Waived by Vera Voss on 25 May 2026 : “Agreed with the customer.”" in text_of(page)
    assert "Waived until 30 Jun 2026" in text_of(page)
    assert "Vera Voss waived “Promised before forecast”" in text_of(page)
    assert "21 days later" not in text_of(first)
    assert "1 waived" in text_of(first)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": HOST},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_of_another_site_changes_nothing(headers: dict[str, str]) -> None:
    gateway = InMemory(*company())

    answer = await waived(gateway, VERA, headers)

    assert answer.status_code == 403
    assert not (await gateway.disconnects({"waived": "true"}, None, 9, confidential=True)).items


async def test_an_older_browser_is_known_by_the_origin_it_names() -> None:
    answer = await waived(InMemory(*company()), VERA, {"Origin": HOST})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("who", "form", "status"),
    [
        (ANN, {}, 403),
        (VERA, {"why": "  "}, 422),
        (VERA, {"why": "x" * 4001}, 422),
        (VERA, {"why": "x" * 20_000}, 413),
        (VERA, {"finding": "beyond-budget.hours"}, 409),
        (VERA, {"finding": "<b>"}, 422),
        (VERA, {"until": ""}, 422),
        (VERA, {"until": "30.06.2026"}, 422),
        (VERA, {"until": TODAY.isoformat()}, 422),
        (VERA, {"finding": "status-report-overdue", "why": "a bell\x07rings"}, 422),
    ],
)
async def test_an_invalid_waiver_is_refused_with_a_reason(
    who: str, form: dict[str, str], status: int
) -> None:
    gateway = InMemory(*company())

    answer = await waived(gateway, who, FROM_HERE, **form)

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert not (await gateway.disconnects({"waived": "true"}, None, 9, confidential=True)).items


async def test_a_caller_cannot_waive_a_confidential_disconnect_that_is_hidden() -> None:
    gateway = InMemory(*green_in_the_red(Life(named(1))).events)
    eve = token("eve", "executive")

    answer = await waived(gateway, eve, FROM_HERE, finding="forecast-margin-below-sold")

    assert answer.status_code == 409
    assert not (await gateway.disconnects({"waived": "true"}, None, 9, confidential=True)).items


# ---- age of the data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/pages/engagements", "/pages/disconnects", f"/pages/engagements/{LATE}"]
)
async def test_every_page_shows_a_notice_when_its_data_are_old(
    company_events: InMemory, path: str
) -> None:
    received = datetime.now(UTC) - timedelta(seconds=40)
    async with (
        browser(company_events, as_of=received) as old,
        browser(company_events, as_of=datetime.now(UTC) - timedelta(seconds=20)) as new,
    ):
        shown, not_shown = text_of(await old.get(path)), text_of(await new.get(path))

    assert f"Last update received {received:%H:%M} UTC" in shown
    assert "Newer events may be missing." in shown
    assert "Last update received" not in not_shown


def test_data_of_another_day_are_shown_with_the_day() -> None:
    received = datetime(2026, 3, 2, 23, 50, tzinfo=UTC)
    notice = age_notice(received, datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert notice == "Last update received 23:50 UTC on 2 March 2026. Newer events may be missing."
    assert "not known" in (age_notice(None, received) or "")


# ---- live updates ----------------------------------------------------------------------------


def events(gateway: InMemory, *, signed_in: bool = True) -> AsyncGenerator[bytes]:
    async def still() -> bool:
        return signed_in

    return live_updates.page_events(gateway.changes(confidential=True), still, lambda: None)


async def test_changes_are_sent_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "PAUSE", 0.05)
    gateway = InMemory()
    stream = events(gateway)
    assert b"retry" in await anext(stream)

    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    gateway.handle_events(Life(named(1)).worked().events)
    gateway.handle_events(Life(named(2)).worked().events)

    assert await waiting == b"event: changed\ndata: \n\n"
    monkeypatch.setattr(live_updates, "HEARTBEAT", 0.05)
    assert await anext(stream) == b": still here\n\n"
    await stream.aclose()
    assert not gateway._watchers


async def test_a_change_is_sent_when_the_data_become_old_and_current_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_updates, "CHECK_INTERVAL", 0.01)
    monkeypatch.setattr(live_updates, "PAUSE", 0.0)
    notices: list[str | None] = [None]

    async def signed_in() -> bool:
        return True

    stream = live_updates.page_events(
        InMemory().changes(confidential=True), signed_in, lambda: notices[0]
    )
    assert b"retry" in await anext(stream)

    for notice in ("Last update received 10:44 UTC.", None):
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.03)
        assert not waiting.done()
        notices[0] = notice
        assert await waiting == b"event: changed\ndata: \n\n"
    await stream.aclose()


async def test_the_stream_ends_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "HEARTBEAT", 0.01)

    told = [chunk async for chunk in events(InMemory(), signed_in=False)]

    assert told[-1].startswith(b"event: signed-out")


async def test_the_stream_ends_when_the_changes_end() -> None:
    async def gone() -> AsyncIterator[ViewChange]:
        return
        yield

    async def signed_in() -> bool:
        return True

    told = [chunk async for chunk in live_updates.page_events(gone(), signed_in, lambda: None)]

    assert len(told) <= 2
