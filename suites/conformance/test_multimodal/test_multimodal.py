"""Images beside text."""

import pytest

from seatrial.checks.areas import multimodal
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import Judge, Send, declinable, request

RED = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsIty/dMYyQi+hcEKLNO+FgEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGBywI6LQEAwyG+sAAAAABJRU5ErkJggg=="
)
"""A red square of 64 points: smaller ones are below what some models can take."""

SAYS = {"type": "text", "text": "What colour is this?"}
SEES = {"type": "image_url", "image_url": {"url": RED}}

IMAGES = {
    "image": declinable(
        {
            "without": request([{"role": "user", "content": [SAYS]}], max_tokens=12),
            "image": request([{"role": "user", "content": [SAYS, SEES]}], max_tokens=12),
        },
        of=multimodal.IMAGE,
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(IMAGES))
def test_images(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(IMAGES[scenario]))
