"""Recognise the columns of an export, and the kind of the file, by the names in its first line.

Pure. Known are the names that Salesforce, HubSpot, Pipedrive, Dynamics and Zoho give them, and our
own; other names are mapped by the option `columns`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from unicodedata import normalize

from contracts.values import Value
from sales.importing.options import Column, Kind, Options, Unusable

_NAMES: Final[dict[Column, str]] = {
    "external_id": "opportunityid opportunityid18 recordid dealid pipedrivesystemid "
    "donotmodifyopportunity casesafeid potentialid id externalid",
    "title": "opportunityname dealname potentialname title topic name",
    "product": "product productname productinterest",
    "account": "accountname account associatedcompany associatedcompanyprimary "
    "primaryassociatedcompany companyname company organizationname organization organisation "
    "potentialcustomer customername customer accountnameaccountname",
    "owner": "opportunityowner opportunityownerfullname dealowner potentialowner salesagent "
    "ownername ownerfullname owner accountexecutive salesperson assignedto ownerid",
    "stage": "dealstage stage stagename stagepipeline salesstage pipelinestage pipelinephase",
    "status": "dealstatus opportunitystatus status",
    "opened_on": "createdate createddate createdon creationdate createdtime dealcreated "
    "dealcreatedon engagedate opendate openedon addtime",
    "close_date": "closedate closingdate",
    "closed_on": "closedon actualclosedate dealclosedon closeddate",
    "won_on": "wontime wonon wondate datewon",
    "lost_on": "losttime loston lostdate datelost",
    "expected_close": "expectedclosedate estclosedate estimatedclosedate expectedclose "
    "expectedcloseon",
    "value": "amount value dealvalue dealamount closevalue estrevenue estimatedrevenue "
    "opportunityamount",
    "won_value": "actualrevenue wonvalue",
    "currency": "currency amountcurrency dealcurrency opportunitycurrency currencycode "
    "currencyisocode currencyofvalue valuecurrency",
    "probability": "probability dealprobability probabilitypercent winprobability",
    "loss_reason": "lostreason closedlostreason lossreason reasonforloss reasonlost "
    "reasonforlost reasonforlosss lossreasonc closedlostreasonc lostreasonc statusreason",
    "region": "region salesregion regionaloffice territory salesterritory",
    "sector": "sector industry",
    "country": "country billingcountry officelocation countryregion address1countryregion "
    "mailingcountry",
    "parent": "parentaccount parentaccountname parentcompany subsidiaryof parent",
}
"""Folded names of each column, the most specific first: that one is taken where a file has two."""
_COLUMN_OF: Final = {name: column for column, names in _NAMES.items() for name in names.split()}
_PRIORITY: Final = {name: number for number, name in enumerate(_COLUMN_OF)}
_PREFIX: Final = "deal - "
"""What Pipedrive writes before the names of the columns of a deal."""

_NEEDED: Final[dict[Kind, tuple[tuple[Column, ...], ...]]] = {
    "opportunities": (("external_id",), ("title", "product"), ("owner",), ("stage", "status")),
    "accounts": (("account", "title"),),
    "teams": (("owner",), ("region",)),
    "products": (("product",),),
}
"""The columns that a file of each kind needs: of each group, one."""
_MEANINGS: Final[dict[Column, str]] = {
    "external_id": "the id of the opportunity in the CRM",
    "title": "the title",
    "product": "the product",
    "owner": "the owner",
    "stage": "the stage",
    "account": "the name of the account",
    "region": "the region",
}


class Header(Value):
    """The first line of an export: its kind, its columns by meaning, and the names left out."""

    kind: Kind
    row: int
    """Number of the line in the file, from 1."""
    cells: int
    """Number of columns."""
    every: tuple[str, ...]
    """The names of all columns; a repeated one has its number."""
    places: dict[Column, int]
    names: dict[Column, str]
    ignored: tuple[str, ...]


def is_known(name: str) -> bool:
    """Return whether a name in a first line is that of a column."""
    return _folded(name) in _PRIORITY


def read_header(records: Sequence[Sequence[str]], options: Options) -> Header:
    """Return the columns of a file.

    Raises Unusable where a column that its kind needs is not recognised, and where two columns of
    one name have different content.
    """
    row = next((number for number, cells in enumerate(records, 1) if any(cells)), 1)
    names = records[row - 1] if records else []
    if not names:
        raise Unusable("the file is empty; the first line must name the columns")
    found = _found(names, options)
    kind = options.kind or _kind(found)
    missing = [_MEANINGS[group[0]] for group in _NEEDED[kind] if not found.keys() & {*group}]
    if missing:
        raise Unusable(
            f"the first line must name the columns; {', '.join(missing)} is not among "
            f"{listed(names)}; map the names",
            parameter="columns",
        )
    if kind == "accounts" and "account" not in found:
        found["account"] = found.pop("title")
    places = {column: _place(names, those, records[row:]) for column, those in found.items()}
    used = {*places.values()}
    return Header(
        kind=kind,
        row=row,
        cells=len(names),
        every=tuple(numbered(names)),
        places=places,
        names={column: names[place] for column, place in places.items()},
        ignored=tuple(name for place, name in enumerate(names) if name and place not in used),
    )


def _found(names: Sequence[str], options: Options) -> dict[Column, list[int]]:
    """Return the places of the columns; those of a less specific name are left out."""
    by_name: dict[Column, dict[str, list[int]]] = {}
    mapped: dict[int, Column] = {}
    every = numbered(names)
    for name, column in options.columns.items():
        place = next((at for at, each in enumerate(every) if each == name), None)
        if place is None:
            continue
        if column in mapped.values() and column != "ignored":
            raise Unusable(f"two columns are mapped to {column}", parameter="columns")
        mapped[place] = column
    chosen = {*mapped.values()}
    for place, name in enumerate(names):
        folded = _folded(name)
        if folded in _COLUMN_OF and place not in mapped and _COLUMN_OF[folded] not in chosen:
            by_name.setdefault(_COLUMN_OF[folded], {}).setdefault(folded, []).append(place)
    found = {
        column: those[min(those, key=_PRIORITY.__getitem__)] for column, those in by_name.items()
    }
    return found | {column: [place] for place, column in mapped.items() if column != "ignored"}


_OF_DEALS: Final[frozenset[Column]] = frozenset(
    (
        "status",
        "value",
        "won_value",
        "probability",
        "close_date",
        "closed_on",
        "won_on",
        "lost_on",
        "expected_close",
        "loss_reason",
    )
)
_OF_ACCOUNTS: Final[frozenset[Column]] = frozenset(("sector", "country", "parent"))


def _kind(found: Mapping[Column, object]) -> Kind:
    """Return the kind of a file, by its columns; one of no other kind is one of opportunities."""
    given = found.keys()
    if "stage" in given or (given & _OF_DEALS and not given & _OF_ACCOUNTS) or "value" in given:
        return "opportunities"
    if "owner" in given and "region" in given and "account" not in given:
        return "teams"
    if "account" in given or ("title" in given and given & _OF_ACCOUNTS):
        return "accounts"
    return "products" if "product" in given and "owner" not in given else "opportunities"


def _place(names: Sequence[str], places: Sequence[int], records: Sequence[Sequence[str]]) -> int:
    """Return the first of some columns of one name; raises Unusable where others differ."""
    first, *others = places
    for place in others:
        for cells in records:
            if len(cells) > place and cells[place] != cells[first]:
                raise Unusable(
                    f"the first line names a column twice, and their content differs: "
                    f"{names[first]!r} and {names[place]!r}, the latter to be mapped as "
                    f"{numbered(names)[place]!r}",
                    parameter="columns",
                )
    return first


def numbered(names: Sequence[str]) -> list[str]:
    """Return names in which a repeated one has its number: `Close Date (2)`."""
    counts: dict[str, int] = defaultdict(int)
    numbered = []
    for name in names:
        counts[name] += 1
        numbered.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return numbered


def _folded(name: str) -> str:
    """Return a name without differences of case, spaces and signs."""
    name = normalize("NFKC", name).casefold().removeprefix(_PREFIX)
    return "".join(filter(str.isalnum, name))


def listed(names: Sequence[str]) -> str:
    """Return some names as text, at most the first 20 of them, each shortened."""
    shown = ", ".join(name[:40] for name in names[:20] if name)
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown
