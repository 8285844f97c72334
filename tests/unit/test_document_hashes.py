"""A hash in a command is that of a document that the department has, or of its own latest draft."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_args

import pytest

from chassis.domain.commands import Command
from chassis.domain.documents import named_documents
from chassis.runtime.service import Service
from contracts.delivery import (
    BrdSignedOff,
    ChangeApproved,
    DeliverableAccepted,
    DeliverableRejected,
    SurveyAnswered,
)
from contracts.values import ContentHash, CustomerAct
from delivery.acceptance.decisions import AcceptDeliverable
from delivery.customer_inputs.decisions import ReceiveCustomerInput
from delivery.requirements.decisions import SubmitBrd
from tests.unit.delivery.builders import released, signed

HASH = f"sha256:{'c' * 64}"
SERVICES: tuple[Service, ...] = tuple(
    import_module(f"{name}.service").SERVICE for name in ("sales", "legal", "delivery", "finance")
)
COMPARED = {
    ("confirm-contract", "content_hash"),
    ("record-obligation", "document"),
    ("record-signature", "content_hash"),
    ("review-amendment", "content_hash"),
    ("sign-amendment", "content_hash"),
}
"""Fields whose hash a decision compares with a latest draft or signed document of its own."""


def commands() -> Iterator[type[Command]]:
    for service in SERVICES:
        for decider in service.all_deciders:
            yield from decider.commands


def hashes(kind: type[Command]) -> Iterator[str]:
    """Yield the fields of a command that are hashes."""
    pattern = get_args(ContentHash)[1]
    for name, field in kind.model_fields.items():
        if pattern in field.metadata or any(
            pattern in getattr(each, "__metadata__", ()) for each in get_args(field.annotation)
        ):
            yield name


def test_every_hash_of_a_command_is_checked() -> None:
    found = {(kind, field) for kind in commands() for field in hashes(kind)}
    checked = {
        (kind, field)
        for kind, field in found
        if field in named_documents(kind.model_construct(None, **{field: HASH}))
    }
    assert {(kind.named(), field) for kind, field in found - checked} == COMPARED
    acts: set[Any] = {kind for kind in commands() if CustomerAct in kind.__mro__}
    assert len(acts) >= 6
    assert acts <= {kind for kind, field in checked if field == "evidence"}


@pytest.mark.parametrize(
    "event",
    [BrdSignedOff, ChangeApproved, DeliverableAccepted, DeliverableRejected, SurveyAnswered],
)
def test_the_acts_of_the_customer_have_evidence(event: Any) -> None:
    assert issubclass(event, CustomerAct)


def test_evidence_that_was_not_uploaded_is_refused_by_field() -> None:
    proved = AcceptDeliverable(
        deliverable="design", submission=1, accepted_by="cleo", evidence=HASH
    )
    released().when(proved).then_refused(
        "document-unknown",
        fields=["evidence"],
        saying=f"no document {HASH} of {released().stream.subject}; upload",
    )
    received = ReceiveCustomerInput(input="CI-1", evidence=HASH)
    released().when(received).then_refused("document-unknown", fields=["evidence"])
    signed().when(SubmitBrd(content_hash=HASH)).then_refused(
        "document-unknown", fields=["content_hash"]
    )
    signed().uploaded(HASH).when(SubmitBrd(content_hash=HASH)).then_accepted()
