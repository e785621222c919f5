"""The scores as the papers write them: known values where the model holds, least squares where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield.scores import METHODS, pearson, umpa, umpa_dark

Float = NDArray[np.float64]
LEVEL = 3.0
SHAPE = (2, 3, 4, 5, 6)  # windows of 2 x 3 pixels: 4 frames of 5 x 6 px


def weights(kind: str) -> Float:
    """Return weights of the pixels of a window (K, wy, wx), summing to 1."""
    found = np.ones(SHAPE[2:])
    if kind == "hamming":
        found = found * np.hamming(SHAPE[3])[:, None] * np.hamming(SHAPE[4])
    return found / found.sum()


def mean_by(weight: Float) -> Any:
    """Return the weighted mean over window and frames."""
    return lambda windows: np.einsum("...kij,kij->...", windows, weight)


def windows(seed: int) -> Float:
    """Return random windows around LEVEL."""
    return LEVEL + np.random.default_rng(seed).normal(0, 0.5, SHAPE)


KINDS = pytest.mark.parametrize("kind", ["box", "hamming"])


@KINDS
def test_pearson_is_the_coefficient_of_all_pixels(kind: str) -> None:
    """Beside NumPy's covariance with weights, window by window; T and V are unknown."""
    s, r, weight = windows(0), windows(1), weights(kind)
    s += 0.5 * r
    found = pearson(s, r, mean_by(weight), LEVEL)
    for at in np.ndindex(SHAPE[:2]):
        (vs, c), (_, vr) = np.cov(s[at].ravel(), r[at].ravel(), aweights=weight.ravel())
        assert found.score[at] == pytest.approx(c / np.sqrt(vs * vr))
    np.testing.assert_array_equal(found.lowest, np.full(SHAPE[:2], -1.0))
    for unknown in (found.transmission, found.dark_field):
        np.testing.assert_array_equal(unknown, np.full(SHAPE[:2], np.nan))


@pytest.mark.parametrize(("gain", "score"), [(0.2, 1.0), (7.0, 1.0), (-2.0, -1.0)])
def test_pearson_sees_neither_gain_nor_offset(gain: float, score: float) -> None:
    r = windows(2)
    found = pearson(gain * r + 5, r, mean_by(weights("box")), LEVEL)
    np.testing.assert_allclose(found.score, score)


@KINDS
def test_umpa_finds_the_transmission_of_its_model(kind: str) -> None:
    """S = 0.4 R has nothing left over: the score is 1 and T the gain."""
    r = windows(3)
    found = umpa(0.4 * r, r, mean_by(weights(kind)), LEVEL)
    np.testing.assert_allclose(found.score, 1)
    np.testing.assert_allclose(found.transmission, 0.4)
    np.testing.assert_array_equal(found.dark_field, np.full(SHAPE[:2], np.nan))


@KINDS
def test_umpa_is_a_least_squares_fit(kind: str) -> None:
    """Beside NumPy's least squares of one unknown; the score is the part of the variance that it explains."""
    s, r, weight = windows(4), windows(5), weights(kind)
    s += 0.5 * r
    found = umpa(s, r, mean_by(weight), LEVEL)
    root = np.sqrt(weight).ravel()
    for at in np.ndindex(SHAPE[:2]):
        one, other = root * s[at].ravel(), root * r[at].ravel()
        (t,), (cost,), *_ = np.linalg.lstsq(other[:, None], one, rcond=None)
        spread = np.cov(s[at].ravel(), aweights=weight.ravel(), ddof=0)
        assert found.transmission[at] == pytest.approx(t)
        assert found.score[at] == pytest.approx(1 - cost / spread)
        assert found.lowest[at] == pytest.approx(1 - (one @ one) / spread)  # T = 0


@KINDS
def test_umpa_with_dark_field_finds_what_its_model_was_made_with(kind: str) -> None:
    """S = T (level + V (R - level)), another T and V in each window, is found exactly."""
    r = windows(6)
    rng = np.random.default_rng(7)
    t, v = rng.uniform(0.3, 1.5, SHAPE[:2]), rng.uniform(0.2, 1.2, SHAPE[:2])
    s = t[..., None, None, None] * (LEVEL + v[..., None, None, None] * (r - LEVEL))
    found = umpa_dark(s, r, mean_by(weights(kind)), LEVEL)
    np.testing.assert_allclose(found.score, 1)
    np.testing.assert_allclose(found.transmission, t)
    np.testing.assert_allclose(found.dark_field, v)
    np.testing.assert_array_equal(found.lowest, np.zeros(SHAPE[:2]))


@KINDS
def test_umpa_with_dark_field_is_a_least_squares_fit(kind: str) -> None:
    """Beside NumPy's least squares of b level + k R: T = b + k, V = k / T."""
    s, r, weight = windows(8), windows(9), weights(kind)
    s += 0.5 * r
    found = umpa_dark(s, r, mean_by(weight), LEVEL)
    root = np.sqrt(weight).ravel()
    for at in np.ndindex(SHAPE[:2]):
        terms = root[:, None] * np.stack([np.full(root.size, LEVEL), r[at].ravel()], axis=1)
        (b, k), (cost,), *_ = np.linalg.lstsq(terms, root * s[at].ravel(), rcond=None)
        spread = np.cov(s[at].ravel(), aweights=weight.ravel(), ddof=0)
        assert found.transmission[at] == pytest.approx(b + k)
        assert found.dark_field[at] == pytest.approx(k / (b + k))
        assert found.score[at] == pytest.approx(1 - cost / spread)


@KINDS
@pytest.mark.parametrize("name", METHODS)
def test_the_form_of_a_score_is_the_score(name: str, kind: str) -> None:
    """What the loops try, of means, variances and the covariance, is what the papers write, of all pixels."""
    s, r, mean = windows(10), windows(11), mean_by(weights(kind))
    s += 0.5 * r
    method = METHODS[name]
    (ms, vs), (mr, vr) = ((mean(one), mean(one * one) - mean(one) ** 2) for one in (s, r))
    c = mean(s * r) - ms * mr
    square, linear, constant = method.form.reference(mr, vr)
    of_s, constant_of_s = method.form.sample(ms) if method.form.sample else (1.0, 1.0)
    form = sum(
        (
            0 if square is None else square * c**2,
            0 if linear is None else linear * of_s * c,
            0 if constant is None else -constant * constant_of_s,
        )
    )
    factor = method.form.factor(vs)
    wanted = method.windows(s, r, mean, LEVEL)
    np.testing.assert_allclose(factor * form, wanted.score, atol=1e-12)
    lowest = method.form.lowest(np.broadcast_to(constant_of_s, factor.shape), factor)
    np.testing.assert_allclose(lowest, wanted.lowest, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_tells_what_it_gives(name: str) -> None:
    """Beside x, y and the score: the quantities of its model that are numbers for a window."""
    s, r = windows(12), windows(13)
    found = METHODS[name].windows(s, r, mean_by(weights("box")), LEVEL)
    gives = [
        quantity
        for quantity in ("transmission", "dark_field")
        if np.isfinite(getattr(found, quantity)).all()
    ]
    assert list(METHODS[name].gives) == gives
    assert METHODS[name].known == 3 + len(gives)


@pytest.mark.parametrize("name", METHODS)
def test_a_squared_score_is_the_square_of_a_coefficient(name: str) -> None:
    """A sample of the texture and as much noise again explains half its variance: 0.5, or its root."""
    rng = np.random.default_rng(14)
    r = rng.normal(0, 1, (1, 1, 4, 60, 60))
    noise = rng.normal(0, 1, r.shape)
    noise -= (noise * r).sum() / (r * r).sum() * r
    s = r / r.std() + noise / noise.std()
    weight = np.full(r.shape[2:], 1 / r.size)
    score = METHODS[name].windows(s - s.mean(), r - r.mean(), mean_by(weight), 1.0).score
    assert score == pytest.approx(0.5 if METHODS[name].squared else 0.5**0.5, abs=0.01)


@pytest.mark.parametrize("name", ["pearson", "umpa", "umpa_dark"])
def test_what_refines_and_weighs_knows_the_scores_of_the_papers(name: str) -> None:
    assert METHODS[name].refined
