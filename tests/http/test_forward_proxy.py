"""Which proxy is for which URL."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.errors import TransportError
from sse_core.urls import parse_url
from sse_http import ForwardProxy, Proxies

PROXY = ForwardProxy("proxy.test", 3128)
OTHER = ForwardProxy("other.test", 3128)
URL, OTHERS_URL = "http://proxy.test:3128", "http://other.test:3128/"


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


class TestURL:
    @pytest.mark.parametrize(
        ("url", "proxy", "address"),
        [
            ("http://proxy.test:3128", PROXY, "proxy.test:3128"),
            ("http://PROXY.test:3128/", PROXY, "proxy.test:3128"),
            ("proxy.test:3128", PROXY, "proxy.test:3128"),
            ("http://proxy.test", ForwardProxy("proxy.test", 80), "proxy.test:80"),
            ("HTTPS://proxy.test", ForwardProxy("proxy.test", 443, secure=True), "proxy.test:443"),
            ("http://[::1]:8080", ForwardProxy("::1", 8080), "[::1]:8080"),
            (
                "http://user:pass@proxy.test:3128",
                ForwardProxy("proxy.test", 3128, authorization=basic("user:pass")),
                "proxy.test:3128",
            ),
            (
                "user%40corp:p%3A%C3%BC@proxy.test:3128",
                ForwardProxy("proxy.test", 3128, authorization=basic("user@corp:p:ü")),
                "proxy.test:3128",
            ),
            (
                "user@proxy.test:1",
                ForwardProxy("proxy.test", 1, authorization=basic("user:")),
                "proxy.test:1",
            ),
            ("a@b@proxy.test:1", ForwardProxy("proxy.test", 1, authorization=basic("a@b:")), "proxy.test:1"),
        ],
    )
    def test_parts(self, url: str, proxy: ForwardProxy, address: str) -> None:
        assert ForwardProxy.parse(url) == proxy
        assert proxy.address == address

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("", "http://host:port"),
            ("http://", "http://host:port"),
            ("http://hunter2@", "http://host:port"),
            ("http://hunter2:x@host:port", "http://host:port"),
            ("http://user:hunter2/x@host:80", "http://host:port"),
            ("socks5://user:hunter2@host:1080", "no other kind"),
            ("http+unix://%2Fhunter2", "no other kind"),
            ("http://user:hunter2\n@host:80", "percent-encode"),
            ("http://user:hunter2ü@host:80", "percent-encode"),
        ],
    )
    def test_what_is_none(self, url: str, words: str) -> None:
        with pytest.raises(ValueError, match=words) as caught:
            ForwardProxy.parse(url)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    def test_no_password_is_shown(self) -> None:
        proxy = ForwardProxy.parse("http://user:hunter2@proxy.test:3128")
        for text in (repr(proxy), repr(Proxies(proxy, proxy))):
            assert "hunter2" not in text
            assert str(proxy.authorization) not in text

    @given(st.text())
    def test_any_text_is_a_proxy_or_a_value_error(self, url: str) -> None:
        try:
            proxy = ForwardProxy.parse(url)
        except ValueError as error:
            assert type(error) is ValueError  # noqa: PT017
        else:
            assert 0 < proxy.port < 65536


class TestEnvironment:
    @pytest.mark.parametrize(
        ("environ", "http", "https"),
        [
            ({}, None, None),
            ({"http_proxy": URL}, PROXY, None),
            ({"HTTP_PROXY": URL}, PROXY, None),
            ({"https_proxy": URL}, None, PROXY),
            ({"HTTPS_PROXY": f" {URL} "}, None, PROXY),
            ({"all_proxy": URL}, PROXY, PROXY),
            ({"ALL_PROXY": URL}, PROXY, PROXY),
            ({"ALL_PROXY": OTHERS_URL, "HTTPS_PROXY": URL}, OTHER, PROXY),
            ({"ALL_PROXY": OTHERS_URL, "all_proxy": URL}, PROXY, PROXY),
            ({"HTTP_PROXY": OTHERS_URL, "http_proxy": URL}, PROXY, None),
            ({"HTTP_PROXY": OTHERS_URL, "http_proxy": ""}, None, None),
            ({"https_proxy": "", "ALL_PROXY": URL}, PROXY, None),
            ({"HTTP_PROXY": URL, "REQUEST_METHOD": "GET"}, None, None),
            ({"http_proxy": URL, "REQUEST_METHOD": "GET"}, PROXY, None),
            ({"HTTPS_PROXY": URL, "REQUEST_METHOD": "GET"}, None, PROXY),
            ({"HTTP_PROXY": OTHERS_URL, "ALL_PROXY": URL, "REQUEST_METHOD": "GET"}, PROXY, PROXY),
        ],
    )
    def test_the_variables(
        self, environ: dict[str, str], http: ForwardProxy | None, https: ForwardProxy | None
    ) -> None:
        proxies = Proxies.from_environment(environ)
        assert proxies.proxy_for(parse_url("http://host.test/")) == http
        assert proxies.proxy_for(parse_url("https://host.test/")) == https

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
    def test_what_is_no_proxy_is_named_where_it_is_needed(self, name: str) -> None:
        proxies = Proxies.from_environment({name: "socks5://user:hunter2@host", "NO_PROXY": "direct.test"})
        scheme = "https" if "s_" in name.lower() else "http"
        with pytest.raises(TransportError, match=f"^{name} of the environment: a proxy's URL") as caught:
            proxies.proxy_for(parse_url(f"{scheme}://host.test/"))
        assert not caught.value.retryable
        assert "hunter2" not in str(caught.value) + repr(proxies)
        for url in (f"{scheme}://direct.test/", f"{scheme}://localhost/", "http+unix://%2Fx/"):
            assert proxies.proxy_for(parse_url(url)) is None

    @pytest.mark.parametrize(
        "host", ["localhost", "a.localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "[::1]"]
    )
    def test_this_machines_servers_are_not_the_environments(self, host: str) -> None:
        target = parse_url(f"http://{host}:8080/")
        assert Proxies.from_environment({"all_proxy": URL}).proxy_for(target) is None
        assert Proxies(PROXY, PROXY).proxy_for(target) == PROXY

    def test_a_unix_socket_has_none(self) -> None:
        assert Proxies(PROXY, PROXY).proxy_for(parse_url("http+unix://%2Fx/")) is None


class TestNoProxy:
    @pytest.mark.parametrize(
        ("rule", "url", "direct"),
        [
            ("*", "https://any.test/", True),
            ("host.test", "http://host.test/", True),
            ("HOST.test", "http://host.TEST./", True),
            ("host.test.", "http://host.test/", True),
            ("host.test", "http://a.b.host.test/", True),
            ("host.test", "http://ghost.test/", False),
            ("host.test", "http://host.test.evil.test/", False),
            (".host.test", "http://host.test/", True),
            (".host.test", "http://a.host.test/", True),
            ("*.host.test", "http://a.host.test/", True),
            ("*.host.test", "http://host.test/", False),
            ("host.test:8080", "http://host.test:8080/", True),
            ("host.test:8080", "http://host.test/", False),
            ("host.test:443", "https://host.test/", True),
            ("10.1.2.3", "http://10.1.2.3/", True),
            ("10.1.2.3", "http://10.1.2.4/", False),
            ("10.1.2.3:80", "http://10.1.2.3/", True),
            ("10.1.2.3:80", "http://10.1.2.3:81/", False),
            ("10.0.0.0/8", "http://10.200.0.1/", True),
            ("10.1.2.3/8", "http://10.200.0.1/", True),
            ("10.0.0.0/8", "http://11.0.0.1/", False),
            ("10.0.0.0/99", "http://10.0.0.1/", False),
            ("10.0.0.0/8", "http://[2001:db8::1]/", False),
            ("2001:db8::/32", "http://[2001:db8::1]/", True),
            ("2001:db8::1", "http://[2001:db8::1]/", True),
            ("::1", "http://[::1]/", True),
            ("[2001:db8::1]", "http://[2001:db8::1]:99/", True),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", True),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]/", False),
            ("1", "http://10.0.0.1/", False),
            ("a.test, b.test", "http://b.test/", True),
            (" a.test\tb.test ", "http://b.test/", True),
            ("", "http://b.test/", False),
            (",,", "http://b.test/", False),
        ],
    )
    def test_rules(self, rule: str, url: str, direct: bool) -> None:  # noqa: FBT001
        for proxies in (
            Proxies(PROXY, PROXY, rule),
            Proxies.from_environment({"all_proxy": URL, "NO_PROXY": rule}),
        ):
            if "[::1]" not in url or proxies.even_loopback:
                assert (proxies.proxy_for(parse_url(url)) is None) == direct

    def test_lower_case_goes_first(self) -> None:
        environ = {"all_proxy": URL, "NO_PROXY": "*", "no_proxy": ""}
        assert Proxies.from_environment(environ).proxy_for(parse_url("http://host.test/")) == PROXY

    @given(st.text(), st.sampled_from(["http://host.test/", "http://10.0.0.1:80/", "https://[2001:db8::1]/"]))
    def test_any_text_can_stand_there(self, text: str, url: str) -> None:
        assert Proxies(PROXY, PROXY, text).proxy_for(parse_url(url)) in {None, PROXY}
