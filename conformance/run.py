"""Try a decoder of event streams, in any language, against the vectors in ``tests/vectors``.

    python conformance/run.py -- COMMAND...                       all cases
    python conformance/run.py --only bom --only id/nul -- COMMAND...
    python conformance/run.py --peers --write docs/conformance.md

COMMAND is an adapter: it reads cases from its standard input and writes what it decoded to its standard
output, in the protocol of conformance/README.md.  Exits with 1 if a case failed, with 2 if nothing ran.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance.cases import Group, load, select
from conformance.peers import commands
from conformance.process import DecoderFailed
from conformance.suite import run_suite
from conformance.table import as_markdown, as_text, put_between_markers, title


def arguments() -> argparse.ArgumentParser:
    """What the command line may say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="a case or a group; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the names of the cases, and run nothing")
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="for each answer (10)")
    parser.add_argument(
        "--max-answer", type=int, default=2**20, metavar="BYTES", help="the longest answer (1 MiB)"
    )
    parser.add_argument("--peers", action="store_true", help="try this project's decoder and all its peers")
    parser.add_argument(
        "--environment", type=Path, default=Path(".venv-peers"), help="where conformance/make-peers put them"
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="with --peers: put the table into this page"
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    return parser


def run_one(options: argparse.Namespace, groups: list[Group]) -> int:
    """One decoder, and what it got wrong."""
    report = run_suite(options.command, groups, timeout=options.timeout, max_answer=options.max_answer)
    print(as_text(report))
    return 1 if report.failures else 0


def run_peers(options: argparse.Namespace, groups: list[Group]) -> int:
    """All decoders, side by side."""
    run = partial(run_suite, groups=groups, timeout=options.timeout, max_answer=options.max_answer)
    with ThreadPoolExecutor(max_workers=4) as threads:
        reports = list(threads.map(run, commands(options.environment)))
    for report in reports:
        print(f"{report.passed:>4}/{report.counted:<4} {title(report)}")
    if options.write is not None:
        page = options.write.read_text("utf-8")
        options.write.write_text(put_between_markers(page, as_markdown(groups, reports)), "utf-8")
    ours = [report for report in reports if report.hello["name"] == "sse-core"]
    return 1 if any(report.failures for report in ours) else 0


def main() -> int:
    """Run what the command line says."""
    parser = arguments()
    options = parser.parse_args()
    try:
        groups = select(load(), options.only) if options.only else load()
        if options.list:
            print("\n".join(case.name for group in groups for case in group.cases))
            return 0
        if options.peers:
            return run_peers(options, groups)
        if not options.command:
            parser.error("say which decoder: -- COMMAND")
        return run_one(options, groups)
    except (DecoderFailed, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
