"""Text becomes tensors without a leak, and what cannot become one is named."""

import pytest
import torch

from dlcourse.data.text import END, PAD, START, UNKNOWN, RandomWindows, Vocabulary, fill, lengths, mask, pad, windows, words


def test_words_are_lower_case_and_signs_are_tokens_of_their_own():
    assert words("Don't PAY $5 at <url>!") == ["don't", "pay", "$", "5", "at", "<url>", "!"]
    assert words("snake_case café 'tis O'Brien's") == ["snake", "_", "case", "café", "'", "tis", "o'brien's"]


def test_without_punctuation_words_and_placeholders_stay():
    assert words("Call <number> now: it's -- free!", punctuation=False) == ["call", "<number>", "now", "it's", "free"]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_text_without_a_word_gives_no_token(text):
    assert words(text) == []


def test_words_are_numbered_by_frequency_after_padding_and_unknown():
    vocabulary = Vocabulary.build([["b", "a", "b"], ["c", "b", "a"]])
    assert vocabulary.tokens == [PAD, UNKNOWN, "b", "a", "c"]
    assert (vocabulary.pad, vocabulary.unknown, len(vocabulary)) == (0, 1, 5)
    assert vocabulary.counts.tolist() == [0, 0, 3, 2, 1]
    assert "a" in vocabulary
    assert "z" not in vocabulary


def test_of_equally_frequent_tokens_the_first_in_code_point_order_comes_first_whatever_their_order_in_the_text():
    assert Vocabulary.build([list("zxy")]).tokens == Vocabulary.build([list("yzx")]).tokens == [PAD, UNKNOWN, "x", "y", "z"]


def test_what_the_vocabulary_leaves_out_counts_as_unknown():
    texts = [["a"] * 5, ["b"] * 3, ["c"] * 2, ["d"]]
    assert Vocabulary.build(texts, min_count=2).counts.tolist() == [0, 1, 5, 3, 2]
    small = Vocabulary.build(texts, max_size=4)
    assert small.tokens == [PAD, UNKNOWN, "a", "b"]
    assert small.counts.tolist() == [0, 3, 5, 3]


def test_decoding_undoes_encoding_but_for_the_unknown():
    vocabulary = Vocabulary.build([["to", "be", "or", "not", "to", "be"]])
    numbers = vocabulary.encode(["to", "see", "or", "not"])
    assert numbers.dtype == torch.int64
    assert vocabulary.decode(numbers) == ["to", UNKNOWN, "or", "not"]


def test_decoding_leaves_padding_out():
    vocabulary = Vocabulary.build([["to", "be"]])
    assert vocabulary.decode([3, 2, 0, 0]) == [vocabulary.tokens[3], vocabulary.tokens[2]]


def test_a_string_is_a_text_of_characters():
    vocabulary = Vocabulary.build(["hello"], specials=())
    assert vocabulary.tokens == ["l", "e", "h", "o"]
    assert "".join(vocabulary.decode(vocabulary.encode("hole"))) == "hole"


def test_no_token_encodes_to_a_tensor_of_length_zero():
    assert Vocabulary.build(["ab"]).encode("").shape == (0,)


def test_a_character_outside_an_alphabet_without_unknown_is_named():
    with pytest.raises(ValueError, match=r"not in the vocabulary, which has no <unk>: '\\n', 'é'"):
        Vocabulary.build(["cafe"], specials=()).encode("café\n")


def test_a_string_given_to_a_vocabulary_of_words_is_refused():
    with pytest.raises(TypeError, match=r"holds words, and a string was given.*text\.words"):
        Vocabulary.build([["to", "be"]]).encode("to be")


def test_one_string_is_no_list_of_texts():
    with pytest.raises(ValueError, match=r"write \[text\]"):
        Vocabulary.build("to be")


@pytest.mark.parametrize(
    ("texts", "settings"), [([], {}), ([[], []], {}), ([["a"]], {"min_count": 2}), ([["a"]], {"max_size": 2}), ([""], {})]
)
def test_a_vocabulary_of_no_token_is_refused(texts, settings):
    with pytest.raises(ValueError, match="no token to number"):
        Vocabulary.build(texts, **settings)


def test_a_special_met_twice_is_refused():
    with pytest.raises(ValueError, match="each must be another token"):
        Vocabulary({"a": 1}, specials=(START, END, START))


@pytest.mark.parametrize("number", [-1, 4])
def test_the_number_of_no_token_is_refused(number):
    with pytest.raises(ValueError, match=f"{number} is the number of no token: this vocabulary has 0 to 3"):
        Vocabulary.build([["a", "b"]]).decode([2, number])


def test_a_batch_is_not_decoded_as_if_it_were_a_text():
    numbers = Vocabulary.build([["a", "b"]])
    with pytest.raises(ValueError, match=r"shape \(1, 2\) given; one text \(T,\) wanted: decode a batch row by row"):
        numbers.decode(torch.tensor([[2, 3]]))
    with pytest.raises(ValueError, match=r"shape \(\) given"):
        numbers.decode(torch.tensor(2))
    with pytest.raises(TypeError, match=r"int64, got torch\.float32"):
        numbers.decode(torch.tensor([2.0]))


def test_padding_fills_up_the_end_and_keeps_the_lengths():
    tokens, sizes = pad([[5, 6, 7], torch.tensor([8]), [9, 3]])
    assert tokens.tolist() == [[5, 6, 7], [8, 0, 0], [9, 3, 0]]
    assert sizes.tolist() == [3, 1, 2]
    assert tokens.dtype == sizes.dtype == torch.int64


def test_padding_to_a_size_cuts_what_is_longer():
    tokens, sizes = pad([[5, 6, 7], [8]], value=-1, size=2)
    assert tokens.tolist() == [[5, 6], [8, -1]]
    assert sizes.tolist() == [2, 1]
    assert pad([[5]], size=3)[0].tolist() == [[5, 0, 0]]


def test_padding_is_torchs_own():
    sequences = [torch.randint(1, 9, (n,), generator=torch.Generator().manual_seed(n)) for n in (4, 7, 1, 5)]
    assert torch.equal(pad(sequences)[0], torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True))


def test_filling_a_flat_row_is_padding_its_pieces():
    assert torch.equal(fill(torch.tensor([5, 6, 7, 8, 9, 3]), torch.tensor([3, 1, 2])), pad([[5, 6, 7], [8], [9, 3]])[0])


@pytest.mark.parametrize("sizes", [[3, 2], [3, 4]])
def test_lengths_that_do_not_add_up_to_the_tokens_are_refused(sizes):
    with pytest.raises(ValueError, match=rf"add up to {sum(sizes)} given for tokens of shape \(6,\)"):
        fill(torch.arange(6), torch.tensor(sizes))


def test_no_sequence_is_no_batch():
    with pytest.raises(ValueError, match="no sequence given"):
        pad([])


def test_an_empty_sequence_is_named():
    with pytest.raises(ValueError, match="sequence 1 has length 0: at least 1 token"):
        pad([[5], []])


def test_the_mask_is_true_where_a_token_is():
    found = mask(torch.tensor([3, 1]), size=4)
    assert found.dtype == torch.bool
    assert found.tolist() == [[True, True, True, False], [True, False, False, False]]
    assert mask(torch.tensor([3, 1])).shape == (2, 3)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (torch.tensor([2, 0]), "sequence 1 has length 0"),
        (torch.tensor([2, -3]), "sequence 1 has length -3"),
        (torch.tensor([4, 6, 5]), "sequence 1 has length 6, but the batch has 5 tokens"),
        (torch.tensor([[2, 3]]), r"lengths of shape \(1, 2\)"),
        (torch.tensor([], dtype=torch.int64), r"lengths of shape \(0,\)"),
    ],
)
def test_lengths_that_no_batch_can_have_are_named(sizes, message):
    with pytest.raises(ValueError, match=message):
        mask(sizes, size=5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int32, torch.bool])
def test_lengths_of_another_dtype_are_refused(dtype):
    with pytest.raises(TypeError, match=f"int64, got {dtype}"):
        mask(torch.ones(3, dtype=dtype))
    with pytest.raises(TypeError, match=f"int64, got {dtype}"):
        fill(torch.arange(3), torch.ones(3, dtype=dtype))


def test_lengths_come_back_from_a_padded_batch():
    tokens, sizes = pad([[5, 6, 7], [8], [9, 3]], size=6)
    assert torch.equal(lengths(tokens), sizes)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.tensor([[1, 2], [0, 3]]), "row 1 has padding before a token"),
        (torch.tensor([[1, 2], [0, 0]]), "sequence 1 has length 0"),
        (torch.tensor([1, 2]), r"tokens of shape \(2,\)"),
        (torch.zeros(0, 3, dtype=torch.int64), r"tokens of shape \(0, 3\)"),
    ],
)
def test_tokens_that_were_not_padded_at_the_end_are_named(tokens, message):
    with pytest.raises(ValueError, match=message):
        lengths(tokens)


def test_windows_predict_every_token_but_the_first_once():
    inputs, targets = windows(torch.arange(11), length=3)
    assert inputs.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert torch.equal(targets, inputs + 1)
    assert windows(torch.arange(10), length=3)[1].flatten().tolist() == list(range(1, 10))


@pytest.mark.parametrize(("size", "length"), [(5, 5), (0, 1), (5, 0), (5, -2)])
def test_a_text_too_short_for_a_window_is_refused(size, length):
    with pytest.raises(ValueError, match=rf"tokens of shape \({size},\) and length={length} given"):
        windows(torch.arange(size), length=length)


def test_random_windows_show_what_follows_and_in_one_pass_no_token_twice():
    batches = RandomWindows(torch.arange(100), length=7, batch_size=3, seed=1)
    seen = []
    for inputs, targets in batches:
        assert inputs.shape == (3, 7)
        assert torch.equal(inputs, inputs[:, :1] + torch.arange(7))
        assert torch.equal(targets, inputs + 1)
        seen.append(inputs)
    seen = torch.stack(seen).flatten()
    assert len(seen) == len(batches) * 21 == 84
    assert len(seen.unique()) == 84
    assert (seen.view(-1, 7)[1:, 0] < seen.view(-1, 7)[:-1, 0]).any()


def test_passes_go_on_where_the_last_iteration_stopped_and_start_at_other_offsets():
    batches = RandomWindows(torch.arange(100), length=7, batch_size=3, num_batches=6, seed=1)
    twice = torch.stack([inputs for _ in range(2) for inputs, _ in batches])  # three passes of four batches
    offsets = [set((part[..., 0] % 7).flatten().tolist()) for part in twice.split(4)]
    assert [len(found) for found in offsets] == [1, 1, 1]
    assert len(set.union(*offsets)) > 1
    again = RandomWindows(torch.arange(100), length=7, batch_size=3, num_batches=12, seed=1)
    assert torch.equal(torch.stack([inputs for inputs, _ in again]), twice)
    other = RandomWindows(torch.arange(100), length=7, batch_size=3, num_batches=12, seed=2)
    assert not torch.equal(torch.stack([inputs for inputs, _ in other]), twice)


@pytest.mark.parametrize(
    ("tokens", "settings", "message"),
    [
        (torch.arange(27), {}, "27 tokens given; a batch of 3 windows of 7 needs 28"),
        (torch.zeros(4, 9), {}, r"tokens of shape \(4, 9\)"),
        (torch.arange(99), {"length": 0}, "length=0 and batch_size=3 given"),
        (torch.arange(99), {"batch_size": 0}, "length=7 and batch_size=0 given"),
        (torch.arange(99), {"num_batches": 0}, "num_batches=0: at least 1"),
    ],
)
def test_a_text_that_gives_no_random_window_is_refused(tokens, settings, message):
    with pytest.raises(ValueError, match=message):
        RandomWindows(tokens, **{"length": 7, "batch_size": 3, **settings})


def test_the_shortest_text_for_one_batch_gives_it_at_every_offset():
    firsts = [next(iter(RandomWindows(torch.arange(28), length=7, batch_size=3, seed=seed)))[0].min().item() for seed in range(40)]
    assert set(firsts) == set(range(7))
