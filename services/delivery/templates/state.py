"""State of a template."""

from chassis.domain.state import Kept, Part
from contracts.reference import TemplatePublished


class Template(Part):
    """A template: its newest published version."""

    template: str
    published: Kept[TemplatePublished] = None
