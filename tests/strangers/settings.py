"""Settings in TOML: nested deep, very long, of other types, and with names of no setting.

Who reads them is `shiftfield.settings_file`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from strangers.case import Case


def _toml(content: bytes, folder: Path) -> str:
    (folder / "broken.toml").write_bytes(content)
    return str(folder / "broken.toml")


def broken_settings() -> list[Case]:
    texts: dict[str, bytes] = {
        "an array nested deep": b"window = " + b"[" * 5000 + b"]" * 5000,
        "a table nested deep": b"window = " + b"{a=" * 5000 + b"1" + b"}" * 5000,
        "a dotted name": b"a" + b".a" * 250_000 + b" = 1\n",
        "dotted names": b"\n".join(b"a." * 300 + b"b%d = 1" % n for n in range(900)),
        "a dotted table": b"[a" + b".a" * 200_000 + b"]\n",
        "many tables": b"".join(b"[[a]]\n" for _ in range(100_000)),
        "many names": b"\n".join(b"n%d = 1" % n for n in range(60_000)),
        "a long number": b"window = " + b"9" * 9000,
        "a long fraction": b"coverage = 0." + b"9" * 9000,
        "a long text": b'method = "' + b"a" * 900_000 + b'"',
        "a long name": b"a" * 900_000 + b" = 1",
        "too long": b"# " + b"a" * 2_000_000,
        "control characters": b'method = "\\u001b[2J\\n"',
        "a name of control characters": b'"\\u001b[2J\\n" = 1',
        "a wrong escape": b'method = "\\q"',
        "half a pair": b'method = "\\ud800"',
        "not UTF-8": b'method = "\xff\xfe"',
        "UTF-16": "window = 9".encode("utf-16"),
        "a zero": b"window = 9\0",
        "a mark": b"\xef\xbb\xbfwindow = 9",
        "twice": b"window = 9\nwindow = 9",
        "no value": b"window =",
        "no name": b"= 9",
        "a date": b"window = 2020-01-01",
        "no such date": b"window = 2020-99-99",
        "a time": b"window = 25:00:00",
        "NaN": b"coverage = nan",
        "inf": b"coverage = inf",
        "inf for a whole": b"window = inf",
        "negative": b"window = -9",
        "zero": b"window = 0",
        "huge": b"window = 99999999999999999999",
        "hexadecimal": b"window = 0xffffffffff",
        "a fraction": b"window = 7.5",
        "a switch": b"window = true",
        "a switch for a text": b"method = true",
        "a number for a switch": b"quality = 1",
        "a list": b"window = [9]",
        "a table": b"[window]\na = 1",
        "tables": b"[[window]]\na = 1",
        "no such method": b'method = "eval(1)"',
        "a path": b'method = "/etc/passwd"',
        "a strange name": b"wind = 9",
        "out": b'out = "../../x.h5"',
        "settings": b'settings = "other.toml"',
        "an import": b'__import__ = "os"',
        "memory is a list": b"memory = [[1]]",
        "memory is a table": b"memory = {a = 1}",
        "memory is negative": b"memory = -5",
        "memory is words": b'memory = "much"',
        "memory is a fraction": b"memory = 0.5",
        "memory is a switch": b"memory = true",
        "1-D with UMPA": b'search = "1d"\nmethod = "umpa"',
        "text that does not end": b'method = """' + b"a\n" * 9000,
        "a comment that does not end": b"#",
        "only spaces": b" " * 100_000,
    }
    fine = {
        "a long fraction",
        "huge",
        "hexadecimal",
        "a comment that does not end",
        "only spaces",
        "memory is words",
        "memory is negative",
        "memory is a fraction",
        "memory is a switch",
    }
    return [
        Case(f"TOML, {name}", "settings", partial(_toml, text), name in fine)
        for name, text in texts.items()
    ]
