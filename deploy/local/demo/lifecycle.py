"""Run the whole lifecycle of an engagement."""

from local.demo.delivering import build, mobilise
from local.demo.engagement_run import EndOfDemo, EngagementRun
from local.demo.finishing import finish
from local.demo.selling import contract, sell
from local.demo.taking_over import take_over


async def run_lifecycle(run: EngagementRun) -> None:
    """Run an engagement from its opening to its closing, or as far as it gets by the last day."""
    try:
        if "under-way" in run.scenario.incidents:
            await take_over(run)
        elif await sell(run):
            await contract(run)
            work = await mobilise(run)
            await build(run, work)
            await finish(run, work)
    except EndOfDemo:
        return
