"""Rules that compare the statement of work with the deal."""

from collections.abc import Iterable, Iterator
from datetime import date

from contracts.gateway import Side
from contracts.lines import ContractLine
from contracts.money import Money
from contracts.reference import Tolerances
from gateway.formatting import day
from gateway.rules.amounts import (
    absolute,
    cost_of_delay,
    difference,
    price_of_deliverables,
)
from gateway.rules.rule import Disconnect, End, Rule, Rules
from gateway.rules.sides import of_titles, side
from gateway.view.engagement_view import View
from gateway.view.sections.legal import Sow
from gateway.view.sections.sales import Won
from gateway.view.sections.steps import Kept

rules = Rules()


@rules.register(
    "signed-version-not-latest",
    title="Signed is not the latest",
    owner="legal",
    command="record-signature",
)
def signed_version(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a signed version that is not the latest drafted version, or has other content."""
    signed, latest = view.legal.signed, view.legal.latest_sow
    if signed is None or latest is None:
        return
    if signed.event.version != latest.event.version:
        sentence = (
            f"Version {signed.event.version} of the statement of work was signed, "
            f"version {latest.event.version} is the latest."
        )
    elif signed.event.content_hash != latest.event.content_hash:
        sentence = f"Version {signed.event.version} was signed with other content than was drafted."
    else:
        return
    yield rule.disconnect(
        sentence,
        (signed.said, latest.said),
        sides=(
            side(
                "legal",
                f"version {signed.event.version} signed{_at(view.legal.signed_sow)}",
                signed.said,
            ),
            side("legal", f"version {latest.event.version} drafted{_at(latest)}", latest.said),
        ),
        exposure=latest.event.price,
        at_stake=_price_difference(view.legal.signed_sow, latest),
        severity="serious",
    )


def _at(sow: Kept[Sow] | None) -> str:
    return f" at {sow.event.price}" if sow is not None else ""


def _price_difference(signed: Kept[Sow] | None, latest: Kept[Sow]) -> Money | None:
    """Return by how much the prices of two versions differ; None where other content differs."""
    if signed is None or signed.event.price == latest.event.price:
        return None
    return difference(signed.event.price, latest.event.price)


def _compared(view: View) -> tuple[Kept[Won], Kept[Sow]] | None:
    """Return the deal, and the statement of work that is signed or was drafted last.

    Return None where one of them is missing, or Sales confirmed the signed version.
    """
    won, sow = view.sales.won, view.legal.signed_sow or view.legal.latest_sow
    if won is None or sow is None:
        return None
    confirmed, signed = view.sales.contract_confirmed, view.legal.signed
    is_confirmed = (
        confirmed is not None
        and signed is not None
        and confirmed.event.content_hash == signed.event.content_hash
    )
    return None if is_confirmed else (won, sow)


def _end(view: View) -> End | None:
    """Return who ends a difference once a version is signed; None while it is Legal's draft."""
    return End("sales", "confirm-contract") if view.legal.signed_sow is not None else None


@rules.register(
    "sow-price-differs",
    title="Contract price differs from the deal",
    owner="legal",
    command="draft-sow",
)
def sow_price(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a statement of work at another price than the deal, in total or by line."""
    if (compared := _compared(view)) is None:
        return
    won, sow = compared
    sold, contracted = won.event.price, sow.event.price
    if contracted.currency != sold.currency:
        sentence = f"The deal is in {sold.currency}, the contract in {contracted.currency}."
        yield rule.disconnect(
            sentence,
            (won.said, sow.said),
            sides=_sides(view, won, sow, f"won at {sold}", f"at {contracted}"),
            end=_end(view),
            exposure=sold,
            severity="serious",
        )
        return
    lines = tuple(_differing_lines(won.event.lines, sow.event.lines))
    if contracted == sold and not lines:
        return
    total = (
        f"The deal was won at {sold}, the statement of work says {contracted}."
        if contracted != sold
        else "The deal and the statement of work have different lines."
    )
    differing = f" {'; '.join(sentence for sentence, _ in lines)}." if lines else ""
    by_line = Money.total((amount for _, amount in lines), sold.currency)
    yield rule.disconnect(
        total + differing,
        (won.said, sow.said),
        sides=_sides(view, won, sow, f"won at {sold}", f"at {contracted}")
        if contracted != sold
        else _sides(view, won, sow, _by_line(won.event.lines), _by_line(sow.event.lines)),
        end=_end(view),
        exposure=max(sold, contracted),
        at_stake=sold - contracted if contracted != sold else by_line,
        severity="serious",
    )


def _sides(
    view: View, won: Kept[Won], sow: Kept[Sow], sold: str, written: str
) -> tuple[Side, Side]:
    """Return the deal and the statement of work; `written` is what follows signed or drafted."""
    return side("sales", sold, won.said), _of_legal(view, sow, f"{_verb(view)} {written}")


def _verb(view: View) -> str:
    return "drafted" if view.legal.signed_sow is None else "signed"


def _of_legal(view: View, sow: Kept[Sow], value: str) -> Side:
    """Return what the statement of work says, stated with its signature if it is signed."""
    signed = view.legal.signed if view.legal.signed_sow is not None else None
    return side("legal", value, signed.said if signed else sow.said)


def _by_line(lines: Iterable[ContractLine]) -> str:
    return "; ".join(f"{line.title} {line.price}, {line.pricing}" for line in lines)


def _differing_lines(
    sold: Iterable[ContractLine], contracted: Iterable[ContractLine]
) -> Iterator[tuple[str, Money]]:
    """Yield a sentence about each line with another price or pricing, and the difference."""
    agreed, written = ({line.line: line for line in lines} for lines in (sold, contracted))
    for name in {**agreed, **written}:
        one, other = agreed.get(name), written.get(name)
        if one is None or other is None:
            line = one or other
            if line is not None:
                where = "the deal" if one else "the statement of work"
                yield f"{line.title} ({line.price}) is only in {where}", absolute(line.price)
        elif (one.price, one.pricing) != (other.price, other.pricing):
            yield (
                f"{one.title}: {one.price}, {one.pricing}, and {other.price}, {other.pricing}",
                absolute(one.price - other.price),
            )


@rules.register(
    "sow-dates-differ",
    title="Contract dates differ from the deal",
    owner="legal",
    command="draft-sow",
)
def sow_dates(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a statement of work with another start or finish than the deal."""
    if (compared := _compared(view)) is None:
        return
    won, sow = compared
    agreed = (won.event.starts_on, won.event.finishes_on)
    written = (sow.event.starts_on, sow.event.finishes_on)
    if agreed != written:
        finish = abs((written[1] - agreed[1]).days)
        yield rule.disconnect(
            f"The deal is from {day(agreed[0])} to {day(agreed[1])}, the statement of work from "
            f"{day(written[0])} to {day(written[1])}.",
            (won.said, sow.said),
            sides=_sides(
                view,
                won,
                sow,
                f"won from {day(agreed[0])} to {day(agreed[1])}",
                f"from {day(written[0])} to {day(written[1])}",
            ),
            end=_end(view),
            exposure=sow.event.price,
            at_stake=cost_of_delay(view, finish) if finish else None,
            days=max(abs((one - other).days) for one, other in zip(agreed, written, strict=True)),
        )


@rules.register(
    "sow-scope-differs",
    title="Contract scope differs from the deal",
    owner="legal",
    command="draft-sow",
)
def sow_scope(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a statement of work with other deliverables than the deal."""
    if (compared := _compared(view)) is None:
        return
    won, sow = compared
    sold, written = won.event.deliverables, sow.event.deliverables
    missing = [title for name, title in sold.items() if name not in written]
    extra = [title for name, title in written.items() if name not in sold]
    parts = [
        f"{what}: {', '.join(names)}"
        for what, names in (("missing in the statement of work", missing), ("not sold", extra))
        if names
    ]
    if parts:
        yield rule.disconnect(
            f"The deal and the statement of work have different deliverables; {'; '.join(parts)}.",
            (won.said, sow.said),
            sides=(
                side("sales", of_titles(sold, written, "sold"), won.said),
                _of_legal(view, sow, of_titles(written, sold, _verb(view))),
            ),
            end=_end(view),
            exposure=price_of_deliverables(
                [*won.event.lines, *sow.event.lines], {*sold} ^ {*written}, view.price
            ),
            severity="serious" if missing else "warning",
        )
