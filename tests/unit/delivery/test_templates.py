from chassis.domain.reference import Record
from contracts.reference import TemplatePhase, TemplatePublished
from delivery.service import TEMPLATE
from delivery.templates.decisions import PublishTemplate
from testkit.scenario import Outcome, given
from tests.amounts import hours
from tests.unit.delivery.builders import TEMPLATE as WEB

web = given(TEMPLATE, "web")
WEB_COMMAND = PublishTemplate(name=WEB.name, estimate=WEB.estimate, phases=WEB.phases)


def test_an_unchanged_template_is_not_published_again() -> None:
    web.when(WEB_COMMAND).then(WEB).when(WEB_COMMAND).then_nothing()


def test_a_templates_shares_add_up() -> None:
    analysis, build = WEB.phases
    short = build.model_copy(update={"duration_share": hours(70)})
    web.when(WEB_COMMAND.model_copy(update={"phases": (analysis, short)})).then_refused(
        "shares-do-not-add-up", saying="duration"
    )
    idle = build.model_copy(update={"tasks": build.tasks[:1]})
    web.when(WEB_COMMAND.model_copy(update={"phases": (analysis, idle)})).then_refused(
        "shares-do-not-add-up", saying="project-manager take 40 %"
    )


def test_phases_and_tasks_can_be_told_apart() -> None:
    analysis, build = WEB.phases
    half = build.model_copy(update={"duration_share": hours("37.5")})
    part = tuple(each.model_copy(update={"share": each.share / 2}) for each in build.tasks)
    analysis_only = analysis.tasks
    half = half.model_copy(update={"tasks": part})

    def published(*phases: TemplatePhase) -> Outcome[Record[TemplatePublished]]:
        return web.when(WEB_COMMAND.model_copy(update={"phases": phases}))

    other = half.model_copy(update={"phase": "BUILD"})
    published(analysis, half, other).then_refused("keys-not-distinct", saying="phase BUILD")
    keyed = half.model_copy(update={"key": "second"})
    published(analysis, half, keyed).then_accepted()
    published(analysis, keyed, keyed).then_refused("keys-not-distinct", saying="phase Build")
    requirements, set_up = analysis_only
    twice = (*(requirements.model_copy(update={"share": hours(30)}),) * 2, set_up)
    same = analysis.model_copy(update={"tasks": twice})
    published(same, build).then_refused("keys-not-distinct", saying="task Requirements of Analysis")
    first, second, rest = twice
    apart = (first, second.model_copy(update={"key": "again"}), rest)
    published(analysis.model_copy(update={"tasks": apart}), build).then_accepted()
