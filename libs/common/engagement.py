"""Parts that the engagement of every department has."""

from chassis.domain.state import Part
from common.disconnects.state import Disconnects
from common.documents.state import Documents
from common.questions.state import Questions


class CommonParts(Part):
    """Base of the state of an engagement in a department."""

    engagement: str
    disconnects: Disconnects = Disconnects()
    documents: Documents = Documents()
    questions: Questions = Questions()
