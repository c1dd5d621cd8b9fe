"""``python -m fuzz``: look for inputs that break a law, and look at those that do.

python -m fuzz run [--seconds 60] [laws] [TARGET...]     exit code 1 where something was found
python -m fuzz replay TARGET FILE...                     exit code 1 where a law is broken
python -m fuzz keep [TARGET...]                          choose what fuzz/seeds has
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import corpus, runner
from .engine import DIALECT
from .progress import Line
from .replay import replay


def run(seconds: float, names: list[str]) -> int:
    """Run these, or all of them, and say what was found and how to see it again."""
    line = Line()
    if not names:
        names = [runner.LAWS, *runner.TARGETS]
        if not runner.has_atheris():
            names = [runner.LAWS]
            line.keep("atheris is not installed (pip install 'sse-core[fuzz]'): only the laws run.")
    results = runner.run(names, seconds, line)
    for result in results:
        if result.broken:
            line.keep(f"\n== {result.progress.target}\n{result.output}")
            for command in result.again:
                line.keep(f"To see it again:  {command}")
    total = sum(result.progress.runs for result in results)
    findings = sum(len(result.progress.findings) for result in results)
    line.keep(f"{total:,} runs, {findings} findings")
    return int(any(result.broken for result in results))


def again(name: str, files: list[Path]) -> int:
    """Try these files, and say which break the law."""
    line = Line()
    broken = 0
    for path in files:
        what = replay(name, path)
        broken += what is not None
        line.keep(f"{path}: {what or 'the law holds'}")
    return int(broken > 0)


def choose(names: list[str]) -> int:
    """Keep the smallest inputs that do all that was done; those of dialects, which are long, if named."""
    for name in names or [name for name in runner.TARGETS if not name.startswith(DIALECT)]:
        Line().keep(f"{name}: {corpus.keep(name)} inputs")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Look for inputs that break a law.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="run the laws and the targets, or those that are named")
    command.add_argument("--seconds", type=float, default=60, help="for all of them together")
    command.add_argument("names", nargs="*", metavar="TARGET")
    command = commands.add_parser("replay", help="try files again")
    command.add_argument("target")
    command.add_argument("files", nargs="+", type=Path)
    command = commands.add_parser("keep", help="choose the inputs that fuzz/seeds has")
    command.add_argument("names", nargs="*", metavar="TARGET")
    given = parser.parse_args(arguments)
    if given.command == "run":
        try:
            return run(given.seconds, given.names)
        except KeyboardInterrupt:
            return 130
    if given.command == "replay":
        return again(given.target, given.files)
    return choose(given.names)


if __name__ == "__main__":
    sys.exit(main())
