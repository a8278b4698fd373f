"""The chapter's network and its longer run against a source document's network: how soon, how good, with how much memory.

Run it on a quiet machine: `python -m bench.cnn`, about nine minutes on two cores; `--seeds 1` for a third of that. The test images
are looked at many times here, to time a curve; no setting was chosen by them.
"""

import argparse
import itertools
import math
import resource
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from bench.table import circumstances, table
from dlcourse.data import Splits, augment, loaders, mnist
from dlcourse.device import seed_everything
from dlcourse.metrics import accuracy
from dlcourse.models.cnn import CNN
from dlcourse.train import train_epochs

CHECKS_PER_EPOCH = 10
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


@dataclass(frozen=True)
class Run:
    """One training: (seconds of training, test accuracy) at every check."""

    curve: Sequence[tuple[float, float]]

    def seconds_to(self, level: float) -> float:
        """Return when the test accuracy was first seen at `level` or above; infinity if never."""
        return next((seconds for seconds, value in self.curve if value >= level), math.inf)


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
    augment=lambda seed: augment.RandomAffine(degrees=8, translate=1, scale=0.08, seed=seed),
)
LONGER = Recipe(
    "the longer run",
    lambda: CNN(channels=(16, 32), hidden_size=64),
    lambda parameters: AdamW(parameters, fused=True),
    batch_size=256,
    epochs=16,
    peak_rate=1e-2,
    augment=lambda seed: augment.RandomAffine(degrees=10, translate=2, scale=0.1, seed=seed),
)


class Pieces:
    """Hands out an endless stream of epochs a few batches at a time, so that `train_epochs` reports several times an epoch."""

    def __init__(self, batches: Iterable[Sequence[Tensor]], length: int) -> None:
        self.stream = itertools.chain.from_iterable(itertools.repeat(batches))
        self.length = length

    def __iter__(self) -> Iterator[Sequence[Tensor]]:
        return itertools.islice(self.stream, self.length)


def train(recipe: Recipe, splits: Splits, seed: int) -> Run:
    """Train once; the time of the checks is left out by `train_epochs`."""
    seed_everything(seed)
    batches = loaders(splits, batch_size=recipe.batch_size, seed=seed)
    model = recipe.model()
    optimizer = recipe.optimizer(model.parameters())
    checks = CHECKS_PER_EPOCH * recipe.epochs
    length = len(batches.train) // CHECKS_PER_EPOCH
    scheduler = None
    if recipe.peak_rate is not None:
        scheduler = OneCycleLR(
            optimizer, recipe.peak_rate, total_steps=checks * length, pct_start=0.2, div_factor=10, final_div_factor=100
        )
    records = train_epochs(
        model,
        Pieces(batches.train, length),
        batches.test,
        optimizer,
        epochs=checks,
        loss_fn=F.cross_entropy,
        metrics={"accuracy": accuracy},
        scheduler=scheduler,
        augment=recipe.augment(seed) if recipe.augment else None,
    )
    return Run([(record.seconds, record.metrics["accuracy"]) for record in records])


def main(arguments: Sequence[str] = ()) -> str:
    """Train every recipe with every seed, side by side, and return the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.cnn", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each recipe")
    seeds = range(parser.parse_args(arguments).seeds)
    splits = mnist.load()
    recipes = (DOCUMENT, CHAPTER, LONGER)
    runs: dict[str, list[Run]] = {recipe.name: [] for recipe in recipes}
    for seed, recipe in itertools.product(seeds, recipes):  # in turn, so that a slow minute of the machine hits all alike
        run = train(recipe, splits, seed)
        runs[recipe.name].append(run)
        seconds, value = run.curve[-1]
        print(f"{recipe.name}, seed {seed}: {value:.2%} after {seconds:.1f} s", file=sys.stderr, flush=True)
    rows = [_row(recipe, runs[recipe.name]) for recipe in recipes]
    ratio = _mean(runs[CHAPTER.name], LEVELS[0]) / _mean(runs[DOCUMENT.name], LEVELS[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    header = ["MNIST", "parameters", *(f"s to {level:.1%}" for level in LEVELS), "s in all", "test accuracy", "each seed"]
    return (
        f"{table(header, rows)}\n\nMeans of {len(seeds)} seeds; seconds of training, evaluation left out. "
        f"Time to {LEVELS[0]:.1%}, chapter / source document: {ratio:.2f}. Peak memory of the whole process: {peak:.2f} GiB."
    )


def _row(recipe: Recipe, runs: Sequence[Run]) -> list[str]:
    parameters = sum(parameter.numel() for parameter in recipe.model().parameters())
    finals = [run.curve[-1][1] for run in runs]
    times = [_mean(runs, level) for level in LEVELS]
    return [
        recipe.name,
        f"{parameters:,}",
        *("not reached" if math.isinf(seconds) else f"{seconds:.1f}" for seconds in times),
        f"{statistics.mean(run.curve[-1][0] for run in runs):.1f}",
        f"{statistics.mean(finals):.2%}",
        " ".join(f"{100 * value:.2f}" for value in finals),
    ]


def _mean(runs: Sequence[Run], level: float) -> float:
    return statistics.mean(run.seconds_to(level) for run in runs)


if __name__ == "__main__":
    print(main(sys.argv[1:]), circumstances(), sep="\n\n")
