"""Spelling to sound with attention and without: errors on words never seen, after how many seconds of training.

Run it on a quiet machine: `python -m bench.spelling`, about ten minutes on two cores; `--seeds 1` for a third of that. Times of
training are given on the wall, and in brackets as processor seconds, on one thread, since matrices as small as these gain little
from a second.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch.optim import AdamW

from bench.cnn import Checks
from bench.table import circumstances, table
from dlcourse.data import cmudict
from dlcourse.data.pairs import PairBatches
from dlcourse.data.text import END, START
from dlcourse.decoding import beam_search
from dlcourse.device import seed_everything
from dlcourse.losses import cross_entropy
from dlcourse.metrics import error_rate, exact_match
from dlcourse.models.seq2seq import Seq2Seq
from dlcourse.train import train_epochs, warmup_cosine

BATCH_SIZE, EPOCHS, WARMUP, RATE = 128, 2, 50, 1e-2
BEAM, READ_AT_ONCE = 4, 1000
ATTENTIONS = (None, "additive")
# Phoneme and word errors, %, on a test split of their own of the same dictionary, after hours of training.
PUBLISHED = {
    "joint-sequence n-grams (Bisani and Ney, 2008)": (5.88, 24.53),
    "bidirectional LSTM on aligned letters (Yao and Zweig, 2015)": (5.45, 23.55),
    "five attention models together (Toshniwal and Livescu, 2016)": (4.69, 20.24),
}


class Errors(NamedTuple):
    """Shares of phonemes and of words that are wrong, 0 to 1."""

    phonemes: float
    words: float


class Result(NamedTuple):
    """One training: seconds on the wall and of the processor, and the errors on the test words, greedily and with a beam."""

    wall: float
    processor: float
    greedy: Errors
    beam: Errors


def measure(attention: str | None, seed: int) -> Result:
    """Train one model and pronounce the test words with it."""
    seed_everything(seed)
    splits, phonemes = cmudict.load(), cmudict.phonemes()
    start = phonemes.numbers[START]
    model = Seq2Seq(len(cmudict.letters()), len(phonemes), attention=attention)
    batches = PairBatches(splits.train, batch_size=BATCH_SIZE, start=start, seed=seed)
    checks = Checks(PairBatches(splits.val, batch_size=READ_AT_ONCE, start=start))
    optimizer = AdamW(model.parameters(), lr=RATE, fused=True)
    records = train_epochs(
        model,
        batches,
        checks,
        optimizer,
        epochs=EPOCHS,
        loss_fn=partial(cross_entropy, ignore_index=0),
        scheduler=warmup_cosine(optimizer, warmup_steps=WARMUP, total_steps=EPOCHS * len(batches)),
        max_grad_norm=1.0,
    )
    wall, processor, resumed = 0.0, 0.0, time.process_time()
    for record in records:
        wall, processor = record.seconds, processor + checks.began - resumed
        resumed = time.process_time()
    return Result(wall, processor, *(pronounce(model, beam) for beam in (1, BEAM)))


def pronounce(model: Seq2Seq, beam: int) -> Errors:
    """Read the test words, once and for all; any reading of the dictionary counts as right."""
    phonemes = cmudict.phonemes()
    settings = {"start": phonemes.numbers[START], "end": phonemes.numbers[END], "max_length": 30}
    predictions = []
    spellings, _ = cmudict.load().test.tensors
    for i in range(0, len(spellings), READ_AT_ONCE):
        found = beam_search(model.step, model.encode(spellings[i : i + READ_AT_ONCE]), beam=beam, **settings)
        predictions += [phonemes.decode(row) for row in found.tokens[:, 0]]
    readings = list(cmudict.read().test.values())
    return Errors(error_rate(predictions, readings), 1 - exact_match(predictions, readings))


def compare(seeds: Sequence[int]) -> str:
    """Return the table of all trainings, and under it what others have published."""
    rows = []
    for attention in ATTENTIONS:
        results = []
        for seed in seeds:
            results.append(measure(attention, seed))
            line = f"{attention}, seed {seed}: {results[-1]}"
            print(line, file=sys.stderr, flush=True)
        wall, processor = (statistics.mean(values) for values in list(zip(*results, strict=True))[:2])
        errors = [f"{100 * statistics.mean(r[2][k] for r in results):.1f}" for k in (0, 1)]
        errors += [f"{100 * statistics.mean(r[3][k] for r in results):.1f}" for k in (0, 1)]
        each = " ".join(f"{100 * result.greedy.phonemes:.1f}" for result in results)
        rows.append([attention or "none", f"{wall:.0f} ({processor:.0f})", *errors, each])
    header = ["spelling to sound, attention", "s", "phoneme errors, %", "word errors, %"]
    header += [f"phonemes, beam of {BEAM}", f"words, beam of {BEAM}", "phoneme errors of each seed"]
    published = "; ".join(f"{phones} and {words} by {name}" for name, (phones, words) in PUBLISHED.items())
    size = len(cmudict.read().test)
    return (
        f"{table(header, rows)}\n\nMean of {len(seeds)}, on {size:,} words held out; {EPOCHS} epochs. Published for other words "
        f"of the same dictionary, phonemes and words: {published}. The models ran on one thread."
    )


def main(arguments: Sequence[str] = ()) -> str:
    """Train with every seed, with and without attention, and return the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.spelling", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each model")
    seeds = range(parser.parse_args(arguments).seeds)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return compare(seeds)
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    print(main(sys.argv[1:]), circumstances(), sep="\n\n")
