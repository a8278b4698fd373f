"""The series is whole, in order, and split by time so that no target lies in two parts."""

import pytest
import torch

from dlcourse.data import carbon_dioxide


@pytest.fixture(scope="module")
def series():
    return carbon_dioxide.read()


def test_every_month_from_march_1958_to_december_2001_is_there_once(series):
    wanted = [f"{year}-{month:02}" for year in range(1958, 2002) for month in range(1, 13)][2:]
    assert series.months == wanted
    assert series.values.shape == (526,)
    assert series.values.dtype == torch.float64


def test_five_months_were_not_measured(series):
    missing = [month for month, value in zip(*series, strict=True) if value.isnan()]
    assert missing == ["1958-06", "1958-10", "1964-02", "1964-03", "1964-04"]


def test_a_month_is_the_mean_of_its_weeks(series):
    assert series.values[0].item() == 316.10  # one week
    weeks = [371.5, 371.3, 371.2, 370.3, 370.8]  # December 2001, as the source has them
    assert series.values[-1].item() == pytest.approx(sum(weeks) / 5, abs=0.0051)


def test_spring_is_the_highest_autumn_the_lowest_and_every_year_ends_higher(series):
    years = series.values[10:].reshape(-1, 12)[6:]  # 1965 to 2001, without a gap
    rest = years - torch.linspace(-0.6, 0.6, 12)  # a year's growth hides part of the season
    assert set(rest.argmax(1).tolist()) <= {3, 4}  # April or May
    assert set(rest.argmin(1).tolist()) <= {8, 9}  # September or October
    assert (years[:, -1].diff() > 0).all()


def test_a_window_is_what_was_known_and_what_followed(series):
    values = series.values.float()
    for part, first, last in zip(
        carbon_dioxide.load(history=7, horizon=3), ("1964-12", "1986-01", "1994-01"), ("1985-12", "1993-12", "2001-12"), strict=True
    ):
        known, following = part.tensors
        begin, end = series.months.index(first), series.months.index(last) + 1
        assert known.shape == (end - begin - 2, 7)
        assert following.shape == (end - begin - 2, 3)
        torch.testing.assert_close(known[0], values[begin - 7 : begin], rtol=0, atol=0)
        torch.testing.assert_close(following[0], values[begin : begin + 3], rtol=0, atol=0)
        torch.testing.assert_close(following[-1], values[end - 3 : end], rtol=0, atol=0)
        torch.testing.assert_close(known[4, -1], following[3, 0], rtol=0, atol=0)


def test_no_window_has_a_gap():
    for part in carbon_dioxide.load(history=12, horizon=1):
        assert all(tensor.isfinite().all() for tensor in part.tensors)


@pytest.mark.parametrize(("history", "horizon"), [(0, 1), (3, 0)])
def test_sizes_below_one_are_refused(history, horizon):
    with pytest.raises(ValueError, match="both must be at least 1"):
        carbon_dioxide.load(history=history, horizon=horizon)


@pytest.mark.parametrize(("history", "horizon", "part"), [(300, 1, "train"), (12, 97, "val")])
def test_sizes_that_leave_a_part_empty_are_refused(history, horizon, part):
    with pytest.raises(ValueError, match=f"leave no window in the part '{part}'"):
        carbon_dioxide.load(history=history, horizon=horizon)
