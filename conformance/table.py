"""A report as text for a terminal, and all reports as a table for the documentation."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.cases import Group
from conformance.peers import NOTES
from conformance.suite import Failure, Report, Tally

BEGIN = "<!-- written by `make conformance`: begin -->"
END = "<!-- written by `make conformance`: end -->"


def title(report: Report) -> str:
    """The decoder's name, version and runtime."""
    hello = report.hello
    return " ".join(str(hello[key]) for key in ("name", "version", "runtime") if hello.get(key))


def as_text(report: Report) -> str:
    """What a run of one decoder says."""
    lines = [title(report), ""]
    for name, tally in report.tallies.items():
        more = f", {tally.not_offered} not offered" if tally.not_offered else ""
        lines.append(f"  {name:<14} {tally.passed:>3}/{tally.counted}{more}")
    lines.append(f"  {'all':<14} {report.passed:>3}/{report.counted}, {report.not_offered} not offered")
    for failure in report.failures:
        lines += ["", *_explained(failure)]
    return "\n".join(lines)


def _explained(failure: Failure) -> Iterator[str]:
    case = failure.case
    yield f"{case.name}, {failure.run}"
    yield f"  {failure.reason}"
    yield f"  {case.reason}"
    yield f'  "{case.sentence}"'
    yield f"  {case.url}"


def as_markdown(groups: Sequence[Group], reports: Sequence[Report]) -> str:
    """The table, and below it each red cell with the command that reproduces it."""
    names = [group.name for group in groups]
    lines = [
        f"| decoder | all | {' | '.join(names)} |",
        f"|---|{'---|' * (len(names) + 1)}",
    ]
    for report in reports:
        everything = Tally(report.passed, report.not_offered, report.failures)
        cells = [_cell(tally) for tally in (everything, *(report.tallies[name] for name in names))]
        lines.append(f"| {title(report)} | {' | '.join(cells)} |")
    lines += ["", *_notes(reports), "## Red cells", ""]
    for report in reports:
        lines += _red_cells(report)
    return "\n".join(lines).rstrip() + "\n"


def _cell(tally: Tally) -> str:
    if not tally.counted:
        return "not offered"
    score = f"{tally.passed}/{tally.counted}"
    return f"**{score}**" if tally.failures else score


def _notes(reports: Sequence[Report]) -> Iterator[str]:
    for name in dict.fromkeys(str(report.hello["name"]) for report in reports):
        if name in NOTES:
            yield f"- **{name}**: {NOTES[name]}"
    yield ""


def _red_cells(report: Report) -> Iterator[str]:
    if not report.failures:
        return
    yield "<details>"
    yield f"<summary>{title(report)}: {len(report.failures)} of {report.counted}</summary>"
    yield ""
    for name, tally in report.tallies.items():
        if not tally.failures:
            continue
        yield f"`python conformance/run.py --only {name} -- {shlex.join(_shown(report.command))}`"
        yield ""
        for failure in tally.failures:
            yield f"- `{failure.case.name}` ({_run(failure.run)}): {_code(failure.reason)}"
        yield ""
    yield "</details>"
    yield ""


def _shown(command: Sequence[str]) -> list[str]:
    """The command without the way to this machine's interpreter."""
    program = Path(command[0])
    return [program.name if program.is_absolute() else command[0], *command[1:]]


def _run(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}..."


def _code(reason: str) -> str:
    """Text of a decoder's own making, in Markdown that it can't break out of."""
    ascii_only = json.dumps(reason)[1:-1].replace('\\"', '"').replace("\\\\", "\\").replace("`", "'")
    return f"`{ascii_only}`"


def put_between_markers(page: str, text: str) -> str:
    """``page`` with ``text`` where the last one was.  Raises ``ValueError`` if the markers are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks its markers, {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"
