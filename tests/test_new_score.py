"""A new score costs one formula and one row of the table: one is added here, and everything else follows.

It is the sum of squared differences with an offset, D = <(S - <S> - R + <R>)^2>, as a score 1 - D / v_S. It is no
method of ours: where brightness and contrast stay the same it finds what Pearson's score finds, elsewhere less.
"""

from __future__ import annotations

import json
import subprocess
import sys

ADD = """
import numpy as np
from shiftfield import scores
from shiftfield.scores import METHODS, Form, Method, Scored


def ssd(s, r, mean, _level):
    ds = s - mean(s)[..., None, None, None]
    dr = r - mean(r)[..., None, None, None]
    score = 1 - mean((ds - dr) ** 2) / mean(ds * ds)
    unknown = np.full(score.shape, np.nan)
    return Scored(score, np.full(score.shape, -np.inf), unknown, unknown)


METHODS["ssd"] = Method(
    ssd,
    Form(
        reference=lambda _, v: (None, np.full(v.shape, 2.0), v),
        factor=lambda v: 1 / v,
        lowest=lambda _, factor: np.full(factor.shape, -np.inf),
    ),
    fits=1,
)
"""

USE = """
import json
from shiftfield import Settings, find_shift_field
from shiftfield.settings import parameters
from shiftfield.synthetic import speckle

reference = 100 + 20 * speckle((64, 80), frames=2, seed=1)
sample = 100 + 20 * speckle((64, 80), frames=2, seed=1, shift=(1.6, -2.3))
fast, slow = (
    find_shift_field(reference, sample, method="ssd", window=9, margin=5, device=device)
    for device in ("cpu", "reference")
)
refused = []
for more in ({"refine": "icgn"}, {"sample_weights": np.ones((64, 80), bool)}):
    try:
        find_shift_field(reference, sample, method="ssd", window=9, margin=5, **more)
    except ValueError as error:
        refused.append(str(error))
print(json.dumps({
    "offered": "ssd" in parameters(Settings)["method"].choices,
    "truth": [float(np.nanmedian(np.abs(fast.x - 1.6))), float(np.nanmedian(np.abs(fast.y + 2.3)))],
    "apart": [float(np.nanmax(np.abs(getattr(fast, n) - getattr(slow, n)))) for n in ("x", "y", "score")],
    "best": float(np.nanmedian(fast.score)),
    "known": [float(fast.valid.mean()), float(slow.valid.mean())],
    "refused": refused,
}))
"""


def test_a_new_score_is_one_formula_and_one_row() -> None:
    """Settings offer it, the compiled loops agree with its specification, and it finds a known shift."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", ADD + USE], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["offered"]
    assert max(found["truth"]) < 0.05
    assert max(found["apart"]) < 1e-3
    assert found["best"] > 0.7
    assert found["known"][0] == found["known"][1] > 0.5
    assert len(found["refused"]) == 2
    assert all("'ssd'" in text and "are for 'pearson'" in text for text in found["refused"])
