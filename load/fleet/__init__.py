"""A load that is spread over several processes, here or on other hosts, on Locust's own engine.

One master knows the phases and tells its workers when each begins; each worker sends its part of it, reads its answers
and writes its own lines, as a load of one process does. What workers elsewhere wrote comes to the master in numbered
batches, and stands in the run directory as if it had been written there. Nothing here knows a session: the door is
``load/master.py`` and ``load/worker.py``.
"""
