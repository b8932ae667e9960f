"""Tests of your own, run with the suites or alone: ``pytest docs/own-tests --endpoint=http://127.0.0.1:8080``."""

import pytest

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]


def test_the_model_is_listed(client, endpoint):
    """``client`` is an httpx.Client: paths are below the base URL, and your key is sent with each request."""
    listed = client.get("/models").json()["data"]
    assert endpoint.model in [each["id"] for each in listed]


@pytest.mark.parametrize("cap", [1, 16])
def test_an_answer_keeps_its_cap(openai_client, endpoint, cap):
    """``openai_client`` is the official SDK's; ``endpoint`` knows the model, and how long its context is."""
    answer = openai_client.chat.completions.create(model=endpoint.model, messages=QUESTION, max_tokens=cap)
    assert answer.usage.completion_tokens <= cap


def test_a_stream_says_something(openai_client, endpoint):
    stream = openai_client.chat.completions.create(
        model=endpoint.model, messages=QUESTION, max_tokens=16, stream=True, stream_options={"include_usage": True}
    )
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert said
