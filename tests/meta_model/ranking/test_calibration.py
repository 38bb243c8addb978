"""Probabilities that mean what they say, by their formulas and on rows made to have known ones."""

from __future__ import annotations

import pytest
import torch

from meta_model.ranking.calibration import Calibration, Errors, OfSize, interval, regressed

NOTHING = -torch.inf
ONE = torch.tensor([1])  # known interaction
TODAY = torch.tensor([False])


def test_with_nothing_measured_it_is_the_chance_of_being_among_the_next() -> None:
    choice = torch.tensor([[0.001, 0.2, 0.9]]).log()
    logits = Calibration(next_items=10).logits(choice, ONE, TODAY)
    expected = 1 - (1 - torch.tensor([[0.001, 0.2, 0.9]]).double()) ** 10
    torch.testing.assert_close(logits.sigmoid(), expected, rtol=1e-5, atol=1e-6)


def test_intercept_and_slope_are_those_of_users_of_as_many_known_interactions() -> None:
    of_five = OfSize(n_support=5, intercept=-1.0, slope=0.5)
    calibration = Calibration(next_items=1, sizes=(OfSize(n_support=0), of_five))
    like = torch.tensor([[0.2], [0.2], [0.2]]).log()
    logits = calibration.logits(like, torch.tensor([4, 5, 99]), TODAY.expand(3)).flatten()
    log_odds = torch.logit(torch.tensor(0.2)).item()
    expected = [log_odds, *[-1.0 + 0.5 * log_odds] * 2]
    assert logits.tolist() == pytest.approx(expected, rel=1e-5)


def test_on_a_later_day_intercept_and_slope_are_others_whatever_is_known() -> None:
    calibration = Calibration(next_items=1, later=(-2.0, 0.5))
    like, known = torch.tensor([[0.2], [0.2], [0.2]]).log(), torch.tensor([1, 1, 99])
    is_later = torch.tensor([False, True, True])
    log_odds = torch.logit(torch.tensor(0.2)).item()
    expected = [log_odds, *[-2.0 + 0.5 * log_odds] * 2]
    found = calibration.logits(like, known, is_later).flatten().tolist()
    assert found == pytest.approx(expected, rel=1e-5)
    unknown = Calibration(next_items=1).logits(like, known, is_later).flatten().tolist()
    assert unknown == pytest.approx([log_odds] * 3, rel=1e-5)


def test_what_cannot_be_chosen_cannot_be_liked() -> None:
    logits = Calibration(next_items=10).logits(torch.tensor([[NOTHING, 0.0]]), ONE, TODAY)
    assert logits[0, 0] == -torch.inf
    assert logits[0, 1].isfinite(), "also of a sure choice"


def test_the_regression_finds_the_weights_that_rows_were_drawn_with() -> None:
    draws = torch.Generator().manual_seed(1)
    n_rows = 200_000
    logits = torch.randn(n_rows, generator=draws, dtype=torch.float64)
    chances = (-1.0 + 0.7 * logits).sigmoid()
    liked = (torch.rand(n_rows, generator=draws, dtype=torch.float64) < chances).double()
    assert regressed(logits, liked) == pytest.approx((-1.0, 0.7), abs=0.02)


def test_few_rows_that_a_line_divides_are_no_certainty() -> None:
    a, b = regressed(torch.tensor([-2.0, 2.0]).double(), torch.tensor([0.0, 1.0]).double())
    assert abs(a) < 1
    assert 0 < b < 3


def test_what_is_further_up_is_never_less_likely() -> None:
    logits = torch.linspace(-2, 2, 100).double()
    assert regressed(logits, (logits < 0).double())[1] == 0


def test_where_what_is_further_up_is_less_likely_the_mean_is_right() -> None:
    logits = torch.linspace(-6, -2, 400).double()
    liked = torch.zeros(400).double()
    liked[:100:4] = 1  # among those that are further down
    a, b = regressed(logits, liked)
    assert b == 0
    assert torch.tensor(a).sigmoid().item() == pytest.approx(liked.mean().item(), abs=0.01)


def test_without_rows_the_prior_stands() -> None:
    assert regressed(torch.zeros(0).double(), torch.zeros(0).double()) == (0.0, 1.0)


MANY = 10**9  # users: as good as all of them


def _of(values: torch.Tensor, n_users: int = MANY) -> Errors:
    return Errors(values=values, n_users=n_users)


def test_an_interval_holds_eighty_percent_of_the_errors() -> None:
    errors, nothing = torch.linspace(-1, 1, 1001).double(), torch.zeros(0).double()
    found = interval(_of(errors), _of(nothing, 0))
    assert found == (pytest.approx(-0.802), pytest.approx(0.802))
    assert interval(_of(errors[:9]), _of(errors)) == (None, None)
    assert interval(_of(errors, 9), _of(errors)) == (None, None)


@pytest.mark.parametrize("n", [20, 28, 29, 99])
def test_an_interval_of_few_errors_holds_eighty_percent_of_new_ones(n: int) -> None:
    """Errors that are uniform on 0..1: the interval's width is the share of new ones in it."""
    draws = torch.rand(2_000, n, generator=torch.Generator().manual_seed(1)).double()
    ends = torch.tensor([interval(_of(errors), _of(errors[:0])) for errors in draws])
    low, high = ends.mean(0).tolist()
    assert low < 0.102
    assert high > 0.898
    assert 0.798 < high - low < 0.87


@pytest.mark.parametrize("n_users", [11, 25, 99])
def test_an_interval_of_few_users_holds_eighty_percent_of_a_new_users_errors(n_users: int) -> None:
    """Users all of whose errors are the same: only one user more says what another user's are."""
    draws = torch.rand(2_000, n_users, generator=torch.Generator().manual_seed(1)).double()
    users = draws.repeat_interleave(100, dim=1)
    ends = torch.tensor([interval(_of(errors, n_users), _of(errors[:0], 0)) for errors in users])
    held = (ends[:, 1] - ends[:, 0]).mean().item()
    assert 0.798 < held < 0.87


def test_an_interval_is_no_narrower_than_training_users_errors() -> None:
    errors = torch.linspace(-1, 1, 1001).double()
    ends = {
        "narrower": interval(_of(errors), _of(errors / 2)),
        "wider": interval(_of(errors), _of(errors * 2)),
        "lower": interval(_of(errors), _of(errors - 0.5)),
        "too few": interval(_of(errors), _of(9 * errors[::120])),
    }
    expected = {
        "narrower": (-0.802, 0.802),
        "wider": (-1.604, 1.604),
        "lower": (-1.302, 0.802),
        "too few": (-0.802, 0.802),
    }
    assert ends == {name: pytest.approx(of) for name, of in expected.items()}


def test_bounds_are_those_of_as_many_known_interactions_or_fewer() -> None:
    ends = ((0, -1.0, 2.0), (3, -0.5, 1.0), (9, None, None))
    sizes = tuple(OfSize(n_support=n, low=low, high=high) for n, low, high in ends)
    calibration = Calibration(next_items=10, sizes=sizes)
    scores = torch.full((4, 1), 3.0)
    known = torch.tensor([2, 3, 8, 9])
    low, high = (ends.flatten() for ends in calibration.bounds(scores, known, (1.0, 4.5)))
    assert low[:3].tolist() == [2.0, 2.5, 2.5]
    assert high[:3].tolist() == [4.5, 4.0, 4.0], "no rating is above the scale"
    assert low[3].isnan()
    assert high[3].isnan()


def test_it_comes_back_from_its_file() -> None:
    sizes = (OfSize(n_support=0), OfSize(n_support=3, slope=0.3, low=-1.0, high=1.0))
    for later in (None, (-1.5, 0.25)):
        made = Calibration(next_items=7, sizes=sizes, later=later)
        assert Calibration.from_json(made.to_json()) == made
