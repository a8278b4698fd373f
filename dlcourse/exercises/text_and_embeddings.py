"""The exercises of the chapter on text and embeddings."""

from __future__ import annotations

import math

import torch

from dlcourse.exercises import choice, function, number, sequence

# Rows of two numbers, one a word. 1 − 0 + 2 ends next to 2 itself, and next to 3 where the three given words are left out.
CORNERS = torch.tensor([[1.0, 0.0], [1.0, 0.4], [0.0, 2.0], [-0.3, 1.0], [0.0, -1.0], [-0.75, 0.66]])
# The same directions, other lengths: compared without bringing them to length 1, the answer would be 5.
SCALED = CORNERS * torch.tensor([[3.0], [0.5], [1.0], [0.01], [7.0], [1.0]])

EXERCISES = {
    "text_and_embeddings-1": number(
        14,
        hints={
            20: "Words near an end have fewer neighbours: the first has none to its left.",
            7: "Each word is a centre once: (w, c) and (c, w) are two pairs.",
            8: "That is a window of 1; a window of 2 reaches two places to each side.",
            25: "A word is not its own context, and two places is the limit.",
            10: "A window of 2 reaches to both sides.",
        },
        hint="Count, for each of the five places, the words at most two places away, and add up.",
    ),
    "text_and_embeddings-2": number(
        6 * math.log(2),
        hints={
            5 * math.log(2): "The true pair has a loss too.",
            math.log(2): "That is the loss of one of the pairs.",
            6: "The logarithm is the natural one.",
            3: "σ(0) is 1/2, and the loss is minus its logarithm.",
            0: "Vectors that know nothing give every pair the probability σ(0), which is not 1.",
        },
        hint="Formula (4) with every score 0: how many terms are there, and what is −log σ(0)?",
        tolerance=2e-3,
    ),
    "text_and_embeddings-3": sequence(
        [5, 3],
        hints={
            (5, 8): "Eight windows fit into ten places; the question is how many of them touch a pad.",
            (7, 3): "A window of three words cannot start at the last word.",
            (4, 4): "The window may start at the first word and at the fifth.",
            (5, 1): "One window consists of pads alone; two more hold a pad beside a word.",
            (5, 2): "The window of three pads touches pads as well.",
        },
        hint="A window of m fits into T places T − m + 1 times: count with T = 7 and with T = 10.",
    ),
    "text_and_embeddings-4": sequence(
        [2, 3, 1.2, 1.8],
        hints={
            (1.2, 1.8, 2, 3): "The other way round: the masked mean comes first.",
            (6, 9, 6, 9): "Those are sums; a mean divides.",
            (2, 3, 2, 3): "The mean over the whole width divides by 5.",
        },
        hint="Both add up the same vectors; one divides by the real words, the other by the width of the batch.",
        tolerance=1e-4,
    ),
    "text_and_embeddings-5": choice(
        "B",
        options=("A", "B", "C", "D"),
        hints={
            "A": "It does save some memory, and that is not the reason.",
            "C": "A row that no training text uses gets no gradient: formula (2).",
            "D": "The order of the numbers means nothing to an embedding.",
        },
    ),
    "text_and_embeddings-6": sequence(
        [9, 7],
        hints={
            (10, 7): "The first pair occurs four times in the two words together.",
            (9, 8): "After the first merge the most frequent pair occurs twice.",
            (4, 2): "Those look like counts of a pair; wanted are the tokens that are left.",
            (11, 9): "The most frequent pair is not the first one of the word.",
        },
        hint="Thirteen letters to begin with. Count all pairs of neighbours within the words, and merge the most frequent one.",
    ),
    "text_and_embeddings-7": function(
        [
            ((torch.tensor([[4.0, 0.0], [0.0, 4.0]]),), torch.tensor([[math.log(2), 0.0], [0.0, math.log(2)]])),
            ((torch.tensor([[1.0, 1.0], [1.0, 1.0]]),), torch.zeros(2, 2)),
            (
                (torch.tensor([[6.0, 2.0, 0.0], [1.0, 1.0, 6.0]]),),
                torch.tensor([[math.log(6 * 16 / (8 * 7)), math.log(2 * 16 / (8 * 3)), 0.0], [0.0, 0.0, math.log(2)]]),
            ),
        ],
        hint="Formula (7) without log k; what is negative becomes 0, and so does a pair that never occurred.",
    ),
    "text_and_embeddings-8": function(
        [
            ((CORNERS, 0, 1, 2), 3),
            ((CORNERS, 1, 0, 3), 2),
            ((SCALED, 0, 1, 2), 3),
        ],
        hint="Bring all rows to length 1, compare with b − a + c by cosine, and leave out the three given words.",
    ),
}
