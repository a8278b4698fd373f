"""Stop when validation no longer improves, and keep the best weights (Prechelt, 1998)."""

import copy
import math
from collections.abc import Generator, Iterable

from torch import nn

from dlcourse.train.loop import EpochRecord


def early_stopping(
    records: Iterable[EpochRecord], model: nn.Module, *, patience: int, monitor: str = "val_loss"
) -> Generator[EpochRecord, None, None]:
    """Pass records on until `patience` epochs in a row brought nothing better; then put the best epoch's weights back.

    `monitor` is "val_loss" or "train_loss" (lower is better) or the name of a metric (higher is better). The best weights
    come back however the records end: used up, stopped by the consumer, by Ctrl-C or by an error. They take the memory of one
    more model.

        history = plots.live(early_stopping(train_epochs(model, ...), model, patience=3))

    Raises ValueError for a patience below 1 (at the call) or a name that the records do not have (at the first record).
    """
    if patience < 1:
        raise ValueError(f"patience must be at least 1, got {patience}")

    def run() -> Generator[EpochRecord, None, None]:
        best_score, best_weights, epochs_without = -math.inf, None, 0
        try:
            for record in records:
                score = _score(record, monitor)
                if best_weights is None or score > best_score:
                    best_score, best_weights, epochs_without = score, copy.deepcopy(model.state_dict()), 0
                else:
                    epochs_without += 1
                yield record
                if epochs_without >= patience:
                    return
        finally:
            if isinstance(records, Generator):
                records.close()  # the training loop tidies up now, not when it happens to be collected
            if best_weights is not None:
                model.load_state_dict(best_weights)

    return run()


def _score(record: EpochRecord, monitor: str) -> float:
    if monitor in ("val_loss", "train_loss"):
        return -float(getattr(record, monitor))
    if monitor not in record.metrics:
        names = ", ".join(["val_loss", "train_loss", *record.metrics])
        raise ValueError(f"monitor must be one of {names}, got {monitor!r}")
    return record.metrics[monitor]
