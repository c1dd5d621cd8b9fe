"""The table of docs/bindings.md: which scenarios a binding plays, and why not the others.

``python -m tests.bindings.table`` writes it anew.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from tests.bindings import test_anyio, test_asgi_servers, test_socket, test_trio
from tests.bindings.client_scenario import ClientScenario
from tests.bindings.scenarios import catalogue
from tests.bindings.server_scenario import ServerScenario

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bindings.md"
BEGIN, END = "<!-- the scenarios -->\n", "<!-- end of the scenarios -->"
Scenario = ClientScenario | ServerScenario

#: What each binding under test lacks, by the name of its column.
LACKS: dict[str, frozenset[str]] = {
    "`sse_trio`": test_trio.RUNNER.lacks,
    "`sse_anyio` (asyncio, uvloop, trio)": frozenset.union(
        *(runner.lacks for runner in test_anyio.RUNNERS.values())
    ),
    "`sse_socket`": test_socket.RUNNER.lacks,
}
SERVERS = "`sse_asgi` (uvicorn, hypercorn)"
#: Why a scenario isn't played, by what it needs.
WHY = {
    "await headers": "the function for `headers` is `async`, and there is nothing to await it",
    "cancel": "a thread's wait for an event can't be given up and made again; `close` and `stop` end it",
    "interrupt": "a thread that waits in a handler can't be interrupted: it is closed at its next item",
}


def modules() -> Iterator[tuple[ModuleType, list[Scenario]]]:
    """The files of scenarios, in order, with what is in each."""
    for _, module in sorted(inspect.getmembers(catalogue, inspect.ismodule)):
        lists = ("SCENARIOS", "CLIENT_SCENARIOS", "SERVER_SCENARIOS")
        yield module, [scenario for name in lists for scenario in getattr(module, name, [])]


def table() -> str:
    """The table, and what isn't played."""
    missing: dict[str, dict[str, None]] = defaultdict(dict)
    columns = [*LACKS, SERVERS]
    lines = [f"| scenarios | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    for module, scenarios in modules():
        title = (module.__doc__ or "").partition("\n")[0].replace("``", "`").rstrip(".")
        cells = []
        for lacks in LACKS.values():
            left_out = [scenario for scenario in scenarios if scenario.needs & lacks]
            for scenario in left_out:
                for need in scenario.needs & lacks:
                    missing[need][scenario.name] = None
            cells.append(cell(left_out))
        served = [scenario for scenario in scenarios if isinstance(scenario, ServerScenario)]
        cells.append(cell([scenario for scenario in served if is_servers_own(scenario)]) if served else "")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines.append("")
    lines += [f"- {WHY[need]}: {'; '.join(sorted(names))}." for need, names in sorted(missing.items())]
    for servers, why, names in test_asgi_servers.LEFT_OUT:
        where = (
            "a server" if len(servers) == len(test_asgi_servers.SERVERS) else " and ".join(sorted(servers))
        )
        lines.append(f"- `sse_asgi` inside {where}: {why}: {'; '.join(sorted(names))}.")
    return "\n".join([*lines, ""])


def cell(left_out: Sequence[Scenario]) -> str:
    return f"all but {len(left_out)}" if left_out else "all"


def is_servers_own(scenario: ServerScenario) -> bool:
    """Whether there is a server that doesn't play it."""
    return any(test_asgi_servers.left_out(server, scenario) for server in test_asgi_servers.SERVERS)


def page() -> str:
    """The page as it should be."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
