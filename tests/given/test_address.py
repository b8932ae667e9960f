"""Base URLs as users type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.given.address import base_url, beside, host_port, place, root
from seatrial.given.errors import EndpointError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        ("https://GPU.example/llm//eu", "https://gpu.example/llm/eu/v1"),
        ("https://gpu.example/llm/v1beta", "https://gpu.example/llm/v1beta"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("http://host_1/", "http://host_1/v1"),
        ("http://host:/x", "http://host/x/v1"),
    ],
)
def test_one_spelling(text, expected):
    assert base_url(text) == expected
    assert base_url(expected) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no scheme"),
        ("embedded", "is asked where no --endpoint is named"),
        ("localhost:8080", "has no scheme; say http://localhost:8080"),
        ("ftp://host", "is no http or https URL with a host"),
        ("http://", "is no http or https URL with a host"),
        ("http://:8080", "is no http or https URL with a host"),
        ("http://host:99999", "is no URL"),
        ("http://host:0", "is no http or https URL"),
        ("http://host:port", "is no URL"),
        ("http://a..b", "a part of its host name is empty or longer than 63 characters"),
        (f"http://{'a' * 64}.example", "a part of its host name is empty or longer than 63 characters"),
        ("http://[::1", "is no URL"),
        ("http://a b", "characters that must be percent-encoded"),
        ("http://hôst", "characters that must be percent-encoded"),
        ("http://host/\n", "characters that must be percent-encoded"),
        ("http://host/v1?key=1", "a query or a fragment"),
        ("http://host/#top", "a query or a fragment"),
        ("http://host/v1/chat/completions", "names one of its paths"),
    ],
)
def test_what_is_no_base_url_is_one_line(text, message):
    with pytest.raises(EndpointError) as caught:
        base_url(text)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "http://me:hunter2@host",
        "me:hunter2@host:80",
        "http://me:hunter2 @host",
        "http://me:hunter2é@host",
        "ftp://me:hunter2@host",
        "http://me:hunter2?x@host",
    ],
)
def test_credentials_are_refused_and_not_repeated(text):
    with pytest.raises(EndpointError, match=r"holds credentials; .*--api-key-env") as caught:
        base_url(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["http://me:hunter2/x@host", "http://me:/hunter2@host\n", "http://host/v1?key=hunter2"]
)
def test_what_may_hold_credentials_is_not_repeated(text):
    with pytest.raises(EndpointError) as caught:
        base_url(text)
    assert "hunter2" not in str(caught.value)


def test_an_at_sign_in_the_path_is_kept():
    assert base_url("http://host/@cf/x") == "http://host/@cf/x/v1"


@given(st.text(max_size=40).map("http://".__add__))
def test_any_text_is_a_url_or_one_line(text):
    try:
        url = base_url(text)
    except EndpointError as error:
        said = str(error)
    else:
        said = base_url(url)
        assert said == url
    assert said.isprintable()


def test_parts_of_a_base_url():
    assert host_port("http://h/v1") == ("h", 80)
    assert host_port("https://[::1]:8443/v1") == ("::1", 8443)
    url = "https://gpu.example/llm/v1"
    assert (place(url), root(url), beside(url, "/props")) == (
        "gpu.example:443",
        "https://gpu.example/llm",
        "//llm/props",
    )
    assert (place("http://[::1]:8080/v1"), beside("http://h/v1", "/props")) == ("[::1]:8080", "//props")
