"""Maps of large stacks are made frame after frame: the same as of all at once, and each frame is read once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scenes import Array, moved

from shiftfield import find_shift_based_correlation_map, generate_correlation_map
from shiftfield.maps import maker as map_maker
from shiftfield.sources import flat

REF, SAM = moved((60, 70), (1.3, -0.7), frames=4)
SPOILT = ("nothing", "nan in the reference", "nan in the template", "constant window", "constant template",
          "bright offset", "hot pixel")  # fmt: skip


def spoil(what: str) -> tuple[Array, Array]:
    reference, template = REF.astype(float), SAM[:, 10:40, 12:50].astype(float)
    if what == "nan in the reference":
        reference[2, 50, 60] = np.nan
    elif what == "nan in the template":
        template[1, 3, 3] = np.inf
    elif what == "constant window":
        reference[:, :32, :40] = 3
    elif what == "constant template":
        template[:] = 2
    elif what == "bright offset":
        reference, template = 300 * reference + 1e5, template + 1e4
    elif what == "hot pixel":
        reference[0, 20, 20] = 1e6
    return reference, template


@pytest.mark.parametrize("what", SPOILT)
def test_frame_after_frame_is_all_at_once(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, template = spoil(what)
    expected = generate_correlation_map(reference, template)
    monkeypatch.setattr(map_maker, "_LARGE", 0)
    found = generate_correlation_map(reference, template)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.array_equal(found == 0, expected == 0)


def test_each_frame_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    np.save(tmp_path / "r.npy", REF)
    np.save(tmp_path / "s.npy", SAM)
    expected = find_shift_based_correlation_map(REF, SAM, margin=5)
    monkeypatch.setattr(map_maker, "_LARGE", 0)
    reads: list[int] = []
    read = flat.FlatImages.__getitem__

    def counted(images: flat.FlatImages, key: Any) -> NDArray[Any]:
        found = read(images, key)
        reads.append(found.size)
        return found

    monkeypatch.setattr(flat.FlatImages, "__getitem__", counted)
    found = find_shift_based_correlation_map(tmp_path / "r.npy", tmp_path / "s.npy", margin=5)
    assert found == pytest.approx(expected, abs=1e-6)
    assert sum(reads) == REF.size + SAM.size
    assert max(reads) == REF[0].size
