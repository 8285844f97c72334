"""Read a CRM export: valid rows, refused rows with reasons, notes."""

import csv
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import Money
from sales.accounts.decisions import IntroduceAccount
from sales.accounts.names import account_id
from sales.importing.decisions import ImportOpportunity
from sales.importing.export import Export, read_export
from sales.importing.options import Options, Unusable
from sales.importing.owners import Owners

SHIPPED = Path(__file__).parents[2] / "data" / "crm_pipeline.csv"
PIPELINE = Path(__file__).resolve().parents[4] / "shared/data/crm/sales_pipeline.csv"
COLUMNS = (
    "opportunity_id",
    "sales_agent",
    "product",
    "account",
    "deal_stage",
    "engage_date",
    "close_date",
    "close_value",
)
HEADER = ",".join(COLUMNS)
PRODUCTS = ("Portal Basic", "Data Lake")


OWNERS = Owners({"nora": "Nora Field", "ivo": "Ivo Marsh"}, bytes(32))


def read(
    text: str,
    accounts: dict[str, str] | None = None,
    products: Sequence[str] = (),
    owners: Owners = OWNERS,
) -> Export:
    return read_export(
        {"export.csv": text.encode()},
        {key: IntroduceAccount(name=name) for key, name in (accounts or {}).items()},
        products,
        owners,
        source="crm",
        today=date(2026, 1, 5),
        options=Options(currency="USD", day_order="month-first"),
    )


def names_of(export: Export) -> list[str]:
    return [account.name for account in export.accounts.values()]


def row(**cells: str) -> str:
    usual = {
        "opportunity_id": "A1",
        "sales_agent": "Nora Field",
        "product": "Data Lake",
        "account": "Acme",
        "deal_stage": "Engaging",
        "engage_date": "2/25/2017",
    }
    return ",".join({**dict.fromkeys(COLUMNS, ""), **usual, **cells}.values())


def only(export: Export) -> ImportOpportunity:
    assert export.refused == ()
    [taken] = export.taken
    return taken.opportunity


def refusals(text: str) -> list[tuple[str, str]]:
    export = read(f"{HEADER}\n{text}")
    assert export.taken == ()
    return [(refusal.field, refusal.reason) for refusal in export.refused]


def test_the_valid_rows_of_the_shipped_example_are_read() -> None:
    export = read(SHIPPED.read_text(), products=PRODUCTS)
    assert export.rows == 18
    assert [taken.row for taken in export.taken] == [2, 3, 4, 5, 6, 19]
    assert [(r.row, r.opportunity_id, r.field) for r in export.refused] == [
        (7, "OPP-1006", "close_date"),
        (8, "OPP-1007", "close_date"),
        (9, "OPP-1008", "close_date"),
        (10, "OPP-1009", "engage_date"),
        (11, "OPP-1010", "engage_date"),
        (12, "OPP-1011", "close_value"),
        (13, "OPP-1012", "close_value"),
        (14, "OPP-1001", "opportunity_id"),
        (15, None, "opportunity_id"),
        (16, "OPP 1015", "opportunity_id"),
        (17, "OPP-1016", "sales_agent"),
        (20, "OPP-1018", "row"),
    ]
    assert {account: each.name for account, each in export.accounts.items()} == {
        account_id(name): name for name in ("Northwind Traders", "Harbour & Sons", "Smith, Jones")
    }
    assert export.notes == (
        "product: 'PortalBasic' is read as 'Portal Basic' (row 3)",
        "account: 'northwind traders' is read as 'Northwind Traders' (row 3)",
        "account: is missing and remains unknown (row 4)",
    )


def test_a_won_deal_keeps_its_dates_and_value() -> None:
    won = read(SHIPPED.read_text(), products=PRODUCTS).taken[0].opportunity
    assert won == ImportOpportunity(
        source="crm",
        external_id="OPP-1001",
        account=account_id("Northwind Traders"),
        title="Portal Basic for Northwind Traders",
        product="Portal Basic",
        owner="nora",
        outcome="won",
        pipeline_stage=None,
        opened_on=date(2016, 10, 29),
        closed_on=date(2017, 3, 1),
        value=Money(amount=Decimal("4821.50"), currency="USD"),
        absent=("probability", "loss_reason", "loss_reason_text", "region"),
    )
    assert won.occurred_at == datetime(2017, 3, 1, tzinfo=UTC)


def test_a_lost_deal_keeps_its_value_and_gets_no_reason() -> None:
    cells = {"deal_stage": "Lost", "close_date": "3/1/2017", "close_value": "80000"}
    deal = only(read(f"{HEADER}\n{row(**cells)}"))
    assert (deal.outcome, deal.value) == ("lost", Money(amount=Decimal(80000), currency="USD"))
    assert (deal.loss_reason, deal.loss_reason_text) == (None, None)


@pytest.mark.parametrize("day", ["", "1/6/2026"], ids=["missing", "to come"])
def test_the_day_of_a_loss_that_the_crm_does_not_know_remains_unknown(day: str) -> None:
    export = read(f"{HEADER}\n{row(deal_stage='Lost', close_date=day)}")
    assert only(export).closed_on is None
    [note] = export.notes
    assert "so the day of the loss remains unknown (row 2)" in note


def test_an_open_deal_keeps_the_expected_close() -> None:
    open_deal = read(SHIPPED.read_text()).taken[4].opportunity
    assert (open_deal.closed_on, open_deal.expected_close) == (None, date(2017, 9, 30))


def test_an_open_deal_may_have_a_value_and_no_date() -> None:
    prospect = read(SHIPPED.read_text()).taken[3].opportunity
    assert (prospect.outcome, prospect.pipeline_stage) == ("open", "prospecting")
    assert prospect.value == Money(amount=Decimal(12000), currency="USD")
    assert prospect.occurred_at is None


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"deal_stage": "Won"}, "close_date", "is missing, though the deal was won"),
        ({"deal_stage": ""}, "deal_stage", "is missing"),
        ({"engage_date": "2/30/2017"}, "engage_date", "'2/30/2017' is not a date"),
        ({"engage_date": "2/25/2027"}, "engage_date", "2027-02-25 is in the future"),
        ({"close_value": "1,2,3"}, "close_value", "'1,2,3' is not a number"),
        ({"close_value": "Infinity"}, "close_value", "is not a number"),
        ({"close_value": "1" * 20}, "close_value", "must be less than 100,000,000,000,000"),
        ({"close_value": "1e3"}, "close_value", "is not a number"),
        ({"sales_agent": "", "product": ""}, "sales_agent", "is missing"),
        ({"sales_agent": "", "product": ""}, "product", "is missing"),
        ({"product": "x" * 201}, "product", "at most 200"),
    ],
)
def test_a_refused_row_names_the_column_and_the_reason(cells, field, reason) -> None:
    quoted = {name: f'"{value}"' if "," in value else value for name, value in cells.items()}
    problems = dict(reversed(refusals(row(**quoted))))
    assert reason in problems[field]


def test_all_problems_of_a_row_are_reported_together() -> None:
    found = refusals(row(sales_agent="", deal_stage="", engage_date="soon", close_value="-1"))
    assert [field for field, _ in found] == [
        "sales_agent",
        "deal_stage",
        "engage_date",
        "close_value",
    ]


def test_a_deal_closes_between_its_engage_date_and_today() -> None:
    early = row(deal_stage="Won", close_date="2/24/2017", close_value="1")
    assert refusals(early) == [("close_date", "2017-02-24 is before the engage_date, 2017-02-25")]
    late = row(deal_stage="Won", close_date="1/6/2026", close_value="1")
    assert refusals(late) == [
        ("close_date", "2026-01-06 is in the future, though the deal was won")
    ]


def test_known_spellings_of_names_are_used() -> None:
    export = read(
        f"{HEADER}\n{row(product='datalake', account='ACME corp')}",
        accounts={"a-17": "Acme Corp"},
        products=PRODUCTS,
    )
    taken = only(export)
    assert (taken.account, taken.product) == ("a-17", "Data Lake")
    assert taken.title == "Data Lake for Acme Corp"
    assert export.accounts == {}
    assert len(export.notes) == 2


def test_an_owner_is_found_by_name_or_id() -> None:
    for seller in ("Nora Field", "nora  FIELD", "nora"):
        export = read(f"{HEADER}\n{row(sales_agent=seller)}")
        assert (only(export).owner, export.notes) == ("nora", ())


def test_an_unknown_owner_gets_an_id_that_does_not_reveal_the_name() -> None:
    export = read(f"{HEADER}\n{row(sales_agent='Anna Schmidt')}")
    owner = only(export).owner
    assert re.fullmatch(r"owner-[0-9a-z]{13}", owner)
    assert "schmidt" not in only(export).model_dump_json().lower()
    note = f"sales_agent: 'Anna Schmidt' is not a known person; the owner is {owner} (row 2)"
    assert export.notes == (note,)

    again = row(opportunity_id="A2", sales_agent="anna schmidt")
    assert only(read(f"{HEADER}\n{again}")).owner == owner, "the same in every export"
    published = Owners({owner: "Anna Schmidt"}, bytes(32))
    known = read(f"{HEADER}\n{again}", owners=published)
    assert (only(known).owner, known.notes) == (owner, ())
    elsewhere = read(f"{HEADER}\n{again}", owners=Owners({}, bytes(31) + b"1"))
    assert only(elsewhere).owner != owner, "the id depends on the secret"


@pytest.mark.parametrize("name", ["field, NORA", "Nora.Field@example.com", "nora"])
def test_an_owner_is_found_by_the_family_name_first_or_the_address(name: str) -> None:
    people = {"nora": "Nora Field", "ivo": "Ivo Marsh"}
    owners = Owners(people, bytes(32), {"nora": "nora.field@example.com"})
    quoted = f'"{name}"'
    export = read(f"{HEADER}\n{row(sales_agent=quoted)}", owners=owners)
    assert (only(export).owner, export.notes) == ("nora", ())


def test_a_name_that_two_persons_have_is_not_known() -> None:
    both = Owners({"nora": "Nora Field", "nora-2": "Nora Field"}, bytes(32))
    assert only(read(f"{HEADER}\n{row()}", owners=both)).owner.startswith("owner-")
    assert only(read(f"{HEADER}\n{row(sales_agent='nora-2')}", owners=both)).owner == "nora-2"


def test_products_that_differ_in_a_sign_are_different() -> None:
    names = ("C++", "C#", "C", "東京 1", "東京 2", "c ++")
    rows = [row(opportunity_id=f"A{n}", product=name) for n, name in enumerate(names)]
    export = read("\n".join((HEADER, *rows)))
    assert [taken.opportunity.product for taken in export.taken] == [*names[:-1], "C++"]


def test_an_unlisted_product_is_accepted_with_a_note() -> None:
    export = read(f"{HEADER}\n{row(product='Fax')}", products=PRODUCTS)
    assert only(export).product == "Fax"
    assert export.notes == ("product: 'Fax' is not in the list of products (row 2)",)


def test_columns_have_any_order_and_others_and_a_byte_order_mark_are_ignored() -> None:
    names = [*reversed(COLUMNS), "Series"]
    cells = [*reversed(row().split(",")), "North"]
    export = read(f"\ufeff{','.join(names).upper()}\r\n{','.join(cells)}\r\n")
    assert only(export).external_id == "A1"
    assert export.notes == ("ignored columns: SERIES (row 1)",)


@pytest.mark.parametrize("column", ["sales_agent", "product", "account"])
@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("Acme\0", "must not contain the control character U+0000"),
        ("Acme\x1bInc", "must not contain the control character U+001B"),
        ("Acme\u202eInc", "must not contain the format character U+202E"),
        ("\u200d", "must contain a visible character"),
        ("A" * 201, "String should have at most 200 characters"),
    ],
)
def test_a_row_whose_text_is_not_clean_is_refused_with_its_column(
    column: str, cell: str, why: str
) -> None:
    export = read(f"{HEADER}\n{row(**{column: cell})}")
    assert [(one.row, one.field, one.reason) for one in export.refused] == [(2, column, why)]
    assert export.accounts == {}


def test_names_are_composed() -> None:
    decomposed = row(account="Cafe\u0301", product="Me\u0301tro")
    export = read(f"{HEADER}\n{decomposed}")
    assert names_of(export) == ["Café"]
    assert only(export).product == "Métro"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("a;b;c\n1;2;3\n", r"the id of the opportunity in the CRM, .* \(columns=\)"),
        (HEADER.replace("sales_agent,", ""), r"the owner is not among .* \(columns=\)"),
        (f"{HEADER},account\n{row()},Bcme\n", r"twice, .* 'account \(2\)' \(columns=\)"),
        (f"{HEADER}\n{row(deal_stage='Dormant')}", r"'Dormant' \(1 row\); .* \(stages=\)"),
        (f'{HEADER}\n"A1,x\n', "not well-formed"),
    ],
)
def test_a_text_that_is_not_an_export_is_refused(text, why) -> None:
    with pytest.raises(Unusable, match=why):
        read(text)


def test_the_engagement_id_depends_on_source_and_opportunity_id() -> None:
    first = only(read(f"{HEADER}\n{row()}"))
    again = only(read(f"{HEADER}\n{row(product='Portal')}"))
    other = only(read(f"{HEADER}\n{row(opportunity_id='A2')}"))
    assert first.engagement == again.engagement != other.engagement
    assert len(first.engagement) == len("E-0000000000001")


DIFFERENT = (
    "Müller",
    "Muller",
    "A+B",
    "A&B",
    "AB",
    "A B",
    "北京",
    "東京",
    "Æther",
    "ther",
    "C++",
    "C",
)


def test_accounts_and_owners_with_different_names_stay_different() -> None:
    rows = [
        row(opportunity_id=f"A{number}", account=name, sales_agent=name)
        for number, name in enumerate(DIFFERENT)
    ]
    export = read("\n".join([HEADER, *rows]))
    assert sorted(names_of(export)) == sorted(DIFFERENT)
    taken = [each.opportunity for each in export.taken]
    assert len({each.account for each in taken}) == len({each.owner for each in taken}) == 12


def test_names_that_differ_in_case_width_and_spaces_are_one_account() -> None:
    names = ("Groß  Handel", "GROSS HANDEL", "Ｇｒｏß Handel")
    rows = [row(opportunity_id=f"A{number}", account=name) for number, name in enumerate(names)]
    export = read("\n".join([HEADER, *rows]))
    assert [*export.accounts] == [account_id("gross handel")]
    assert names_of(export) == ["Groß  Handel"]
    assert {each.opportunity.account for each in export.taken} == {*export.accounts}


@given(st.lists(st.lists(st.text(max_size=12), min_size=8, max_size=8), max_size=5))
def test_each_row_is_taken_or_refused_for_any_cells(cells: list[list[str]]) -> None:
    written = "\r\n".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in cells
    )
    try:
        export = read(f"{HEADER}\r\n{written}")
    except Unusable:
        return
    refused = {refusal.row for refusal in export.refused}
    assert export.rows == len(export.taken) + len(refused)


@pytest.mark.skipif(not PIPELINE.exists(), reason="the sample pipeline is not on this machine")
def test_a_real_pipeline_is_read_completely() -> None:
    with PIPELINE.with_name("products.csv").open() as listed:
        products = [line["product"] for line in csv.DictReader(listed)]
    export = read(PIPELINE.read_text(), products=products)
    assert (export.rows, len(export.taken), export.refused) == (200, 200, ())
    assert {taken.opportunity.product for taken in export.taken} <= set(products)
    assert sum(taken.opportunity.account is None for taken in export.taken) == 23
    assert len({taken.opportunity.engagement for taken in export.taken}) == 200
