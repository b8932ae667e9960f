"""Any server of which no more is known than that it speaks this API: what is asked until a kind is known."""

from __future__ import annotations

from seatrial.kinds.kind import Kind

KIND = Kind()
