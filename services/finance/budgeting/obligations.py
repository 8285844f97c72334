"""Group the lines of a contract into performance obligations (IFRS 15.22)."""

from collections.abc import Iterable, Mapping

from contracts.lines import ContractLine, PerformanceObligation, Pricing
from contracts.values import RevenueMethod
from finance.billing.schedule import unused

FIXED = "fixed"
"""Id of the obligation of all fixed lines."""

METHODS: dict[Pricing, tuple[RevenueMethod, ...]] = {
    "fixed": ("cost-to-cost", "at-acceptance"),
    "time-and-materials": ("as-invoiced",),
    "at-cost": ("as-invoiced",),
    "retainer": ("over-time",),
}
"""Methods that fit an obligation by the pricing of its lines; the first one is the usual one.

Only of time and expenses does an invoice measure what the customer received (IFRS 15.B16), and only
a retainer is a service of equal months.
"""


def obligations_of(
    lines: Iterable[ContractLine],
    chosen: Mapping[str, RevenueMethod],
    known: tuple[PerformanceObligation, ...] = (),
    fixed: str = FIXED,
) -> tuple[PerformanceObligation, ...]:
    """Return the obligations, with the lines that are in none yet; `known` ones keep their method.

    Fixed lines join the obligation `fixed`, and discounts, too, unless the contract has no other
    fixed line: then a discount joins the line that it reduces. Each line by time and materials, at
    cost or by retainer is an obligation of its own. `chosen` are methods in place of the usual one,
    by obligation.
    """
    lines = tuple(lines)
    members = {line for each in known for line in each.lines}
    groups = {each.obligation: each.lines for each in known}
    methods = {each.obligation: each.method for each in known}
    for line in sorted(lines, key=lambda each: each.kind == "discount"):
        if line.line in members:
            continue
        name = fixed
        if line.pricing != "fixed":
            name = unused(line.line, {FIXED, *groups})
        elif line.kind == "discount" and fixed not in groups:
            name = _reduced_by(line, lines, groups) or fixed
        groups[name] = (*groups.get(name, ()), line.line)
        methods.setdefault(name, chosen.get(name) or METHODS[line.pricing][0])
    return tuple(
        PerformanceObligation(obligation=name, lines=group, method=methods[name])
        for name, group in groups.items()
    )


def _reduced_by(
    discount: ContractLine, lines: tuple[ContractLine, ...], groups: Mapping[str, tuple[str, ...]]
) -> str | None:
    reduced = {item.reduces for item in discount.billing}
    of_entry = (line.line for line in lines for item in line.billing if item.item in reduced)
    line = next(of_entry, None)
    return next((name for name, group in groups.items() if line in group), None)
