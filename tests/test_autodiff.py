"""The course's own reverse-mode differentiation gives PyTorch's gradients, on random programs too."""

import random

import numpy as np
import pytest
import torch

from dlcourse.autodiff import Tensor, numerical_gradient

UNARY = ("exp", "log", "sin", "tanh", "sigmoid", "relu", "neg", "square", "cube", "root")
BINARY = ("add", "sub", "mul", "div")


def apply(op, *x):
    """One operation, the same words for ours and for torch's tensors."""
    a, b = x[0], x[-1]
    rules = {
        "exp": (a * 0.3).exp,
        "log": (a * a + 0.5).log,
        "root": lambda: (a * a + 0.5) ** 0.5,
        "square": lambda: a**2,
        "cube": lambda: a**3 * 0.1,
        "neg": lambda: -a,
        "add": lambda: a + b,
        "sub": lambda: a - b,
        "mul": lambda: a * b,
        "div": lambda: a / (b * b + 1.5),
        "matmul": lambda: a @ b,
        "T": lambda: a.T,
        "rows": lambda: a[1:],
    }
    return rules[op]() if op in rules else getattr(a, op)()


def random_program(leaves, choose):
    """Apply 12 random operations to random earlier results, which broadcast and are used again; return one number."""
    made = list(leaves)
    for _ in range(12):
        kind = choose.random()
        if kind < 0.35:
            value = apply(choose.choice(UNARY), choose.choice(made)).tanh()  # tanh keeps the numbers near 1
        elif kind < 0.75:
            value = apply(choose.choice(BINARY), choose.choice(made), choose.choice(made))
        elif kind < 0.85:
            value = apply("matmul", leaves[0] * choose.choice(made), (leaves[0] * choose.choice(made)).T)  # (3, 3)
            value = value.sum(choose.choice([0, 1]))[0]
        else:
            value = choose.choice([made[-1].sum, made[-1].mean, lambda: (leaves[0] * made[-1]).mean(0)])()
        made.append(value)
    total = made[0].sum()
    for value in made[1:]:
        total = total + value.sum()
    return total


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_have_torchs_value_and_gradients(seed):
    numbers = np.random.default_rng(seed)
    arrays = [numbers.normal(size=shape) for shape in ((3, 4), (4,), (3, 1), (1, 4), ())]
    ours = [Tensor(a) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    one = random_program(ours, random.Random(seed))
    other = random_program(theirs, random.Random(seed))
    np.testing.assert_allclose(one.data, other.item(), rtol=1e-12)
    one.backward()
    other.backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("op", [*UNARY, "T", "rows"])
def test_each_operation_of_one_operand_has_torchs_gradient(op):
    check(lambda a: apply(op, a), np.random.default_rng(0).normal(size=(3, 4)))


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize(("left", "right"), [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 4), (3, 1)), ((), (2, 3)), ((1, 1), (5,))])
def test_operations_of_two_operands_sum_the_gradient_over_stretched_axes(op, left, right):
    numbers = np.random.default_rng(1)
    check(lambda a, b: apply(op, a, b), numbers.normal(size=left), numbers.normal(size=right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((3,), (3,)),
        ((3,), (5, 3, 4)),
    ],
)
def test_matrix_products_of_any_rank_have_torchs_gradient(left, right):
    numbers = np.random.default_rng(2)
    check(lambda a, b: a @ b, numbers.normal(size=left), numbers.normal(size=right))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_sums_and_means_over_any_axes_have_torchs_gradient(axis, keepdims, reduce):
    def program(a):
        return getattr(a, reduce)(axis, keepdims) if isinstance(a, Tensor) else getattr(a, reduce)(dim=axis, keepdim=keepdims)

    check(program, np.random.default_rng(3).normal(size=(2, 3, 4)))


def test_numbers_and_arrays_may_stand_on_either_side():
    row = np.array([1.0, 2.0, 3.0])

    def program(a):
        like = (lambda x: x) if isinstance(a, Tensor) else torch.tensor
        return (2 - a) / 3 + 4 / (a * a + 1) + (5 + a - 1) * 6 + like(row) * a + like(row) / (a * a + 2) + (like(row) - a)

    check(program, np.random.default_rng(4).normal(size=(2, 3)))
    weight, x = np.arange(6.0).reshape(2, 3), np.ones((3, 2))
    t = Tensor(x)
    (weight @ t).sum().backward()
    np.testing.assert_allclose(t.grad, weight.T @ np.ones((2, 2)))


def test_reshaping_and_indexing_send_each_gradient_back_to_its_place():
    index = np.array([0, 2, 2])
    check(lambda a: a.reshape(3, 2)[index] * a.reshape(2, 3)[:, 1].sum(), np.random.default_rng(5).normal(size=(6,)))


def test_a_tensor_that_is_used_twice_gets_both_shares():
    x = Tensor(3.0)
    (x * x + x).backward()
    assert x.grad == 7


def test_a_second_backward_adds_to_the_gradient_and_does_not_compound_in_between():
    x = Tensor(2.0)
    y = (x * x).exp().log() * 3
    y.backward()
    first = x.grad.copy()
    y.backward()
    assert first == pytest.approx(12)
    assert x.grad == pytest.approx(2 * first)


def test_the_given_gradient_is_that_of_the_end_result():
    numbers = np.random.default_rng(6)
    a, seen = numbers.normal(size=(2, 3)), numbers.normal(size=(2, 3))
    ours, theirs = Tensor(a), torch.tensor(a, requires_grad=True)
    ours.tanh().backward(seen)
    theirs.tanh().backward(torch.tensor(seen))
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy())


def test_the_worked_example_of_the_chapter():
    x, y = Tensor(3.0, name="x"), Tensor(np.pi, name="y")
    f = x * x * y + y.sin()
    f.backward()
    assert (x.grad, y.grad) == (pytest.approx(6 * np.pi), pytest.approx(8))
    assert [node.op for node in f.topological()] == ["", "*", "", "*", "sin", "+"]
    assert f.topological()[-1] is f


def test_every_operand_comes_before_its_result():
    leaves = [Tensor(np.ones(shape)) for shape in ((3, 4), (4,), (3, 1), (1, 4), ())]
    for seed in range(5):
        order = random_program(leaves, random.Random(seed)).topological()
        place = {id(node): i for i, node in enumerate(order)}
        assert len(place) == len(order)
        assert all(place[id(p)] < place[id(node)] for node in order for p in node.parents)


def test_a_program_may_be_far_longer_than_pythons_stack_is_deep():
    x = Tensor(1.0)
    y = x
    for _ in range(5_000):
        y = y + 1e-4
    y.backward()
    assert x.grad == 1


def test_extreme_inputs_stay_finite():
    x = Tensor([-1e4, 0.0, 1e4])
    (x.sigmoid() + x.tanh() + x.relu()).sum().backward()
    assert np.isfinite(x.grad).all()
    zero = Tensor([0.0, 2.0])
    (zero**0 + zero**1).sum().backward()
    np.testing.assert_array_equal(zero.grad, [1, 1])


def test_data_are_copied_and_gradients_are_not_shared():
    a = np.ones(3)
    x, y = Tensor(a), Tensor(a)
    a[0] = 7
    (x + y).sum().backward()
    x.grad *= 0
    np.testing.assert_array_equal(x.data, [1, 1, 1])
    np.testing.assert_array_equal(y.grad, [1, 1, 1])
    assert isinstance((x * y).sum().data, np.ndarray)


def test_integers_become_float64_and_the_representation_shows_name_and_numbers():
    x = Tensor([1, 2], name="weight")
    assert x.data.dtype == np.float64
    assert repr(x) == "Tensor([1., 2.], name='weight')"


@pytest.mark.parametrize("data", ["3", 1j, [Tensor(1.0)], None, Tensor(2.0)])
def test_what_is_not_a_real_number_is_refused(data):
    with pytest.raises(TypeError, match="data must be real numbers, got"):
        Tensor(data)


def test_errors_say_what_was_given_and_what_was_wanted():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"starts from one number, this tensor has shape \(2,\)"):
        x.backward()
    with pytest.raises(ValueError, match=r"gradient of shape \(3,\) for a tensor of shape \(2,\)"):
        x.backward([1, 1, 1])
    with pytest.raises(TypeError, match="the exponent must be a number, got a Tensor"):
        x**x
    with pytest.raises(ValueError, match="could not be broadcast"):
        x + Tensor([1.0, 2.0, 3.0])
    assert x.grad is None


def test_central_differences_agree_with_backward():
    a = np.random.default_rng(7).normal(size=(2, 3))

    def program(x):
        return ((x * 2).tanh() @ x.T).exp().mean()

    t = Tensor(a)
    program(t).backward()
    np.testing.assert_allclose(numerical_gradient(lambda x: program(Tensor(x)).data, a), t.grad, rtol=1e-7)
    assert numerical_gradient(lambda x: x**2, 3.0).item() == pytest.approx(6)


def test_central_differences_leave_their_argument_alone_and_want_one_number():
    a = np.array([1.0, 2.0])
    assert numerical_gradient(lambda x: (x**3).sum(), a) == pytest.approx([3, 12])
    assert a.tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"one number, it returned an array of shape \(2,\)"):
        numerical_gradient(lambda x: x, a)
    with pytest.raises(ValueError, match="step must be positive, got 0"):
        numerical_gradient(lambda x: x.sum(), a, step=0)


def check(program, *arrays):
    """Compare value and gradients of one program of ours and torch's, seen through random weights of the result."""
    ours, theirs = [Tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    one, other = program(*ours), program(*theirs)
    np.testing.assert_allclose(one.data, other.detach().numpy(), rtol=1e-12)
    seen = np.random.default_rng(8).normal(size=one.shape)
    one.backward(seen)
    other.backward(torch.tensor(seen))
    for a, b in zip(ours, theirs, strict=True):
        assert a.grad.shape == a.shape
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)
