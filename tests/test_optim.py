"""Each optimiser follows torch's, step by step, and keeps what it needs for going on."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import optim
from dlcourse.train import load_checkpoint, save_checkpoint, train_epochs, warmup_cosine

TWINS = {
    "SGD": (optim.SGD, torch.optim.SGD, {}, {}),
    "Momentum": (optim.Momentum, torch.optim.SGD, {"momentum": 0.8}, {"momentum": 0.8}),
    "Momentum, default": (optim.Momentum, torch.optim.SGD, {}, {"momentum": 0.9}),
    "Nesterov": (optim.Nesterov, torch.optim.SGD, {"momentum": 0.8}, {"momentum": 0.8, "nesterov": True}),
    "AdaGrad": (optim.AdaGrad, torch.optim.Adagrad, {}, {}),
    "AdaGrad, slowing": (optim.AdaGrad, torch.optim.Adagrad, {"lr_decay": 0.05}, {"lr_decay": 0.05}),
    "RMSprop": (optim.RMSprop, torch.optim.RMSprop, {}, {}),
    "RMSprop, other": (optim.RMSprop, torch.optim.RMSprop, {"alpha": 0.7, "eps": 1e-3}, {"alpha": 0.7, "eps": 1e-3}),
    "Adam": (optim.Adam, torch.optim.Adam, {}, {}),
    "Adam, other": (optim.Adam, torch.optim.Adam, {"betas": (0.5, 0.8), "eps": 1e-3}, {"betas": (0.5, 0.8), "eps": 1e-3}),
    "AdamW": (optim.AdamW, torch.optim.AdamW, {}, {}),
    "AdamW, other": (optim.AdamW, torch.optim.AdamW, {"betas": (0.5, 0.8)}, {"betas": (0.5, 0.8)}),
}
PAIRS = pytest.mark.parametrize(("ours", "theirs", "settings", "their_settings"), TWINS.values(), ids=TWINS)
NAMES = [name for name in optim.__all__ if name not in {"Muon", "Together"}]  # which have settings or parameters of their own
CLASSES = [getattr(optim, name) for name in NAMES]
EVERY = pytest.mark.parametrize("optimiser", CLASSES, ids=NAMES)


def make_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def batch(number):
    generator = torch.Generator().manual_seed(number)
    return torch.randn(5, 4, generator=generator).double(), torch.randint(3, (5,), generator=generator)


def follow(model, optimizer, steps=100):
    """Train on other data in each step, and return the weights after each (steps, P)."""
    places = []
    for number in range(steps):
        x, y = batch(number)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        places.append(weights_of(model))
    return torch.stack(places)


def weights_of(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@PAIRS
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_a_hundred_steps_are_torchs(ours, theirs, settings, their_settings, weight_decay):
    first, second = make_model(), make_model()
    one = follow(first, ours(first.parameters(), lr=0.03, weight_decay=weight_decay, **settings))
    two = follow(second, theirs(second.parameters(), lr=0.03, weight_decay=weight_decay, **their_settings))
    assert (one[-1] - one[0]).abs().max() > 0.01  # it moved
    torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


@PAIRS
def test_groups_have_settings_of_their_own_as_in_torch(ours, theirs, settings, their_settings):
    def groups(model):
        return [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[2].parameters(), "weight_decay": 0.2}]

    first, second = make_model(), make_model()
    one = follow(first, ours(groups(first), lr=0.05, **settings))
    two = follow(second, theirs(groups(second), lr=0.05, **their_settings))
    torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)


@PAIRS
def test_the_defaults_are_torchs(ours, theirs, settings, their_settings):
    mine, other = ours(make_model().parameters()).defaults, theirs(make_model().parameters()).defaults
    for name, value in mine.items():
        assert value == (0.9 if name == "momentum" else other[name]), name


@PAIRS
def test_a_run_of_torchs_can_be_gone_on_with(ours, theirs, settings, their_settings):
    straight, changed = make_model(), make_model()
    wanted = follow(straight, theirs(straight.parameters(), lr=0.03, **their_settings), steps=40)
    other = theirs(changed.parameters(), lr=0.03, **their_settings)
    follow(changed, other, steps=20)
    mine = ours(changed.parameters(), lr=0.5)
    mine.load_state_dict(copy.deepcopy(other.state_dict()))
    for number in range(20, 40):
        x, y = batch(number)
        mine.zero_grad()
        F.cross_entropy(changed(x), y).backward()
        mine.step()
    torch.testing.assert_close(weights_of(changed), wanted[-1], rtol=1e-10, atol=1e-12)


@EVERY
def test_a_state_that_was_saved_goes_on_exactly(optimiser):
    straight, first = make_model(), make_model()
    wanted = follow(straight, optimiser(straight.parameters(), lr=0.03), steps=100)
    before = optimiser(first.parameters(), lr=0.03)
    follow(first, before, steps=50)
    second = copy.deepcopy(first)
    after = optimiser(second.parameters(), lr=0.5)
    after.load_state_dict(before.state_dict())
    for number in range(50, 100):
        x, y = batch(number)
        after.zero_grad()
        F.cross_entropy(second(x), y).backward()
        after.step()
    assert torch.equal(weights_of(second), wanted[-1])


@EVERY
def test_a_checkpoint_resumes_the_run(optimiser, tmp_path):
    batches = [batch(number) for number in range(4)]

    def make_run():
        model = make_model()
        optimizer = optimiser(model.parameters(), lr=0.03)
        return {"model": model, "optimizer": optimizer, "scheduler": warmup_cosine(optimizer, warmup_steps=3, total_steps=16)}

    def go_on(run, **options):
        return list(
            train_epochs(
                run["model"], batches, batches, run["optimizer"], scheduler=run["scheduler"], loss_fn=F.cross_entropy, **options
            )
        )

    straight, first, second = make_run(), make_run(), make_run()
    wanted = go_on(straight, epochs=4)
    history = go_on(first, epochs=2)
    save_checkpoint(tmp_path / "run.pt", epoch=2, history=history, **first)
    saved = load_checkpoint(tmp_path / "run.pt", **second)
    history = saved.history + go_on(second, epochs=2, first_epoch=3)
    assert [record.train_loss for record in history] == [record.train_loss for record in wanted]
    assert torch.equal(weights_of(second["model"]), weights_of(straight["model"]))


@EVERY
def test_a_parameter_without_a_gradient_stays(optimiser):
    model = make_model()
    model[0].requires_grad_(False)
    before = weights_of(model[0]).clone()
    follow(model, optimiser(model.parameters(), lr=0.1), steps=3)
    assert torch.equal(weights_of(model[0]), before)


@EVERY
def test_the_gradient_is_left_as_it_was(optimiser):
    theta = torch.tensor([1.0, -2.0], requires_grad=True)
    theta.grad = torch.tensor([0.5, 0.25])
    optimiser([theta], lr=0.1, weight_decay=0.1).step()
    assert theta.grad.tolist() == [0.5, 0.25]


@EVERY
def test_a_closure_computes_the_loss_anew(optimiser):
    theta = torch.tensor(3.0, requires_grad=True)
    optimizer = optimiser([theta], lr=0.1)

    def loss():
        optimizer.zero_grad()
        value = theta**2
        value.backward()
        return value.item()

    assert optimizer.step(loss) == 9.0
    assert theta.item() < 3.0
    assert optimizer.step() is None


@EVERY
def test_single_precision_stays_single(optimiser):
    model = make_model().float()
    optimizer = optimiser(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).pow(2).mean().backward()
        optimizer.step()
    kept = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, torch.Tensor)]
    assert all(tensor.dtype == torch.float32 for tensor in [*kept, *model.parameters()])


def test_two_equal_gradients_give_two_different_steps_of_momentum():
    theta = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    optimizer = optim.Momentum([theta], lr=0.1, momentum=0.9)
    places = []
    for _ in range(2):
        theta.grad = torch.ones_like(theta)
        optimizer.step()
        places.append(theta.item())
    assert places == pytest.approx([-0.1, -0.29])


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_adams_first_step_is_the_rate_whatever_the_gradient(size):
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    theta.grad = torch.tensor([size, -size], dtype=torch.float64)
    optim.Adam([theta], lr=0.01).step()
    assert theta.tolist() == pytest.approx([-0.01, 0.01], rel=1e-4)


def test_without_gradients_adamw_decays_by_its_own_factor_and_adam_does_not():
    one, other = (torch.ones(1, dtype=torch.float64, requires_grad=True) for _ in range(2))
    adam, adamw = optim.Adam([one], lr=0.01, weight_decay=0.1), optim.AdamW([other], lr=0.01, weight_decay=0.1)
    for theta, optimizer in ((one, adam), (other, adamw)):
        theta.grad = torch.zeros_like(theta)
        for _ in range(50):
            optimizer.step()
    assert other.item() == pytest.approx(0.999**50)
    assert one.item() == pytest.approx(0.537, abs=5e-4)


def matrices(seed=0):
    """Square, wide, tall, and two of one size that lie across each other."""
    torch.manual_seed(seed)
    return [nn.Parameter(torch.randn(shape)) for shape in ((6, 6), (5, 9), (9, 5), (12, 3), (6, 6))]


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.5, "weight_decay": 0.0}, {"lr": 0.1}], ids=str)
def test_muon_follows_torchs_to_the_rounding_of_bfloat16(settings):
    ours, theirs = matrices(), matrices()
    optimizers = optim.Muon(ours, **settings), torch.optim.Muon(theirs, **settings)
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for a, b, start in zip(ours, theirs, matrices(), strict=True):
        assert (a - b).norm() < 0.05 * (b - start).norm()


def test_a_step_of_muon_keeps_singular_vectors_and_lifts_singular_values_to_about_one():
    torch.manual_seed(0)
    u, v = (torch.linalg.qr(torch.randn(3, n, 6))[0] for n in (6, 10))
    values = torch.logspace(0, -1.5, 6)
    found = optim.orthogonal(u * values @ v.mT).float()
    along = u.mT @ found @ v
    assert (along - along.diagonal(dim1=1, dim2=2).diag_embed()).abs().max() < 0.05
    assert along.diagonal(dim1=1, dim2=2).min() > 0.6
    assert along.diagonal(dim1=1, dim2=2).max() < 1.3


def test_muon_keeps_its_momentum_in_a_checkpoint_and_leaves_what_has_no_gradient(tmp_path):
    finals = []
    for stop in (4, 2):
        model = nn.Sequential(nn.Linear(4, 6, bias=False), nn.Tanh(), nn.Linear(6, 3, bias=False), nn.Linear(3, 3, bias=False))
        for number, parameter in enumerate(model.parameters()):
            parameter.data = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
        muon = optim.Muon(model.parameters(), lr=0.05)
        for number in range(4):
            if number == stop:
                save_checkpoint(tmp_path / "run.pt", model=model, optimizer=muon, epoch=1)
                muon = optim.Muon(model.parameters(), lr=0.05)
                load_checkpoint(tmp_path / "run.pt", model=model, optimizer=muon)
            x, y = batch(number)
            muon.zero_grad()
            F.cross_entropy(model[:3](x.float()), y).backward()
            muon.step()
        finals.append(model.state_dict())
    torch.testing.assert_close(*finals, rtol=0, atol=0)
    assert torch.equal(finals[0]["3.weight"], torch.randn(3, 3, generator=torch.Generator().manual_seed(2)))


def test_muon_refuses_what_is_no_matrix():
    bias = nn.Parameter(torch.zeros(3))
    bias.grad = torch.ones(3)
    with pytest.raises(ValueError, match=r"Muon moves matrices, a parameter of shape \(3,\) given"):
        optim.Muon([bias]).step()
    with pytest.raises(ValueError, match=r"Muon: momentum must be in \[0, 1\)"):
        optim.Muon(matrices(), momentum=1.0)


def pair(model):
    """Two optimisers of which each holds one layer of the model."""
    return optim.Momentum(model[0].parameters(), lr=0.1), torch.optim.AdamW(model[2].parameters(), lr=0.01)


def run(model, optimizer, scheduler, numbers):
    for number in numbers:
        x, y = batch(number)
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        scheduler.step()


def test_optimisers_together_move_what_they_move_apart_under_one_schedule():
    model, twin = make_model(), make_model()
    together = optim.Together(*pair(model))
    run(model, together, warmup_cosine(together, warmup_steps=2, total_steps=6), range(5))
    parts = pair(twin)
    schedules = [warmup_cosine(part, warmup_steps=2, total_steps=6) for part in parts]
    for number in range(5):
        x, y = batch(number)
        twin.zero_grad()
        F.cross_entropy(twin(x), y).backward()
        for part in (*parts, *schedules):
            part.step()
    torch.testing.assert_close(model.state_dict(), twin.state_dict(), rtol=0, atol=0)


def test_optimisers_together_go_on_from_a_checkpoint(tmp_path):
    finals = []
    for stop in (5, 2):
        model = make_model()
        together = optim.Together(*pair(model))
        schedule = warmup_cosine(together, warmup_steps=2, total_steps=6)
        run(model, together, schedule, range(stop))
        if stop < 5:
            save_checkpoint(tmp_path / "run.pt", model=model, optimizer=together, epoch=1, scheduler=schedule)
            model = make_model(seed=1)
            together = optim.Together(*pair(model))
            schedule = warmup_cosine(together, warmup_steps=2, total_steps=6)
            load_checkpoint(tmp_path / "run.pt", model=model, optimizer=together, scheduler=schedule)
            run(model, together, schedule, range(stop, 5))
        finals.append(model.state_dict())
    torch.testing.assert_close(*finals, rtol=0, atol=0)


def test_optimisers_together_train_through_the_loop_and_compute_a_closure():
    model = make_model()
    together = optim.Together(*pair(model))
    records = list(train_epochs(model, [batch(0)], [batch(0)], together, epochs=20, loss_fn=F.cross_entropy))
    assert records[-1].train_loss < records[0].train_loss

    def closure():
        together.zero_grad()
        loss = F.cross_entropy(model(batch(0)[0]), batch(0)[1])
        loss.backward()
        return loss.item()

    assert together.step(closure) == pytest.approx(records[-1].val_loss)


def test_what_cannot_go_together_is_refused():
    model = make_model()
    first = pair(model)[0]
    with pytest.raises(ValueError, match="held by two of the optimisers"):
        optim.Together(first, optim.SGD(model.parameters()))
    with pytest.raises(ValueError, match="no optimiser given"):
        optim.Together()
    with pytest.raises(TypeError, match="optimisers wanted, a Linear given"):
        optim.Together(model[0])
    with pytest.raises(ValueError, match="the states of 2 optimisers given for 1"):
        optim.Together(first).load_state_dict(optim.Together(*pair(model)).state_dict())


def sparse_step():
    table = nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    optim.SGD(table.parameters()).step()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: optim.SGD(p, lr=-0.1), ValueError, "SGD: lr must be finite and at least 0, got -0.1"),
        (lambda p: optim.SGD(p, lr=math.nan), ValueError, "lr must be finite and at least 0, got nan"),
        (lambda p: optim.SGD(p, lr="0.1"), TypeError, "lr must be a number, got '0.1' of type str"),
        (lambda p: optim.SGD(p, lr=True), TypeError, "lr must be a number, got True"),
        (lambda p: optim.SGD(p, weight_decay=-1), ValueError, "weight_decay must be finite and at least 0, got -1"),
        (lambda p: optim.Momentum(p, momentum=1.0), ValueError, r"momentum must be in \[0, 1\), got 1.0"),
        (lambda p: optim.Nesterov(p, momentum=-0.1), ValueError, r"Nesterov: momentum must be in \[0, 1\)"),
        (lambda p: optim.AdaGrad(p, lr_decay=-1), ValueError, "lr_decay must be finite"),
        (lambda p: optim.RMSprop(p, alpha=1.5), ValueError, r"alpha must be in \[0, 1\), got 1.5"),
        (lambda p: optim.Adam(p, betas=(0.9, 1.0)), ValueError, r"Adam: beta2 must be in \[0, 1\), got 1.0"),
        (lambda p: optim.Adam(p, betas=0.9), TypeError, "betas must be a pair of numbers, got 0.9"),
        (lambda p: optim.AdamW(p, betas=(0.9, "a")), TypeError, "beta2 must be a number, got 'a'"),
        (lambda p: optim.AdamW(p, eps=-1e-8), ValueError, "eps must be finite"),
        (lambda p: optim.Adam([{"params": p, "lr": -1}]), ValueError, "Adam: lr must be finite and at least 0, got -1"),
        (lambda p: optim.Adam([]), ValueError, "empty parameter list"),
        (lambda p: sparse_step(), TypeError, "sparse gradient given"),
    ],
)
def test_bad_settings_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call([nn.Parameter(torch.zeros(2))])
