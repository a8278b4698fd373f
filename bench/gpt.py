"""A GPT by the chapter's settings against GPT-2's recipe: how soon as good, how much better in the same time, and why.

Run it on a quiet machine: `python -m bench.gpt`, about twelve minutes on two cores; `--seeds 1` for less, `--long` for the one run
of fifteen minutes as well. Every time is given twice: on the wall, and in brackets as processor seconds by the number of threads,
which other programs disturb less. Losses are nats a character over the whole validation play, cut into windows as long as those
that a model is trained on, side by side, so that the first characters of a window have little to go by. Halve that handicap, with
windows that overlap by half and count their second half only, and every loss is lower: that is the last column.
"""

import argparse
import itertools
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from bench.cnn import Checks
from bench.table import circumstances, table
from dlcourse.data import shakespeare
from dlcourse.data.text import RandomWindows, windows
from dlcourse.device import seed_everything
from dlcourse.layers.normalization import RMSNorm
from dlcourse.models.gpt import GPT
from dlcourse.optim import Muon, Together
from dlcourse.train import train_epochs

V, D, N, L = 64, 128, 4, 4  # characters; width, heads and layers of GPT-2's recipe


class PeerBlock(nn.Module):
    """A block as GPT-2's code has it."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(D) for _ in range(2))
        self.qkv, self.out = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.feed_forward = nn.Sequential(nn.Linear(D, 4 * D), nn.GELU(), nn.Linear(4 * D, D))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, D) to (B, T, D)."""
        q, k, v = (y.unflatten(-1, (N, -1)).transpose(1, 2) for y in self.qkv(self.norms[0](x)).chunk(3, dim=-1))
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        y: Tensor = x + self.feed_forward(self.norms[1](x))
        return y


class Peer(nn.Module):
    """GPT-2, small: learned positions, LayerNorm, GELU, biases, a tied embedding, and its own start."""

    def __init__(self, max_length: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(V, D), nn.Embedding(max_length, D)
        self.blocks = nn.Sequential(*(PeerBlock() for _ in range(L)))
        self.norm = nn.LayerNorm(D)
        for name, parameter in self.named_parameters():
            adds = name.endswith(("out.weight", "feed_forward.2.weight"))
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif "norm" not in name:
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * L) if adds else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, T) to logits (B, T, V)."""
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight)


def peer_optimizer(model: nn.Module) -> Optimizer:
    """Return AdamW as nanoGPT sets it: weight decay for matrices only."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=True)


def muon(model: nn.Module, *, rate: float = 0.02, others: float = 0.03) -> Optimizer:
    """Return the two optimisers as one: Muon for the matrices of the blocks, AdamW for all else."""
    named = {name: name.startswith("blocks") and parameter.ndim == 2 for name, parameter in model.named_parameters()}
    matrices, rest = ([p for name, p in model.named_parameters() if named[name] is kind] for kind in (True, False))
    return Together(
        Muon(matrices, lr=rate, momentum=0.9, weight_decay=0.0),
        AdamW(rest, lr=others, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    )


def adamw(model: nn.Module) -> Optimizer:
    """Return AdamW for all parameters alike, at the best of the rates tried."""
    return AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.0, fused=True)


class Shifted(GPT):
    """A GPT whose every vector starts with a learned share, column by column, of the one before it (after Peng et al., 2023).

    For training alone: to go on, ``read`` would have to know the vector before, and is refused. The shares (D,) start as 0.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.share = nn.Parameter(torch.zeros(self.embedding.weight.shape[1]))

    def _embed(self, tokens: Tensor, start: int = 0) -> Tensor:
        if start:
            raise ValueError("a shifted GPT reads whole texts only")
        x = super()._embed(tokens)
        return x + self.share * F.pad(x[:, :-1], (0, 0, 1, 0))  # the vector before; none before the first


class HalfLinear(nn.Linear):
    """A dense layer without bias that multiplies in bfloat16, for which some processors have units, and keeps float32 weights."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., D) to (..., any), float32 both."""
        return F.linear(x.bfloat16(), self.weight.bfloat16()).float()


def ours(max_length: int, *, kind: type[GPT] = Shifted, half: bool = False, **settings: Any) -> GPT:
    """Return a GPT by the chapter's settings, or by others, with two heads, which is faster and no worse; ``half`` has no bias."""
    if half and settings.get("bias"):
        raise ValueError("half=True, bias=True: HalfLinear has no bias")
    fast: dict[str, Any] = {
        "positions": "rotary",
        "activation": "squared_relu",
        "qk_norm": True,
        "bias": False,
        "zero_outputs": True,
    }
    sizes: dict[str, Any] = {"dim": D, "num_heads": 2, "num_layers": L}
    model = kind(V, max_length=max_length, **{**sizes, **fast, **settings})
    for module in model.modules():
        if half and type(module) is nn.Linear:
            module.__class__ = HalfLinear
    return model


@dataclass(frozen=True)
class Recipe:
    """A model and how it is trained: warm-up, then down to ``floor`` of the rate, along a line or half a cosine."""

    name: str
    model: Callable[[int], nn.Module] = ours
    optimizer: Callable[[nn.Module], Optimizer] = muon
    length: int = 128
    batch_size: int = 8
    steps: int = 640
    warmup: int = 10
    floor: float = 0.0
    cosine: bool = False
    max_grad_norm: float | None = None
    checks: int = 4

    def factor(self, step: int) -> float:
        """Return the share of the rate at a step, from 0."""
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        progress = min(1.0, (step - self.warmup) / (self.steps - self.warmup))
        fall = (1 + math.cos(math.pi * progress)) / 2 if self.cosine else 1 - progress
        return self.floor + (1 - self.floor) * fall


PEER = Recipe("GPT-2's recipe", Peer, peer_optimizer, 64, 12, 2000, 100, floor=0.1, cosine=True, max_grad_norm=1.0)
SPRINT = Recipe("ours, short", steps=192)
LONGER = Recipe("ours, longer", steps=560)
# Wider pays in longer runs, and so does bfloat16, where products are larger.
SAME_TIME = Recipe("ours, wider, as long as GPT-2's", partial(ours, dim=192, num_heads=3, num_layers=3, half=True), steps=930)
LONG = Recipe("ours, the long run", partial(ours, dim=256, num_heads=4, half=True), length=256, batch_size=4, steps=2800, checks=7)
ABLATIONS = (
    replace(SPRINT, name="ours, short"),
    replace(SPRINT, name="RMSNorm for LayerNorm", model=partial(ours, norm=RMSNorm)),
    replace(SPRINT, name="learned positions", model=partial(ours, positions="learned")),
    replace(SPRINT, name="GELU", model=partial(ours, activation=nn.GELU())),
    replace(SPRINT, name="queries and keys not normalised", model=partial(ours, qk_norm=False)),
    replace(SPRINT, name="four heads", model=partial(ours, num_heads=4)),
    replace(SPRINT, name="nothing of the vector before", model=partial(ours, kind=GPT)),
    replace(SPRINT, name="dense layers in bfloat16", model=partial(ours, half=True)),
    replace(SPRINT, name="biases, and GPT-2's start", model=partial(ours, bias=True, zero_outputs=False)),
    replace(SPRINT, name="AdamW at 0.003 alone", optimizer=adamw),
    replace(PEER, name="GPT-2's recipe, as many characters", steps=SPRINT.steps * SPRINT.length * SPRINT.batch_size // (64 * 12)),
)


@dataclass(frozen=True)
class Run:
    """One training: (wall seconds, processor seconds by threads, validation loss) at every check, and the loss with overlap."""

    curve: Sequence[tuple[float, float, float]]
    overlapping: float


def train(recipe: Recipe, seed: int) -> Run:
    """Train once with the course's own loop and windows."""
    vocabulary, texts = shakespeare.vocabulary(), shakespeare.read()
    tokens, validation = vocabulary.encode(texts.train), vocabulary.encode(texts.val)
    seed_everything(seed)
    model = recipe.model(recipe.length)
    optimizer = recipe.optimizer(model)
    settings = {"length": recipe.length, "batch_size": recipe.batch_size, "num_batches": recipe.steps // recipe.checks}
    checks = Checks(DataLoader(TensorDataset(*windows(validation, length=recipe.length)), batch_size=8192 // recipe.length))
    records = train_epochs(
        model,
        RandomWindows(tokens, seed=seed, **settings),
        checks,
        optimizer,
        epochs=recipe.checks,
        loss_fn=_cross_entropy,
        scheduler=LambdaLR(optimizer, recipe.factor),
        max_grad_norm=recipe.max_grad_norm,
    )
    curve, processor, resumed = [], 0.0, time.process_time()
    for record in records:
        processor += (checks.began - resumed) / torch.get_num_threads()
        curve.append((record.seconds, processor, record.val_loss))
        resumed = time.process_time()
    return Run(curve, _overlapping(model, validation, recipe.length))


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the course's loss from PyTorch's kernel, for both sides alike."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@torch.inference_mode()
def _overlapping(model: nn.Module, tokens: Tensor, length: int) -> float:
    """Return the mean loss of the second halves of windows that overlap by half: each has at least half a window before it."""
    model.eval()
    pieces = tokens.unfold(0, length + 1, length // 2)  # (N, T + 1)
    losses = []
    for start in range(0, len(pieces), 8192 // length):
        part = pieces[start : start + 8192 // length]
        loss = F.cross_entropy(model(part[:, :-1]).mT, part[:, 1:], reduction="none")  # (B, T)
        losses.append(loss[:, length // 2 :].flatten())
    return torch.cat(losses).mean().item()


def race(runs: dict[str, list[Run]], recipes: Sequence[Recipe]) -> str:
    """Return the table of the recipes, and what follows from it."""
    rows = []
    for recipe in recipes:
        finals = [run.curve[-1] for run in runs[recipe.name]]
        wall, processor, loss = (statistics.mean(column) for column in zip(*finals, strict=True))
        characters = recipe.steps * recipe.length * recipe.batch_size / 1e6
        parameters = sum(parameter.numel() for parameter in recipe.model(recipe.length).parameters())
        each = " ".join(f"{final[2]:.3f}" for final in finals)
        overlapping = statistics.mean(run.overlapping for run in runs[recipe.name])
        times = f"{wall:.0f} ({processor:.0f})"
        rows.append([recipe.name, f"{parameters:,}", f"{characters:.2f}", times, f"{loss:.3f}", each, f"{overlapping:.3f}"])
    header = ["Shakespeare", "parameters", "characters, million", "s", "nats a character", "each seed", "overlapping"]
    return table(header, rows)


def main(arguments: Sequence[str] = ()) -> str:
    """Train every recipe with every seed, and return the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpt", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each recipe of the race")
    parser.add_argument("--long", action="store_true", help="the run of fifteen minutes as well")
    parsed = parser.parse_args(arguments)
    racers = (PEER, SPRINT, LONGER, SAME_TIME, *([LONG] if parsed.long else []))
    runs = _train_all(racers, range(parsed.seeds))
    ablations = _train_all(ABLATIONS, range(1))
    peer, sprint, same = (
        [statistics.mean(column) for column in zip(*(run.curve[-1] for run in runs[recipe.name]), strict=True)]
        for recipe in (PEER, SPRINT, SAME_TIME)
    )
    return (
        f"{race(runs, racers)}\n\nMean of {parsed.seeds}. In brackets: processor seconds by {torch.get_num_threads()} threads. "
        f"Ours, short, by GPT-2's recipe: {sprint[0] / peer[0]:.2f} ({sprint[1] / peer[1]:.2f}) of its time, loss "
        f"{sprint[2] - peer[2]:+.3f}. Ours, as long: {same[0] / peer[0]:.2f} ({same[1] / peer[1]:.2f}) of its time, loss "
        f"{same[2] - peer[2]:+.3f}.\n\n{race(ablations, ABLATIONS)}\n\nEach row changes one thing of the first; one seed."
    )


def _train_all(recipes: Iterable[Recipe], seeds: Sequence[int]) -> dict[str, list[Run]]:
    """Train in turn, so that a slow minute of the machine hits all alike."""
    runs: dict[str, list[Run]] = {}
    for seed, recipe in itertools.product(seeds, recipes):
        run = train(recipe, seed)
        runs.setdefault(recipe.name, []).append(run)
        wall, processor, value = run.curve[-1]
        print(f"{recipe.name}, seed {seed}: {value:.3f} nats after {wall:.1f} ({processor:.1f}) s", file=sys.stderr, flush=True)
    return runs


if __name__ == "__main__":
    print(main(sys.argv[1:]), circumstances(), sep="\n\n")
