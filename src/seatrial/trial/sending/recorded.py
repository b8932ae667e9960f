"""One exchange on record: written down before it leaves, waited for as the server asks, and written down again."""

from __future__ import annotations

import time

from seatrial.records import Endpoint, Exchange, Leaving, Sent
from seatrial.run.writer import Writer
from seatrial.trial.sending.pace import Patience
from seatrial.trial.sending.told import retry_after
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.transports.company import Held
from seatrial.wire.transports.http import Client, Prepared, Recording

RETRIES = 3


def sent(writer: Writer, name: str, prepared: Prepared, endpoint: Endpoint, request: bytes) -> Sent:
    """Write a request of a scenario down before it leaves, for the case that its answer never comes."""
    span = writer.store(request)
    line = Sent(
        endpoint=endpoint.name,
        scenario=name,
        method=prepared.method,
        path=prepared.path,
        request=span or (0, 0),
        generation=endpoint.generation,
    )
    return writer.write("exchanges.jsonl", line)


def patiently(
    client: Client, prepared: Prepared, given: Patience, leaves: Leaving, held: Held
) -> tuple[Recording, int]:
    """Wait out 429 and 503 as the server asks, within the deadline; after that its last answer stands.

    So it does where our deadline ends what was sent after a wait: there was no whole deadline left for it.
    """
    end, idle_s = time.monotonic() + given.deadline_s, given.idle_s
    recording = client.exchange(prepared, deadline_s=given.deadline_s, idle_s=idle_s, leaves=leaves, held=held)
    for retries in range(RETRIES):
        wait = retry_after(recording.response)
        if wait is None or time.monotonic() + wait >= end:
            return recording, retries
        time.sleep(wait)
        again = client.exchange(prepared, deadline_s=max(0.1, end - time.monotonic()), idle_s=idle_s, leaves=leaves)
        if again.error == "deadline":
            return recording, retries + 1
        recording = again
    return recording, RETRIES


def received(writer: Writer, sent: Sent, prepared: Prepared, recording: Recording, retries: int) -> Exchange:
    """Write down what came of a request, and give it as rules read it."""
    response = writer.store(recording.response)
    line = recording.line(
        sent.id,
        prepared,
        endpoint=sent.endpoint,
        scenario=sent.scenario,
        request=sent.request,
        response=response or (0, 0),
        generation=sent.generation,
        retries=retries,
        dropped=response is None,
    )
    writer.write("exchanges.jsonl", line)
    return assemble(line, recording.request, recording.response if response is not None else b"")
