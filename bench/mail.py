"""Spam or not: the sentence CNN of the chapter on text, a bag of embeddings, and TF-IDF with logistic regression beside them.

Run it on a quiet machine: `python -m bench.mail`, about two minutes on two cores; `--seeds 1` for a third of that. Spam is the
positive class. Every setting was chosen on the validation mails; each training is tested once, after its last epoch.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import DataLoader

from bench.table import circumstances, table
from dlcourse.data import Splits, loaders, mail, text
from dlcourse.device import seed_everything
from dlcourse.losses import cross_entropy
from dlcourse.metrics import f1, precision, recall
from dlcourse.models.bag_of_embeddings import BagOfEmbeddings
from dlcourse.models.sentence_cnn import SentenceCNN
from dlcourse.train import predict, train_epochs, warmup_cosine

VOCAB_SIZE, LENGTH, BATCH_SIZE = 4_000, 400, 32
SPAM = 1


@dataclass(frozen=True)
class Recipe:
    """A network, and how fast and how long it is trained: the rate rises to `peak_rate` and falls to 0."""

    name: str
    model: Callable[[], nn.Module]
    peak_rate: float
    epochs: int


@dataclass(frozen=True)
class Run:
    """What one training gave: seconds, and the predicted classes of the validation and of the test mails."""

    seconds: float
    parameters: int
    val: Tensor
    test: Tensor


CNN = Recipe(
    "sentence CNN",
    lambda: SentenceCNN(VOCAB_SIZE, 2, embedding_dim=32, kernel_sizes=(1, 2, 3), num_filters=64),
    peak_rate=6e-3,
    epochs=8,
)
BAG = Recipe("bag of embeddings", lambda: BagOfEmbeddings(VOCAB_SIZE, 2, embedding_dim=32), peak_rate=1e-2, epochs=8)
BASELINE = "TF-IDF, logistic regression"


def train(recipe: Recipe, splits: Splits, seed: int) -> Run:
    """Train once with the course's own loop, in batches of like length, so that short mails do not pay for long ones."""
    seed_everything(seed)
    tokens, labels = splits.train.tensors
    order = text.lengths(tokens).argsort()
    like = [(tokens[part], labels[part]) for part in torch.split(order, BATCH_SIZE)]
    batches = DataLoader(like, batch_size=None, shuffle=True)  # type: ignore[var-annotated, arg-type]
    held_out = loaders(splits, batch_size=BATCH_SIZE, seed=seed)
    model = recipe.model()
    optimizer = AdamW(model.parameters(), lr=recipe.peak_rate, fused=True)
    steps = recipe.epochs * len(like)
    scheduler = warmup_cosine(optimizer, warmup_steps=steps // 10, total_steps=steps)
    settings = {"epochs": recipe.epochs, "loss_fn": cross_entropy, "scheduler": scheduler}
    *_, last = train_epochs(model, batches, held_out.val, optimizer, **settings)  # type: ignore[arg-type]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    val, test = (predict(model, part)[0].argmax(1) for part in (held_out.val, held_out.test))
    return Run(last.seconds, parameters, val, test)


def baseline() -> Run:
    """Fit the linear model on the same words, weighted by how rare they are (Jones, 1972), in pure scikit-learn."""
    parts = mail.read()
    started = time.perf_counter()
    weigh = TfidfVectorizer(tokenizer=text.words, token_pattern=None, min_df=2, sublinear_tf=True)
    inputs = weigh.fit_transform(parts.train.texts)
    model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000).fit(inputs, parts.train.labels)
    seconds = time.perf_counter() - started
    val, test = (torch.from_numpy(model.predict(weigh.transform(part.texts))) for part in (parts.val, parts.test))
    return Run(seconds, model.coef_.size + 1, val, test)


def main(arguments: Sequence[str] = ()) -> str:
    """Train every network with every seed, and the baseline, which draws no random number, once; return the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.mail", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    seeds = range(parser.parse_args(arguments).seeds)
    splits = mail.load(vocab_size=VOCAB_SIZE, max_length=LENGTH)
    labels = mail.read()
    runs = {BASELINE: [baseline()], BAG.name: [], CNN.name: []}
    for seed in seeds:
        for recipe in (BAG, CNN):
            runs[recipe.name].append(train(recipe, splits, seed))
            score = _spam(f1, runs[recipe.name][-1].test, labels.test.labels)
            print(f"{recipe.name}, seed {seed}: test F1 {score:.3f}", file=sys.stderr, flush=True)
    header = ["mail", "parameters", "s", "validation F1", "test F1", "precision", "recall", "test F1 of each seed"]
    rows = [_row(name, kept, labels) for name, kept in runs.items()]
    total, spam = len(labels.test.labels), int(labels.test.labels.sum())
    return f"{table(header, rows)}\n\nNetworks: mean of {len(seeds)}. Spam is the positive class; {spam} of {total} test mails are."


def _row(name: str, runs: Sequence[Run], labels: mail.MailSplits) -> list[str]:
    each = [_spam(f1, run.test, labels.test.labels) for run in runs]
    means = [
        statistics.mean(_spam(f1, run.val, labels.val.labels) for run in runs),
        statistics.mean(each),
        *(statistics.mean(_spam(metric, run.test, labels.test.labels) for run in runs) for metric in (precision, recall)),
    ]
    seconds = statistics.mean(run.seconds for run in runs)
    return [
        name,
        f"{runs[0].parameters:,}",
        f"{seconds:.1f}",
        *(f"{value:.3f}" for value in means),
        " ".join(f"{v:.3f}" for v in each),
    ]


def _spam(metric: Callable[..., float | Tensor], predictions: Tensor, targets: Tensor) -> float:
    """Return precision, recall or F1 of the class that is spam."""
    return float(cast(Tensor, metric(predictions, targets, average=None))[SPAM])


if __name__ == "__main__":
    print(main(sys.argv[1:]), circumstances(), sep="\n\n")
