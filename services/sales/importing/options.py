"""Define the parameters that decide how an export is read where its files leave that open."""

import codecs
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from contracts.money import Currency
from contracts.values import Value

Parameter = Literal[
    "columns",
    "currency",
    "day-order",
    "decimal",
    "delimiter",
    "encoding",
    "kind",
    "probability",
    "stages",
]
"""Parameter of an import."""
Kind = Literal["opportunities", "accounts", "teams", "products"]
"""Kind of an exported file."""
Delimiter = Literal["comma", "semicolon", "tab", "pipe"]
DayOrder = Literal["day-first", "month-first"]
Decimals = Literal["point", "comma"]
Probabilities = Literal["share", "percent"]
Column = Literal[
    "external_id",
    "title",
    "product",
    "account",
    "owner",
    "stage",
    "status",
    "opened_on",
    "close_date",
    "closed_on",
    "won_on",
    "lost_on",
    "expected_close",
    "value",
    "won_value",
    "currency",
    "probability",
    "loss_reason",
    "region",
    "sector",
    "country",
    "parent",
    "ignored",
]
"""Meaning of a column. A `close_date` is the day of an ended deal, the expected one of an open."""
PipelineWord = Literal["prospecting", "qualifying", "proposing", "negotiating", "won", "lost"]
"""Meaning of a stage in the CRM."""

DELIMITERS: Final[dict[Delimiter, str]] = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
}
_ENCODINGS: Final = (
    "utf-8 utf-16 utf-16-le utf-16-be cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 "
    "cp1258 cp437 cp850 cp852 cp874 cp932 cp949 iso8859-1 iso8859-2 iso8859-5 iso8859-7 iso8859-9 "
    "iso8859-15 mac-roman big5 euc_jp euc_kr gb18030 gbk shift_jis koi8-r koi8-u"
)


def _encoding(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        known = ""
    if known not in _ENCODINGS.split():
        raise ValueError(f"must be an encoding of text: {', '.join(_ENCODINGS.split())}")
    return known


Encoding = Annotated[str, Field(max_length=20), AfterValidator(_encoding)]
"""Encoding of a text file, such as `cp1252`; other names of it (`windows-1252`) are accepted."""


_COLUMNS: Final = TypeAdapter(dict[str, Column])
_STAGES: Final = TypeAdapter(dict[str, PipelineWord])


def _meanings(text: str, known: TypeAdapter[Any], words: object) -> str:
    try:
        known.validate_json(text)
    except ValidationError:
        allowed = ", ".join(get_args(words))
        raise ValueError(f"must be a JSON object of names and their meanings: {allowed}") from None
    return text


ColumnsText = Annotated[
    str,
    Field(max_length=20_000),
    AfterValidator(lambda text: _meanings(text, _COLUMNS, Column)),
]
"""Meanings of columns by the names in the first line, as a JSON object."""
StagesText = Annotated[
    str,
    Field(max_length=20_000),
    AfterValidator(lambda text: _meanings(text, _STAGES, PipelineWord)),
]
"""Meanings of stages by the words of the CRM, as a JSON object."""


def columns_in(text: ColumnsText) -> dict[str, Column]:
    """Return the meanings of columns in a JSON object."""
    return _COLUMNS.validate_json(text)


def stages_in(text: StagesText) -> dict[str, PipelineWord]:
    """Return the meanings of stages in a JSON object."""
    return _STAGES.validate_json(text)


class Unusable(ValueError):
    """An error: a file cannot be read as an export.

    The message gives the reason; `parameter` would make it readable, where there is one.
    """

    def __init__(self, reason: str, parameter: Parameter | None = None) -> None:
        super().__init__(f"{reason} ({parameter}=)" if parameter else reason)
        self.parameter = parameter

    def of(self, file: str | None) -> "Unusable":
        """Return the error with the name of the file, where there are several."""
        if file is None:
            return self
        error = Unusable(f"{file}: {self}")
        error.parameter = self.parameter
        return error


class Options(Value):
    """Parameters of an import; a parameter that is not given is read from the files, or refused."""

    kind: Kind | None = None
    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    day_order: DayOrder | None = None
    decimal: Decimals | None = None
    probability: Probabilities | None = None
    currency: Currency | None = None
    """Currency of the amounts of rows that name none."""
    columns: dict[str, Column] = Field(default_factory=dict)
    """Meanings of columns by the names in the first line."""
    stages: dict[str, PipelineWord] = Field(default_factory=dict)
    """Meanings of stages by the words of the CRM."""
