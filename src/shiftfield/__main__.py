"""`shiftfield` on the command line: what the machine has (`doctor`), and the program on real images (`demo`)."""

from __future__ import annotations

import argparse
import sys

from shiftfield._version import __version__


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status."""
    parser = argparse.ArgumentParser(prog="shiftfield", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("doctor", help="versions, cores, caches, GPUs, and what a search would use")
    commands.add_parser(
        "demo", help="find the shifts of a real image pair and show them", add_help=False
    )
    given, rest = parser.parse_known_args(arguments)
    if given.command == "doctor":
        if rest:
            parser.error(f"doctor takes no arguments; {' '.join(rest)} was given.")
        from shiftfield.doctor import report

        print(report())
        return 0
    from shiftfield import demo

    return demo.main(rest)


if __name__ == "__main__":
    sys.exit(main())
