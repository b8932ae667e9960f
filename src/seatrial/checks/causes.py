"""The rules that judge what other rules lack: where one of them fails, it is the cause, and theirs is no reason more.

A finding names them as its ``causes``. A name with a scenario, ``rule[scenario]``, means that case alone;
``rule[*]`` means any case of the rule.
"""

from __future__ import annotations

# Ids of rules: where one of them fails, others find nothing to judge, and name it as their cause.
ANSWERED = "http/valid-request-is-answered"
"""A valid request is answered: with 200, whole, in time."""

PARAMETER = "params/each-parameter-is-answered"
"""A valid request with one parameter is answered; each parameter has a scenario of its own."""

FAULTY_ANSWERED = "errors/faulty-request-is-answered"
"""A faulty request is answered too: whole, in time."""

ERROR_SHAPED = "errors/error-object-has-its-shape"
NEXT = "errors/next-request-is-answered"
HEADS = "http/head-and-options-are-no-error"
FRAMED = "http/body-is-what-its-head-announces"
TERMINATED = "sse/body-is-terminated"
SECONDS = "chat/created-is-in-seconds"
NEVER_5XX = "errors/client-fault-is-never-5xx"
DECODES = "http/json-is-labelled-and-decodes"
SCHEMA = "schema/answer-validates"
NO_KEY = "auth/missing-key-is-a-401"
LIST = "models/list-has-its-shape"
LABELLED = "sse/stream-is-labelled"
EVENTS = "sse/events-are-well-formed"
BEYOND = "context/prompt-beyond-the-context-is-refused"
"""A prompt that the context has no room for is refused, streamed or not."""

VECTORS = "embeddings/answer-has-its-shape"
"""An answer of vectors has one for each input."""

CHOICES = "chat/choices-are-indexed-and-from-the-assistant"
CONTENT = "chat/content-is-string-or-null"
LAST_USAGE = "sse/usage-comes-last"
WHOLE_EVENTS = "sse/each-event-holds-one-whole-object"
WORDS = ("chat/answers-hold-words[*]",)
"""Answers say something in their content, and not in the thought alone."""

FINISH_KNOWN = "chat/finish-reason-is-known"
FINISHED = "sse/one-finish-reason-per-choice"
DONE = "sse/done-comes-once-and-last"
ROLE = "sse/role-is-sent-once"
UTF_8 = "sse/stream-is-utf-8"
REPLACED = "sse/no-character-is-replaced"
STREAMED = "sse/stream-has-content-where-a-plain-answer-has"
"""What is answered with words plain is so as a stream."""

PROMPTS = ("chat/prompt-tokens-are-those-of-the-prompt[*]",)
"""The same prompt is counted alike, known or not: else what a longer one has more shows nothing of what was read."""

COPIES = "params/n-gives-n-choices"
"""As many choices are given as were asked for, each under its own index."""

PARTS = ("chat/text-parts-are-the-joined-text[*]",)
"""All parts of a message reach the model."""

ROLES = ("chat/messages-of-each-role-are-read[*]",)
"""A message of each role reaches the model."""

DELTAS = "sse/deltas-are-deltas"
BOTH_WAYS = "sse/stream-says-what-a-plain-answer-says"
"""A greedy request is answered with the same words plain and as a stream."""

USAGE = "chat/usage-adds-up"
CAPPED = "chat/completion-tokens-keep-the-cap"
MAX_TOKENS = "params/max-tokens-caps"
MAX_COMPLETION_TOKENS = "params/max-completion-tokens-caps"
STOPPED = "params/stop-string-ends-the-answer"
ENDS_WITH_CALLS = "sse/end-agrees-with-its-deltas"
"""A stream that ends with calls has some."""

IDENTITY = "sse/identity-is-constant"
ONE_MODEL = "models/answers-name-one-model"
BOUND = ("structured/answer-validates[*]",)
"""An answer that is to fit a plain schema fits it: who fails there ignores the formats of all others too."""

BOUND_STREAM = ("structured/streamed-answer-validates[*]",)
"""The same of a stream."""

NAMED_CALLED = ("tools/named-function-is-called[*]",)
"""A function that is named is called, where nothing else is asked for beside it."""

FORCED = ("tools/required-calls", "tools/named-function-is-called", "tools/required-calls[*]", *NAMED_CALLED)
"""A call is made where one is forced: some call, or that of the function that is named."""

WRITTEN = ("context/text-comes-as-it-was-written[*]",)
"""What an answer is made to hold comes in the spelling of the request, and not escaped for HTML."""

TOLD_OF = ("tools/many-tools-are-accepted[*]",)
"""The model is told of every tool that is offered."""

UNMARKED = ("reasoning/content-holds-no-marker[*]",)
"""The content holds no marker of thought, where thought is asked for."""

MALFORMED = "http/malformed-json-is-a-400"

SOME = "[*]"
"""Behind a rule's name: any case of it on the same endpoint."""

CALLS = tuple(
    f"tools/{rule}{SOME}"
    for rule in (
        "streamed-calls-carry-their-index",
        "streamed-arguments-join-to-an-object",
        "call-has-its-fields",
        "no-piece-of-arguments-is-null",
    )
)
"""What is wrong with a call: the published schema and the SDK find it too."""
