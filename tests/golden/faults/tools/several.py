"""Faults in what calls of one conversation are known by."""

from __future__ import annotations

from dataclasses import replace

from tests.golden.answers import Answer
from tests.golden.faults.optional import with_tools
from tests.golden.faults.tools.calls import with_calls
from tests.golden.registry import Shot, fault

NEW_ID = "tools/new-call-has-a-new-id"


@fault("call-ids-begin-anew-with-each-answer", caught_by=NEW_ID, stage="draft", when=with_tools)
def call_ids_begin_anew_with_each_answer(answer: Answer, shot: Shot) -> Answer:
    """The calls of every answer are call_0, call_1 ... (Switchyard issue 502, hermes-agent issue 70724: one constant
    id)."""
    return with_calls(answer, lambda n, c: replace(c, id=f"call_{n}"))


@fault("call-id-is-its-function-and-place", caught_by=NEW_ID, stage="draft", when=with_tools)
def call_id_is_its_function_and_place(answer: Answer, shot: Shot) -> Answer:
    """The id of a call is its function's name and its place in the turn (fireconnect issue 16, Open WebUI issue
    28305)."""
    return with_calls(answer, lambda n, c: replace(c, id=f"{''.join(c.name)}:{n}"))
