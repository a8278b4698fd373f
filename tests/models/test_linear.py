"""The linear models: shapes, closed forms, and the fits that scikit-learn finds."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import datasets, linear_model, preprocessing

from dlcourse.data.line import line
from dlcourse.models.linear import (
    LinearRegression,
    LogisticRegression,
    SoftmaxRegression,
    largest_stable_rate,
    least_squares,
)


def some(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fit(model, x, y, loss, *, penalty):
    """Minimise the summed loss plus half the squared weights times `penalty`, scikit-learn's objective at C = 1 / penalty."""
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss(model(x), y, reduction="sum") + penalty / 2 * (model.linear.weight**2).sum()
        value.backward()
        return value

    optimizer.step(closure)
    return model.linear.weight.detach(), model.linear.bias.detach()


def test_each_model_returns_its_shape():
    assert LinearRegression(3)(torch.rand(5, 3)).shape == (5, 1)
    assert LinearRegression(3, 2)(torch.rand(5, 3)).shape == (5, 2)
    assert LogisticRegression(3)(torch.rand(5, 3)).shape == (5,)
    assert LogisticRegression(3)(torch.rand(1, 3)).shape == (1,)
    assert SoftmaxRegression(784, 10)(torch.rand(5, 1, 28, 28)).shape == (5, 10)
    assert SoftmaxRegression(3, 4)(torch.rand(5, 3)).shape == (5, 4)


@pytest.mark.parametrize("model", [LinearRegression(3), LogisticRegression(3), SoftmaxRegression(3, 4)])
def test_every_parameter_gets_a_gradient_and_other_input_is_refused(model):
    model(torch.rand(5, 3)).pow(2).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    for shape in [(3,), (5, 2), ()]:
        with pytest.raises(ValueError, match="given; "):
            model(torch.zeros(shape))
    with pytest.raises(TypeError, match=r"torch\.int64 given"):
        model(torch.zeros(5, 3, dtype=torch.int64))


@pytest.mark.parametrize("outputs", [1, 2])
def test_least_squares_equals_scikit_learns(outputs):
    x, y = some(20, 3), some(20, outputs, seed=1)
    weight, bias = least_squares(x, y)
    theirs = linear_model.LinearRegression().fit(x.numpy(), y.numpy())
    np.testing.assert_allclose(weight, theirs.coef_, rtol=1e-10)
    np.testing.assert_allclose(bias, theirs.intercept_, rtol=1e-10)


def test_least_squares_fits_into_the_model_and_its_gradient_there_is_zero():
    x, y = some(20, 3), some(20, 2, seed=1)
    model = LinearRegression(3, 2).double()
    weight, bias = least_squares(x, y)
    model.linear.load_state_dict({"weight": weight, "bias": bias})
    F.mse_loss(model(x), y).backward()
    assert max(p.grad.abs().max() for p in model.parameters()) < 1e-14


def test_one_column_of_targets_may_come_without_its_axis():
    x, y = line()
    torch.testing.assert_close(least_squares(x, y[:, 0]), least_squares(x, y))


def test_the_line_of_the_document_is_the_one_that_was_measured():
    weight, bias = least_squares(*line())
    assert [round(weight.item(), 3), round(bias.item(), 3)] == [2.937, 2.558]
    assert round(largest_stable_rate(line()[0]), 3) == 0.807


def test_near_dependent_columns_keep_the_digits_that_the_normal_equations_lose():
    x = torch.linspace(0, 1, 50, dtype=torch.float64)[:, None] ** torch.arange(1, 10)  # powers up to the ninth
    truth = torch.arange(1.0, 11, dtype=torch.float64)
    design = torch.cat([torch.ones(50, 1, dtype=torch.float64), x], 1)
    y = design @ truth[:, None]
    weight, bias = least_squares(x, y)
    ours = (torch.cat([bias, weight[0]]) - truth).abs().max()
    inverse = (torch.linalg.inv(design.T @ design) @ design.T @ y - truth[:, None]).abs().max()
    assert ours < 1e-7
    assert inverse > 1e3 * ours


def test_descent_converges_just_below_the_largest_stable_rate_and_diverges_just_above():
    x, y = line()
    best = F.mse_loss(x * least_squares(x, y)[0] + least_squares(x, y)[1], y)
    excess = {}
    for share in (0.99, 1.01):
        model = LinearRegression(1).double()
        optimizer = torch.optim.SGD(model.parameters(), lr=share * largest_stable_rate(x))
        for _ in range(2_000):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
        excess[share] = (F.mse_loss(model(x), y) - best).item()
    assert excess[0.99] < 1e-12
    assert excess[1.01] > 1e6


def test_the_largest_stable_rate_is_two_over_the_largest_eigenvalue_of_torchs_hessian():
    x, y = some(20, 3), some(20, seed=1)
    start = torch.zeros(4, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(lambda theta: F.mse_loss(x @ theta[:3] + theta[3], y), start)
    assert largest_stable_rate(x) == pytest.approx(2 / torch.linalg.eigvalsh(hessian).max().item())


def test_logistic_regression_reaches_scikit_learns_optimum():
    features, labels = datasets.load_breast_cancer(return_X_y=True)
    features = preprocessing.scale(features)
    theirs = linear_model.LogisticRegression(tol=1e-10, max_iter=1_000).fit(features, labels)
    ours = fit(
        LogisticRegression(30).double(),
        torch.tensor(features),
        torch.tensor(labels).double(),
        F.binary_cross_entropy_with_logits,
        penalty=1.0,
    )
    np.testing.assert_allclose(ours[0], theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(ours[1], theirs.intercept_, atol=1e-4)


def test_softmax_regression_reaches_scikit_learns_optimum():
    features, labels = datasets.load_iris(return_X_y=True)
    theirs = linear_model.LogisticRegression(tol=1e-10, max_iter=1_000).fit(features, labels)
    x = torch.tensor(features)
    model = SoftmaxRegression(4, 3).double()
    weight, bias = fit(model, x, torch.tensor(labels), F.cross_entropy, penalty=1.0)
    np.testing.assert_allclose(weight, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(bias - bias.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (torch.zeros(3), torch.zeros(3), ValueError, r"x must be \(N, D\) with N ≥ 1, got \(3,\)"),
        (torch.zeros(0, 2), torch.zeros(0), ValueError, r"got \(0, 2\)"),
        (torch.rand(5, 2), torch.zeros(4), ValueError, r"x \(5, 2\) and y \(4,\)"),
        (torch.rand(5, 2), torch.zeros(5, 1, 1), ValueError, r"y \(5, 1, 1\)"),
        (torch.rand(5, 2), torch.zeros(5).double(), TypeError, "one dtype"),
        (torch.zeros(5, 2, dtype=torch.int64), torch.zeros(5), TypeError, r"floating point, got torch\.int64"),
        (torch.tensor([[math.nan], [1.0]]), torch.zeros(2), ValueError, "x holds nan or infinity"),
        (torch.rand(2, 1), torch.tensor([0.0, math.inf]), ValueError, "y holds nan or infinity"),
        (torch.rand(2, 2), torch.zeros(2), ValueError, "2 examples do not determine 3 parameters"),
        (torch.ones(5, 1), torch.zeros(5), ValueError, "column 0 of x follows from the bias"),
        (torch.arange(5.0)[:, None] * torch.tensor([1.0, 3.0]), torch.zeros(5), ValueError, "column 1 of x follows"),
    ],
)
def test_least_squares_says_what_it_cannot_use(x, y, error, message):
    with pytest.raises(error, match=message):
        least_squares(x, y)


def test_large_and_small_units_are_no_dependence():
    x = some(50, 2) * torch.tensor([1e9, 1e-9])
    truth = torch.tensor([[1e-9, 1e9]], dtype=torch.float64)
    weight, bias = least_squares(x, x @ truth.T + 1)
    torch.testing.assert_close(weight, truth, rtol=1e-10, atol=0)
    torch.testing.assert_close(bias, torch.ones(1, dtype=torch.float64))
