"""The training loop trains, measures, stops and complains as it says."""

import math
import time

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from dlcourse.train import (
    EpochRecord,
    NonFiniteLossError,
    early_stopping,
    evaluate,
    predict,
    train_epochs,
    warmup_cosine,
)


def accuracy(outputs, targets):
    return (outputs.argmax(-1) == targets).double().mean()


def make_batches(num_examples=23, batch_size=5, seed=0):
    """23 examples of a task that can be learnt, in batches of 5, 5, 5, 5 and 3."""
    x = torch.randn(num_examples, 4, generator=torch.Generator().manual_seed(seed))
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    return list(zip(x.split(batch_size), y.split(batch_size), strict=True))


def make_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 3))


def setting(lr=0.1, **changes):
    """Arguments for train_epochs; keywords replace some."""
    model = changes.pop("model", None) or make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr) if list(model.parameters()) else object()
    arguments = {
        "model": model,
        "train_batches": make_batches(),
        "val_batches": make_batches(seed=1),
        "optimizer": optimizer,
        "epochs": 2,
        "loss_fn": F.cross_entropy,
    }
    return arguments | changes


def weights_of(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()


def test_training_learns():
    records = list(train_epochs(**setting(lr=0.5, epochs=30, val_batches=make_batches(), metrics={"accuracy": accuracy})))
    assert records[-1].train_loss < 0.5 * records[0].train_loss
    assert records[-1].metrics["accuracy"] > 0.8


def test_one_epoch_is_the_plain_loop():
    arguments = setting(epochs=1)
    (record,) = train_epochs(**arguments)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for x, y in make_batches():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item() * len(x))
    assert torch.equal(weights_of(arguments["model"]), weights_of(model))
    assert record.train_loss == pytest.approx(sum(losses) / 23, rel=1e-12)


class Sum(nn.Module):
    """A model of two inputs, of which the second may be wider."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0]))

    def forward(self, a, b):
        return self.weight * a + b


def test_a_model_may_take_several_inputs():
    a, b, y = torch.randn(3, 8, generator=torch.Generator().manual_seed(0)).unbind()
    batches = [((a[:5], b[:5]), y[:5]), [[a[5:], b[5:]], y[5:]]]
    model = Sum()
    arguments = setting(model=model, train_batches=batches[:1], val_batches=batches, loss_fn=F.mse_loss, epochs=1)
    (record,) = train_epochs(**arguments)
    slope = 2 * ((2 * a + b - y) * a)[:5].mean()
    torch.testing.assert_close(model.weight.detach(), 2.0 - 0.1 * slope[None])
    outputs, targets = predict(model, batches)
    torch.testing.assert_close(outputs, (model.weight * a + b).detach())
    assert record.val_loss == pytest.approx(F.mse_loss(outputs, targets).item())


def test_outputs_of_different_widths_are_not_put_together():
    batches = [((torch.zeros(2, width), torch.zeros(2, width)), torch.zeros(2, width)) for width in (3, 5)]
    assert evaluate(Sum(), batches, loss_fn=F.mse_loss) == (0.0, {})
    with pytest.raises(ValueError, match=r"cannot be put together: rows of \(3,\) and \(5,\)"):
        predict(Sum(), batches)


def test_a_record_says_what_happened():
    arguments = setting(epochs=2, first_epoch=5, metrics={"accuracy": accuracy})
    records = list(train_epochs(**arguments))
    assert [record.epoch for record in records] == [5, 6]
    loss, metrics = evaluate(arguments["model"], arguments["val_batches"], loss_fn=F.cross_entropy, metrics={"accuracy": accuracy})
    assert (records[-1].val_loss, records[-1].metrics) == (loss, metrics)
    assert type(records[-1].metrics["accuracy"]) is float
    assert records[-1].learning_rate == 0.1


def test_seconds_leave_out_evaluation_and_the_consumer():
    def slow_metric(outputs, targets):
        time.sleep(0.2)
        return 0.0

    records = []
    for record in train_epochs(**setting(metrics={"slow": slow_metric})):
        time.sleep(0.2)
        records.append(record)
    assert 0 < records[0].seconds < records[1].seconds
    assert records[1].seconds < 0.75  # 0.8 s were slept


def test_the_same_seed_gives_the_same_records():
    def run():
        return [(r.train_loss, r.val_loss) for r in train_epochs(**setting(epochs=3, model=make_model(seed=7)))]

    assert run() == run()


def test_evaluation_is_a_mean_over_examples_not_batches():
    model, batches = make_model(), make_batches()  # the last batch is smaller
    loss, metrics = evaluate(model, batches, loss_fn=F.cross_entropy, metrics={"accuracy": accuracy})
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    model.eval()
    assert loss == pytest.approx(F.cross_entropy(model(x), y).item(), rel=1e-6)
    assert metrics["accuracy"] == accuracy(model(x), y)


def test_predictions_come_in_order_and_can_be_computed_with():
    model, batches = make_model().eval(), make_batches()
    outputs, targets = predict(model, batches)
    assert torch.equal(targets, torch.cat([y for _, y in batches]))
    torch.testing.assert_close(outputs, model(torch.cat([x for x, _ in batches])).detach())
    (outputs * torch.ones(3, requires_grad=True)).sum().backward()  # no tensor of inference mode, which autograd refuses
    one_batch, _ = predict(model, batches[:1])
    assert not one_batch.is_inference()


@pytest.mark.parametrize("call", [lambda m, b: evaluate(m, b, loss_fn=F.cross_entropy), predict])
def test_evaluation_gives_every_module_its_mode_back(call):
    model = make_model()
    model[0].eval()
    call(model, make_batches())
    assert model.training
    assert model[2].training
    assert not model[0].training
    with pytest.raises(RuntimeError):
        call(model, [(torch.zeros(2, 99), torch.zeros(2).long())])
    assert model.training


def test_a_model_without_parameters_can_be_evaluated():
    loss, _ = evaluate(nn.Identity(), [(torch.zeros(2, 3), torch.zeros(2).long())], loss_fn=F.cross_entropy)
    assert loss == pytest.approx(math.log(3))


@pytest.mark.parametrize("batch_size", [1, 11, 22])  # 22 leaves a last batch of one example
def test_batches_of_any_size_work(batch_size):
    records = list(train_epochs(**setting(train_batches=make_batches(batch_size=batch_size))))
    assert all(math.isfinite(record.train_loss) for record in records)


def test_a_data_loader_works():
    x, y = torch.randn(10, 4), torch.arange(10) % 3
    loader = DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True)
    assert len(list(train_epochs(**setting(train_batches=loader, val_batches=loader)))) == 2


def test_a_stream_of_unknown_length_works():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter([(torch.zeros(4), 0), (torch.ones(4), 1)])

    loader = DataLoader(Stream(), batch_size=2)
    assert len(list(train_epochs(**setting(train_batches=loader)))) == 2


def test_augmentation_changes_training_batches_only():
    seen = []

    def augment(x):
        seen.append(len(x))
        return x + 1

    plain, augmented = setting(epochs=1), setting(epochs=1, augment=augment)
    list(train_epochs(**plain))
    list(train_epochs(**augmented))
    assert seen == [5, 5, 5, 5, 3]
    assert not torch.equal(weights_of(plain["model"]), weights_of(augmented["model"]))


def test_the_scheduler_steps_after_every_batch():
    arguments = setting(lr=1.0, epochs=2)
    arguments["scheduler"] = LambdaLR(arguments["optimizer"], lambda step: 0.5**step)
    records = list(train_epochs(**arguments))
    assert [record.learning_rate for record in records] == [0.5**4, 0.5**9]  # of the last step, not of the next


def test_gradients_are_capped_to_a_norm():
    arguments = setting(epochs=1, train_batches=make_batches()[:1], max_grad_norm=1e-3)
    before = weights_of(arguments["model"])
    list(train_epochs(**arguments))
    step = (weights_of(arguments["model"]) - before).norm().item()
    assert step == pytest.approx(0.1 * 1e-3, rel=1e-2)


# How training ends


def test_at_every_record_and_at_the_end_the_model_is_in_eval_mode():
    arguments = setting()
    for _ in train_epochs(**arguments):
        assert not arguments["model"].training
    assert not arguments["model"].training


def test_a_consumer_may_stop_early():
    arguments = setting(epochs=10**6)
    records = train_epochs(**arguments)
    next(records)
    records.close()
    assert not arguments["model"].training


def interrupting(loss_fn, *, at):
    """A loss that presses Ctrl-C in its call number `at`."""
    calls = iter(range(1, 10**6))

    def loss(outputs, targets):
        if next(calls) == at:
            raise KeyboardInterrupt
        return loss_fn(outputs, targets)

    return loss


@pytest.mark.parametrize("at", [1, 3, 6, 13])  # while training, while evaluating, in the second epoch
def test_stop_leaves_a_usable_model_and_the_records_so_far(at):
    arguments = setting(epochs=3, loss_fn=interrupting(F.cross_entropy, at=at))
    history = []
    with pytest.raises(KeyboardInterrupt):
        history.extend(train_epochs(**arguments))  # extend keeps what came before the error
    assert len(history) == (at - 1) // 10  # an epoch is five batches of training and five of validation
    assert not arguments["model"].training
    assert torch.isfinite(weights_of(arguments["model"])).all()


# Numbers that are not finite


def test_a_learning_rate_that_explodes_is_named_before_it_spoils_the_weights():
    arguments = setting(lr=1e30, epochs=5)
    with pytest.raises(NonFiniteLossError, match=r"learning rate 1e\+30 in epoch 1, batch \d.*lower learning rate") as caught:
        list(train_epochs(**arguments))
    error = caught.value
    assert (error.epoch, error.learning_rate) == (1, 1e30)
    assert not math.isfinite(error.loss)
    assert error.batch > 1
    assert torch.isfinite(weights_of(arguments["model"])).all()
    assert not arguments["model"].training


def test_an_explosion_in_the_last_batch_is_found_in_validation():
    arguments = setting(lr=1e30, epochs=1, train_batches=make_batches()[:1])
    with pytest.raises(NonFiniteLossError, match=r"the validation loss is (nan|inf) at learning rate 1e\+30 in epoch 1, batch 1"):
        list(train_epochs(**arguments))


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_spoilt_inputs_are_blamed_on_the_data(poison):
    batches = make_batches()
    batches[2][0][1, 1] = poison
    arguments = setting(train_batches=batches)
    before = weights_of(arguments["model"])
    with pytest.raises(NonFiniteLossError, match=r"epoch 1, batch 3\. The inputs of this batch hold nan or infinity"):
        list(train_epochs(**arguments))
    assert not torch.equal(weights_of(arguments["model"]), before)  # two good steps were taken


def test_a_first_loss_that_is_not_finite_is_not_blamed_on_the_learning_rate():
    with pytest.raises(NonFiniteLossError, match="No step has been taken yet"):
        list(train_epochs(**setting(loss_fn=lambda outputs, targets: F.cross_entropy(outputs, targets) * math.inf)))


def test_a_gradient_that_is_not_finite_is_refused_when_gradients_are_capped():
    def loss_fn(outputs, targets):
        return F.cross_entropy(outputs, targets) + (outputs * 0).sum().abs().sqrt()  # sqrt has an infinite slope at 0

    arguments = setting(loss_fn=loss_fn, max_grad_norm=1.0)
    before = weights_of(arguments["model"])
    with pytest.raises(NonFiniteLossError, match=r"the norm of its gradient is nan at learning rate 0\.1 in epoch 1, batch 1"):
        list(train_epochs(**arguments))
    assert torch.equal(weights_of(arguments["model"]), before)


# Arguments: every error comes at the call


class EmptyStream:
    def __iter__(self):
        return iter([])


OTHER = make_model()
SGD = torch.optim.SGD(OTHER.parameters(), lr=0.1)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 2.0}, TypeError, r"epochs must be an int, got 2\.0"),
        ({"epochs": True}, TypeError, "epochs must be an int, got True"),
        ({"first_epoch": 0}, ValueError, "first_epoch must be at least 1, got 0"),
        ({"train_batches": []}, ValueError, "train_batches is empty"),
        ({"val_batches": []}, ValueError, "val_batches is empty"),
        ({"val_batches": iter([])}, TypeError, "val_batches is used up after one epoch"),
        ({"train_batches": (batch for batch in ())}, TypeError, r"used up after one epoch \(generator\)"),
        ({"train_batches": 3}, TypeError, "train_batches must be an iterable"),
        ({"loss_fn": None}, TypeError, "loss_fn must be a function"),
        ({"metrics": [accuracy]}, TypeError, "metrics must be a mapping"),
        ({"metrics": {"accuracy": 1}}, TypeError, r"metrics\['accuracy'\] must be a function"),
        ({"augment": 0.5}, TypeError, "augment must be a function"),
        ({"max_grad_norm": 0}, ValueError, "max_grad_norm must be above 0"),
        ({"max_grad_norm": math.nan}, ValueError, "max_grad_norm must be above 0"),
        ({"model": nn.ReLU()}, TypeError, "optimizer must be a torch.optim.Optimizer"),
        ({"model": nn.ReLU(), "optimizer": SGD}, ValueError, "ReLU has no trainable parameters"),
        ({"optimizer": SGD}, ValueError, r"does not hold 0\.weight, 0\.bias, 3\.weight, 3\.bias of the model"),
        ({"optimizer": "sgd"}, TypeError, "optimizer must be a torch.optim.Optimizer, got a str"),
        ({"scheduler": LambdaLR(SGD, float)}, ValueError, "belongs to another optimizer"),
        ({"scheduler": ReduceLROnPlateau(SGD)}, TypeError, "steps after every batch, got a ReduceLROnPlateau"),
        ({"scheduler": 0.9}, TypeError, "scheduler must be an LRScheduler"),
    ],
)
def test_arguments_that_cannot_work_are_refused_at_the_call(changes, error, message):
    with pytest.raises(error, match=message):
        train_epochs(**setting(**changes))


def test_a_model_that_is_none_is_refused():
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module, got a NoneType"):
        train_epochs(**setting() | {"model": None})


def test_a_layer_replaced_after_the_optimizer_was_built_is_noticed():
    arguments = setting()
    arguments["model"][3] = nn.Linear(6, 3)
    with pytest.raises(ValueError, match=r"does not hold 3\.weight, 3\.bias of the model.*after the last change"):
        train_epochs(**arguments)


def test_frozen_layers_need_not_be_in_the_optimizer():
    model = make_model()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    list(train_epochs(**setting(model=model, optimizer=torch.optim.SGD(model[3].parameters(), lr=0.1))))
    assert torch.equal(model[0].weight, before)


def test_a_one_cycle_that_is_too_short_is_refused_before_it_trains():
    arguments = setting(epochs=3)
    arguments["scheduler"] = OneCycleLR(arguments["optimizer"], max_lr=0.1, total_steps=14)
    with pytest.raises(ValueError, match="14 steps left, but 3 epochs of 5 batches take 15"):
        train_epochs(**arguments)
    arguments["scheduler"] = OneCycleLR(arguments["optimizer"], max_lr=0.1, total_steps=15)
    assert len(list(train_epochs(**arguments))) == 3


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ((torch.zeros(0, 4), torch.zeros(0).long()), ValueError, r"epoch 1: train batch 1 is empty: inputs \(0, 4\)"),
        ((torch.zeros(3, 4), torch.zeros(2).long()), ValueError, "has 3 inputs but 2 targets"),
        (torch.zeros(3, 4), TypeError, "must be a pair of tensors.*got a Tensor"),
        ((torch.zeros(3, 4),), TypeError, "got a tuple of 1"),
        ((torch.zeros(3, 4), [0, 1, 2]), TypeError, "must be a pair of tensors"),
        (((torch.zeros(3, 4), torch.zeros(2)), torch.zeros(3)), ValueError, "has 2 inputs but 3 targets"),
        (((torch.zeros(3, 4), 1.0), torch.zeros(3)), TypeError, r"or \(\(input, input, \.\.\.\), targets\)"),
        (((), torch.zeros(3)), TypeError, "must be a pair of tensors"),
    ],
)
def test_a_batch_that_cannot_be_used_is_named(batch, error, message):
    with pytest.raises(error, match=message):
        list(train_epochs(**setting(train_batches=[batch])))


def test_batches_that_turn_out_to_be_empty_are_named():
    with pytest.raises(ValueError, match="epoch 1: train_batches gave no batch"):
        list(train_epochs(**setting(train_batches=EmptyStream())))
    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluate(make_model(), EmptyStream(), loss_fn=F.cross_entropy)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        predict(make_model(), [])


def test_a_loss_for_every_example_is_refused():
    with pytest.raises(ValueError, match=r"loss_fn must return one number.*got shape \(5,\)"):
        list(train_epochs(**setting(loss_fn=lambda o, t: F.cross_entropy(o, t, reduction="none"))))


# Early stopping


def course(*val_losses, **metrics):
    """Records of a run, and a model whose weight is the epoch's number at each."""
    model = nn.Linear(1, 1)

    def records():
        for epoch, loss in enumerate(val_losses, start=1):
            model.weight.data.fill_(epoch)
            yield EpochRecord(epoch, 0.0, loss, {name: values[epoch - 1] for name, values in metrics.items()})

    return model, records()


def test_it_stops_when_patience_is_used_up_and_puts_the_best_weights_back():
    model, records = course(3.0, 1.0, 2.0, 1.0, 0.5, 9.0)
    seen = [record.epoch for record in early_stopping(records, model, patience=2)]
    assert seen == [1, 2, 3, 4]  # epoch 4 equals the best and does not beat it
    assert model.weight.item() == 2


def test_the_best_weights_come_back_when_the_records_end():
    model, records = course(3.0, 1.0, 2.0)
    assert len(list(early_stopping(records, model, patience=5))) == 3
    assert model.weight.item() == 2


def test_the_best_weights_come_back_when_the_consumer_stops():
    model, records = course(1.0, 2.0, 3.0)
    stopping = early_stopping(records, model, patience=5)
    next(stopping)
    next(stopping)
    stopping.close()
    assert model.weight.item() == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_best_weights_come_back_after_an_error(error):
    model = nn.Linear(1, 1)

    def records():
        for epoch in (1, 2):
            model.weight.data.fill_(epoch)
            yield EpochRecord(epoch, 0.0, float(epoch))
        raise error

    with pytest.raises(error):
        list(early_stopping(records(), model, patience=5))
    assert model.weight.item() == 1


def test_a_metric_is_better_when_it_is_higher():
    model, records = course(1.0, 1.0, 1.0, accuracy=[0.5, 0.9, 0.7])
    list(early_stopping(records, model, patience=5, monitor="accuracy"))
    assert model.weight.item() == 2


def test_it_tidies_up_a_training_loop_at_once():
    arguments = setting(epochs=50)
    list(early_stopping(train_epochs(**arguments), arguments["model"], patience=1, monitor="train_loss"))
    assert not arguments["model"].training


def test_wrong_arguments_of_early_stopping_are_named():
    model, records = course(1.0)
    with pytest.raises(ValueError, match="patience must be at least 1, got 0"):
        early_stopping(records, model, patience=0)
    model, records = course(1.0, accuracy=[0.5])
    with pytest.raises(ValueError, match="one of val_loss, train_loss, accuracy, got 'f1'"):
        list(early_stopping(records, model, patience=1, monitor="f1"))


# Schedules


def rates(scheduler, steps):
    optimizer, seen = scheduler.optimizer, []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_warm_up_is_linear_and_the_cosine_ends_at_zero():
    optimizer = torch.optim.SGD(make_model().parameters(), lr=2.0)
    seen = rates(warmup_cosine(optimizer, warmup_steps=4, total_steps=14), 16)
    assert seen[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert seen[9] == pytest.approx(1.0)  # half way down
    assert seen[14:] == pytest.approx([0.0, 0.0])
    assert max(seen) == seen[4]


def test_without_warm_up_the_cosine_is_torchs():
    ours = torch.optim.SGD(make_model().parameters(), lr=0.3)
    theirs = torch.optim.SGD(make_model().parameters(), lr=0.3)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, T_max=10)
    assert rates(warmup_cosine(ours, warmup_steps=0, total_steps=10), 11) == pytest.approx(rates(reference, 11), abs=1e-12)


@pytest.mark.parametrize(("warmup_steps", "total_steps"), [(-1, 5), (5, 5), (6, 5), (0, 0)])
def test_a_schedule_without_room_is_refused(warmup_steps, total_steps):
    with pytest.raises(ValueError, match=f"got warmup_steps={warmup_steps}, total_steps={total_steps}"):
        warmup_cosine(torch.optim.SGD(make_model().parameters()), warmup_steps=warmup_steps, total_steps=total_steps)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_batches_follow_the_model_and_results_come_back():
    model = make_model().cuda()
    records = list(train_epochs(**setting(model=model, epochs=3, metrics={"accuracy": accuracy}, max_grad_norm=1.0)))
    assert all(math.isfinite(record.val_loss) for record in records)
    outputs, targets = predict(model, make_batches())
    assert outputs.device.type == targets.device.type == "cpu"
