"""Detectors: whether a server grew, slowed or worsened over a soak. Pure: series in, readings out.

:func:`~seatrial.detectors.night.judge` is the door. Each detector glances at series of one ``Night``; the glances of a
night are corrected for each other, and become sightings. ``docs/detectors.md`` holds what is called falsely and what is
found.
"""
