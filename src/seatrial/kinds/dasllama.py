"""dasllama-server: no page but the API's own. ``/health``, ``/props``, ``/slots`` and ``/metrics`` are answered 404."""

from __future__ import annotations

from seatrial.kinds.kind import Kind

KIND = Kind()
