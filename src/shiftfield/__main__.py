"""`shiftfield` on the command line.

Exit status: 0 when all went well, 1 when there is no answer or a file could not be read or written, 2 when an
argument or an input is not what it must be, 130 when it was stopped by Ctrl-C, 141 when
nobody reads what it prints.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from typing import Any

from shiftfield._version import __version__

_STOPPED, _UNREAD = 130, 141


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status."""
    from shiftfield.cli import fields, maps, scan

    parser = argparse.ArgumentParser(
        prog="shiftfield", description="Find where every pixel of a sample lies in a reference."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fields.add(commands)
    maps.add(commands)
    scan.add(commands)
    doctor = commands.add_parser(
        "doctor", help="versions, cores, caches, GPUs, and what a search would use"
    )
    doctor.set_defaults(run=_doctor)
    commands.add_parser(
        "demo", help="find the shifts of a real image pair and show them", add_help=False
    )
    given, rest = parser.parse_known_args(arguments)
    if given.command == "demo":
        from shiftfield import demo

        return demo.main(rest)
    if rest:
        parser.error(f"{given.command} does not know {' '.join(rest)}.")
    return _run(given)


def _run(given: argparse.Namespace) -> int:
    """Run a command; what goes wrong is one sentence, what is warned of is another."""
    from shiftfield.cli.outputs import check_outputs

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show
        try:
            check_outputs(given)
            status: int = given.run(given)
            sys.stdout.flush()
            return status
        except BrokenPipeError:  # as other tools end, whose reader has gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _UNREAD
        except (ValueError, FileNotFoundError, FileExistsError) as error:
            return _say(error, 2)
        except (OSError, MemoryError) as error:
            return _say(error, 1)
        except KeyboardInterrupt:
            words = getattr(given, "stopped", "Stopped; nothing was written.")
            print(f"\n{words}", file=sys.stderr)
            return _STOPPED


def _say(error: Exception, status: int) -> int:
    print(f"shiftfield: {error}", file=sys.stderr)
    return status


def _show(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _doctor(_given: argparse.Namespace) -> int:
    from shiftfield.doctor import report

    print(report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
