"""Test that sections keep what their fields declare, and that no event is left out unnamed."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from contracts import delivery, legal
from contracts.event import EVENTS, Event
from contracts.reference import PersonPublished
from gateway.service import SERVICE, omissions_of
from gateway.view.engagement_view import SECTIONS, steps_by_type
from gateway.view.sections.steps import (
    Kept,
    PartSteps,
    Ref,
    Steps,
    each_by,
    each_with_day,
    every,
    newest,
    newest_ref,
    ref,
)
from tests.builders import Life

CONSUMED = [each for each in SERVICE.consumes if each.__module__.startswith("contracts.")]
"""Without the events that tests of the chassis define."""


@dataclass(slots=True)
class Section:
    """Section that keeps events of Legal in every way."""

    filed: Ref | None = newest_ref(legal.FileOpened, legal.EngagementTerminated)
    drafted: Kept[legal.SowDrafted] | None = newest(legal.SowDrafted)
    versions: dict[int, Kept[legal.SowDrafted]] = each_by(
        legal.SowDrafted, lambda event: event.version
    )
    scopes: dict[int, Kept[str]] = each_by(
        legal.SowDrafted, lambda event: event.version, kept=lambda event: event.scope
    )
    scope: Kept[str] | None = newest(legal.SowDrafted, kept=lambda event: event.scope)
    starts: list[Kept[legal.EarlyStartAuthorised]] = every(legal.EarlyStartAuthorised)
    drafts: int = 0


steps = Steps(Section)


@steps.on(legal.SowDrafted)
def _drafted(section: Section, recorded: object) -> None:
    assert section.drafted is not None, "fields are filled first"
    section.drafts += 1


def test_a_section_keeps_what_its_fields_declare() -> None:
    life = Life().signed()
    drafted = next(each.event for each in life.events if isinstance(each.event, legal.SowDrafted))
    life.say(30, drafted.model_copy(update={"version": 2}))
    life.say(31, drafted.model_copy(update={"version": 2, "scope": "Another."}))
    for cap in (8, 16):
        start = {
            "cap_hours": cap,
            "starts_on": date(2026, 2, 1),
            "expires_on": date(2026, 9, 1),
            "reason": "Urgent.",
        }
        life.say(32, legal.EarlyStartAuthorised.model_validate(start))
    section, other, by_type = Section(), Section(), dict(steps.by_type())
    for recorded in life.events:
        if type(recorded.event) in by_type:
            by_type[type(recorded.event)](section, recorded)

    of_type = {type(each.event): each for each in life.events}
    assert section.filed == ref(of_type[legal.FileOpened])
    last = of_type[legal.SowDrafted]
    assert section.drafted == Kept(last.event, ref(last))
    assert section.versions.keys() == {1, 2}
    assert section.versions[2] == section.drafted
    assert section.versions[1].event == drafted
    assert {version: each.event for version, each in section.scopes.items()} == {
        1: drafted.scope,
        2: "Another.",
    }
    assert section.scope == Kept("Another.", ref(last)) == section.scopes[2]
    assert [each.event.cap_hours for each in section.starts] == [8, 16]
    assert section.drafts == 3
    assert (other.versions, other.starts) == ({}, [])


def test_an_event_changes_one_section() -> None:
    with pytest.raises(TypeError, match="two and one have steps for FileOpened"):
        steps_by_type({"one": Steps(Section), "two": Steps(Section)})


def test_a_section_has_the_steps_and_sentences_of_its_parts() -> None:
    part = PartSteps[Section](ignored=[legal.ObligationMet])
    part.on(legal.SowDrafted)(_drafted)
    part.describe(legal.SowDrafted, lambda event, _: event.scope)
    other = PartSteps[object](ignored=[legal.ObligationReopened])
    other.describe(legal.ObligationMet, lambda event, _: event.obligation)
    joined = Steps[Section](Section, part, other, ignored=[legal.ObligationWithdrawn])
    assert joined.sentences == part.sentences | other.sentences
    assert joined.ignored == {
        legal.ObligationMet,
        legal.ObligationReopened,
        legal.ObligationWithdrawn,
    }
    events = Life().signed().events
    drafted = next(each for each in events if isinstance(each.event, legal.SowDrafted))
    section = Section()
    dict(joined.by_type())[legal.SowDrafted](section, drafted)
    assert section.drafted == Kept(drafted.event, ref(drafted))
    assert section.drafts == 1


def test_an_event_has_one_step_and_one_sentence_in_all_parts_of_a_section() -> None:
    stepping, describing = PartSteps[Section](), PartSteps[object]()
    stepping.on(legal.SowDrafted)(_drafted)
    describing.describe(legal.SowDrafted, lambda event, _: event.scope)
    with pytest.raises(TypeError, match=r"sow-drafted\.v1 has two steps"):
        stepping.on(legal.SowDrafted)(_drafted)
    with pytest.raises(TypeError, match=r"sow-drafted\.v1 has two steps"):
        Steps[Section](Section, stepping, stepping)
    with pytest.raises(TypeError, match=r"sow-drafted\.v1 has two sentences"):
        Steps[Section](Section, stepping, describing, describing)


def test_a_day_that_no_event_has_is_refused() -> None:
    with pytest.raises(TypeError, match=r"obligation-met\.v1 has no done_on"):
        each_with_day(
            (legal.ObligationRecorded,),
            lambda event: event.obligation,
            lambda recorded: recorded.event.text,
            day="done_on",
            by=legal.ObligationMet,
            reopened=legal.ObligationReopened,
            until=legal.ObligationWithdrawn,
        )


def test_an_event_has_one_sentence() -> None:
    described = Steps(Section)
    described.describe(legal.FileOpened, lambda event, _: f"File opened: {event.title}.")
    with pytest.raises(TypeError, match=r"file-opened\.v1 has two sentences"):
        described.describe(legal.FileOpened, lambda _event, _names: "File opened.")


def test_every_event_that_the_gateway_consumes_is_projected_or_ignored_and_has_a_sentence() -> None:
    assert {each.channel.name for each in CONSUMED} == {
        each.channel.name for each in EVENTS.values() if each.channel.kind == "events"
    }
    assert [fault for kind in CONSUMED for fault in omissions_of(kind)] == []


def test_an_event_that_was_forgotten_is_named_at_start() -> None:
    forgetful = replace(SERVICE, consumes=(*CONSUMED, PersonPublished))
    with pytest.raises(TypeError) as error:
        forgetful.require_complete()
    name = "concord.delivery.person-published.v1"
    assert f"no section keeps, applies or ignores {name}; {name} has no sentence" in str(
        error.value
    )


def test_what_is_ignored_has_no_step() -> None:
    ignored: set[type[Event]] = set().union(*(each.ignored for each in SECTIONS.values()))
    assert delivery.BrdSubmitted in ignored
    assert not ignored & steps_by_type(SECTIONS).keys()
