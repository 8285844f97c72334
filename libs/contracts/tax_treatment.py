"""Define how sales to an account, or by a tax rate, are treated for value added or sales tax."""

from typing import Annotated, Literal

from contracts.vocabularies import OPEN, Unlisted

TaxTreatment = Annotated[Literal["domestic", "reverse-charge", "exempt"] | Unlisted, OPEN]
"""`domestic`: taxed by the company. `reverse-charge`: the customer owes the tax.

`reverse-charge` is for services to a business in another country (Directive 2006/112/EC, articles
44 and 196), or where a state applies it at home (articles 194 and 199).
"""
