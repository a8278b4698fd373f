"""The exercises of the chapter on optimisation."""

from __future__ import annotations

import torch

from dlcourse.exercises import function, number, sequence

EXERCISES = {
    "optimisation-1": sequence(
        [-0.1, -0.29],
        hints={
            (-0.1, -0.2): "The second step remembers the first: v is larger than the gradient alone.",
            (-0.1, -0.19): "That is what the second step adds: go on from where the first one ended.",
            (-0.01, -0.029): "In formula (4) the gradient enters v whole, without a factor 1 − β.",
            (0.1, 0.29): "The step goes against the gradient.",
            (-0.19, -0.461): "That is Nesterov's step (6), which adds momentum to the gradient once more.",
        },
        hint="Formula (4), twice: first v, then θ. The gradient enters v whole.",
        tolerance=1e-6,
    ),
    "optimisation-2": sequence(
        [-0.01, -0.01],
        hints={
            (-1e-5, -10): "That is gradient descent. At t = 1, what are m̂ and ŝ, and what is m̂ / √ŝ?",
            (0.01, 0.01): "The step goes against the gradient.",
            (-0.0316, -0.0316): "That is without the correction of the two means.",
        },
        hint="At t = 1 the corrected means are g and g²; divide the one by the root of the other.",
        tolerance=1e-4,
    ),
    "optimisation-3": sequence(
        [2764, 139],
        hints={
            (2763, 138): "Rounded down, the path is not quite there yet.",
            (139, 2764): "The other way round.",
            (691, 69): "Those are the steps for κ = 100.",
            (2764, 70): "The factor per step is √β; formula (5) names it.",
        },
        hint="The distance is multiplied by ρ each step: solve ρᵗ = 10⁻⁶ for t, with (3) and with (5).",
    ),
    "optimisation-4": number(
        0.999**50,
        hints={
            0.537: "That is Adam with λθ in the gradient. AdamW decays outside the division.",
            0.95: "Close: but each step takes its share of what the step before left.",
            0.605: "The rate and the decay are multiplied: formula (11).",
            0.005: "λ alone is not the decay of a step: formula (11) multiplies it by η.",
        },
        hint="Formula (11) with a gradient of zero: the same factor 50 times.",
        tolerance=6e-4,
    ),
    "optimisation-5": sequence(
        [0.25, 4],
        hints={
            (0.5, 4): "That is the standard deviation; the variance is its square.",
            (0.5, 2): "That is the standard deviation; and formula (13) has η and B as a ratio, without roots.",
            (0.25, 2): "Look at formula (13) again: which ratio has to stay?",
            (4, 4): "More examples, less noise.",
            (0.25, 0.25): "Less noise allows a larger rate, not a smaller one.",
        },
        hint="Formula (12) for the first, the ratio η/B in (13) for the second.",
        tolerance=1e-6,
    ),
    "optimisation-6": function(
        [
            ((torch.tensor([2.0, 2.0, 2.0]), 0.9), torch.tensor([2.0, 2.0, 2.0])),
            ((torch.tensor([1.0, 0.0]), 0.5), torch.tensor([1.0, 1 / 3])),
            ((torch.tensor([4.0, -1.0, 0.5]), 0.0), torch.tensor([4.0, -1.0, 0.5])),
            ((torch.tensor([1.0, 2.0, 4.0]), 0.9), torch.tensor([1.0, 2.9 / 1.9, 6.61 / 2.71])),
        ],
        hint="Equal gradients must have their own value as mean from the first step on: divide by 1 − βᵗ, with t from 1.",
    ),
}
