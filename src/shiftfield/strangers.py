"""What strangers say, files and the libraries that read them, as parts of sentences that may be shown.

What is made of it is decided where it is read.
"""

from __future__ import annotations

import re

_LONGEST = 250  # characters of a stranger's text that are shown


def clipped(said: str) -> str:
    """Return a text of a stranger, without what a terminal would obey, cut where it is long."""
    plain = "".join(one if one.isprintable() else "?" for one in said[:_LONGEST])
    return plain if len(said) <= _LONGEST else plain + "..."


def words_of(error: Exception) -> str:
    """Return what is wrong as a part of a sentence, also where h5py says it at length."""
    said = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    said = re.sub(r"^Unable to .*? \((.*)\)$", r"\1", said)  # h5py: what it did, and why not
    lacking = re.fullmatch(r"can't locate attribute: '(.+)'", said)
    if lacking or (isinstance(error, KeyError) and said.isidentifier()):  # Zarr says but the name
        said = f"it lacks {lacking[1] if lacking else said}"
    lines = said.splitlines()
    return clipped(lines[0].rstrip(".: ") if lines else type(error).__name__)
