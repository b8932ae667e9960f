"""The plugins of the suite, one concern each; nothing else stands here."""

pytest_plugins = (
    "fixtures.outcomes",
    "fixtures.options",
    "fixtures.endpoints",
    "fixtures.cases",
    "fixtures.lifecycle",
    "fixtures.signals",
    "fixtures.exchanges",
    "fixtures.judge",
    "fixtures.behaviour",
    "fixtures.soak",
)
