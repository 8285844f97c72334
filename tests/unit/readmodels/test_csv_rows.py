"""CSV that is read back equals the rows, and a spreadsheet computes none of its texts."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.readmodels.csv_rows import InvalidCsv, header, read_rows, written
from contracts.money import Money
from tests.unit.readmodels.samples import KIND, Sample, lists_of_rows, quick, sample


@quick
@given(lists_of_rows)
def test_rows_are_read_back_as_they_were_written(rows: list[Sample]):
    assert list(read_rows(KIND, header(KIND) + written(KIND, rows))) == rows


@given(st.text(alphabet=st.sampled_from("=+-@\t\r\n'\",;a "), max_size=5))
def test_any_text_is_read_back_and_none_is_computed(text: str):
    content = written(KIND, [sample(title=text, note=text)])
    (line,) = csv.reader(io.StringIO(content, newline=""))
    assert not line[1].startswith(("=", "+", "-", "@", "\t", "\r"))
    (row,) = read_rows(KIND, header(KIND) + content)
    assert (row.title, row.note) == (text, text)


def test_amounts_have_a_column_for_the_currency():
    row = sample(value=Money(amount=Decimal("-1250.50"), currency="EUR"), urgent=True)
    names, fields = csv.reader(io.StringIO(header(KIND) + written(KIND, [row])))
    line = dict(zip(names, fields, strict=True))
    assert (line["value.amount"], line["value.currency"]) == ("-1250.5", "EUR")
    assert (line["urgent"], line["note"], line["title"]) == ("true", "", "Title")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("key,title\r\n", "line 1: the columns must be key, title, note"),
        (header(KIND) + "K-1,Title\r\n", "line 2: has 2 fields"),
        (
            header(KIND) + written(KIND, [sample(), sample(month="2026-13")]),
            "line 3, month: must be a month",
        ),
        (header(KIND) + ",Title" + "," * (len(header(KIND).split(",")) - 2), "line 2, key"),
    ],
)
def test_a_wrong_field_is_refused_with_line_and_column(text: str, sentence: str):
    with pytest.raises(InvalidCsv, match=sentence):
        list(read_rows(KIND, text))
