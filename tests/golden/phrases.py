"""Words the golden server's prose is drawn from."""

from __future__ import annotations


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(each.split()) for each in text.split("|"))


WHO = _phrases(
    """
    the harbour master | an old pilot | the ship's cook | a young engineer | the second mate | our surveyor | the
    night watch | a passing ferry | the lighthouse keeper | one of the stokers | the tug's crew | a retired
    captain | the radio officer | the chart maker | an apprentice | the dock foreman | a weather observer | the
    diver | somebody on the quay | the purser
    """
)
DOES = _phrases(
    """
    checked | repaired | measured | described | remembered | painted | carried | inspected | borrowed | counted |
    followed | lifted | noticed | praised | questioned | replaced | sketched | tested | trusted | watched |
    weighed | polished
    """
)
WHAT = _phrases(
    """
    the brass compass | a coil of rope | the port engine | two spare valves | the tide tables | an iron ladder |
    the cracked bell | the anchor chain | a bundle of charts | the wooden hatch | every lifeboat | the copper
    pipes | a leaking pump | the signal lamp | the rudder post | three sealed crates | the engine log | a torn
    sail | the winch drum | the depth gauge | the bilge water | the spare propeller
    """
)
WHEN = _phrases(
    """
    before sunrise | in the late afternoon | during the storm | after a long silence | at slack water | on the
    second day | near the outer buoy | while the fog lasted | between two tides | as the wind turned | without any
    hurry | with great care | under the north pier | far from the shore | against all advice | for the third time
    | once the cargo was ashore | by lamplight
    """
)
WHY = _phrases(
    """
    because the river rises quickly in spring | although nobody had asked for it | so the crew could sleep at last
    | and the owners were grateful | which made the voyage shorter | but the result surprised everyone | since
    steel forgets nothing | as the rules of the port demand | while gulls argued overhead | and wrote the figures
    down | though the paint was still wet | until the harbour fell quiet | so that the next watch would know | yet
    no one spoke of it later
    """
)
FRAMES = (
    "{Who} {does} {what} {when}.",
    "{When}, {who} {does} {what}.",
    "{Who} {does} {what} {why}.",
    "{When} {who} {does} {what}, {why}.",
    "{Who} {does} both {what} and {other} {when}.",
    "It is said that {who} {does} {what} {why}.",
    "{Who} {does} {what}; {whom} {did} {other}.",
)
FOREIGN = {
    "cjk": ("港は静かで、船は朝を待っています。", "潮が満ちると、灯台が光ります。", "風は北から吹き、海は青い。"),
    "cyrillic": ("Корабль стоит у причала.", "Вечером ветер стих.", "Капитан читает карту."),
    "arabic": ("السفينة في الميناء.", "البحر هادئ اليوم.", "القبطان يقرأ الخريطة."),
    "other": ("🚢 ⚓ 🌊", "Größe, façade, niño: alles an Bord.", "Ça va très bien à côté du phare."),
}
WORDS = _phrases(
    """
    zero | one | two | three | four | five | six | seven | eight | nine | ten | eleven | twelve | thirteen | fourteen |
    fifteen | sixteen | seventeen | eighteen | nineteen | twenty
    """
)
NUMBERS = {word: n for n, word in enumerate(WORDS)} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
    "a hundred": 100,
    "one hundred": 100,
    "two hundred": 200,
}
"""What a number is called in a prompt."""
