"""Whatever a host makes of indexes and ids: each text once, each call once and with its own arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.dialects.responses_events import RESPONSES
from tests.core.dialects.responses_hosts import HOSTS, HostStream, host_streams, obeys, read
from tests.examples import examples


@pytest.mark.parametrize("name", HOSTS)
@given(data=st.data())
@examples(0.5)
def test_each_text_and_each_call_comes_once(name: str, data: st.DataObject) -> None:
    assert obeys(data.draw(host_streams((name,))))


@given(host_streams(), st.integers(0, 40))
def test_wherever_a_stream_is_cut_nothing_runs(made: HostStream, cut: int) -> None:
    message = read(made.stream[:cut], RESPONSES.Decoder)
    assert message.executable_tools == []
