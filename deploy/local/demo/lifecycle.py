"""The whole life of an engagement, act by act."""

from local.demo.delivering import build, mobilise
from local.demo.engagement_run import EndOfDemo, EngagementRun
from local.demo.finishing import finish
from local.demo.selling import contract, sell


async def run_lifecycle(run: EngagementRun) -> None:
    """From the first call to the end, or as far as the plot goes by the last day."""
    try:
        if await sell(run):
            await contract(run)
            work = await mobilise(run)
            await build(run, work)
            await finish(run, work)
    except EndOfDemo:
        return
