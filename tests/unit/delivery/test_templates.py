from delivery.service import TEMPLATE
from delivery.templates.decisions import PublishTemplate
from testkit.scenario import given
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
