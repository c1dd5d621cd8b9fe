"""Whether to try again, and when."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.blocks import StreamError
from sse_core.headers import Headers
from sse_core.lifecycle import BROWSER_RETRY, NO_RETRY, RetryPolicy, no_jitter, retry_after_seconds

DELAYS = st.floats(0, 1e9)
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 10**9),
    initial_delay=DELAYS,
    multiplier=st.floats(1, 1e300),
    max_delay=DELAYS,
    jitter=st.floats(0, 1),
    max_retry_after=DELAYS,
)
JITTERS = st.floats(0, 1, exclude_max=True)


class TestDelay:
    def test_it_doubles_up_to_the_longest(self) -> None:
        """The official SDKs': 0.5 s, doubled, at most 8 s."""
        assert [RetryPolicy().delay(attempts) for attempts in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]

    def test_jitter_takes_up_to_its_fraction_away(self) -> None:
        policy = RetryPolicy(initial_delay=4.0, jitter=0.25)
        assert policy.delay(1, lambda: 0.0) == 4.0
        assert policy.delay(1, lambda: 0.5) == 3.5
        assert policy.delay(1, lambda: 0.999) == pytest.approx(3.0, abs=0.01)

    @given(POLICIES, st.integers(1, 10**6), JITTERS)
    def test_it_stays_within_its_bounds(self, policy: RetryPolicy, attempts: int, random: float) -> None:
        """However many attempts, however fast the growth: no overflow, and never more than the longest."""
        undisturbed = policy.delay(attempts)
        assert min(policy.initial_delay, policy.max_delay) <= undisturbed <= policy.max_delay
        delay = policy.delay(attempts, lambda: random)
        assert undisturbed * (1 - policy.jitter) <= delay <= undisturbed

    @given(POLICIES, st.integers(1, 5000))
    def test_it_never_shrinks(self, policy: RetryPolicy, attempts: int) -> None:
        assert policy.delay(attempts) <= policy.delay(attempts + 1)

    def test_nothing_doubled_for_ever_is_nothing(self) -> None:
        assert RetryPolicy(initial_delay=0.0).delay(100_000) == 0.0

    def test_a_whole_number_as_multiplier_makes_no_whole_number_of_a_million_digits(self) -> None:
        assert RetryPolicy(multiplier=2).delay(10**9) == 8.0

    @given(POLICIES, st.integers(1, 5000), st.floats(0, 1e9, exclude_min=True))
    def test_what_the_server_asks_for_is_what_is_waited(
        self, policy: RetryPolicy, attempts: int, requested: float
    ) -> None:
        assert policy.delay(attempts, lambda: 0.9, requested) == requested

    @pytest.mark.parametrize("requested", [0.0, -1.0, -math.inf, math.nan])
    def test_what_no_wait_can_be_is_as_good_as_no_request(self, requested: float) -> None:
        assert RetryPolicy().delay(2, no_jitter, requested) == 1.0


class TestAllows:
    def test_max_attempts_counts_the_first(self) -> None:
        policy = RetryPolicy(max_attempts=3)
        assert [policy.allows(attempts) for attempts in (1, 2, 3, 4)] == [True, True, False, False]

    def test_no_retry(self) -> None:
        assert not NO_RETRY.allows(1)

    def test_a_server_that_asks_for_too_much_is_not_tried_again(self) -> None:
        policy = RetryPolicy(max_retry_after=60.0)
        assert policy.allows(1, 60.0)
        assert not policy.allows(1, 60.001)
        assert not policy.allows(1, math.inf)


class TestStatuses:
    @pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529, 599])
    def test_that_are_worth_another_try(self, status: int) -> None:
        assert RetryPolicy().retries_status(status, Headers())

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 499])
    def test_that_are_final(self, status: int) -> None:
        assert not RetryPolicy().retries_status(status, Headers())

    @pytest.mark.parametrize("status", [400, 429, 500])
    def test_the_providers_own_word_goes_first(self, status: int) -> None:
        policy = RetryPolicy()
        assert policy.retries_status(status, Headers({"X-Should-Retry": "true"}))
        assert not policy.retries_status(status, Headers({"x-should-retry": "false"}))

    def test_a_word_that_is_neither_says_nothing(self) -> None:
        assert RetryPolicy().retries_status(500, Headers({"x-should-retry": "maybe"}))
        assert not RetryPolicy().retries_status(400, Headers({"x-should-retry": "1"}))

    def test_the_users_statuses(self) -> None:
        policy = RetryPolicy(retry_statuses=frozenset({404}))
        assert policy.retries_status(404, Headers())
        assert not policy.retries_status(429, Headers())

    @pytest.mark.parametrize("should_retry", [None, "true", "false"])
    @pytest.mark.parametrize("status", [400, 429, 500])
    @pytest.mark.parametrize("retryable", [True, False])
    def test_an_errors_own_word_goes_before_its_status(
        self, status: int, should_retry: str | None, *, retryable: bool
    ) -> None:
        error = StreamError("type", "", retryable=retryable, kind="billing")
        headers = Headers({} if should_retry is None else {"x-should-retry": should_retry})
        expected = retryable if should_retry is None else should_retry == "true"
        assert RetryPolicy().retries_refusal(status, headers, error) is expected

    @pytest.mark.parametrize(("status", "again"), [(404, True), (429, False), (503, True), (400, False)])
    def test_an_error_that_means_nothing_leaves_it_to_the_policy(self, status: int, *, again: bool) -> None:
        policy = RetryPolicy(retry_statuses=frozenset({404}))
        assert policy.retries_refusal(status, Headers(), StreamError("new", "")) is again

    def test_the_users_statuses_go_before_an_errors_word(self) -> None:
        policy = RetryPolicy(retry_statuses=frozenset({404, 429, 500}))
        final, passing = (
            StreamError("f", "", kind="billing"),
            StreamError("p", "", retryable=True, kind="server"),
        )
        assert policy.retries_refusal(404, Headers(), final), "put in"
        assert not policy.retries_refusal(409, Headers(), passing), "left out"
        assert not policy.retries_refusal(429, Headers(), final), "as it is by default"
        assert not policy.retries_refusal(500, Headers(), final), "retried anyway"

    @pytest.mark.parametrize("status", [404, 429, 503])
    def test_a_policy_that_takes_every_refusal_for_final(self, status: int) -> None:
        again = Headers({"x-should-retry": "true"})
        error = StreamError("overloaded_error", "", retryable=True, kind="overloaded")
        assert not BROWSER_RETRY.retries_status(status, again)
        assert not BROWSER_RETRY.retries_refusal(status, again, error)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"max_attempts": 0}, "max_attempts"),
        ({"jitter": -0.1}, "jitter"),
        ({"jitter": 1.1}, "jitter"),
        ({"jitter": math.nan}, "jitter"),
        ({"multiplier": 0.9}, "multiplier"),
        ({"multiplier": math.nan}, "multiplier"),
        ({"multiplier": math.inf}, "multiplier"),
        ({"initial_delay": -1}, "initial_delay"),
        ({"initial_delay": math.nan}, "initial_delay"),
        ({"max_delay": math.inf}, "max_delay"),
        ({"max_delay": math.nan}, "max_delay"),
        ({"max_retry_after": -0.1}, "max_retry_after"),
        ({"max_retry_after": math.inf}, "max_retry_after"),
        ({"min_reconnection_time": -1.0}, "min_reconnection_time"),
        ({"max_reconnection_time": math.nan}, "max_reconnection_time"),
        ({"min_reconnection_time": 2.0, "max_reconnection_time": 1.0}, "must not be above"),
    ],
)
def test_a_policy_that_can_not_be(settings: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        RetryPolicy(**settings)  # type: ignore[arg-type]  # wrong values are the point


class TestRetryAfter:
    def test_none(self) -> None:
        assert retry_after_seconds(Headers()) is None

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("1", 1.0), ("120", 120.0), ("0.5", 0.5), ("007", 7.0), (" 3 ", 3.0), ("1" * 400, math.inf)],
    )
    def test_seconds(self, text: str, seconds: float) -> None:
        assert retry_after_seconds(Headers({"Retry-After": text})) == seconds

    def test_milliseconds_go_first(self) -> None:
        assert retry_after_seconds(Headers({"retry-after": "9", "retry-after-ms": "1500"})) == 1.5
        assert retry_after_seconds(Headers({"retry-after": "9", "retry-after-ms": "soon"})) == 9.0
        assert retry_after_seconds(Headers({"retry-after": "9", "retry-after-ms": "0"})) == 9.0

    @pytest.mark.parametrize(
        "text",
        [
            *("", "0", "0.0", "-1", "-0", "+5", "nan", "inf", "Infinity", "-inf", "1e3", "1_000", "٣"),
            *("1.", ".5", "soon", "1,5", "5 seconds", "0x10"),
        ],
    )
    def test_what_is_no_positive_number_is_as_good_as_none(self, text: str) -> None:
        """``float()`` would take many of these."""
        # Arabic digits are no ISO-8859-1, so no header can hold them; their bytes can be read as it.
        value = text.encode().decode("latin-1")
        assert retry_after_seconds(Headers({"retry-after": value})) is None
        assert retry_after_seconds(Headers({"retry-after-ms": value})) is None

    #: RFC 9110 section 5.6.7, its own examples.
    DATES = (
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    )

    @pytest.mark.parametrize("later", ["Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT"])
    @pytest.mark.parametrize("date", DATES)
    def test_a_date_is_read_against_the_answers_own(self, later: str, date: str) -> None:
        """All three formats, each against each; no clock is needed."""
        assert retry_after_seconds(Headers({"retry-after": later, "date": date})) == 60.0

    def test_asctime_as_the_later_one(self) -> None:
        later = "Sun Nov 13 08:49:37 1994"
        assert retry_after_seconds(Headers({"retry-after": later, "date": self.DATES[2]})) == 7 * 86400.0

    @pytest.mark.parametrize("date", DATES)
    def test_a_date_that_is_not_later_asks_for_nothing(self, date: str) -> None:
        assert retry_after_seconds(Headers({"retry-after": self.DATES[0], "date": date})) is None

    def test_a_date_without_a_date_to_read_it_against(self) -> None:
        assert retry_after_seconds(Headers({"retry-after": self.DATES[0]})) is None
        assert retry_after_seconds(Headers({"retry-after": self.DATES[0], "date": "today"})) is None

    @pytest.mark.parametrize(
        ("before", "seconds"), [(60, 60.0), (0.25, 0.25), (0, None), (-1, None), (10**9, 1e9)]
    )
    def test_without_one_by_the_wall_clock(self, before: float, seconds: float | None) -> None:
        """RFC 9110 section 6.6.1."""
        moment = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT
        headers = Headers({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"})
        assert retry_after_seconds(headers, lambda: moment - before) == seconds
        assert retry_after_seconds(headers.replaced({"date": "today"}), lambda: moment - 5) == 5.0

    def test_the_answers_own_clock_goes_first(self) -> None:
        headers = Headers(
            {"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT", "date": "Sun, 06 Nov 1994 08:49:30 GMT"}
        )
        assert retry_after_seconds(headers, lambda: 0.0) == 7.0
        assert retry_after_seconds(Headers({"retry-after": "9"}), lambda: 0.0) == 9.0

    def test_a_year_of_two_digits(self) -> None:
        headers = {
            "date": "Wednesday, 31-Dec-69 23:59:59 GMT",
            "retry-after": "Thu, 01 Jan 2070 00:00:00 GMT",
        }
        assert retry_after_seconds(Headers(headers)) == 1.0
        headers = {
            "date": "Wed, 31 Dec 1969 23:59:59 GMT",
            "retry-after": "Thursday, 01-Jan-70 00:00:00 GMT",
        }
        assert retry_after_seconds(Headers(headers)) == 1.0

    def test_a_leap_second(self) -> None:
        """``datetime`` has none; the answer is a second off, not lost."""
        headers = {"date": "Sat, 31 Dec 2016 23:59:30 GMT", "retry-after": "Sat, 31 Dec 2016 23:59:60 GMT"}
        assert retry_after_seconds(Headers(headers)) == 29.0

    @pytest.mark.parametrize(
        "text",
        [
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT",
            "Sun, 06 Nix 1994 08:49:37 GMT",
            "So, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ],
    )
    def test_what_is_no_date(self, text: str) -> None:
        headers = Headers({"date": "Sun, 06 Nov 1990 08:49:37 GMT", "retry-after": text})
        assert retry_after_seconds(headers) is None

    @given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0")))
    def test_any_text_is_harmless(self, text: str) -> None:
        seconds = retry_after_seconds(Headers({"retry-after": text, "retry-after-ms": text, "date": text}))
        assert seconds is None or seconds > 0
