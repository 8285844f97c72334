"""Record what the contract obliges the parties to beside delivering, and that it was met."""

from datetime import timedelta
from typing import Any

from local.demo.engagement_run import EngagementRun


async def record_obligations(run: EngagementRun, document: str) -> None:
    """Record obligations of both parties from the signed document, given by its hash.

    A scenario with mistakes records one of another contract, and withdraws it.
    """
    if not run.scenario.obliged:
        return
    if run.scenario.mistakes:
        wrong = await _record(
            run, document, text="A report about accessibility.", clause="4.2 Reports"
        )
        why = "The clause is one of another contract."
        await run.actors.act("legal", "withdraw-obligation", "carl", obligation=wrong, why=why)
    due_on = (run.actors.today + timedelta(days=30)).isoformat()
    run.obligations["company"] = await _record(
        run,
        document,
        text="Show that the liability insurance covers the work.",
        clause="11.4 Insurance certificate",
        due_on=due_on,
    )
    run.obligations["customer"] = await _record(
        run,
        document,
        text="Confirm that the test data were received back or deleted.",
        clause="9.3 Return of data",
        owed_by="customer",
        person=run.sponsor,
    )


async def meet_obligation(run: EngagementRun, party: str) -> None:
    """Record that a party met its obligation, where it has one that is open.

    In a scenario with mistakes that is first recorded too early, and taken back.
    """
    obligation = run.obligations.pop(party, None)
    if obligation is None:
        return
    if run.scenario.mistakes:
        await run.actors.act("legal", "meet-obligation", "carl", obligation=obligation)
        why = "The document was that of last year."
        await run.actors.act("legal", "reopen-obligation", "carl", obligation=obligation, why=why)
    await run.actors.act("legal", "meet-obligation", "carl", obligation=obligation)


async def _record(run: EngagementRun, document: str, **body: Any) -> str:
    """Record an obligation, by default of the company; return its id."""
    terms = {"owed_by": "company", "person": "carl", "document": document, **body}
    state = await run.actors.act_and_see("legal", "record-obligation", "carl", **terms)
    recorded: str = state["obligations"][-1]["recorded"]["obligation"]
    return recorded
