"""How a department hears of disconnects: each keeps those that stand, to show its own people."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel

from chassis.decider import Evolution
from contracts.fact import Recorded
from contracts.gateway import (
    Disconnect,
    DisconnectDetected,
    DisconnectResolved,
    DisconnectWaived,
    standing,
)

S = TypeVar("S", bound=BaseModel)


def hear_disconnects(evolve: Evolution[S], known: Callable[[S], Mapping[str, Disconnect]]) -> None:
    """Keep the disconnects that stand in the state's field `disconnects`, which `known` reads."""

    def said(
        state: S,
        recorded: Recorded[DisconnectDetected | DisconnectResolved | DisconnectWaived],
    ) -> S:
        return state.model_copy(update={"disconnects": standing(known(state), recorded.fact)})

    evolve.on(DisconnectDetected)(said)
    evolve.on(DisconnectResolved)(said)
    evolve.on(DisconnectWaived)(said)
