"""Run any model over any batches: train, evaluate, stop early, schedule the learning rate, save and resume.

The loop is a generator: it yields one `EpochRecord` an epoch, and whoever iterates decides when to stop.
"""

from dlcourse.train.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from dlcourse.train.evaluation import evaluate, predict
from dlcourse.train.loop import EpochRecord, NonFiniteLossError, train_epochs
from dlcourse.train.rate_range import rate_range
from dlcourse.train.schedules import warmup_cosine
from dlcourse.train.stopping import early_stopping

__all__ = [
    "Checkpoint",
    "EpochRecord",
    "NonFiniteLossError",
    "early_stopping",
    "evaluate",
    "load_checkpoint",
    "predict",
    "rate_range",
    "save_checkpoint",
    "train_epochs",
    "warmup_cosine",
]
