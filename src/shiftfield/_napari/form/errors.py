"""What a person reads of an error: our sentences as they are, all else with the name of its kind."""

from __future__ import annotations


def expected(error: BaseException) -> bool:
    """Whether an error is about what was given or about the machine, so that its words are for the person."""
    return isinstance(error, ValueError | MemoryError | OSError)


def words(error: BaseException) -> str:
    """Return what is shown of an error."""
    return str(error) if expected(error) and str(error) else f"{type(error).__name__}: {error}"
