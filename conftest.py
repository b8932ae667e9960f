"""The plugins of the suite, one concern each, after those it imports; nothing else stands here."""

pytest_plugins = (
    "fixtures.outcomes",
    "fixtures.options",
    "fixtures.cases",
    "fixtures.endpoints",
    "fixtures.behaviour",
    "fixtures.soak",
    "fixtures.lifecycle",
    "fixtures.judge",
    "fixtures.ending",
)
