"""All questions that a page may ask, by their names in the address: /api/runs/RUN/look/NAME. Nothing else reaches the
process that answers. No torch is loaded here: the server reads the question.
"""

from __future__ import annotations

from limpide.inspector import data, image, network, strokes, test_set, unit
from limpide.inspector.question import Question

QUESTIONS: dict[str, Question] = {
    **image.QUESTIONS,
    **network.QUESTIONS,
    **unit.QUESTIONS,
    **data.QUESTIONS,
    **test_set.QUESTIONS,
    **strokes.QUESTIONS,
}
