"""Markers of chat templates: they belong to the prompt format, never to the content."""

from __future__ import annotations

import re
from collections.abc import Mapping

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "ChatML": ("<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>"),
    "Llama": (
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|python_tag|>",
        "<<SYS>>",
        "<</SYS>>",
    ),
    "Gemma": ("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<|turn>", "<turn|>"),
    "Kimi": ("<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_middle|>"),
    "Mistral": (
        "[INST]",
        "[/INST]",
        "[AVAILABLE_TOOLS]",
        "[/AVAILABLE_TOOLS]",
        "[TOOL_CALLS]",
        "[TOOL_RESULTS]",
        "[SYSTEM_PROMPT]",
        "[/SYSTEM_PROMPT]",
    ),
    "Phi": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "GLM": ("[gMASK]", "<sop>", "<|observation|>", "<|begin_of_image|>", "<|begin_of_box|>", "<|end_of_box|>"),
    "Cohere": ("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    "Apriel": ("[BEGIN FINAL RESPONSE]", "[END FINAL RESPONSE]"),
    "DeepSeek": (
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁calls▁end｜>",
    ),
    "Harmony": ("<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<|call|>"),
}
"""Template tokens by family. A token of several families stands with the first."""

ALL = tuple(marker for markers in FAMILIES.values() for marker in markers)

ANY = re.compile("|".join(map(re.escape, ALL)))

AT_AN_END = re.compile(r"\Aassistant[ \t]*\n|</s>(?=\s*\Z)")
"""What is a marker where a text begins or ends, and nowhere else: the role in the head of a turn, of which the tokens
around it were left out, and what ends a sequence, which HTML has as a tag."""


CALLS = re.compile(
    r"</?tool_(?:call|response|use|code)s?\b|</?\w+[:_]tool_call>|</?(?:\w+:)?function_calls?>|</?toolcall>"
    r"|<function[=>]|</function>|<(?:steptml:)?invoke\b|<parameter=|</parameter>|<arg_key>|</arg_value>"
    r"|\[/?TOOL_CALLS\]|\[ARGS\]\s*\{|<\|python_tag\|>|\bfunctools\[|```tool_code|<start_function_call>"
    r"|<\|?tool_(?:call|response)s?(?:_section|_argument)?(?:_begin|_start|_end)?\|?>|<\|tool_list"
    r"|<\|(?:START_ACTION|action_start|plugin|FunctionCallBegin)\|>|<\|open\|>tools|\]<\]minimax\[>\["
    r"|<[|\uff5c](?:tool\u2581|DSML)|<\|channel\|>commentary|\bto=functions\.",
    re.IGNORECASE,
)
"""How models write calls: Hermes, Qwen, GLM, Seed, MiniMax, LongCat, Nemotron, Step, Mistral, Llama, Gemma, Kimi, LFM2,
Cohere, InternLM, Doubao, DeepSeek, and OpenAI's harmony. A server turns it into calls before a client sees it."""


def leaked(text: str) -> list[str]:
    """The markers in an answer's text."""
    struck = "<s>" in text or "<s " in text
    return [*ANY.findall(text), *(m for m in AT_AN_END.findall(text) if not (struck and m == "</s>"))]
