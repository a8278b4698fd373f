"""A small knowledge graph: six families over five generations, and who is whose father, wife, sister or grandmother.

A fact is a triple (head, relation, tail), read "the head's relation is the tail": (Nora, father, Hugh) says that Nora's father is
Hugh. All people are made up, and drawn anew with every seed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["BASIC", "RELATIONS", "Family", "load"]

BASIC = ("father", "wife")  # all other relations follow from these two
GRANDPARENTS = ("father's father", "father's mother", "mother's father", "mother's mother")
RELATIONS = (*BASIC, "husband", "mother", *GRANDPARENTS, "child", "sibling")
WOMEN = """Ada Agnes Alice Anna Beryl Cecily Clara Cora Daisy Dora Edith Ella Emma Esther Eva Fanny Flora Grace Greta Hanna Helen
Ida Irma Iris Jane Joan Julia Kate Laura Lena Lily Lucy Mabel Maria Maud Nell Nora Olive Pearl Rosa Ruth Sarah"""
MEN = """Adam Alan Albert Amos Basil Boris Carl Cecil Colin Cyril Daniel David Edgar Edwin Emil Felix Frank Fred George Gilbert
Guy Harold Henry Hugh Isaac Ivan Jack Jacob James John Leo Lewis Martin Max Noah Oscar Otto Paul Peter Simon Tom Victor"""
GENERATIONS = 5
YOUNGER = (0, 0, 1, 1, 2, 2)  # brothers and sisters of the heirs of one generation, a number for each of the six families


class Family(NamedTuple):
    """Facts int64 (N, 3) to learn from and (M, 3) held out; columns are numbers of ``people``, ``relations`` and ``people``."""

    people: list[str]
    relations: list[str]
    train: Tensor
    test: Tensor


def load(*, held_out: float = 0.3, seed: int = 0) -> Family:
    """Return the facts about 84 people. Those held out all follow from the others.

    Every fact of the relations ``BASIC`` is in ``train``; of each other relation a share ``held_out`` is in ``test``, and the
    rest shows what the relation means: a husband is whose wife one is, a mother a father's wife. In each generation one child of
    a couple marries, someone of whose parents nothing is known. Raises ValueError for a share outside [0, 1).
    """
    if not 0 <= held_out < 1:
        raise ValueError(f"held_out={held_out}: a share from 0 on and below 1 is wanted")
    draw = torch.Generator().manual_seed(seed)
    women, father, wife = _draw(draw)
    facts = _facts(father, wife)
    train, test = [], []
    for number, name in enumerate(RELATIONS):
        triples = torch.tensor([(head, number, tail) for head, tail in sorted(facts[name])])
        triples = triples[torch.randperm(len(triples), generator=draw)]
        cut = 0 if name in BASIC else round(held_out * len(triples))
        test.append(triples[:cut])
        train.append(triples[cut:])
    return Family(_names(women, draw), list(RELATIONS), torch.cat(train), torch.cat(test))


def _draw(draw: torch.Generator) -> tuple[list[bool], dict[int, int], dict[int, int]]:
    """Return for each person whether a woman, (84,), and who is whose father and whose wife."""
    women: list[bool] = []
    father: dict[int, int] = {}
    wife: dict[int, int] = {}

    def born(woman: bool, parent: int | None) -> int:
        women.append(woman)
        if parent is not None:
            father[len(women) - 1] = parent
        return len(women) - 1

    parents: list[int | None] = [None] * len(YOUNGER)  # of each family the last father; before the first generation nobody's
    for generation in range(GENERATIONS):
        order = torch.randperm(len(YOUNGER), generator=draw).tolist()
        heiress = (torch.rand(len(YOUNGER), generator=draw) < 0.5).tolist()
        for family, parent in enumerate(parents):
            heir, spouse = born(heiress[family], parent), born(not heiress[family], None)
            for _ in range(YOUNGER[order[family]] if generation else 0):
                born(woman=sum(women) * 2 <= len(women), parent=parent)
            husband, woman = (spouse, heir) if heiress[family] else (heir, spouse)
            wife[husband] = woman
            parents[family] = husband
    return women, father, wife


def _facts(father: dict[int, int], wife: dict[int, int]) -> dict[str, set[tuple[int, int]]]:
    """Return (head, tail) of every fact by relation."""
    mother = {child: wife[man] for child, man in father.items()}
    facts = {
        "father": set(father.items()),
        "wife": set(wife.items()),
        "husband": {(woman, man) for man, woman in wife.items()},
        "mother": set(mother.items()),
        "child": {(parent, child) for parents in (father, mother) for child, parent in parents.items()},
        "sibling": {(x, y) for x in father for y in father if x != y and father[x] == father[y]},
    }
    for name, first in (("father", father), ("mother", mother)):
        for second, then in (("father", father), ("mother", mother)):
            facts[f"{name}'s {second}"] = {(x, then[parent]) for x, parent in first.items() if parent in then}
    return facts


def _names(women: list[bool], draw: torch.Generator) -> list[str]:
    """Give each person a name of her or his own."""
    lists = [names.split() for names in (MEN, WOMEN)]
    shuffled = [iter([names[i] for i in torch.randperm(len(names), generator=draw).tolist()]) for names in lists]
    return [next(shuffled[woman]) for woman in women]
