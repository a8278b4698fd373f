"""The family is one: nobody is their own grandfather, and what is held out follows from what is not."""

import pytest
import torch

from dlcourse.data import family


def by_relation(facts, relations):
    """The (head, tail) pairs of each relation."""
    return {name: {(h, t) for h, r, t in facts.tolist() if r == number} for number, name in enumerate(relations)}


@pytest.fixture(scope="module", params=[0, 1, 2])
def given(request):
    """A family, its facts to learn from by relation, and all its facts by relation."""
    found = family.load(seed=request.param)
    return found, by_relation(found.train, found.relations), by_relation(torch.cat(found[2:]), found.relations)


def test_there_are_84_people_with_84_names_and_ten_relations(given):
    found, _, facts = given
    assert len(found.people) == len(set(found.people)) == 84
    assert tuple(found.relations) == family.RELATIONS
    assert all(len(pairs) > 5 for pairs in facts.values())
    assert found.train.dtype == torch.int64
    assert set(torch.cat(found[2:])[:, [0, 2]].flatten().tolist()) == set(range(84))  # nobody is without a fact


def test_no_fact_is_both_learnt_and_held_out(given):
    found, _, facts = given
    assert sum(map(len, facts.values())) == len(found.train) + len(found.test)


def test_of_each_relation_but_the_basic_ones_three_tenths_are_held_out(given):
    found, learnt, facts = given
    for name in found.relations:
        held_out = 0 if name in family.BASIC else round(0.3 * len(facts[name]))
        assert len(facts[name]) - len(learnt[name]) == held_out


def test_every_fact_follows_from_the_basic_ones_which_are_all_given(given):
    _, learnt, facts = given
    father, wife = dict(learnt["father"]), dict(learnt["wife"])
    mother = {child: wife[man] for child, man in father.items()}
    assert facts["mother"] == set(mother.items())
    assert facts["husband"] == {(woman, man) for man, woman in wife.items()}
    assert facts["child"] == {(parent, child) for child, parent in [*father.items(), *mother.items()]}
    assert facts["sibling"] == {(x, y) for x in father for y in father if x != y and father[x] == father[y]}
    assert facts["mother's father"] == {(x, father[p]) for x, p in mother.items() if p in father}
    assert facts["father's mother"] == {(x, mother[p]) for x, p in father.items() if p in mother}


def test_a_parent_is_a_man_or_a_woman_and_never_a_descendant(given):
    _, _, facts = given
    father, mother = dict(facts["father"]), dict(facts["mother"])
    men, women = set(father.values()), set(mother.values())
    assert not men & women
    assert not men & {woman for _, woman in facts["wife"]}
    for person in father:
        line, above = [], person
        while above in father:
            above = father[above] if father[above] in father else mother[above]
            assert above not in line
            line.append(above)


def test_of_a_couples_children_one_marries_and_no_other_marries_a_sibling(given):
    _, _, facts = given
    married = {person for couple in facts["wife"] for person in couple}
    for _, woman in facts["wife"]:
        children = [child for parent, child in facts["child"] if parent == woman]
        assert len([child for child in children if child in married]) == (1 if children else 0)
    assert not facts["wife"] & facts["sibling"]


def test_the_seed_decides_everything_and_the_global_numbers_stay():
    torch.manual_seed(0)
    wanted = torch.rand(2)
    torch.manual_seed(0)
    first, second, other = family.load(seed=4), family.load(seed=4), family.load(seed=5)
    torch.testing.assert_close(torch.rand(2), wanted)
    assert first.people == second.people
    assert torch.equal(first.train, second.train)
    assert first.people != other.people


def test_with_nothing_held_out_all_is_there_to_learn():
    found = family.load(held_out=0.0)
    assert found.test.shape == (0, 3)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=f"held_out={share}: a share from 0"):
        family.load(held_out=share)
