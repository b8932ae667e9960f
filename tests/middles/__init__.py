"""Real middles in front of a real server, watched with and without ``--behind``: nginx, http-proxy, LiteLLM, a router.

``python -m tests.middles`` runs them all and writes docs/middles.md: what each of them hides from its clients, and
what the watch says. :mod:`~tests.middles.programs` finds or installs them, :mod:`~tests.middles.middles` starts them,
:mod:`~tests.middles.scene` acts a deed out, :mod:`~tests.middles.account` holds what was said against what was done.
"""
