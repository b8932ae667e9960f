"""The plugins of the suite, one concern each, after those it imports; nothing else stands here."""

from fixtures import PLUGINS

pytest_plugins = PLUGINS
