"""What a server's log says."""

from __future__ import annotations

import logging

import pytest

from sse_http import Refusal
from sse_io import ServerLimit
from sse_io.server_log import ServerLog

LOG = ServerLog(logging.getLogger("a.binding"))


def test_a_mistake_has_its_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    error = ZeroDivisionError("x")
    LOG.report(error)
    [record] = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == (
        "a.binding",
        "ERROR",
        "an error while serving",
    )
    assert record.exc_info
    assert record.exc_info[1] is error


def test_a_bound_has_none(caplog: pytest.LogCaptureFixture) -> None:
    LOG.report(ServerLimit("there are max_connections=5 already"))
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "there are max_connections=5 already")
    assert not record.exc_info


@pytest.mark.parametrize(("setting", "level"), [("peers.hosts", "WARNING"), ("", "INFO")])
def test_a_refusal_that_a_setting_would_mend_is_a_warning(
    caplog: pytest.LogCaptureFixture, setting: str, level: str
) -> None:
    caplog.set_level(logging.INFO)
    LOG.log_refusal(Refusal(421, "Not here.", setting=setting))
    [record] = caplog.records
    assert record.levelname == level
    assert record.getMessage().startswith("refused a request: status=421")
