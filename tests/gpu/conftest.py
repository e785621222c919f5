"""Devices for the tests of the GPU engine: the emulated one everywhere, real ones where there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from emulated import Emulated

from shiftfield.engine.gpu import devices
from shiftfield.engine.gpu.device import Device

Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Make these the devices of the process."""

    def these(*found: Device) -> None:
        monkeypatch.setattr(devices, "devices", lambda: (list(found), ""))

    return these


@pytest.fixture(params=["emulated", pytest.param("real", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> Device:
    """A device to search on: the kernels on the CPU, and a real one where there is one."""
    if request.param == "emulated":
        return Emulated()
    found, reason = devices.devices()
    if not found:
        pytest.skip(reason)
    return found[0]
