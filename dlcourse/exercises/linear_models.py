"""The exercises of the chapter on linear models."""

from __future__ import annotations

import math

import torch

from dlcourse.exercises import function, number, sequence

_LOGITS = torch.tensor([-2.0, 0.0, 3.0, 200.0, -200.0])
_LABELS = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0])
_SCORES = torch.tensor([0.0, 1.0, -2.0])
_COUNTS = torch.tensor([3.0, 0.0, 1.0])
_SHARP = 1 / (1 + math.exp(-1) + math.exp(-2))  # softmax(2, 1, 0) of the first class, 0.6652

EXERCISES = {
    "linear_models-1": sequence(
        [1.5, 7 / 6, 1 / 18],
        hints={
            (1.5, 7 / 6, 1 / 6): "Slope and intercept are right. That is the sum of the squares; the loss is their mean.",
            (1.5, 7 / 6, 1 / 36): "Slope and intercept are right. That is half the mean; the loss of this chapter has no half.",
            (2.2, 0, 0.6): "That is the best line through the origin: the model has an intercept.",
        },
        hint="The residuals of the best line are perpendicular to (1, 1, 1) and to x: two equations. Then their mean square.",
        tolerance=1e-3,
    ),
    "linear_models-2": sequence(
        [-math.log(_SHARP), _SHARP - 1, _SHARP * math.exp(-1), _SHARP * math.exp(-2)],
        hints={
            (-math.log(_SHARP), _SHARP, _SHARP * math.exp(-1), _SHARP * math.exp(-2)): "Those are the probabilities: y is missing.",
            (
                -math.log(_SHARP),
                1 - _SHARP,
                -_SHARP * math.exp(-1),
                -_SHARP * math.exp(-2),
            ): "The gradient points uphill: p − y, not y − p.",
            (
                -math.log2(_SHARP),
                _SHARP - 1,
                _SHARP * math.exp(-1),
                _SHARP * math.exp(-2),
            ): "The gradient is right. The loss is wanted in nats: the natural logarithm.",
        },
        hint="The softmax first: e² over e² + e + 1 for the first class. Then −log of it, then p − y.",
        tolerance=1e-3,
    ),
    "linear_models-3": sequence(
        [math.log(10), -math.log(10)],
        hints={
            (-math.log(10), math.log(10)): "The other way round: a loss that is right punishes this answer.",
            (-math.log(0.9), math.log(0.9)): "Those belong to y = 1. Here the answer is confident and wrong.",
            (1.0, -1.0): "That is the logarithm to base 10; the natural one is wanted.",
        },
        hint="With y = 0 only the second term is left: log(1 − 0.9), once with a minus before it and once without.",
        tolerance=1e-3,
    ),
    "linear_models-4": number(
        0.7653,
        hints={
            0.8067: "That is the limit of stability. There the fast mode only flips its sign and never shrinks.",
            0.4034: "With 1/λmax the fast mode is done in one step, and the slow one is as slow as before.",
            7.4569: "1/λmin would finish the slow mode in one step; the fast one explodes.",
            14.9138: "2/λmin is the limit for the slow mode alone; the fast one explodes.",
        },
        hint="Two factors, |1 − ηλmin| and |1 − ηλmax|: one falls with the rate, the other rises. Where do they meet?",
        tolerance=1e-3,
    ),
    "linear_models-5": function(
        [((_LOGITS, _LABELS), torch.sigmoid(_LOGITS.double()).float() - _LABELS), ((torch.tensor(0.0), torch.tensor(1.0)), -0.5)],
        hint="Differentiate log(1 + e^z) − y z. The result has two terms, and neither is a quotient of logarithms.",
    ),
    "linear_models-6": sequence(
        [3.0, 2 + math.log(2), 1.0],
        hints={
            (2.0, 2.0, 1.0): "The mean of this noise is 1, not 0, and its median is not 0 either.",
            (3.0, 3.0, 1.0): "The squared error finds the mean, the absolute error the median, and this noise is lopsided.",
            (2.5, 2.5, 1 / 12): "Those are the figures for the uniform noise of the listing.",
            (2 + math.log(2), 3.0, 1.0): "The other way round: which loss answers with the mean?",
            (3.0, 2 + math.log(2), 2.0): "2 is the mean of the squared noise. The squared residuals are taken about the mean.",
        },
        hint="Mean of −log u: 1. Median: −log u at u = ½. What is left is the variance.",
        tolerance=2e-3,
    ),
    "linear_models-7": function(
        [
            ((_SCORES, _COUNTS), (torch.exp(_SCORES) - _COUNTS * _SCORES).mean()),
            ((torch.zeros(2), torch.zeros(2)), torch.tensor(1.0)),
        ],
        hint="Take −log of the Poisson probability, put λ = e^z, drop what z does not touch (log y!), and average.",
    ),
}
