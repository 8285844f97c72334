"""The tolerances by which the disconnects of an engagement are found: those of its company."""

from datetime import date

from chassis.domain.context import ReferenceData
from contracts.reference import Tolerances, TolerancesPublished
from gateway.view.engagement_view import View


class CompanyTolerances:
    """The tolerances of companies, as far as this process has consumed them."""

    def __init__(self, records: ReferenceData) -> None:
        self._records = records

    @property
    def revision(self) -> int:
        """A number that grows with every version that is published."""
        return sum(each.sequence for each in self._records.all(TolerancesPublished))

    def on(self, view: View, day: date) -> Tolerances:
        """Return the tolerances that apply to an engagement on a day (UTC).

        They are the defaults where no company is known to sell it, or where the company has none.
        """
        published = self._records.on(TolerancesPublished, view.company or "", day)
        if published is None:
            return Tolerances()
        return Tolerances(
            **{name: getattr(published.event, name) for name in Tolerances.model_fields}
        )
