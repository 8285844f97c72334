"""Test the importer of engagements under way: files are checked first, and then sent in order."""

import asyncio
import csv
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.reference import AccountPublished, CompanyPublished, PersonPublished
from contracts.sales import OpportunityImported
from delivery.importing.decisions import ImportEngagement as ImportProgress
from delivery.service import ENGAGEMENT as DELIVERY
from finance.importing.decisions import ImportEngagement as ImportBalances
from finance.service import ENGAGEMENT as FINANCE
from legal.importing.decisions import ImportEngagement as ImportContract
from legal.service import ENGAGEMENT as LEGAL
from local.demo.reference_data import COMPANIES, CUSTOMERS
from local.take_over.__main__ import FAILED, UNUSABLE, run
from local.take_over.checking import check
from local.take_over.reading import Engagement, Problem, engagements_of, files_of, read
from local.take_over.records import DEPARTMENTS, Balances, Contract, Department, Progress, Sale
from local.take_over.sending import Departments
from testkit.scenario import given

EXAMPLE = Path(__file__).parents[2] / "deploy" / "local" / "take_over" / "example.json"
TODAY = date(2026, 11, 30)
ACCOUNTS = {f"A-{each.account}": each.name for each in CUSTOMERS}
FIRST = "E-0000000000001"

Files = dict[str, Any]
Change = Callable[[Files], object]


def example() -> Files:
    content: Files = json.loads(EXAMPLE.read_text())
    return content


def checked(path: Path, *, incomplete: bool = False) -> tuple[list[Engagement], list[Problem]]:
    problems: list[Problem] = []
    records = [each for file in files_of(path) for each in read(file, problems)]
    engagements = engagements_of(records, ACCOUNTS, problems)
    problems += check(engagements, ACCOUNTS, COMPANIES, TODAY, incomplete=incomplete)
    return engagements, problems


def written(folder: Path, content: object) -> Path:
    path = folder / "engagements.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_example_has_nothing_wrong() -> None:
    engagements, problems = checked(EXAMPLE)
    assert problems == []
    assert len(engagements) == 5
    assert all(tuple(each.records) == DEPARTMENTS for each in engagements)


def test_every_department_takes_the_example_over() -> None:
    people = [
        PersonPublished(person="p", name="P", department="delivery", roles=(role,))
        for role in ("engineer", "architect", "tester", "analyst", "project-manager")
    ]
    company = [CompanyPublished(company=name, **each) for name, each in COMPANIES.items()]
    published = [AccountPublished(account=each, name=name) for each, name in ACCOUNTS.items()]
    for each in checked(EXAMPLE)[0]:
        sale, contract, progress, balances = (each.records[name] for name in DEPARTMENTS)
        assert isinstance(sale, Sale)
        assert isinstance(contract, Contract)
        assert isinstance(progress, Progress)
        assert isinstance(balances, Balances)
        opportunity = OpportunityImported(
            source=sale.source,
            external_id=sale.external_id,
            account=contract.customer,
            title=sale.title,
            product=sale.title,
            owner="ann",
            outcome="won",
            pipeline_stage="qualifying",
            opened_on=sale.opened_on,
            closed_on=sale.won_on,
            value=sale.value,
        )
        legal = given(LEGAL, FIRST, records=[*company, *published]).consumed(opportunity)
        taken = legal.on(TODAY).when(ImportContract.model_validate(dict(contract)))
        taken.then_accepted()
        by_role = [
            person.model_copy(update={"person": f"p{number}"})
            for number, person in enumerate(people)
        ]
        delivery = given(DELIVERY, FIRST, records=by_role).consumed(opportunity).on(TODAY)
        delivery.when(ImportProgress.model_validate(dict(progress))).then_accepted()
        finance = given(FINANCE, FIRST).consumed(opportunity, taken.events[0]).on(TODAY)
        done = finance.after(ImportBalances.model_validate(dict(balances)))
        assert done.view["budget"].price == contract.price


def test_a_folder_has_a_file_for_each_department(tmp_path: Path) -> None:
    content = example()
    for name in DEPARTMENTS:
        part = {"source": content["source"], name: content[name]}
        (tmp_path / f"{name}.json").write_text(json.dumps(part))
    engagements, problems = checked(tmp_path)
    assert (problems, len(engagements)) == ([], 5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match="has no file with the ending"):
        files_of(tmp_path / "empty")


def set_to(value: object, *path: str | int) -> Change:
    """Return a change that sets the field at a path."""

    def change(content: Files) -> None:
        place: Any = content
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value

    return change


BAD: list[tuple[Change, str]] = [
    (
        set_to("Novamed Clinic", "sales", 0, "account"),
        (
            "sales 1 (K-2041), account: no account Novamed Clinic is published in Sales;"
            " did you mean Novamed Clinics?"
        ),
    ),
    (set_to("A-none", "legal", 0, "customer"), "legal 1 (K-2041), customer: no account has the id"),
    (
        set_to("A-none", "legal", 0, "lines", 0, "bill_to"),
        "legal 1 (K-2041), lines.0.bill_to: no account has the id A-none",
    ),
    (
        set_to("concord-fr", "legal", 0, "company"),
        (
            "legal 1 (K-2041), company: no company has the id concord-fr;"
            " did you mean concord-us or"
            " concord-de?"
        ),
    ),
    (
        set_to("suport", "finance", 0, "lines", 1, "line"),
        "finance 1 (K-2041), lines.1.line: the contract has no line suport, only portal, support",
    ),
    (
        set_to("EUO", "finance", 0, "lines", 0, "billed", "currency"),
        "finance 1 (K-2041), lines.0.billed.currency: not an ISO 4217 currency code",
    ),
    (
        set_to({"amount": "96000", "currency": "USD"}, "sales", 0, "value"),
        "sales 1 (K-2041), value: must be in the currency of the contract, EUR",
    ),
    (
        set_to("NaN", "legal", 0, "price", "amount"),
        "legal 1 (K-2041), price.amount: ",
    ),
    (
        set_to("-1.00", "finance", 0, "lines", 0, "paid", "amount"),
        "finance 1 (K-2041), lines.0.paid: must not be negative",
    ),
    (
        set_to("-1", "delivery", 0, "hours", 0, "hours"),
        "delivery 1 (K-2041), hours.0.hours: ",
    ),
    (
        set_to("2026-12-01", "finance", 0, "as_of"),
        "finance 1 (K-2041), as_of: must not be after today, 2026-11-30, and is 2026-12-01",
    ),
    (
        set_to("2026-12-01", "legal", 0, "signed_on"),
        "legal 1 (K-2041), signed_on: must not be after today",
    ),
    (
        set_to("2026-12-01", "sales", 0, "won_on"),
        "sales 1 (K-2041), won_on: must not be after today",
    ),
    (
        set_to("2026-01-01", "sales", 0, "won_on"),
        "sales 1 (K-2041): won_on must not be before opened_on, 2026-01-12",
    ),
    (
        set_to("31.10.2026", "delivery", 0, "as_of"),
        "delivery 1 (K-2041), as_of: ",
    ),
    (
        set_to("K-2041", "legal", 1, "external_id"),
        (
            "legal 2 (K-2041), external_id: K-2041 is the id of another record,"
            " engagements.json: legal 1 (K-2041): remove one"
        ),
    ),
    (
        lambda content: content["finance"].pop(),
        "sales 5 (K-2063), external_id: there is no record of finance for K-2063: add it",
    ),
    (
        lambda content: content.pop("delivery"),
        "sales 1 (K-2041), external_id: there is no record of delivery",
    ),
    (
        set_to([], "delivery", 0, "deliverables"),
        "delivery 1 (K-2041), milestones: ",
    ),
    (
        set_to([{"deliverable": "desk", "title": "Desk"}], "delivery", 2, "deliverables"),
        "delivery 3 (K-2052), deliverables: design is missing: the contract names it",
    ),
    (
        set_to({"amount": "1.00", "currency": "EUR"}, "finance", 0, "lines", 0, "price"),
        "finance 1 (K-2041), price: must be the sum of the lines",
    ),
    (set_to("x", "legal", 0, "prize"), "legal 1 (K-2041), prize: is no field of this record"),
    (lambda content: content["legal"][0].pop("price"), "legal 1 (K-2041), price: is missing"),
    (
        lambda content: content.update(sale=content.pop("sales")),
        "engagements.json, sale: is no field: use source, sales, legal, delivery, finance",
    ),
    (set_to({}, "legal"), "engagements.json, legal: must be a list of records"),
    (set_to(1, "legal", 0), "legal 1: must be a JSON object"),
    (lambda content: content.pop("source"), "sales 1 (K-2041), source: is missing"),
]


@pytest.mark.parametrize(("change", "saying"), BAD, ids=[saying for _, saying in BAD])
def test_what_is_wrong_is_named_with_file_record_and_field(
    change: Change, saying: str, tmp_path: Path
) -> None:
    content = example()
    change(content)
    _, problems = checked(written(tmp_path, content))
    found = [str(each) for each in problems]
    assert any(saying in each for each in found), "\n".join(found)
    assert all(each.startswith("engagements.json") for each in found)


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        ('{"sales": [', "engagements.json, line 1, column 12: this is not JSON"),
        ('{"sales": [NaN]}', "NaN is no number: give a decimal number as text"),
        ('{"source": "a", "source": "b"}', "the field source is given twice"),
        ("[]", "must be a JSON object with source, sales, legal, delivery, finance"),
        ('{"source": "a"}', "no department has records"),
        ("[" * 100_000, "this cannot be read as JSON"),
    ],
)
def test_what_is_no_usable_file_is_named(text: str, saying: str, tmp_path: Path) -> None:
    _, problems = checked(written(tmp_path, text))
    assert saying in " ".join(str(each) for each in problems)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"source": "\xff"}')
    _, problems = checked(tmp_path)
    assert [str(each) for each in problems] == ["a.json: byte 12 is not UTF-8"]


def test_departments_can_come_later_where_that_is_allowed(tmp_path: Path) -> None:
    content = example()
    del content["finance"]
    engagements, problems = checked(written(tmp_path, content), incomplete=True)
    assert (problems, len(engagements)) == ([], 5)


class FakeDepartments:
    """Departments that keep requests, and answer those with a known key as before.

    `refusing` has an answer for a department and the id of an engagement's record.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[Department, str]] = []
        self.done: set[str] = set()
        self.refusing: dict[tuple[str, str], list[httpx.Response]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        department = request.url.host.split(".")[0]
        if request.method == "GET":
            return httpx.Response(200, json={"rows": self._rows(request), "cursor": None})
        name = self._record(request)
        self.requests.append((department, name))  # type: ignore[arg-type]
        refusals = self.refusing.get((department, name))
        if refusals:
            return refusals.pop(0)
        key = f"{department}/{request.headers.get('Idempotency-Key') or request.content.decode()}"
        known = key in self.done
        self.done.add(key)
        if department == "sales":
            report = {"taken": int(not known), "refused": 0, "refusals": [], "notes": ["a note"]}
            return httpx.Response(200, json=report)
        headers = {"Idempotency-Replayed": "true"} if known else {}
        return httpx.Response(200, json={"events": [{}]}, headers=headers)

    def _rows(self, request: httpx.Request) -> list[dict[str, str]]:
        if request.url.path == "/accounts":
            return [{"id": each, "name": name} for each, name in ACCOUNTS.items()]
        return [{"id": each, "legal_name": each} for each in COMPANIES]

    def _record(self, request: httpx.Request) -> str:
        if request.url.path == "/imports":
            (row,) = csv.DictReader(StringIO(request.content.decode()))
            assert row["deal_stage"] == "Won"
            return row["opportunity_id"]
        content: dict[str, str] = json.loads(request.content)
        return content["external_id"]

    def client(self) -> Departments:
        urls: dict[Department, str] = {each: f"http://{each}.example" for each in DEPARTMENTS}
        return Departments(urls, "token", httpx.MockTransport(self), patience=0.3)


def sent(departments: FakeDepartments, path: Path = EXAMPLE, **options: bool) -> int:
    return asyncio.run(run(path, departments.client(), **options))


def of(departments: FakeDepartments, name: str) -> list[str]:
    return [department for department, record in departments.requests if record == name]


def test_departments_get_their_commands_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    departments = FakeDepartments()
    assert sent(departments) == 0
    for name in ("K-2041", "K-2044", "K-2052", "K-2060", "K-2063"):
        assert of(departments, name) == ["sales", "legal", "delivery", "finance"]
    shown = capsys.readouterr().out
    assert "K-2041: note: a note" in shown
    assert shown.count("taken over") == 20


def test_a_second_run_adds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    departments = FakeDepartments()
    assert sent(departments) == 0
    before = set(departments.done)
    capsys.readouterr()
    assert sent(departments) == 0
    assert departments.done == before
    assert capsys.readouterr().out.count("unchanged") == 20


def problem(status: int, **fields: object) -> httpx.Response:
    return httpx.Response(status, json={"status": status, **fields})


def test_a_refusal_is_named_and_what_rests_on_it_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    departments = FakeDepartments()
    missing = [{"code": "role-unknown", "sentence": "hours: no person holds the role wizard"}]
    departments.refusing = {
        ("legal", "K-2041"): [problem(409, code="company-unknown", detail="company: unknown")],
        ("delivery", "K-2044"): [problem(409, code="role-unknown", missing=missing)],
        ("finance", "K-2052"): [
            problem(422, code="invalid", errors=[{"field": "as_of", "problem": "is wrong"}])
        ],
    }
    assert sent(departments) == FAILED
    shown = capsys.readouterr().out
    assert "K-2041: legal: company: unknown" in shown
    assert "K-2041: finance: waits for legal" in shown
    assert of(departments, "K-2041") == ["sales", "legal", "delivery"]
    assert "K-2044: delivery: hours: no person holds the role wizard" in shown
    assert of(departments, "K-2044")[-1] == "finance"
    assert "K-2052: finance: as_of: is wrong" in shown
    # The next run goes on where this one was refused.
    assert sent(departments) == 0
    assert of(departments, "K-2041")[3:] == ["sales", "legal", "delivery", "finance"]


def test_a_refused_sale_leaves_everything_else_out(capsys: pytest.CaptureFixture[str]) -> None:
    departments = FakeDepartments()
    refusal = {"row": 2, "opportunity_id": "K-2041", "field": "close_date", "reason": "is wrong"}
    report = {"taken": 0, "refused": 1, "refusals": [refusal], "notes": []}
    departments.refusing = {("sales", "K-2041"): [httpx.Response(200, json=report)]}
    assert sent(departments) == FAILED
    assert of(departments, "K-2041") == ["sales"]
    assert "K-2041: sales: won_on: is wrong" in capsys.readouterr().out


@pytest.mark.parametrize("code", ["opportunity-not-imported", "engagement-not-imported"])
def test_events_that_are_on_their_way_are_waited_for(code: str) -> None:
    departments = FakeDepartments()
    departments.refusing = {("legal", "K-2041"): [problem(409, code=code, detail="not yet")]}
    assert sent(departments) == 0
    assert of(departments, "K-2041") == ["sales", "legal", "legal", "delivery", "finance"]


def test_a_service_that_is_away_is_tried_again_and_then_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    departments = FakeDepartments()
    departments.refusing = {("delivery", "K-2041"): [problem(503, detail="starting")]}
    assert sent(departments) == 0
    departments.refusing = {
        ("delivery", "K-2041"): [problem(503, detail="away") for _ in range(1000)]
    }
    assert sent(departments) == FAILED
    assert "K-2041: delivery: away" in capsys.readouterr().out


def test_nothing_is_sent_while_anything_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = deepcopy(example())
    content["finance"][4]["as_of"] = "2099-01-01"
    departments = FakeDepartments()
    assert sent(departments, written(tmp_path, content)) == UNUSABLE
    assert departments.requests == []
    shown = capsys.readouterr().err
    assert "finance 5 (K-2063), as_of: must not be after today" in shown
    assert "1 problems: nothing was sent." in shown
    assert sent(departments, tmp_path / "none.json") == UNUSABLE


def test_files_can_be_checked_only(capsys: pytest.CaptureFixture[str]) -> None:
    departments = FakeDepartments()
    assert sent(departments, only_check=True) == 0
    assert departments.requests == []
    assert "5 engagements can be sent." in capsys.readouterr().out


def test_departments_that_cannot_be_read_send_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    urls: dict[Department, str] = {each: f"http://{each}.example" for each in DEPARTMENTS}
    departments = Departments(urls, "token", httpx.MockTransport(away), patience=0.2)
    assert asyncio.run(run(EXAMPLE, departments)) == FAILED
    assert "accounts and companies cannot be read: ConnectError" in capsys.readouterr().err
