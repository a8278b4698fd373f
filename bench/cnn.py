"""The chapter's network and its longer run against a source document's network: how soon, how good, with how much memory.

Run it on a quiet machine: `python -m bench.cnn`, about eleven minutes on two cores; `--seeds 1` for a third of that. Every time is
given twice: on the wall, and in brackets as processor seconds by the number of threads, which other programs disturb less. The test
images are looked at many times here, to time a curve.
"""

import argparse
import itertools
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from bench.table import circumstances, table
from dlcourse.data import Splits, augment, loaders, mnist
from dlcourse.device import seed_everything
from dlcourse.metrics import accuracy
from dlcourse.models.cnn import CNN
from dlcourse.models.resnet import SmallResNet
from dlcourse.train import train_epochs

LEVELS = (0.981, 0.99)


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained; `peak_rate` None keeps the optimiser's rate constant."""

    name: str
    model: Callable[[], nn.Module]
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    batch_size: int
    epochs: int
    peak_rate: float | None = None
    augment: Callable[[int], Callable[[Tensor], Tensor]] | None = None  # takes the seed
    checks_per_epoch: int = 10


@dataclass(frozen=True)
class Run:
    """One training: (wall seconds, processor seconds by threads, test accuracy) at every check, evaluation left out."""

    curve: Sequence[tuple[float, float, float]]

    def times_to(self, level: float) -> tuple[float, float]:
        """Return both times at which the test accuracy was first seen at `level` or above; infinity if never."""
        return next(((wall, processor) for wall, processor, value in self.curve if value >= level), (math.inf, math.inf))


DOCUMENT = Recipe(
    "source document",
    lambda: nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 13 * 13, 10)),
    lambda parameters: Adam(parameters, lr=1e-3),
    batch_size=64,
    epochs=5,
)
CHAPTER = Recipe(
    "the chapter",
    lambda: CNN(channels=(16, 32), hidden_size=64),
    lambda parameters: AdamW(parameters, fused=True),
    batch_size=128,
    epochs=4,
    peak_rate=1e-2,
    augment=lambda seed: augment.RandomAffine(degrees=10, translate=2, scale=0.1, seed=seed),
)
SPRINT = replace(CHAPTER, name="the chapter, one epoch", epochs=1, augment=None)
LONGER = Recipe(
    "the longer run",
    SmallResNet,
    lambda parameters: AdamW(parameters, fused=True),
    batch_size=128,
    epochs=10,
    peak_rate=1e-2,
    augment=lambda seed: augment.RandomAffine(degrees=10, translate=2, scale=0.1, seed=seed),
    checks_per_epoch=1,
)


class Pieces:
    """Hands out an endless stream of epochs a few batches at a time, so that `train_epochs` reports several times an epoch."""

    def __init__(self, batches: Iterable[Sequence[Tensor]], length: int) -> None:
        self.stream = itertools.chain.from_iterable(itertools.repeat(batches))
        self.length = length

    def __iter__(self) -> Iterator[Sequence[Tensor]]:
        return itertools.islice(self.stream, self.length)


class Checks:
    """The batches of the checks, noting the processor time at which each check began."""

    def __init__(self, batches: Iterable[Sequence[Any]]) -> None:
        self.batches = batches
        self.began = math.nan

    def __iter__(self) -> Iterator[Sequence[Any]]:
        self.began = time.process_time()
        return iter(self.batches)


def train(recipe: Recipe, splits: Splits, seed: int) -> Run:
    """Train once with the course's own loop, loaders and augmentation."""
    seed_everything(seed)
    batches = loaders(splits, batch_size=recipe.batch_size, seed=seed)
    model = recipe.model()
    optimizer = recipe.optimizer(model.parameters())
    checks = recipe.checks_per_epoch * recipe.epochs
    length = len(batches.train) // recipe.checks_per_epoch
    scheduler = None
    if recipe.peak_rate is not None:
        total = checks * length
        scheduler = OneCycleLR(optimizer, recipe.peak_rate, total_steps=total, pct_start=0.2, div_factor=10, cycle_momentum=False)
    check_batches = Checks(batches.test)
    records = train_epochs(
        model,
        Pieces(batches.train, length),
        check_batches,
        optimizer,
        epochs=checks,
        loss_fn=F.cross_entropy,
        metrics={"accuracy": accuracy},
        scheduler=scheduler,
        augment=recipe.augment(seed) if recipe.augment else None,
    )
    curve, processor, resumed = [], 0.0, time.process_time()
    for record in records:
        processor += (check_batches.began - resumed) / torch.get_num_threads()
        curve.append((record.seconds, processor, record.metrics["accuracy"]))
        resumed = time.process_time()
    return Run(curve)


def main(arguments: Sequence[str] = ()) -> str:
    """Train every recipe with every seed, side by side, and return the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.cnn", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each recipe")
    seeds = range(parser.parse_args(arguments).seeds)
    splits = mnist.load()
    recipes = (DOCUMENT, SPRINT, CHAPTER, LONGER)
    runs: dict[str, list[Run]] = {recipe.name: [] for recipe in recipes}
    for seed, recipe in itertools.product(seeds, recipes):  # in turn, so that a slow minute of the machine hits all alike
        run = train(recipe, splits, seed)
        runs[recipe.name].append(run)
        wall, processor, value = run.curve[-1]
        print(f"{recipe.name}, seed {seed}: {value:.2%} after {wall:.1f} ({processor:.1f}) s", file=sys.stderr, flush=True)
    rows = [_row(recipe, runs[recipe.name]) for recipe in recipes]
    ours, theirs = (_mean([run.times_to(LEVELS[0]) for run in runs[recipe.name]]) for recipe in (SPRINT, DOCUMENT))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    header = ["MNIST", "parameters", *(f"s to {level:.1%}" for level in LEVELS), "s in all", "test accuracy", "each seed, %"]
    return (
        f"{table(header, rows)}\n\nMean of {len(seeds)}. In brackets: processor seconds by {torch.get_num_threads()} threads. "
        f"Time to {LEVELS[0]:.1%}, one epoch of the chapter by the source document: "
        f"{ours[0] / theirs[0]:.2f} ({ours[1] / theirs[1]:.2f}). "
        f"Peak memory of the whole process: {peak:.2f} GiB."
    )


def _row(recipe: Recipe, runs: Sequence[Run]) -> list[str]:
    parameters = sum(parameter.numel() for parameter in recipe.model().parameters())
    finals = [run.curve[-1][2] for run in runs]
    times = [*(_mean([run.times_to(level) for run in runs]) for level in LEVELS), _mean([run.curve[-1][:2] for run in runs])]
    return [
        recipe.name,
        f"{parameters:,}",
        *("not by all" if math.isinf(wall) else f"{wall:.1f} ({processor:.1f})" for wall, processor in times),
        f"{statistics.mean(finals):.2%}",
        " ".join(f"{100 * value:.2f}" for value in finals),
    ]


def _mean(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.mean(wall for wall, _ in pairs), statistics.mean(processor for _, processor in pairs)


if __name__ == "__main__":
    print(main(sys.argv[1:]), circumstances(), sep="\n\n")
