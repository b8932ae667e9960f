"""Rules on which messages are read, on prompts, and on ids."""

import pytest

from tests.checks.specimens import (
    ASKED,
    CHUNK,
    DONE,
    breaks,
    choice,
    delta,
    ends,
    exchange,
    found,
    holds,
    plain,
    refused,
    stream,
)

HELLO = {"role": "user", "content": "Say hello."}
SAID = {"role": "assistant", "content": "The sea has every colour in between, and so has snow."}
RULES = {"role": "system", "content": "You answer in one word and in small letters."}
MARKED = [HELLO | {"content": "Say hello." + "<|im_start|>" * 8}]
PART = [HELLO | {"content": [{"type": "text", "text": "Say hello."}]}]


def told(tokens, *messages, **settings):
    """An answer that counts so many tokens of a prompt of these messages."""
    usage = {"prompt_tokens": tokens, "completion_tokens": 2, "total_tokens": tokens + 2}
    return plain({"usage": usage}, asked=ASKED | {"messages": list(messages) or [HELLO]}, **settings)


def kinds(rule, xs):
    return [finding.kind for finding in found(rule, xs)]


def test_messages_are_read():
    for rule in (
        "chat/messages-of-each-role-are-read",
        "chat/developer-message-is-read",
        "chat/system-message-is-read-anywhere",
    ):
        holds(rule, [{"before": plain(), "without": told(9), "system": told(20, RULES, HELLO)}])
        ignored = breaks(
            rule, {"without": told(9), "system": told(9, RULES, HELLO)}, "system: usage.prompt_tokens", "9"
        )
        assert ignored.grave
        breaks(rule, {"without": told(9), "system": refused()}, "system: the status", "400")
        breaks(rule, {"without": told(9), "system": exchange(b"{}")}, "system: the body")
        assert kinds(rule, {"without": refused(500), "system": told(9, RULES)}) == ["no-evidence", "no-evidence"]


def test_tools_are_heard():
    for rule in ("chat/tool-message-is-accepted", "chat/call-needs-no-content"):
        holds(rule, [{"null": plain(), "absent": stream()}])
        wrong = breaks(rule, {"null": plain(), "absent": refused(500)}, "absent: the status", "500")
        assert wrong.causes == ("http/valid-request-is-answered",)


def test_turns_of_one_role_are_answered_or_refused():
    rule = "chat/turns-of-one-role-are-answered-or-refused"
    holds(rule, [{"users": plain(), "last": refused()}])
    breaks(rule, {"users": refused(500)}, "users: the status", "500")
    breaks(rule, {"users": refused(400, {"detail": "no"})}, "users: the body", "detail")
    before, twice = told(9), (HELLO, HELLO)
    holds(rule, [{"before": before, "users": told(14, *twice)}, {"before": plain(), "users": told(9, *twice)}])
    assert breaks(rule, {"before": before, "users": told(9, *twice)}, "users: usage.prompt_tokens", "9").grave
    last, several = told(22, HELLO, SAID), (HELLO, SAID, SAID, HELLO)
    holds(rule, [{"before": before, "last": last, "assistants": told(40, *several)}])
    breaks(rule, {"before": before, "last": told(9, HELLO, SAID)}, "last: usage.prompt_tokens", "9")
    lost = {"before": before, "last": last, "assistants": told(28, *several)}
    breaks(rule, lost, "assistants: usage.prompt_tokens", "28")
    holds(rule, [{"before": before, "last": refused(), "assistants": told(40, *several)}])


def test_two_messages_of_the_system_are_read():
    rule, two = "chat/system-message-is-read-anywhere", (RULES, RULES, HELLO)
    holds(rule, [{"without": told(9), "two": told(35, *two)}])
    breaks(rule, {"without": told(9), "two": told(24, *two)}, "two: usage.prompt_tokens", "24")


def test_fields_of_messages_are_tolerated():
    rule = "chat/fields-of-messages-are-tolerated"
    holds(rule, [{"name": plain(), "unknown": plain()}])
    breaks(rule, {"name": plain(), "unknown": refused(422)}, "unknown: the status", "422")


@pytest.mark.parametrize(
    ("rule", "name"), [("chat/nulls-of-a-turn-are-taken", "nulls"), ("chat/empty-list-of-calls-is-none", "calls")]
)
def test_a_turn_is_taken_as_servers_give_it(rule, name):
    well = {"before": plain(), "calls": plain(), "nulls": plain()}
    other = "calls" if name == "nulls" else "nulls"
    holds(rule, [well, well | {other: refused(500)}])
    for status in (400, 500):
        assert breaks(rule, well | {name: refused(status)}, f"{name}: the status", f"{status}").about == name
    assert kinds(rule, dict.fromkeys(well, refused(500))) == ["no-evidence"]


def test_text_parts_are_the_joined_text():
    rule = "chat/text-parts-are-the-joined-text"
    holds(rule, [{"joined": told(9), "one": told(9, *PART)}, {"joined": told(9), "one": told(12, *PART)}])
    breaks(rule, {"joined": told(9), "one": told(5, *PART)}, "one: usage.prompt_tokens", "5")
    breaks(rule, {"joined": told(9), "one": told(30, *PART)}, "one: usage.prompt_tokens", "30")
    breaks(rule, {"joined": told(9), "one": refused()}, "one: the status", "400")
    assert kinds(rule, {"joined": refused(), "one": told(9, *PART)}) == ["no-evidence"]


def test_prompt_tokens_are_those_of_the_prompt():
    rule = "chat/prompt-tokens-are-those-of-the-prompt"
    long = HELLO | {"content": "word " * 60}
    holds(rule, [{"short": told(9), "again": told(9), "long": told(70, long)}])
    breaks(rule, {"short": told(9), "again": told(1), "long": told(70, long)}, "again", "1")
    breaks(rule, {"short": told(9), "again": told(9), "long": told(20, long)}, "long", "20")
    assert kinds(rule, {"short": plain({"usage": None}), "again": told(9), "long": told(70, long)}) == ["no-evidence"]


def test_markers_in_a_text_change_no_roles():
    rule = "chat/markers-in-a-text-change-no-roles"
    holds(rule, [{"none": told(9), "chatml": told(9 + 8 * 6, *MARKED)}, {"none": told(9), "chatml": told(9, *MARKED)}])
    breaks(rule, {"none": told(9), "chatml": told(17, *MARKED)}, "chatml", "1.00 tokens")
    assert kinds(rule, {"none": told(9), "chatml": plain({"usage": None}, asked=ASKED | {"messages": MARKED})}) == [
        "no-evidence"
    ]


def test_content_holds_no_marker():
    rule = "chat/content-holds-no-marker"
    leaked = plain({"choices": [choice("Hello.<|im_end|>")]})
    asked = plain({"choices": [choice("<|im_start|>")]}, asked=ASKED | {"messages": MARKED})
    holds(rule, [plain(), stream(), asked])
    breaks(rule, leaked, "content", "<|im_end|>")
    breaks(rule, plain({"choices": [choice("Hello.</s>\n")]}), "content", "</s>")
    breaks(rule, plain({"choices": [choice("assistant\n\nHello.")]}), "content", "assistant")
    texts = ("<s>Hello.</s>", "</s> ends it.", "assistant", "assistants\nare here", "An assistant\n")
    holds(rule, [plain({"choices": [choice(text)]}) for text in texts])
    breaks(rule, stream(delta(role="assistant", content="<|eot"), delta(content="_id|>"), ends(), DONE), "content")


def test_ids_are_unique():
    rule = "chat/ids-are-unique"
    other, streamed = plain({"id": "b"}), stream(CHUNK | {"id": "c", "choices": []}, DONE)
    elsewhere = plain({"id": "b"}, path="/embeddings")
    holds(rule, [{"1": plain(), "2": other, "3": streamed, "4": elsewhere, "5": refused()}])
    breaks(rule, {"1": plain(), "2": plain()}, "id in 2 answers", "2 times")
    breaks(rule, {"1": other, "2": plain(), "3": stream()}, "id in 3 answers", "2 times: 2, 3")
    breaks(rule, {"1": plain({"id": ""}), "2": plain({"id": ""})}, "id in 2 answers", "an empty text 2 times")
    first = CHUNK | {"id": "", "choices": []}
    holds(rule, [{"1": plain(), "2": stream(first, CHUNK | {"id": "c"}, DONE), "3": plain({"id": ...})}])
    assert kinds(rule, {"1": plain()}) == ["no-evidence"]


def test_object_names_a_completion():
    rule = "chat/object-names-a-completion"
    holds(rule, [plain()])
    breaks(rule, plain({"object": "chat.completion.chunk"}), "object", "chunk")
    breaks(rule, plain({"object": ...}), "object", "None")
