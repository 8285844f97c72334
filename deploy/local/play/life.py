"""The whole life of an engagement, act by act."""

from local.play.delivering import build, mobilise
from local.play.finishing import finish
from local.play.selling import Curtain, Scene, contract, sell


async def live(scene: Scene) -> None:
    """From the first call to the end, or as far as the plot goes by the last day."""
    try:
        if await sell(scene):
            await contract(scene)
            work = await mobilise(scene)
            await build(scene, work)
            await finish(scene, work)
    except Curtain:
        return
