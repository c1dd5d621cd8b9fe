"""From a URL to where to connect; or a kind word, which never repeats a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.urls import Target, parse_url


class TestGood:
    @pytest.mark.parametrize(
        ("url", "parts"),
        [
            ("http://example.org", ("example.org", 80, "example.org", "/")),
            ("https://example.org/", ("example.org", 443, "example.org", "/")),
            ("https://example.org/v1/messages", ("example.org", 443, "example.org", "/v1/messages")),
            ("HTTP://Example.ORG:8080/A", ("example.org", 8080, "example.org:8080", "/A")),
            ("http://h/a?b=c&d=?#e", ("h", 80, "h", "/a?b=c&d=?")),
            ("http://h?b", ("h", 80, "h", "/?b")),
            ("http://h#f", ("h", 80, "h", "/")),
            ("http://h//a/../b%20c", ("h", 80, "h", "//a/../b%20c")),
            ("http://h:/a", ("h", 80, "h", "/a")),
            ("http://h:80/", ("h", 80, "h:80", "/")),
            ("https://h:65535/", ("h", 65535, "h:65535", "/")),
            ("http://127.0.0.1:1/", ("127.0.0.1", 1, "127.0.0.1:1", "/")),
            ("http://[::1]/", ("::1", 80, "[::1]", "/")),
            ("https://[2001:DB8::1]:8443/x", ("2001:db8::1", 8443, "[2001:db8::1]:8443", "/x")),
            ("http://xn--mller-kva.example/", ("xn--mller-kva.example", 80, "xn--mller-kva.example", "/")),
            ("http://under_score.local./", ("under_score.local.", 80, "under_score.local.", "/")),
            ("http://h/a@b:c", ("h", 80, "h", "/a@b:c")),
        ],
    )
    def test_parts(self, url: str, parts: tuple[str, int, str, str]) -> None:
        secure = url.startswith("https")
        assert parse_url(url) == Target(secure, *parts)

    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://Example.ORG/a?b", "https://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("http://example.org:443/", "http://example.org:443"),
            ("http://[::1]:80/", "http://[::1]"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ],
    )
    def test_origin(self, url: str, origin: str) -> None:
        assert parse_url(url).origin == origin

    @pytest.mark.parametrize(
        ("url", "unix_path", "path", "origin"),
        [
            ("http+unix://%2Frun%2Fx.sock", "/run/x.sock", "/", "http+unix://%2Frun%2Fx.sock"),
            ("HTTP+UNIX://%2frun%2fX.sock/v1?a=b#c", "/run/X.sock", "/v1?a=b", "http+unix://%2Frun%2FX.sock"),
            ("http+unix://x.sock/", "x.sock", "/", "http+unix://x.sock"),
            ("http+unix://%2Fz%C3%BC:80/", "/zü:80", "/", "http+unix://%2Fz%C3%BC%3A80"),
            ("http+unix://%FF/", "\udcff", "/", "http+unix://%FF"),
        ],
    )
    def test_a_unix_socket(self, url: str, unix_path: str, path: str, origin: str) -> None:
        target = parse_url(url)
        assert target == Target(False, "localhost", 80, "localhost", path, unix_path)  # noqa: FBT003
        assert target.origin == origin
        assert parse_url(origin).unix_path == unix_path
        assert target.address == ascii(unix_path)


class TestBad:
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("", "begin with http"),
            ("example.org", "begin with http"),
            ("/v1/messages", "begin with http"),
            ("//example.org/", "begin with http"),
            ("ftp://example.org/", "begin with http"),
            ("ws://example.org/", "begin with http"),
            ("file:///etc/passwd", "begin with http"),
            ("http:example.org", "begin with http"),
            ("http:///path", "no host"),
            ("http://", "no host"),
            ("http://:80/", "no host"),
            ("http://?a", "no host"),
            ("http://h:0/", "port"),
            ("http://h:65536/", "port"),
            ("http://h:99999999999999999999/", "port"),
            ("http://h:-1/", "port"),
            ("http://h:+1/", "port"),
            ("http://h:8_0/", "port"),
            ("http://h:port/", "port"),
            ("http://h:80:80/", "port"),
            ("http://[::1/", "host"),
            ("http://::1/", "host"),
            ("http://[]/", "host"),
            ("http://[::1]x/", "host"),
            ("http://[1.2.3.4]/", "host"),
            ("http://[v1.x]/", "host"),
            ("http://[fe80::1%25eth0]/", "host"),
            ("http://h%2f/", "host"),
            ("http://a,b/", "host"),
            ("http://good.example\\evil.example/", "host"),
            ("http+unix:///path", "path of a Unix socket"),
            ("http+unix://", "path of a Unix socket"),
            ("http+unix://%00abstract/", "path of a Unix socket"),
            ("https+unix://%2Fx/", "begin with http"),
            ("http+unix://user@%2Fx/", "credentials"),
            ("http://user@h/", "credentials"),
            ("http://user:secret@h/", "credentials"),
            ("http://@h/", "credentials"),
            ("http://:@h/", "credentials"),
            ("http://good.example\\@evil.example/", "credentials"),
            ("http://h/a b", "percent-encode"),
            (" http://h/", "percent-encode"),
            ("http://h/\r\nx: y", "percent-encode"),
            ("http://h\t/", "percent-encode"),
            ("http://h/\x00", "percent-encode"),
            ("http://h/\x7f", "percent-encode"),
            ("http://h/\xfc", "percent-encode"),
            ("http://m\xfcller.example/", "percent-encode"),
            ("http://h\u2100.example/", "percent-encode"),
            ("http://h/\ud800", "percent-encode"),
        ],
    )
    def test_a_kind_word(self, url: str, words: str) -> None:
        with pytest.raises(ValueError, match=words) as caught:
            parse_url(url)
        assert type(caught.value) is ValueError
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://user:hunter2@example.org/",
            "https://user:hunter2@example.org/",
            "https://user:hunter2@example.org:99999/",
            "https://hunter2@[::1/",
            "https://example.org:port/?key=hunter2",
            "https://example.org/?key=hunter2\n",
            "hunter2://x",
            "hunter2",
        ],
    )
    def test_no_secret_is_repeated(self, url: str) -> None:
        """A key may stand in a query, a password before the host; an error ends up in a log."""
        with pytest.raises(ValueError, match="URL") as caught:
            parse_url(url)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    @given(st.text() | st.text(alphabet="htps:/@[]?#.%\\ 0123456789abcx").map("http://".__add__))
    def test_any_text_is_a_target_or_a_value_error(self, url: str) -> None:
        try:
            target = parse_url(url)
        except ValueError as error:
            assert type(error) is ValueError  # noqa: PT017
            return
        assert 0 < target.port < 65536
        assert target.path.startswith("/")
        scheme = "https" if target.secure else "http"
        assert parse_url(f"{scheme}://{target.authority}{target.path}") == target
