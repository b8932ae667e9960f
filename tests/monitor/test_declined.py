"""What a server says where it declines."""

from __future__ import annotations

import pytest

from seatrial.monitor.ladder.declined import message, retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("7", 7), ("-7", 0), ("soon", 0), ("9" * 400, 999_999_999), ("\u0663", 0), ("nan", 0),
     ("Thu, 01 Jan 1970 00:02:00 GMT", 20), ("Thu, 01 Jan 1970 00:00:01 GMT", 0), ("Thu, 99 Foo", 0)],
)  # fmt: skip
def test_when_a_server_wants_to_be_asked_again(text, seconds):
    assert retry_after(text, 100.0) == seconds


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ('Internal Server Error {"error": {"message": "generate() failed", "code": 500}}', 500, "generate() failed"),
        ('{"error": "no available workers"}', 503, "no available workers"),
        ('{"detail": {"error": {"message": "deep"}}}', 200, "deep"),
        ("Service Unavailable no available workers", 503, "no available workers"),
        ("Service Unavailable", 503, "Service Unavailable"),
        ("", 500, ""),
        ('Bad Request {"error": {"message": 7}}', 400, '{"error": {"message": 7}}'),
        ('{"error": {"message": "cut', 400, '{"error": {"message": "cut'),
        ('{"a":' * 5000, 777, None),
        ('{"message": "one\\ntwo\\u001b[31m"}', 500, None),
        ("[1, 2]", 500, "[1, 2]"),
        ('x {"error": null, "message": "after"}', -3, "after"),
    ],
)
def test_its_own_words_are_shown(said, status, words):
    found = message(said, status)
    assert len(found) <= 201
    assert "\n" not in found
    assert words is None or found == words
