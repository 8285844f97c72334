from datetime import date

import pytest
from pydantic import ValidationError

from contracts.legal import MsaSigned, NdaSigned
from contracts.sales import DealLost
from legal.agreements.decisions import RecordMsa, RecordNda
from tests.unit.legal.builders import TODAY, filed, opened


@pytest.mark.parametrize(("command", "event"), [(RecordNda, NdaSigned), (RecordMsa, MsaSigned)])
def test_agreements_are_recorded_once_and_replaced_by_later_ones(
    command: type[RecordNda | RecordMsa], event: type[NdaSigned | MsaSigned]
):
    first = filed().when(command()).then(event(signed_on=TODAY))
    first.when(command()).then_nothing()
    first.when(command(signed_on=date(2026, 1, 1))).then_refused(
        "already-recorded", saying=str(TODAY)
    )
    first.when(command(expires_on=date(2027, 1, 1))).then_refused(
        "already-recorded", fields={"expires_on"}, saying=f"the {command.__name__[-3:].upper()} is"
    )
    first.on(date(2026, 3, 3)).when(command()).then_nothing()
    later = event(signed_on=date(2026, 6, 1), expires_on=date(2027, 6, 1))
    renewed = first.on(date(2026, 6, 1)).when(command(expires_on=date(2027, 6, 1))).then(later)
    renewed.on(date(2026, 6, 2)).when(command(expires_on=date(2027, 6, 1))).then_nothing()
    again = event(signed_on=date(2026, 6, 2), expires_on=date(2027, 6, 1))
    renewed.on(date(2026, 6, 2)).when(command(**dict(again))).then(again)


@pytest.mark.parametrize("command", [RecordNda, RecordMsa])
def test_agreements_require_a_file_and_consistent_days(command: type[RecordNda | RecordMsa]):
    opened().when(command()).then_refused("file-not-open")
    filed().when(command(signed_on=date(2026, 3, 3))).then_refused("date-in-future")
    filed().when(command(expires_on=date(2026, 3, 1))).then_refused("expiry-before-signature")
    with pytest.raises(ValidationError, match="must not be before"):
        command(signed_on=date(2026, 3, 2), expires_on=date(2026, 3, 1))
    over = filed().consumed(DealLost(reason="price", lost_on=TODAY))
    over.when(command()).then_refused("engagement-over", saying=str(TODAY))


def test_the_agreements_in_force_are_shown():
    nda, msa = NdaSigned(signed_on=TODAY), MsaSigned(signed_on=TODAY)
    filed().published(nda, msa).then_view(nda=nda, msa=msa)
