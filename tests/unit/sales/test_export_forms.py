"""Read exports as CRMs and spreadsheets write them: each whole, or refused with the parameter."""

import itertools
import random
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import get_args
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import Money
from contracts.values import AccountId
from sales.accounts.decisions import IntroduceAccount
from sales.accounts.names import account_id
from sales.importing.archive import read_archive
from sales.importing.decisions import ImportOpportunity
from sales.importing.export import Export, read_export, without_rows
from sales.importing.options import Column, Options, Unusable
from sales.importing.owners import Owners
from sales.importing.table import read_table
from tests.amounts import eur, usd

DATA = Path(__file__).parents[2] / "data"
GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "import-a-crm-export.md"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data"
OWNERS = Owners({"nora": "Nora Field", "ivo": "Ivo Marsh"}, bytes(32))
HEADER = "Record ID,Deal Name,Deal Stage,Deal Owner,Create Date,Close Date,Amount,Currency"
LARGEST = 10**7


def read(*files: str | bytes, **options: object) -> Export:
    return read_known({}, *files, **options)


def read_known(
    accounts: Mapping[AccountId, IntroduceAccount], *files: str | bytes, **options: object
) -> Export:
    contents = [each if isinstance(each, bytes) else each.encode() for each in files]
    return read_export(
        {f"{number}.csv": content for number, content in enumerate(contents, 1)},
        accounts,
        (),
        OWNERS,
        source="crm",
        today=date(2026, 1, 5),
        options=Options.model_validate(options),
    )


def deals(export: Export) -> list[ImportOpportunity]:
    assert export.refused == ()
    return [row.opportunity for row in export.taken]


def rows(*cells: str, header: str = HEADER) -> str:
    """Return a file of open deals with these last cells, from the day of creation on."""
    lines = (f"R{number},Desk,New,Nora Field,{each}" for number, each in enumerate(cells, 1))
    return "\n".join((header, *lines))


def refusal(*files: str | bytes, **options: object) -> Unusable:
    with pytest.raises(Unusable) as raised:
        read(*files, **options)
    return raised.value


def opened(*days: str, **options: object) -> list[date | None]:
    text = rows(*(f"{day},,," for day in days))
    return [deal.opened_on for deal in deals(read(text, **options))]


def amounts(*cells: str, **options: object) -> list[Decimal | None]:
    text = rows(*(f',,"{cell}",EUR' for cell in cells))
    return [deal.value.amount if deal.value else None for deal in deals(read(text, **options))]


# ---- the CRMs -----------------------------------------------------------------------------------


def file(name: str) -> bytes:
    return (DATA / f"crm_{name}.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("salesforce", {}),
        ("hubspot", {"currency": "EUR"}),
        ("pipedrive", {}),
        ("dynamics", {"encoding": "windows-1252"}),
        ("zoho", {}),
    ],
)
def test_the_export_of_each_crm_comes_in_whole(name: str, options: dict[str, str]) -> None:
    first, won, lost = deals(read(file(name), **options))
    assert (first.outcome, won.outcome, lost.outcome) == ("open", "won", "lost") or name == (
        "pipedrive"
    )
    assert {each.owner for each in (first, won, lost)} == {"nora", "ivo"}
    assert first.title.startswith(("Order desk", "Bestellportal"))
    assert first.expected_close is not None
    assert None not in (won.closed_on, lost.closed_on, won.value, lost.value)
    assert (won.expected_close, lost.expected_close, lost.probability) == (None, None, None)


def test_salesforce_writes_month_first_and_a_total_at_the_end() -> None:
    export = read(file("salesforce"))
    first, won, lost = deals(export)
    assert first.title == "Order desk, second phase", "a line break in a cell is a space"
    assert (first.expected_close, first.probability) == (date(2026, 4, 13), Decimal(65))
    assert (won.closed_on, won.value) == (date(2025, 11, 3), usd(125_500))
    assert (lost.value, lost.loss_reason) == (eur("9900.50"), "no-decision")
    assert "left out, a total or a remark at the end (rows 6, 7, 8)" in export.notes


def test_hubspot_writes_probabilities_as_shares_and_stages_as_one_word() -> None:
    first, _, lost = deals(read(file("hubspot"), currency="EUR"))
    assert (first.pipeline_stage, first.value) == ("negotiating", None)
    assert first.probability == Decimal(90)
    assert lost.value == eur("80000.50")
    assert lost.loss_reason is None
    assert lost.loss_reason_text == "They wait for the merger.\nNobody decides before."
    assert refusal(file("hubspot")).parameter == "currency"


def test_the_status_of_pipedrive_is_apart_from_the_stage() -> None:
    open_deal, lost, won = deals(read(file("pipedrive")))
    assert (lost.outcome, lost.pipeline_stage) == ("lost", "negotiating")
    assert (lost.closed_on, lost.loss_reason) == (date(2025, 12, 1), "price")
    assert [each.value for each in (open_deal, lost, won)] == [
        eur(25_000),
        usd(18_000),
        Money(amount=Decimal(90_000), currency="GBP"),
    ]
    assert (won.outcome, won.closed_on) == ("won", date(2025, 12, 20))
    assert won.pipeline_stage is None, "no stage of ours is invented"


def test_dynamics_writes_decimal_commas_and_what_was_earned_apart() -> None:
    first, won, lost = deals(read(file("dynamics"), encoding="cp1252"))
    assert (first.value, first.expected_close) == (eur(12_500), date(2026, 3, 31))
    assert (won.value, won.closed_on) == (eur("38250.50"), date(2025, 10, 7))
    assert (lost.value, lost.loss_reason) == (eur(7_000), "competitor")
    assert refusal(file("dynamics")).parameter == "encoding"


def test_the_day_is_that_which_is_written_whatever_the_zone_of_its_clock() -> None:
    first, won, _ = deals(read(file("zoho")))
    assert (first.opened_on, won.opened_on) == (date(2025, 11, 30), date(2025, 1, 15))
    assert first.value == Money(amount=Decimal(1_250_000), currency="SEK")


def test_accounts_have_their_parents_in_any_order() -> None:
    export = read(file("accounts"))
    harbour, northwind, fjord, mueller = (
        account_id(name)
        for name in ("Harbour & Sons", "Northwind Traders", "Fjord Freight", "Müller & Söhne GmbH")
    )
    parents = {account: each.parent for account, each in export.accounts.items()}
    assert parents == {harbour: northwind, northwind: None, fjord: harbour, mueller: None}
    countries = {account: each.country for account, each in export.accounts.items()}
    assert countries == {harbour: "GB", northwind: "US", fjord: None, mueller: "DE"}
    assert export.accounts[northwind].sector == "retial", "as it is written"
    assert export.notes == (
        "office_location: 'Norwegia' is no country, and is left out (row 4)",
        "subsidiary_of: 'Unknown Holding' is no account here or in the file (row 5)",
    )


def test_no_account_is_above_itself() -> None:
    export = read("account,parent account\nA,C\nB,A\nC,B\n")
    assert [each.parent for each in export.accounts.values()] == [
        None,
        account_id("A"),
        account_id("B"),
    ]


def test_what_differs_from_a_published_account_is_noted_and_not_changed() -> None:
    known = {
        "acme": IntroduceAccount(name="Acme", sector="retail", country="DE", parent="globex"),
        "globex": IntroduceAccount(name="Globex"),
        "initech": IntroduceAccount(name="Initech"),
    }
    text = (
        "Account Name,Industry,Country,Parent Account\n"
        "ACME,Finance,France,Initech\nGlobex,,,\nInitech,Retail,,\n"
    )
    export = read_known(known, text)
    assert export.accounts == {}
    end = "not changed, see publish-account"
    assert [note for note in export.notes if end in note] == [
        f"Industry of Acme: 'Finance' in the file, 'retail' here; {end} (row 2)",
        f"Country of Acme: 'FR' in the file, 'DE' here; {end} (row 2)",
        f"Parent Account of Acme: 'Initech' in the file, 'Globex' here; {end} (row 2)",
        f"Industry of Initech: 'Retail' in the file, none here; {end} (row 4)",
    ]
    equal = "Account Name,Industry,Country,Parent Account\nAcme,Retail,Germany,globex\nGlobex,,,\n"
    assert [note for note in read_known(known, equal).notes if "changed" in note] == []


def test_open_deals_of_earlier_imports_that_are_not_in_the_file_are_noted() -> None:
    export = read(rows(",,5,EUR", "soon,,6,EUR"))
    assert without_rows(export, ("R1", "R2"), "crm") == export, "a refused row is in the file"
    [note] = {*without_rows(export, ("R3", "R1"), "crm").notes} - {*export.notes}
    assert note == (
        "1 deal of crm that earlier imports had as open is not in this export, and not changed: R3"
    )
    many = without_rows(export, (f"Q{each}" for each in range(10)), "crm").notes[-1]
    assert many.startswith("10 deals of crm")
    assert many.endswith("Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7 and 2 more")
    accounts = read("Account Name,Industry\nAcme,Retail\n")
    assert without_rows(accounts, ("R3",), "crm") == accounts


def test_the_files_of_an_export_are_read_together() -> None:
    export = read(file("pipeline"), file("teams"), file("accounts"), currency="EUR")
    assert {row.opportunity.region for row in export.taken} == {"West", "East"}
    assert [row.file for row in export.taken] == ["1.csv"] * 6
    harbour = export.accounts[account_id("Harbour & Sons")]
    assert (harbour.sector, harbour.country) == ("logistics", "GB")
    assert {each.file for each in export.refused} == {"1.csv"}


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Record ID,Company name,Industry,Country/Region,Close Date,Create Date", "accounts"),
        ("Account Name,Account Owner,Billing State/Province,Industry", "accounts"),
        ("Organization - Name,Organization - Owner", "accounts"),
        ("Id,Name,Industry,ParentId", "accounts"),
        ("Sales Rep,Owner,Region", "teams"),
        ("Product Name,Unit Price", "products"),
        ("Record ID,Deal Name,Company,Deal owner,Close Date", "opportunities"),
        ("Opportunity ID,Account Name,Amount", "opportunities"),
        ("Account Name,Status", "opportunities"),
    ],
)
def test_the_kind_of_a_file_is_that_of_its_columns(header: str, kind: str) -> None:
    if kind == "opportunities":
        assert refusal(header).parameter == "columns", "a deal without a stage, and no account"
    else:
        assert read_table(None, header.encode(), Options()).kind == kind


def test_the_kind_of_a_file_may_be_given() -> None:
    export = read("Name\nAcme\nGlobex\n", kind="accounts")
    assert [each.name for each in export.accounts.values()] == ["Acme", "Globex"]
    assert refusal("Name\nAcme\n").parameter == "columns"


@pytest.mark.parametrize("name", ["teams", "products"])
def test_a_file_that_only_supplements_others_is_named(name: str) -> None:
    text = file("teams") if name == "teams" else b"product,series\nDesk,D\n"
    assert f"there are {name}; send them together" in str(refusal(text))


def test_an_archive_holds_the_files_of_an_export() -> None:
    archive = BytesIO()
    with ZipFile(archive, "w") as zipped:
        zipped.writestr("export/deals.csv", file("zoho"))
        zipped.writestr("__MACOSX/export/deals.csv", b"x")
    content = archive.getvalue()
    assert read_archive(content, LARGEST) == {"export/deals.csv": file("zoho")}
    for wrong, largest in ((content, 10), (b"PK nothing", LARGEST), (content[:60], LARGEST)):
        with pytest.raises(Unusable):
            read_archive(wrong, largest)


# ---- text ---------------------------------------------------------------------------------------

TEXT = rows("2025-11-02,,12.50,EUR").replace("Desk", "Büro")


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("utf-16", {}),
        ("utf-16-le", {"encoding": "utf-16-le"}),
        ("cp1252", {"encoding": "latin-1"}),
        ("cp850", {"encoding": "cp850"}),
    ],
)
def test_an_encoding_is_marked_or_named(encoding: str, options: dict[str, str]) -> None:
    [deal] = deals(read(TEXT.encode(encoding), **options))
    assert deal.title == "Büro"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252"])
def test_an_encoding_is_never_guessed(encoding: str) -> None:
    assert refusal(TEXT.encode(encoding)).parameter == "encoding"


@pytest.mark.parametrize("name", ["rot13", "zlib", "idna", "unicode_escape", "nonsense"])
def test_an_encoding_is_one_of_text(name: str) -> None:
    with pytest.raises(ValueError, match="must be an encoding of text"):
        Options(encoding=name)


def test_a_workbook_is_named() -> None:
    assert "save it as CSV" in str(refusal(b"PK\x03\x04rest"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7 rest", "a binary file"),
        (bytes(range(256)) * 4, "a binary file"),
        (b" \n \n", "the file is empty"),
        (b"\n<!DOCTYPE html><html><body>", "a page in HTML"),
        (b"Deals\nof 2026\n" + TEXT.encode(), "line 3 names the columns; remove the lines above"),
        (b"Deals;;\n\n" + TEXT.replace(",", ";").encode(), "line 3 names the columns"),
        (TEXT.replace(",", "^").encode(), "it must name the columns, divided by comma"),
    ],
)
def test_a_file_that_is_no_export_is_told_what_it_is(content: bytes, told: str) -> None:
    assert told in str(refusal(content))


def test_a_given_delimiter_that_the_first_line_contradicts_is_told() -> None:
    error = refusal(TEXT.replace(",", ";"), delimiter="comma")
    assert error.parameter == "delimiter"
    assert "the first line is divided by semicolon" in str(error)


def test_a_workbook_sent_as_an_archive_is_named() -> None:
    workbook = BytesIO()
    with ZipFile(workbook, "w") as zipped:
        zipped.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(Unusable, match="save it as CSV"):
        read_archive(workbook.getvalue(), LARGEST)


def test_a_number_that_a_spreadsheet_keeps_as_text_is_read() -> None:
    text = f'{HEADER}\n="0061",Desk,New,Nora Field,2025-11-02,,"=""12.50""",EUR'
    [deal] = deals(read(text))
    assert (deal.external_id, deal.value) == ("0061", eur("12.50"))


def test_a_space_that_does_not_break_a_line_is_a_space() -> None:
    text = "Account Name,Country\nAcme\u00a0Inc,Nor\u00a0wegia"
    export = read(text)
    assert [each.name for each in export.accounts.values()] == ["Acme Inc"]
    assert export.notes == ("Country: 'Nor wegia' is no country, and is left out (row 2)",)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_a_delimiter_is_read_from_the_first_line(sign: str) -> None:
    text = rows("2025-11-02,,,").replace(",", sign)
    assert [deal.title for deal in deals(read(text))] == ["Desk"]
    assert [deal.title for deal in deals(read(f"sep={sign}\n{text}"))] == ["Desk"]


def test_a_first_line_that_two_signs_divide_is_refused_with_the_parameter() -> None:
    mixed = "Record ID,Deal Name;Deal Stage,Deal Owner;Amount"
    assert refusal(mixed).parameter == "delimiter"


def test_empty_rows_are_skipped_and_rows_keep_their_numbers() -> None:
    text = f"\n{HEADER}\n\nR1,Desk,New,Nora Field,2025-11-02,,,\n,,,,,,,\nR2,Desk,New,,,,,\n"
    export = read(text)
    assert [row.row for row in export.taken] == [4]
    assert [(each.row, each.field) for each in export.refused] == [(6, "Deal Owner")]


@pytest.mark.parametrize(
    "footer",
    [
        "Total,,,,,,100,",
        ",,,,,,100,",
        ",Grand total,,,,,100,EUR",
        "Confidential Information",
        ",,,,,Count: 3,Sum: 100,",
    ],
)
def test_a_total_at_the_end_is_no_deal(footer: str) -> None:
    export = read(f"{rows('2025-11-02,,100,EUR')}\n{footer}\n")
    assert len(deals(export)) == export.rows == 1
    assert "left out, a total or a remark at the end (row 3)" in export.notes


def test_an_incomplete_deal_at_the_end_is_refused_and_not_left_out() -> None:
    export = read(f"{rows('2025-11-02,,100,EUR')}\nR9,,,,,,,\nR10\n")
    assert {each.row for each in export.refused} == {3, 4}


# ---- columns ------------------------------------------------------------------------------------


def test_the_names_of_the_documented_columns_are_recognised() -> None:
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    table = lines[lines.index("| column | content |") + 2 :]
    rows_of_table = itertools.takewhile(lambda line: line.startswith("|"), table)
    documented = [
        name for line in rows_of_table for name in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    assert sorted(documented) == sorted({*get_args(Column)} - {"ignored"})
    header = read_table(None, ",".join(documented).encode(), Options()).header
    assert header.names == {name: name for name in documented}


def test_names_of_columns_are_mapped() -> None:
    text = "Ref;Vorhaben;Phase;Betreuer;Betrag\n7;Desk;New;Nora Field;12,50\n"
    assert refusal(text).parameter == "columns"
    columns = {
        "Ref": "external_id",
        "Vorhaben": "title",
        "Phase": "stage",
        "Betreuer": "owner",
        "Betrag": "value",
    }
    [deal] = deals(read(text, columns=columns, currency="EUR"))
    assert (deal.external_id, deal.title, deal.value) == ("7", "Desk", eur("12.50"))
    assert refusal(text, columns={**columns, "Summe": "value"}).parameter == "columns"


def test_a_column_named_twice_is_taken_if_its_content_is_equal() -> None:
    header = f"{HEADER},Amount"
    equal = rows("2025-11-02,,100,EUR,100", header=header)
    assert deals(read(equal))[0].value == eur(100)
    differs = rows("2025-11-02,,100,EUR,90", header=header)
    assert refusal(differs).parameter == "columns"
    [deal] = deals(read(differs, columns={"Amount (2)": "value"}))
    assert deal.value == eur(90)


def test_ids_of_accounts_are_not_read_as_names() -> None:
    header = "Id,AccountId,Name,StageName,OwnerId,CloseDate,Amount,CurrencyIsoCode"
    text = f"{header}\n0065g,0015g,Desk,Qualification,0055g,2026-03-01,10,EUR\n"
    [deal] = deals(read(text))
    assert (deal.account, deal.title, deal.expected_close) == (None, "Desk", date(2026, 3, 1))


# ---- days, numbers, stages ----------------------------------------------------------------------


def test_one_date_decides_for_the_whole_file() -> None:
    assert opened("03/02/2025", "13/04/2025") == [date(2025, 2, 3), date(2025, 4, 13)]
    assert opened("03/02/2025", "04/13/2025") == [date(2025, 3, 2), date(2025, 4, 13)]
    assert refusal(rows("03/02/2025,,,", "04/02/2025,,,")).parameter == "day-order"
    assert refusal(rows("13/02/2025,,,", "04/13/2025,,,")).parameter == "day-order"
    assert opened("03/02/2025", day_order="day-first") == [date(2025, 2, 3)]
    assert opened("03/03/2025") == [date(2025, 3, 3)]


def test_a_column_that_is_not_read_may_tell_the_order_of_its_file() -> None:
    text = rows("03/02/2025,,,,13/04/2025", header=f"{HEADER},Last Activity")
    assert deals(read(text))[0].opened_on == date(2025, 2, 3)


@pytest.mark.parametrize(
    "day",
    [
        "2025-04-13",
        "2025/4/13",
        "2025-04-13T23:30:00Z",
        "2025-04-13T23:30:00.123+02:00",
        "2025-04-13 23:30",
        "13.04.2025",
        "13-04-2025",
        "13/4/25",
        "13/04/2025 9:05 PM",
        "13-Apr-25",
        "13 Apr 2025",
        "13-Apr-2025",
        "April 13, 2025",
        "Apr 13 2025 23:30",
    ],
)
def test_days_are_read_as_people_write_them(day: str) -> None:
    assert opened(f'"{day}"') == [date(2025, 4, 13)]


@pytest.mark.parametrize("day", ["13/14/2025", "25-04-13", "2025-02-30", "April 2025", "75000"])
def test_what_is_no_day_is_refused(day: str) -> None:
    export = read(rows(f"{day},,,"))
    assert [each.field for each in export.refused] == ["Create Date"]


def test_days_that_a_spreadsheet_wrote_as_numbers_are_told() -> None:
    export = read(rows("46054,,,", "2025-11-02,,,"))
    assert [(each.row, each.field) for each in export.refused] == [(2, "Create Date")]
    assert "serial number of a day in a spreadsheet program" in export.refused[0].reason
    error = refusal(rows("46054,46081.5,,", "46055,,,"))
    assert "all days are like '46054'" in str(error)
    assert "yyyy-mm-dd" in str(error)


@pytest.mark.parametrize(
    ("cells", "parameter", "value"),
    [
        (("03/02/2025,,,", "04/13/2025,,,"), "day-order", "day-first"),
        ((',,"20,5",EUR', ',,"1.234,5",EUR'), "decimal", "point"),
        ((",,,,60", ",,,,40"), "probability", "share"),
        ((",,$5,", ",,$6,"), "currency", "EUR"),
    ],
)
def test_a_parameter_that_contradicts_the_file_is_told_once(
    cells: tuple[str, ...], parameter: str, value: str
) -> None:
    text = rows(*cells, header=f"{HEADER},Probability" if ",,,," in cells[0] else HEADER)
    error = refusal(text, **{parameter.replace("-", "_"): value})
    assert error.parameter == parameter
    assert f"{parameter} is given as {value}, and the" in str(error)


def test_a_parameter_decides_where_the_file_contradicts_itself() -> None:
    export = read(rows("13/02/2025,,,", "04/13/2025,,,"), day_order="day-first")
    assert [each.row for each in export.refused] == [3]


def test_rows_of_one_id_with_different_contents_are_all_refused() -> None:
    other = rows(",,7,EUR")
    export = read(f"{rows(',,5,EUR', ',,6,EUR')}\nR1,Desk,New,Nora Field,,,9,EUR")
    assert [row.row for row in export.taken] == [3]
    assert [(each.row, each.reason) for each in export.refused] == [
        (2, "is in row 4, too, with other contents"),
        (4, "is in row 2, too, with other contents"),
    ]
    both = read(rows(",,5,EUR"), other)
    assert [(each.file, each.reason) for each in both.refused] == [
        ("1.csv", "is in row 2 of 2.csv, too, with other contents"),
        ("2.csv", "is in row 2 of 1.csv, too, with other contents"),
    ]
    [again] = read(f"{other}\n{other.splitlines()[1]}").refused
    assert (again.row, again.reason) == (3, "is already in row 2")


@given(st.lists(st.dates(date(2020, 1, 1), date(2025, 12, 31)), max_size=6), st.randoms())
def test_the_order_of_rows_changes_no_day(days: Sequence[date], dice: random.Random) -> None:
    cells = [f"R{number},Desk,New,Nora Field,{day:%d/%m/%Y},,," for number, day in enumerate(days)]
    mixed = [*cells]
    dice.shuffle(mixed)

    def read_days(lines: list[str]) -> object:
        try:
            read_deals = deals(read("\n".join((HEADER, *lines))))
        except Unusable as error:
            return error.parameter
        return {deal.external_id: deal.opened_on for deal in read_deals}

    found = read_days(cells)
    assert found == read_days(mixed)
    known = {f"R{number}": day for number, day in enumerate(days)}
    decided = any(day.day > 12 for day in days) or all(day.day == day.month for day in days)
    assert found == (known if decided else "day-order")


def test_one_number_decides_for_the_whole_file() -> None:
    assert amounts("1,250", "5,5", decimal="comma") == [Decimal("1.25"), Decimal("5.5")]
    assert amounts("1.234", "5,50") == [1234, Decimal("5.50")]
    assert amounts("1,234", "5.50") == [1234, Decimal("5.50")]
    assert amounts("1,234", decimal="point") == [1234]
    assert refusal(rows(',,"1,234",EUR')).parameter == "decimal"
    assert refusal(rows(',,"1,50",EUR', ",,1.50,EUR")).parameter == "decimal"
    assert refusal(rows(',,"1,234",EUR', ',,"20,5",EUR')).parameter == "decimal"


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1 000,50", "1000.50"),
        ("1\u00a0000,50", "1000.50"),
        ("1\u202f000", "1000"),
        ("1'000.50", "1000.50"),
        ("1.234.567", "1234567"),
        ("1,00,000.00", "100000"),
        ("€ 1.000,50", "1000.50"),
        ("1000.50 EUR", "1000.50"),
        ("EUR 1,000.50", "1000.50"),
        ("+7", "7"),
        ("(0)", "0"),
        (".5", "0.5"),
        ("€.5", "0.5"),
        ("(€ 0)", "0"),
        ("7 eur", "7"),
        ("7 Euro", "7"),
    ],
)
def test_amounts_are_read_as_people_write_them(cell: str, amount: str) -> None:
    assert amounts(cell) == [Decimal(amount)]


@pytest.mark.parametrize(
    "cell", ["1.2.3", "12,34,5", "1e3", "Infinity", "-5", "(5)", "12 %", "²", "5M", "5 lots"]
)
def test_what_is_no_amount_is_refused(cell: str) -> None:
    export = read(rows(f',,"{cell}",EUR'), decimal="point")
    assert [each.field for each in export.refused] == ["Amount"]


@pytest.mark.parametrize("cell", ["-", "N/A", "(No value)", "NULL", "\u2014"])
def test_a_sign_for_no_value_is_none(cell: str) -> None:
    [deal] = deals(read(rows(f"{cell},{cell},{cell},EUR")))
    assert (deal.opened_on, deal.expected_close, deal.value) == (None, None, None)


def test_each_row_has_its_currency() -> None:
    cells = (",,5,EUR", ",,5,US Dollar", ",,$5,CAD", ",,£5,", ",,5,")
    values = [deal.value for deal in deals(read(rows(*cells), currency="CHF"))]
    assert [value and value.currency for value in values] == ["EUR", "USD", "CAD", "GBP", "CHF"]
    error = refusal(rows(*cells))
    assert (error.parameter, "in row 6" in str(error)) == ("currency", True)
    contradicts = read(rows(",,£5,EUR", ",,5,Talers"))
    assert [each.field for each in contradicts.refused] == ["Amount", "Currency"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("US$ 11.50", usd("11.50")),
        ("zł15", Money(amount=Decimal(15), currency="PLN")),
        ("16 Kč", Money(amount=Decimal(16), currency="CZK")),
        ("$5 CAD", Money(amount=Decimal(5), currency="CAD")),
        ("S/ 17", Money(amount=Decimal(17), currency="PEN")),
    ],
)
def test_a_sign_or_a_code_beside_the_amount_is_its_currency(cell: str, value: Money) -> None:
    assert deals(read(rows(f',,"{cell}",')))[0].value == value


@pytest.mark.parametrize(
    ("cell", "currency"),
    [("$10.5", "EUR"), ("€10", "USD"), ("¥10", "USD"), ("kr 10", "EUR"), ("€5 USD", "USD")],
)
def test_an_amount_that_contradicts_its_currency_is_refused(cell: str, currency: str) -> None:
    export = read(rows(f",,{cell},{currency}"))
    assert [each.field for each in export.refused] == ["Amount"]
    assert f"is not written so in {currency}" in export.refused[0].reason


def test_the_currency_of_the_file_is_for_amounts_that_name_none_and_may_be_in_it() -> None:
    export = read(rows(",,$5,", ",,€6,", ",,£7,", ",,8,"), currency="EUR")
    assert [each.row for each in export.refused] == [2]
    values = [row.opportunity.value for row in export.taken]
    assert values == [eur(6), Money(amount=Decimal(7), currency="GBP"), eur(8)]


@pytest.mark.parametrize(
    ("cell", "currency"), [("$10.5", "MXN"), ("￥10", "JPY"), ("kr 10", "SEK"), ("R 10", "ZAR")]
)
def test_a_sign_of_several_currencies_needs_one_of_them(cell: str, currency: str) -> None:
    assert refusal(rows(f",,{cell},")).parameter == "currency"
    for export in (read(rows(f",,{cell},"), currency=currency), read(rows(f",,{cell},{currency}"))):
        [deal] = deals(export)
        assert deal.value is not None
        assert deal.value.currency == currency


def test_a_column_of_currencies_has_codes_in_any_case_names_and_signs() -> None:
    cells = (",,5,eur", ",,5,Usd", ",,5,Schweizer Franken", ",,5,$", ",,5,GBP - British Pound")
    values = [deal.value for deal in deals(read(rows(*cells), currency="AUD"))]
    assert [value and value.currency for value in values] == ["EUR", "USD", "CHF", "AUD", "GBP"]
    assert refusal(rows(*cells)).parameter == "currency"


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("Probability", ("0.2", "1"), [Decimal(20), Decimal(100)]),
        ("Probability", ("60 %", "1"), [Decimal(60), Decimal(1)]),
        ("Probability (%)", ("1", "0"), [Decimal(1), Decimal(0)]),
        ("Probability", ("1", "0"), [None, Decimal(0)]),
    ],
)
def test_probabilities_are_percentages_or_shares_in_the_whole_file(
    header: str, cells: tuple[str, ...], expected: list[Decimal | None]
) -> None:
    assert likely(*cells, header=header) == expected


def likely(*cells: str, header: str = "Probability", **options: object) -> list[Decimal | None]:
    text = rows(*(f",,,,{cell}" for cell in cells), header=f"{HEADER},{header}")
    return [deal.probability for deal in deals(read(text, **options))]


@pytest.mark.parametrize("cells", [("0.2", "60"), ("0.6", "60%"), ("60 %", "1", "0.6")])
def test_shares_and_percentages_in_one_file_are_refused_with_the_parameter(
    cells: tuple[str, ...],
) -> None:
    text = rows(*(f",,,,{cell}" for cell in cells), header=f"{HEADER},Probability")
    assert refusal(text).parameter == "probability"


def test_a_given_form_of_probabilities_decides() -> None:
    half = Decimal("0.5")
    assert likely("0.5", "60", "60%", probability="percent") == [half, Decimal(60), Decimal(60)]
    assert likely("0.5", "60%", "1", probability="share") == [Decimal(50), Decimal(60), 100]
    assert likely("1", "0", probability="share") == [Decimal(100), 0]


def test_a_probability_of_one_that_may_be_either_is_noted() -> None:
    text = rows(",,,,1", ",,,,0", header=f"{HEADER},Probability")
    [note] = [each for each in read(text).notes if each.startswith("Probability")]
    assert note.startswith("Probability: 1 is a share or a percentage")
    assert note.endswith("the parameter probability tells it (row 2)")


@pytest.mark.parametrize(
    ("stage", "outcome", "ours"),
    [
        ("Closed Won", "won", None),
        ("closedlost", "lost", None),
        ("Id. Decision Makers", "open", "qualifying"),
        ("Contract Sent (Sales Pipeline)", "open", "negotiating"),
        ("3-Propose", "open", "proposing"),
    ],
)
def test_stages_of_the_crms_are_known(stage: str, outcome: str, ours: str | None) -> None:
    [deal] = deals(read(rows(",1/13/2025,,").replace("New", stage)))
    assert (deal.outcome, deal.pipeline_stage) == (outcome, ours)


def test_a_stage_that_is_not_known_is_said() -> None:
    text = rows(",,,").replace("New", "Verbal yes")
    error = refusal(text)
    assert (error.parameter, "'Verbal yes' (1 row)" in str(error)) == ("stages", True)
    [deal] = deals(read(text, stages={"verbal YES": "negotiating"}))
    assert deal.pipeline_stage == "negotiating"


def test_a_column_of_other_statuses_says_nothing() -> None:
    text = rows(",,,,At risk", header=f"{HEADER},Status")
    assert deals(read(text))[0].outcome == "open"


def test_control_totals_are_by_stage_and_currency() -> None:
    export = read(file("pipedrive"))
    found = [(each.outcome, each.stage, each.rows, each.value) for each in export.totals]
    assert found == [
        ("lost", "Negotiations Started", 1, usd(18_000)),
        ("open", "Proposal Made", 1, eur(25_000)),
        ("won", "Verbal yes", 1, Money(amount=Decimal(90_000), currency="GBP")),
    ]


# ---- anything else ------------------------------------------------------------------------------


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    st.sampled_from(["", f"{HEADER}\n", f"{HEADER.replace(',', ';')}\n", "account,sector\n"]),
)
def test_any_bytes_are_rows_or_a_refusal(content: bytes, header: str) -> None:
    try:
        export = read(header.encode() + content)
    except Unusable:
        return
    assert export.rows >= len(export.taken)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not on this machine")
@pytest.mark.parametrize(
    ("name", "parameter", "options", "taken"),
    [
        ("crm/sales_pipeline.csv", "currency", {"currency": "USD"}, 200),
        ("crm_exports/hubspot_deals.csv", "currency", {"currency": "EUR"}, 4),
        ("crm_exports/pipedrive_deals.csv", None, {}, 3),
        ("crm/accounts.csv", None, {}, 0),
    ],
)
def test_a_sample_comes_in_whole_or_with_the_parameter_that_it_lacks(
    name: str, parameter: str | None, options: dict[str, str], taken: int
) -> None:
    content = (SAMPLES / name).read_bytes()
    if parameter:
        assert refusal(content).parameter == parameter
    export = read_export(
        {name: content},
        {},
        (),
        OWNERS,
        source="crm",
        today=date(2026, 12, 1),
        options=Options.model_validate(options),
    )
    assert (export.refused, len(export.taken)) == ((), taken)
    assert len(export.accounts) == {"crm/accounts.csv": 85, "crm/sales_pipeline.csv": 73}.get(
        name, len(export.accounts)
    )
