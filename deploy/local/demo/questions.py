"""Ask and answer questions between departments, and ask the customer."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.demo.engagement_run import EngagementRun


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A question of one department and the answer of another, each by a person of theirs."""

    asks: str
    by: str
    answers: str
    answered_by: str
    about: str
    text: str
    answer: str


async def ask_and_answer(run: EngagementRun) -> None:
    """Let each department ask another one, and Delivery the sponsor, and let all be answered."""
    scenario = run.scenario
    exchanges = (
        _Exchange(
            asks="sales",
            by=scenario.seller,
            answers="delivery",
            answered_by=scenario.manager,
            about="Start of the work",
            text="May I tell the customer that the same team stays until the end?",
            answer="Yes, all of them are allocated.",
        ),
        _Exchange(
            asks="legal",
            by="carl",
            answers="sales",
            answered_by=scenario.seller,
            about="Parties",
            text="Does the parent company of the customer have to be named?",
            answer="No, only the company that ordered.",
        ),
        _Exchange(
            asks="finance",
            by="fred",
            answers="legal",
            answered_by="carl",
            about="Payment terms",
            text="Do the terms count from the day of the invoice or of its arrival?",
            answer="From the day of the invoice.",
        ),
        _Exchange(
            asks="delivery",
            by=scenario.manager,
            answers="finance",
            answered_by="fred",
            about="Time report",
            text="Does the invoice need the names of the consultants?",
            answer="No, hours by role are enough.",
        ),
    )
    for each in exchanges:
        body = {"text": each.text, "about": each.about, "to_department": each.answers}
        await _exchange(run, each, body)
    sponsor = _Exchange(
        asks="delivery",
        by=scenario.manager,
        answers="delivery",
        answered_by=scenario.manager,
        about="Test data",
        text="Who approves that we use a copy of real data?",
        answer="I do, with the data protection officer.",
    )
    body = {"text": sponsor.text, "about": sponsor.about, "to_contact": run.sponsor}
    await _exchange(run, sponsor, body)


async def _exchange(run: EngagementRun, exchange: _Exchange, body: dict[str, Any]) -> None:
    actors = run.actors
    due_on = (actors.today + timedelta(days=5)).isoformat()
    state = await actors.act_and_see(
        exchange.asks, "ask-question", exchange.by, **body, due_on=due_on
    )
    question = next(
        each["asked"]["question"]
        for each in state["questions"]
        if each["asked"]["about"] == exchange.about
    )
    await actors.act(
        exchange.answers,
        "answer-question",
        exchange.answered_by,
        question=question,
        answer=exchange.answer,
    )
