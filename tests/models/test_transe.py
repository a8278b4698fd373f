"""TransE: its score is a distance, its ranks are counted honestly, and it learns what a translation can say and no more."""

import pytest
import torch
import torch.nn.functional as F

from dlcourse.models.transe import TransE, hits_at, margin_loss


def small(seed=0):
    torch.manual_seed(seed)
    return TransE(7, 3, embedding_dim=5)


def fit(facts, *, num_entities, num_relations, steps=400):
    """A model in 8 dimensions trained on facts (N, 3), each time against one with another head or tail."""
    torch.manual_seed(0)
    model = TransE(num_entities, num_relations, embedding_dim=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    h, r, t = facts.T
    for _ in range(steps):
        other, head = torch.randint(num_entities, h.shape), torch.rand(len(h)) < 0.5
        optimizer.zero_grad()
        corrupted = model.score(torch.where(head, other, h), r, torch.where(head, t, other))
        margin_loss(model.score(h, r, t), corrupted).backward()
        optimizer.step()
    return model


def test_the_score_is_minus_the_distance_from_head_plus_relation_to_tail():
    model = small()
    torch.nn.init.normal_(model.entity.weight)
    found = model.score(torch.tensor([2, 0]), torch.tensor([1, 2]), torch.tensor([6, 0]))
    e, r = F.normalize(model.entity.weight, dim=1), model.relation.weight
    torch.testing.assert_close(found, -torch.stack([(e[2] + r[1] - e[6]).norm(), r[2].norm()]))


def test_all_tails_are_scored_in_one_call():
    model, heads, relations = small(), torch.tensor([2, 0]), torch.tensor([1, 2])
    scores = model.score(heads[:, None], relations[:, None], torch.arange(7))
    assert scores.shape == (2, 7)
    for tail in range(7):
        torch.testing.assert_close(scores[:, tail], model.score(heads, relations, torch.full((2,), tail)))


def test_the_length_of_an_entitys_vector_does_not_matter():
    model, fact = small(), (torch.tensor([2]), torch.tensor([1]), torch.tensor([6]))
    before = model.score(*fact)
    with torch.no_grad():
        model.entity.weight *= 3
    torch.testing.assert_close(model.score(*fact), before)


def test_the_loss_is_zero_once_the_margin_is_kept():
    true, corrupted = torch.tensor([-0.2, -0.5, -0.1]), torch.tensor([-1.0, -1.7, -0.05])
    assert margin_loss(true, corrupted).item() == pytest.approx((0.2 + 0 + 1.05) / 3)
    assert margin_loss(true[:2], corrupted[:2], margin=0.5).item() == 0


def test_every_parameter_gets_a_gradient():
    model, r = small(), torch.arange(3)
    margin_loss(model.score(r, r, r + 1), model.score(r, r, r + 4)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_it_infers_the_inverse_of_a_relation_it_has_seen_for_other_people():
    wives = torch.stack([torch.arange(8), torch.zeros(8, dtype=torch.int64), torch.arange(8, 16)], dim=1)
    husbands = wives[:, [2, 1, 0]] + torch.tensor([0, 1, 0])
    model = fit(torch.cat([wives, husbands[2:]]), num_entities=16, num_relations=2)
    h, r, t = husbands[:2].T
    scores = model.score(h[:, None], r[:, None], torch.arange(16))
    assert hits_at(1, scores, t).all()
    assert F.cosine_similarity(model.relation.weight[0], -model.relation.weight[1], dim=0) > 0.8


def test_of_a_symmetric_relation_one_direction_at_most_is_a_hit():
    # |h + r - t| < |r| and |t + r - h| < |r| contradict the parallelogram law: one of the two is nearest to itself
    pairs = torch.arange(12).view(6, 2)
    twins = torch.cat([pairs, pairs.flip(1)])
    facts = torch.stack([twins[:, 0], torch.zeros(12, dtype=torch.int64), twins[:, 1]], dim=1)
    model = fit(facts, num_entities=12, num_relations=1)
    assert model.relation.weight.norm() < 0.5  # it began at 1
    scores = model.score(facts[:, :1], facts[:, 1:2], torch.arange(12))
    assert hits_at(2, scores, facts[:, 2]).all()
    there, back = hits_at(1, scores, facts[:, 2]).view(2, 6)
    assert not (there & back).any()


def test_hits_count_how_many_entities_are_better():
    scores = torch.tensor([[0.1, 0.9, 0.5, 0.3], [0.4, 0.2, 0.6, 0.8]])
    tails = torch.tensor([2, 0])  # ranks 2 and 3
    assert hits_at(1, scores, tails).tolist() == [False, False]
    assert hits_at(2, scores, tails).tolist() == [True, False]
    assert hits_at(3, scores, tails).tolist() == [True, True]


def test_other_right_answers_do_not_count_as_better():
    scores, tails = torch.tensor([[0.1, 0.9, 0.5, 0.3]]), torch.tensor([2])
    known = torch.tensor([[False, True, True, False]])
    assert hits_at(1, scores, tails, known=known).tolist() == [True]


def test_the_same_score_for_everyone_is_no_hit():
    assert hits_at(3, torch.zeros(2, 4), torch.tensor([0, 3])).tolist() == [False, False]


def test_the_same_seed_gives_the_same_vectors():
    assert torch.equal(small(3).entity.weight, small(3).entity.weight)


@pytest.mark.parametrize(
    ("scores", "tails", "known"), [((2, 4), (3,), None), ((4,), (4,), None), ((2, 4), (2, 1), None), ((2, 4), (2,), (2, 3))]
)
def test_shapes_that_do_not_fit_are_refused(scores, tails, known):
    mask = None if known is None else torch.zeros(known, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"given; \(B, E\), \(B,\) and \(B, E\) wanted"):
        hits_at(1, torch.zeros(scores), torch.zeros(tails, dtype=torch.int64), known=mask)


def test_a_k_of_zero_a_margin_of_zero_and_losses_of_nothing_are_refused():
    with pytest.raises(ValueError, match="k=0: at least 1"):
        hits_at(0, torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match="margin=0: a number above 0"):
        margin_loss(torch.zeros(2), torch.zeros(2), margin=0)
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        margin_loss(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="one shape, not empty"):
        margin_loss(torch.zeros(0), torch.zeros(0))


@pytest.mark.parametrize("sizes", [(0, 3, 5), (7, 0, 5), (7, 3, 0)])
def test_a_table_without_rows_or_columns_is_refused(sizes):
    with pytest.raises(ValueError, match="both must be at least 1"):
        TransE(sizes[0], sizes[1], embedding_dim=sizes[2])


def test_numbers_whose_shapes_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match=r"heads \(2,\), relations \(1,\) and tails \(3,\) given"):
        small().score(torch.tensor([1, 2]), torch.tensor([0]), torch.tensor([1, 2, 3]))


def test_scores_that_are_nan_are_no_hits():
    with pytest.raises(ValueError, match="the scores hold nan"):
        hits_at(1, torch.tensor([[0.0, float("nan"), 1.0]]), torch.tensor([1]))


@pytest.mark.parametrize("tail", [-1, 4])
def test_a_tail_that_is_no_entity_is_named(tail):
    with pytest.raises(ValueError, match=f"tail {tail} has no score: there are scores of entities 0 to 3"):
        hits_at(1, torch.zeros(2, 4), torch.tensor([3, tail]))


@pytest.mark.parametrize(("tails", "known"), [(torch.int32, torch.bool), (torch.float32, torch.bool), (torch.int64, torch.uint8)])
def test_tails_and_known_of_another_dtype_are_refused(tails, known):
    with pytest.raises(TypeError, match=f"tails of dtype {tails} and known of {known} given"):
        hits_at(1, torch.zeros(2, 4), torch.zeros(2, dtype=tails), known=torch.zeros(2, 4, dtype=known))
