"""Batch routing: assign records to the streams that process them, and find those that must wait."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from chassis.application.ports import StreamRouter
from chassis.domain.trouble import Trouble
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked_record import trouble_of

WAITING = Trouble("waiting", "it is behind another event")


@dataclass(slots=True)
class RoutedBatch:
    """A routed batch: each record is in exactly one of the groups or lists.

    `groups` are events by the stream that processes them, `stopped` those that must wait, `aside`
    records that are no events of an engagement, `ignored` events that no stream here processes, and
    tombstones.
    """

    all: Sequence[Arrival]
    groups: dict[str, list[Arrival]] = field(default_factory=dict)
    stopped: list[tuple[Arrival, Trouble]] = field(default_factory=list)
    aside: list[tuple[Arrival, Trouble]] = field(default_factory=list)
    ignored: list[Arrival] = field(default_factory=list)


def route_batch(
    arrivals: Sequence[Arrival], parked: Container[object], router: StreamRouter
) -> RoutedBatch:
    """Route a batch; events of an engagement behind one that must wait have to wait, too."""
    routed = RoutedBatch(arrivals)
    stopped: set[str] = set()
    for arrival in arrivals:
        key, trouble, recorded = arrival.key, arrival.trouble, arrival.recorded
        if trouble is not None or key is None:
            routed.aside.append((arrival, trouble or Trouble("no-key", "it names no engagement")))
        elif recorded is None:
            routed.ignored.append(arrival)
        elif key in stopped or key in parked:
            routed.stopped.append((arrival, WAITING))
        else:
            try:
                stream = router(recorded)
            except Exception as error:  # noqa: BLE001 - it concerns this event alone
                routed.stopped.append((arrival, trouble_of(error, arrival.channel)[0]))
                stopped.add(key)
                continue
            if stream is None:
                routed.ignored.append(arrival)
            else:
                routed.groups.setdefault(stream, []).append(arrival)
    return routed
