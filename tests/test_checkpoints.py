"""A run that was saved goes on exactly, and a file is whole, harmless, or refused."""

import copy
import os
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

from dlcourse.train import EpochRecord, load_checkpoint, save_checkpoint, train_epochs, warmup_cosine


class Noise:
    """An augmentation with a generator of its own."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(5)

    def __call__(self, x):
        return x + torch.randn(x.shape, generator=self.generator)


def make_run(schedule="cosine", hidden_size=8, optimizer_class=torch.optim.AdamW):
    """New objects for a run with shuffling, dropout, batch normalisation, augmentation and a schedule."""
    torch.manual_seed(0)
    x = torch.randn(30, 4)
    y = torch.arange(30) % 3
    model = nn.Sequential(
        nn.Linear(4, hidden_size), nn.BatchNorm1d(hidden_size), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden_size, 3)
    )
    optimizer = optimizer_class(model.parameters(), lr=0.01)
    scheduler = (
        warmup_cosine(optimizer, warmup_steps=3, total_steps=20)
        if schedule == "cosine"
        else OneCycleLR(optimizer, max_lr=0.01, total_steps=20)
    )
    loader = DataLoader(TensorDataset(x, y), batch_size=7, shuffle=True, generator=torch.Generator().manual_seed(1))
    return {"model": model, "optimizer": optimizer, "scheduler": scheduler, "train_batches": loader, "augment": Noise()}


def train(run, epochs, first_epoch=1):
    val_batches = DataLoader(run["train_batches"].dataset, batch_size=30)
    records = train_epochs(
        run["model"],
        run["train_batches"],
        val_batches,
        run["optimizer"],
        epochs=epochs,
        loss_fn=F.cross_entropy,
        metrics={"accuracy": lambda outputs, targets: (outputs.argmax(-1) == targets).double().mean()},
        scheduler=run["scheduler"],
        augment=run["augment"],
        first_epoch=first_epoch,
    )
    return list(records)


def without_time(records):
    return [(r.epoch, r.train_loss, r.val_loss, r.metrics, r.learning_rate) for r in records]


@pytest.fixture
def saved(tmp_path):
    """A run of one epoch, and the file it was saved to."""
    run = make_run()
    history = train(run, epochs=1)
    path = tmp_path / "run.pt"
    save_checkpoint(path, epoch=1, history=history, **run)
    return run, path


@pytest.mark.parametrize("schedule", ["cosine", "one cycle"])
def test_two_epochs_saved_and_two_more_are_four_epochs_to_the_last_bit(tmp_path, schedule):
    straight = make_run(schedule)
    wanted = train(straight, epochs=4)

    first = make_run(schedule)
    history = train(first, epochs=2)
    save_checkpoint(tmp_path / "run.pt", epoch=2, history=history, **first)
    second = make_run(schedule)
    torch.manual_seed(99)  # whatever happened in between
    list(second["train_batches"])
    checkpoint = load_checkpoint(tmp_path / "run.pt", **second)
    assert checkpoint.epoch == 2
    assert checkpoint.history == history
    history = checkpoint.history + train(second, epochs=2, first_epoch=checkpoint.epoch + 1)

    assert without_time(history) == without_time(wanted)
    for name, value in straight["model"].state_dict().items():
        assert torch.equal(value, second["model"].state_dict()[name]), name


def test_with_the_model_alone_nothing_but_its_weights_changes(saved):
    run, path = saved
    model = make_run()["model"]
    state = torch.get_rng_state()
    load_checkpoint(path, model=model)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in run["model"].state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


def test_a_failure_in_the_middle_of_a_write_leaves_the_old_file(saved, monkeypatch):
    run, path = saved
    before = path.read_bytes()

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the checkpoint was not written: no space left on device") as caught:
        save_checkpoint(path, epoch=2, **run)
    assert caught.value.errno == 28
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_stop_in_the_middle_of_a_write_leaves_the_old_file(saved, monkeypatch, step):
    run, path = saved
    before = path.read_bytes()

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, stop)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, epoch=2, **run)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_permission_to_write_is_said_with_the_path(saved, monkeypatch):
    run, path = saved  # root may write anywhere, so the refusal is played

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(PermissionError, match="the checkpoint was not written: permission denied") as caught:
        save_checkpoint(path, epoch=2, **run)
    assert caught.value.filename == str(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(saved):
    run, path = saved
    path.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="permission denied"):
            save_checkpoint(path.with_name("new.pt"), epoch=1, **run)
    finally:
        path.parent.chmod(0o700)


def test_a_missing_folder_is_said(saved):
    run, path = saved
    with pytest.raises(FileNotFoundError, match=r"not written: no such file or directory.*nowhere"):
        save_checkpoint(path.parent / "nowhere" / "run.pt", epoch=1, **run)


def test_a_folder_in_the_place_of_the_file_is_said(saved, tmp_path):
    run, _ = saved
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="not written"):
        save_checkpoint(tmp_path / "folder", epoch=1, **run)
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".tmp")] == []


def test_a_missing_file_is_said(saved):
    run, path = saved
    with pytest.raises(FileNotFoundError, match=r"nothing\.pt"):
        load_checkpoint(path.with_name("nothing.pt"), model=run["model"])


def one_weight():
    """The bytes of one weight that the fixture `saved` wrote."""
    run = make_run()
    train(run, epochs=1)
    return run["model"][0].weight.detach()[0, 0].numpy().tobytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"not a checkpoint at all",
        lambda content: content[:200] + bytes(200) + content[400:],
        lambda content: content[len(content) // 2 :],
        lambda content: content.replace(one_weight(), bytes(4)),
    ],
    ids=["empty", "cut short", "text", "overwritten", "beginning lost", "one weight changed"],
)
def test_a_damaged_file_is_refused_and_changes_nothing(saved, damage):
    run, path = saved
    path.write_bytes(damage(path.read_bytes()))
    before = copy.deepcopy(run["model"].state_dict())
    with pytest.raises(ValueError, match=r"run\.pt is not a whole checkpoint: it is damaged"):
        load_checkpoint(path, **run)
    assert all(torch.equal(value, before[name]) for name, value in run["model"].state_dict().items())


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_code_in_a_file_is_never_run(tmp_path, writer):
    path, evidence = tmp_path / "evil.pt", tmp_path / "code was run"
    content = {"format": "dlcourse checkpoint 1", "epoch": 1, "model": Malicious(str(evidence))}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match="never loaded because they could run code"):
        load_checkpoint(path, model=nn.Linear(1, 1))
    assert not evidence.exists()


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="was not written by save_checkpoint"):
        load_checkpoint(tmp_path / "other.pt", model=nn.Linear(1, 1))


def test_another_architecture_is_described(saved):
    _, path = saved
    with pytest.raises(
        ValueError, match=r"another architecture than this Sequential: 0\.weight is \(8, 4\) in the file and \(9, 4\)"
    ):
        load_checkpoint(path, model=make_run(hidden_size=9)["model"])
    with pytest.raises(ValueError, match=r"missing weight; missing bias; unexpected 0\.weight.*; and \d+ more"):
        load_checkpoint(path, model=nn.Linear(4, 3))


def test_another_optimizer_is_refused_and_the_model_is_as_before(saved):
    _, path = saved
    run = make_run(optimizer_class=torch.optim.SGD)
    before = copy.deepcopy(run["model"].state_dict())
    with pytest.raises(ValueError, match="was saved with AdamW, got a SGD"):
        load_checkpoint(path, **run)
    run = make_run()
    run["optimizer"].add_param_group({"params": [nn.Parameter(torch.zeros(1))]})
    with pytest.raises(ValueError, match="different number of parameter groups"):
        load_checkpoint(path, **run)
    assert all(torch.equal(value, before[name]) for name, value in run["model"].state_dict().items())


def test_a_part_that_was_not_saved_is_named(tmp_path):
    run = make_run()
    path = tmp_path / "bare.pt"
    save_checkpoint(path, model=run["model"], optimizer=run["optimizer"], epoch=1)
    with pytest.raises(ValueError, match="saved without a scheduler"):
        load_checkpoint(path, model=run["model"], scheduler=run["scheduler"])
    for name in ("train_batches", "augment"):
        with pytest.raises(ValueError, match=f"saved without the random state of {name}"):
            load_checkpoint(path, model=run["model"], **{name: run[name]})
    assert load_checkpoint(path, model=run["model"]).history == []


def test_a_state_that_could_not_be_read_back_is_not_written(tmp_path):
    run = make_run()
    run["optimizer"].param_groups[0]["odd"] = np.float64(0.5)
    with pytest.raises(ValueError, match="not saved, because a state holds more than tensors and plain values"):
        save_checkpoint(tmp_path / "run.pt", epoch=1, **run)
    run["optimizer"].param_groups[0]["odd"] = lambda: None
    with pytest.raises(ValueError, match="not saved"):
        save_checkpoint(tmp_path / "run.pt", epoch=1, **run)
    assert list(tmp_path.iterdir()) == []


def test_the_history_comes_back_as_records(tmp_path):
    run = make_run()
    history = [EpochRecord(1, 0.5, 0.6, {"accuracy": 0.7}, 0.01, 2.0)]
    save_checkpoint(str(tmp_path / "run.pt"), model=run["model"], optimizer=run["optimizer"], epoch=1, history=history)
    assert load_checkpoint(str(tmp_path / "run.pt"), model=run["model"]).history == history


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_run_saved_on_a_gpu_goes_on_there_and_can_be_read_on_a_cpu(tmp_path):
    def on_gpu(run):
        state = run["optimizer"]
        run["model"].cuda()
        assert all(parameter.is_cuda for group in state.param_groups for parameter in group["params"])
        run["augment"] = None
        return run

    straight = on_gpu(make_run())
    wanted = train(straight, epochs=4)
    first = on_gpu(make_run())
    save_checkpoint(tmp_path / "run.pt", epoch=2, history=train(first, epochs=2), **first)
    second = on_gpu(make_run())
    history = load_checkpoint(tmp_path / "run.pt", **second).history + train(second, epochs=2, first_epoch=3)
    assert [r.train_loss for r in history] == pytest.approx([r.train_loss for r in wanted], rel=1e-6)
    load_checkpoint(tmp_path / "run.pt", model=make_run()["model"])
