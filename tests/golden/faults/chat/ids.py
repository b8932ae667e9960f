"""Faults of that by which an answer is known: its id, and the name of its kind."""

from __future__ import annotations

import zlib

from tests.golden.edits import Json
from tests.golden.registry import Shot, fault

IDS = "chat/ids-are-unique"
OBJECT = "chat/object-names-a-completion"


@fault("ids-of-the-process", caught_by=IDS, stage=("whole", "chunk"))
def ids_of_the_process(body: Json, shot: Shot) -> Json:
    """Each answer has the id of the process."""
    return {**body, "id": "chatcmpl-worker-1"}


@fault("ids-of-the-prompt", caught_by=IDS, stage=("whole", "chunk"))
def ids_of_the_prompt(body: Json, shot: Shot) -> Json:
    """The id is a sum of the prompt: the same question has the same id."""
    return {**body, "id": f"chatcmpl-{zlib.crc32(repr(shot.call.says('messages')).encode()):08x}"}


@fault("ids-empty", caught_by=IDS, stage=("whole", "chunk"))
def ids_empty(body: Json, shot: Shot) -> Json:
    """The id of each answer is an empty text."""
    return {**body, "id": ""}


@fault("object-of-a-chunk", caught_by=OBJECT, stage="whole")
def object_of_a_chunk(body: Json, shot: Shot) -> Json:
    """A plain answer says that it is a chunk."""
    return {**body, "object": "chat.completion.chunk"}


@fault("object-of-its-own", caught_by=OBJECT, stage="whole")
def object_of_its_own(body: Json, shot: Shot) -> Json:
    """object has a name of the server's own."""
    return {**body, "object": "chat"}
