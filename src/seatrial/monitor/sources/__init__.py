"""Sources of evidence beside processes and rungs, a module each, found by walking: none is entered in a list.

A module of a source has a function ``open_source`` that is given a :class:`~.source.Place` and gives the opened source,
or None where the place has none. What a source finds is a line of the record.
"""
