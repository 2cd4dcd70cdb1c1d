"""Would a simpler model do?

What it measures: always-the-majority, logistic regression, a random forest and k-nearest neighbours on pixels, and a linear
head on frozen features, each given no more time than the network took, on the largest stratified subset of the training
part that fits into it.
Why it matters: not every question needs a deep network.
How it can mislead: the rivals are scored on the same test images, or on a part of them when there are thousands (n is shown).
"""

from __future__ import annotations

from collections.abc import Sequence

from limpide.audit.rivals import Rival
from limpide.finding import Finding, Table, Verdict
from limpide.language import N_, Message, message
from limpide.metrics import wilson


def simpler(network: Rival, rivals: Sequence[Rival], late: Sequence[Message] = ()) -> Finding:
    """The comparison as a Finding: the network first, then its rivals from best to worst. `late`: those that had no time."""
    rows = [_row(network), *(_row(rival) for rival in sorted(rivals, key=lambda r: -r.accuracy))]
    best = max(rivals, key=lambda r: r.accuracy)
    net_error, best_error = 1 - network.right / network.n_test, 1 - best.right / best.n_test
    net_low, net_high = wilson(network.right, network.n_test)
    low, high = wilson(best.right, best.n_test)
    verdict: Verdict
    if net_low > high:
        verdict, says = "ok", N_("No simpler model does as well: the best of them, {rival}, is wrong {ratio:number} times as often.")
        if net_error == 0:
            says = N_("No simpler model does as well: the best of them, {rival}, is wrong on {error:percent} of the images, the network on none.")
    elif low > net_high:
        verdict, says = "bad", N_("A simpler model does better: {rival} is right on {share:percent}. Use that, or train longer.")
    else:
        verdict, says = "warn", N_("A simpler model may do: {rival} is right on {share:percent}, and the difference could be luck.")
        if (best.right, best.n_test) == (network.right, network.n_test):
            says = N_("A simpler model does just as well here: {rival} is right on {share:percent}, too.")
    ratio = best_error / net_error if net_error else 0.0
    columns = [
        (N_("model"), "text"),
        (N_("accuracy"), "percent"),
        (N_("low"), "percent"),
        (N_("high"), "percent"),
        (N_("test images"), "count"),
        (N_("training images"), "count"),
        (N_("training time"), "duration"),
        (N_("ms an image"), "number"),
        (N_("size"), "bytes"),
        (N_("multiply-adds"), "large"),
    ]
    details = [message(N_("Each simpler model had the network's training time at most, and as many training images as fit into it."))]
    details += [message(N_("In that time, {rival} could not be fitted to even a few images."), rival=name.to_json()) for name in late]
    details.append(message(N_("Milliseconds are those of naming one image alone, once it is decoded.")))
    return Finding(
        name="simpler",
        verdict=verdict,
        message=message(says, rival=best.name.to_json(), ratio=ratio, share=best.right / best.n_test, error=best_error),
        table=Table(columns, rows),
        details=details,
        source="test",
    )


def _row(rival: Rival) -> list[object]:
    low, high = wilson(rival.right, rival.n_test)
    return [rival.name, rival.accuracy, low, high, rival.n_test, rival.n_train, rival.seconds, rival.milliseconds, rival.bytes, rival.multiply_adds]
