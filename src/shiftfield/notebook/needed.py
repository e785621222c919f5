"""What the notebook needs of other packages, said in one sentence where it is missing."""

from __future__ import annotations

from importlib.util import find_spec


def need(*packages: str) -> None:
    """Raise an ImportError that says how to get those of the packages that are missing."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; "
            "python -m pip install 'shiftfield[notebook]' brings all that a notebook needs."
        )
