"""The recurrent layers against PyTorch's own, and how many bits a character costs the chapter's LSTM after how many seconds.

Run it on a quiet machine: `python -m bench.recurrent`, about three minutes on two cores; `--seeds 1` for a third of that. Times of
training are given on the wall, and in brackets as processor seconds: on one thread, since matrices as small as these gain nothing
from a second.
"""

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from bench.cnn import Checks, Pieces
from bench.table import circumstances, table
from dlcourse.data import Splits, loaders, shakespeare
from dlcourse.device import seed_everything
from dlcourse.layers.recurrent import GRU, LSTM, RNN
from dlcourse.losses import cross_entropy
from dlcourse.models.language_model import RecurrentLanguageModel
from dlcourse.train import train_epochs, warmup_cosine

B, T, D, H = 32, 128, 128, 128  # the shape that the layers are compared in
# The chapter's language model and its training; read in longer windows than it is trained on, as a text is read.
HIDDEN_SIZE, EMBEDDING_DIM, LENGTH, EVALUATION_LENGTH = 128, 32, 64, 500
BATCH_SIZE, STEPS, WARMUP, RATE = 32, 952, 50, 3e-2  # two epochs
CHECKS = 4


def compare_layers(repeats: int = 15) -> str:
    """Return the table of one forward and backward pass of each layer, ours and PyTorch's in turn."""
    rows = []
    x = torch.randn(B, T, D, requires_grad=True)
    for ours, twin in ((RNN, nn.RNN), (LSTM, nn.LSTM), (GRU, nn.GRU)):
        theirs = twin(D, H, batch_first=True)
        layers = (ours.from_torch(theirs), theirs)
        seconds = [min(times) for times in zip(*([_seconds(layer, x) for layer in layers] for _ in range(repeats)), strict=True)]
        rows.append([ours.__name__, *(f"{1000 * value:.1f}" for value in seconds), f"{seconds[0] / seconds[1]:.2f}"])
    return table([f"{B}×{T}×{D} to {H} units, forward and backward", "ours, ms", "`torch.nn`, ms", "ratio"], rows)


def _seconds(layer: nn.Module, x: Tensor) -> float:
    started = time.perf_counter()
    layer(x)[0].sum().backward()
    return time.perf_counter() - started


def _train(splits: Splits, seed: int) -> list[tuple[float, float, float]]:
    """Train the chapter's language model; (wall seconds, processor seconds, bits a character) at every check."""
    seed_everything(seed)
    batches = loaders(splits, batch_size=BATCH_SIZE, seed=seed)
    model = RecurrentLanguageModel(len(shakespeare.vocabulary()), HIDDEN_SIZE, embedding_dim=EMBEDDING_DIM)
    optimizer = AdamW(model.parameters(), lr=RATE, fused=True)
    scheduler = warmup_cosine(optimizer, warmup_steps=WARMUP, total_steps=STEPS)
    checks = Checks(batches.val)
    records = train_epochs(
        model,
        Pieces(batches.train, STEPS // CHECKS),
        checks,
        optimizer,
        epochs=CHECKS,
        loss_fn=cross_entropy,
        scheduler=scheduler,
        max_grad_norm=1.0,
    )
    curve, processor, resumed = [], 0.0, time.process_time()
    for record in records:
        processor += checks.began - resumed
        curve.append((record.seconds, processor, record.val_loss / math.log(2)))
        resumed = time.process_time()
    return curve


def compare_models(seeds: Sequence[int]) -> str:
    """Return the table of the language model's bits a character, at every check, for each seed."""
    long, short = (shakespeare.load(length=length) for length in (EVALUATION_LENGTH, LENGTH))
    splits = Splits(short.train, long.val, long.test)
    threads, curves = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for seed in seeds:
        curves.append(_train(splits, seed))
        wall, processor, bits = curves[-1][-1]
        print(f"seed {seed}: {bits:.3f} bits after {wall:.1f} ({processor:.1f}) s", file=sys.stderr, flush=True)
    torch.set_num_threads(threads)
    rows = []
    for number, points in enumerate(zip(*curves, strict=True), start=1):
        seconds, processor_seconds, values = (list(column) for column in zip(*points, strict=True))
        times = f"{statistics.mean(seconds):.1f} ({statistics.mean(processor_seconds):.1f})"
        each = " ".join(f"{value:.3f}" for value in values)
        rows.append([str(number * (STEPS // CHECKS)), times, f"{statistics.mean(values):.3f}", each])
    header = ["character LSTM on Shakespeare, steps", "s", "bits a character, validation", "each seed"]
    counted = ", ".join(f"{bits:.3f} {name}" for name, bits in count_baselines().items())
    return f"{table(header, rows)}\n\nMean of {len(seeds)}. Counts of the characters before, on the same play: {counted}."


def count_baselines() -> dict[str, float]:
    """Bits a character on the validation play from counts in training: p(c | context) = (count + 0.3) / (total + 0.3·V)."""
    vocabulary, texts = shakespeare.vocabulary(), shakespeare.read()
    train, val = vocabulary.encode(texts.train), vocabulary.encode(texts.val)
    size, bits = len(vocabulary), {}
    for order, name in enumerate(("unigrams", "bigrams", "trigrams")):
        places = [sum(text[k : len(text) - order + k] * size ** (order - k) for k in range(order + 1)) for text in (train, val)]
        counts = torch.bincount(places[0], minlength=size ** (order + 1)).view(-1, size) + 0.3
        bits[name] = -(counts / counts.sum(1, keepdim=True)).flatten()[places[1]].log2().mean().item()
    return bits


def main(arguments: Sequence[str] = ()) -> str:
    """Compare the layers, train the language model with every seed, and return both tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.recurrent", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of the language model")
    seeds = range(parser.parse_args(arguments).seeds)
    return f"{compare_layers()}\n\n{compare_models(seeds)}"


if __name__ == "__main__":
    print(main(sys.argv[1:]), circumstances(), sep="\n\n")
