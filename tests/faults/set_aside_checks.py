"""Check that each service set aside all injected records on its topics, and nothing else.

An injected event is skipped as a repeat where its author had published one with the same sequence
before it, and several more; it is ignored where no stream of the service consumes it.
"""

from collections.abc import Iterator, Mapping

from chassis.domain.latest_ids import REMEMBERED
from contracts.channels import CHANNELS
from tests.faults.collected_state import CONSUMED, Evidence, Planted, Published
from tests.faults.finding import Finding


def set_aside(evidence: Evidence) -> Iterator[Finding]:
    """Compare what each service set aside with what was planted on the topics that it consumes."""
    published = {
        (name, record.key, record.recorded.sequence): record
        for name, records in evidence.topics.items()
        for record in reversed(records)  # the first with a sequence is the valid one
        if record.recorded is not None
    }
    for service, records in evidence.aside.items():
        aside = {record.id: record for record in records}
        wanted = {
            each.id: each
            for each in evidence.planted
            if CHANNELS[each.channel] in CONSUMED[service]
            and not _passes_by(service, each, published)
        }
        for name in sorted(wanted.keys() - aside.keys()):
            yield Finding(f"{service} has not set {_text(wanted[name])} aside", may_pass=True)
        planted = {each.id for each in evidence.planted}
        for name in sorted(aside.keys() - wanted.keys()):
            record = aside[name]
            if name in planted and record.code == "other-event":
                continue  # it waited, and was tried next to the event of its number
            what = "which passes by" if name in planted else "which no test injected"
            yield Finding(
                f"{service} has set {name} aside, {what}: {record.engagement}"
                f" {record.channel.name} {record.sequence}, {record.code}: {record.sentence}"
            )


def _passes_by(
    service: str, planted: Planted, published: Mapping[tuple[str, str, int], Published]
) -> bool:
    if planted.sequence is None:
        return False
    channel = CHANNELS[planted.channel]
    if service == channel.department and service != "gateway" and channel.kind == "events":
        return True  # no department consumes events of its own
    before = [
        (planted.channel, planted.key, planted.sequence + further) in published
        and published[planted.channel, planted.key, planted.sequence + further].offset
        < planted.offset
        for further in range(REMEMBERED + 1)
    ]
    # Its id is compared with those of the last few events that were published before it.
    return before[0] and (channel.kind != "events" or before[REMEMBERED])


def _text(planted: Planted) -> str:
    return f"{planted.id} ({planted.kind}, {planted.channel} of {planted.key or 'no key'})"
