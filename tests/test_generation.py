"""Drawing tokens: the probabilities, the temperature, the order in which a model is asked, and what is refused."""

import math

import pytest
import torch

from dlcourse.generation import generate, sample, sliding


def source(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_the_softmax_says(temperature):
    logits = torch.tensor([0.0, 1.0, -0.5, 2.0])
    drawn = sample(logits.expand(20_000, 4), temperature=temperature, generator=source())
    frequencies = torch.bincount(drawn, minlength=4) / 20_000
    torch.testing.assert_close(frequencies, torch.softmax(logits / temperature, 0), rtol=0, atol=0.015)


def test_at_temperature_0_the_likeliest_is_taken_and_the_first_of_equal_ones():
    logits = torch.tensor([[0.0, 3.0, 1.0], [2.0, 2.0, 1.0]])
    assert sample(logits, temperature=0).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-300])
def test_close_to_0_it_is_the_same_without_overflow(temperature):
    logits = torch.tensor([[0.0, 80.0, 1.0], [2.0, -90.0, 1.0]])
    assert sample(logits, temperature=temperature).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [5.0, 1e300])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_what_has_no_probability_is_never_drawn(temperature, dtype):
    logits = torch.tensor([-math.inf, 0.0, -math.inf, 0.0], dtype=dtype).expand(500, 4)
    assert set(sample(logits, temperature=temperature, generator=source()).tolist()) == {1, 3}


def test_the_same_generator_draws_the_same_tokens_and_no_other_is_touched():
    logits, before = torch.randn(50, 9), torch.get_rng_state()
    assert torch.equal(sample(logits, generator=source(3)), sample(logits, generator=source(3)))
    assert not torch.equal(sample(logits, generator=source(3)), sample(logits, generator=source(4)))
    assert torch.equal(torch.get_rng_state(), before)


def counting(tokens, state):
    """A model whose next token is the number of tokens read so far, and that notes how much it was given at a time."""
    state = [*(state or []), tokens.shape[1]]
    logits = torch.full((*tokens.shape, 20), -math.inf)
    logits[:, -1, sum(state)] = 0.0
    seen.append(list(state))
    return logits, state


seen: list[list[int]] = []


def test_the_prompt_is_read_at_once_and_then_each_token_with_the_state_before_it():
    seen.clear()
    text = generate(counting, torch.tensor([[7, 8, 9], [4, 5, 6]]), num_tokens=4)
    assert text.tolist() == [[7, 8, 9, 3, 4, 5, 6], [4, 5, 6, 3, 4, 5, 6]]
    assert seen == [[3], [3, 1], [3, 1, 1], [3, 1, 1, 1]]


def test_no_new_token_gives_the_prompt_back():
    prompt = torch.tensor([[1, 2]])
    assert torch.equal(generate(counting, prompt, num_tokens=0), prompt)


def test_nothing_is_recorded_for_gradients():
    weight = torch.ones(3, requires_grad=True)
    recorded = []

    def read(tokens, state):
        logits = weight.expand(*tokens.shape, 3)
        recorded.append((logits * 1).requires_grad)
        return logits, state

    generate(read, torch.tensor([[0]]), num_tokens=2)
    assert recorded == [False, False]


def test_one_may_train_on_what_is_written():
    def read(tokens, state):
        return torch.zeros(*tokens.shape, 3), state

    text, table = generate(read, torch.tensor([[0]]), num_tokens=4), torch.ones(3, 2, requires_grad=True)
    torch.nn.functional.embedding(text, table).sum().backward()  # keeps the tokens for the way back
    assert table.grad is not None
    assert table.grad.sum() == 10


LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()[torch.tensor([2, 0, 3, 1])]  # the likeliest is 1, then 3, 0, 2


def drawn(logits, **settings):
    """How often each token is drawn."""
    tokens = sample(logits.expand(20_000, -1), generator=source(), **settings)
    return torch.bincount(tokens, minlength=logits.shape[-1]) / 20_000


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"top_k": 1}, {1: 1.0}),
        ({"top_k": 2}, {1: 0.625, 3: 0.375}),
        ({"top_k": 9}, {1: 0.5, 3: 0.3, 0: 0.15, 2: 0.05}),
        ({"top_p": 0.5}, {1: 1.0}),
        ({"top_p": 0.55}, {1: 0.625, 3: 0.375}),
        ({"top_p": 0.94}, {1: 0.526, 3: 0.316, 0: 0.158}),
        ({"top_p": 1.0}, {1: 0.5, 3: 0.3, 0: 0.15, 2: 0.05}),
        ({"top_p": 1e-9}, {1: 1.0}),
        ({"top_k": 2, "top_p": 0.6}, {1: 1.0}),  # of the two that are left, the first has 0.625
        ({"top_p": 0.9, "temperature": 0.5}, {1: 0.735, 3: 0.265}),  # (25, 9, 2.25, 0.25) / 36.5
    ],
    ids=str,
)
def test_only_the_likeliest_tokens_are_drawn_as_often_as_before_against_each_other(settings, kept):
    frequencies = drawn(LOGITS, **settings)
    wanted = torch.tensor([kept.get(token, 0.0) for token in range(4)])
    torch.testing.assert_close(frequencies, wanted, rtol=0, atol=0.015)
    assert (frequencies[wanted == 0] == 0).all()


@pytest.mark.parametrize("settings", [{"top_k": 2}, {"top_p": 0.4}], ids=str)
def test_of_equally_likely_tokens_the_first_are_kept(settings):
    assert (drawn(torch.zeros(5), **settings) > 0).tolist() == [True, True, False, False, False]


def test_each_row_keeps_its_own_likeliest_tokens():
    logits = torch.tensor([[0.0, 5.0, 4.0], [9.0, 0.0, 1.0]])
    tokens = torch.stack([sample(logits, top_p=0.9, generator=source(seed)) for seed in range(60)])
    assert [set(column.tolist()) for column in tokens.T] == [{1, 2}, {0}]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"top_k": 0}, "top_k=0: at least 1"), ({"top_p": 0.0}, "top_p=0.0: above 0 and at most 1"), ({"top_p": 1.5}, "top_p=1.5")],
)
def test_a_choice_of_nothing_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        sample(torch.zeros(1, 3), **settings)
    with pytest.raises(ValueError, match=message):
        generate(counting, torch.tensor([[0]]), num_tokens=0, **settings)


def test_a_sliding_text_is_read_on_while_it_fits_and_then_anew_from_its_last_tokens():
    seen.clear()
    read = sliding(lambda tokens, state: views.append(tokens) or counting(tokens, state), max_length=5, keep=2)
    views = []
    text = generate(read, torch.tensor([[9, 8, 7]]), num_tokens=6)
    assert text.tolist() == [[9, 8, 7, 3, 4, 5, 3, 4, 5]]
    assert [view.tolist() for view in views] == [[[9, 8, 7]], [[3]], [[4]], [[3, 4, 5]], [[3]], [[4]]]
    assert seen == [[3], [3, 1], [3, 1, 1], [3], [3, 1], [3, 1, 1]]


def test_a_sliding_text_keeps_half_unless_told_otherwise_and_room_for_what_is_new():
    views = []

    def read(tokens, state):
        views.append(tokens.tolist())
        return torch.zeros(*tokens.shape, 3), None

    state = None
    for size in (5, 2, 6):
        logits, state = sliding(read, max_length=6)(torch.arange(size)[None], state)
        assert logits.shape == (1, size, 3)
    assert views == [[[0, 1, 2, 3, 4]], [[2, 3, 4, 0, 1]], [[0, 1, 2, 3, 4, 5]]]


def test_sliding_refuses_what_can_never_fit():
    with pytest.raises(ValueError, match="keep=6, max_length=6: 0 ≤ keep < max_length"):
        sliding(counting, max_length=6, keep=6)
    with pytest.raises(ValueError, match="7 tokens given at once; at most max_length=6 fit"):
        sliding(counting, max_length=6)(torch.zeros(1, 7, dtype=torch.int64), None)


@pytest.mark.parametrize("shape", [(1, 0), (0, 3), (4,)])
def test_an_empty_prompt_is_refused(shape):
    with pytest.raises(ValueError, match=r"at least 1 token to go on from"):
        generate(counting, torch.zeros(shape, dtype=torch.int64), num_tokens=1)


@pytest.mark.parametrize("temperature", [-0.1, math.nan, math.inf])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(ValueError, match="a finite number of at least 0"):
        sample(torch.zeros(1, 3), temperature=temperature)
    with pytest.raises(ValueError, match="a finite number of at least 0"):
        generate(counting, torch.tensor([[0]]), num_tokens=0, temperature=temperature)


def test_a_negative_number_of_tokens_is_refused():
    with pytest.raises(ValueError, match="num_tokens=-1"):
        generate(counting, torch.tensor([[0]]), num_tokens=-1)


def test_logits_that_are_no_logits_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3, 4\) given; \(B, V\) wanted"):
        sample(torch.zeros(2, 3, 4))
    with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
        sample(torch.tensor([[1, 2]]))


@pytest.mark.parametrize("temperature", [0, 1e-30, 1.0, 1e300])
@pytest.mark.parametrize(("row", "largest"), [([0.0, math.nan], "nan"), ([math.inf, 0.0], "inf"), ([-math.inf] * 2, "-inf")])
def test_a_row_from_which_no_probability_follows_is_refused_at_every_temperature(row, largest, temperature):
    with pytest.raises(ValueError, match=f"the largest logit of a row is {largest}:"):
        sample(torch.tensor([[1.0, 2.0], row]), temperature=temperature)


def test_a_prompt_of_another_dtype_is_refused_even_where_nothing_is_read():
    with pytest.raises(TypeError, match=r"dtype torch\.int64, got torch\.int32"):
        generate(counting, torch.tensor([[1, 2]], dtype=torch.int32), num_tokens=0)
