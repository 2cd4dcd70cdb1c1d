"""The baselines. The package knows them only through this table: the comparison, its quote and its memory use it. To
add one: a file in this folder with `fit`, `images` and `work`, and a line here.
"""

from __future__ import annotations

from limpide.baselines import first_head, forest, logistic, nearest_features, nearest_pixels, pretrained_head
from limpide.baselines.baseline import Baseline, Training
from limpide.baselines.fitting import in_thread
from limpide.text.messages import N_

LINEAR_ON_FROZEN = N_("linear layer on a frozen pretrained network")

# In the order of fitting: the cheapest first.
BASELINES: tuple[Baseline, ...] = (
    Baseline("logistic", N_("logistic regression on pixels"), in_thread(logistic.fit), logistic.images, logistic.work),
    Baseline("forest", N_("random forest on pixels"), in_thread(forest.fit), forest.images, forest.work),
    Baseline(
        "nearest",
        N_("similar-image vote (k-NN on pixels)"),
        in_thread(nearest_pixels.fit),
        nearest_pixels.images,
        nearest_pixels.work,
        "from scratch",
    ),
    Baseline(
        "nearest_features",
        N_("similar-image vote (k-NN on frozen features)"),
        in_thread(nearest_features.fit),
        nearest_features.images,
        nearest_features.work,
        "pretrained",
    ),
    # One baseline in two ways: the head is computed here where a training was from scratch; elsewhere it exists
    # already.
    Baseline(
        "frozen", LINEAR_ON_FROZEN, pretrained_head.fit, pretrained_head.images, pretrained_head.work, "from scratch"
    ),
    Baseline("frozen", LINEAR_ON_FROZEN, in_thread(first_head.fit), first_head.images, first_head.work, "fine-tuned"),
)


def baselines_of(is_pretrained: bool, is_fine_tuned: bool = True) -> list[Baseline]:
    """The baselines that are fitted after such a training. is_fine_tuned: the pretrained network was fine-tuned, and
    this helped.
    """
    fitting: set[Training] = {"any", "from scratch"}
    if is_pretrained:
        fitting = {"any", "pretrained", "fine-tuned"} if is_fine_tuned else {"any", "pretrained"}
    return [baseline for baseline in BASELINES if baseline.after in fitting]
