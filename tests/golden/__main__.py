"""``python -m tests.golden``: run the golden server until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from tests.golden.chat import THOUGHT
from tests.golden.faults import FAULTS, UnknownFaultError
from tests.golden.server import Golden

USAGE = 4


def main() -> int:
    """Parse, serve, and say the exit code: 0 ended by a signal, 4 wrong usage."""
    options = _parser().parse_args()
    if options.list_faults:
        width = max(map(len, FAULTS))
        rules = max(len(each.caught_by) for each in FAULTS.values())
        for each in FAULTS.values():
            print(f"{each.name:{width}}  {each.family:11}  {each.caught_by or '-':{rules}}  {each.text}")
        return 0
    try:
        golden = Golden(
            options.fault,
            thinking=options.thinking,
            thought_in=options.thought_in,
            key=options.key,
            token_ms=options.token_ms,
            port=options.port,
            seed=options.seed,
            held=options.held,
            died=lambda: os._exit(139),  # no clean-up, no word: as a crash ends a process
        )
    except UnknownFaultError as error:
        return _wrong(str(error))
    except (OSError, OverflowError) as error:
        return _wrong(f"cannot listen at port {options.port}: {error}; name another with --port, or 0 for a free one")
    asyncio.run(_serve(golden))
    return 0


async def _serve(golden: Golden) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, golden.stop)
    loop.add_signal_handler(signal.SIGUSR1, golden.release)
    await golden.serve(lambda: print(golden.url, flush=True))


def _wrong(message: str) -> int:
    print(f"ERROR: {message}", file=sys.stderr)
    return USAGE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        sys.exit(_wrong(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m tests.golden", description="An OpenAI-compatible server, right by construction.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the URL is printed when it is ready")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:RATE]", help="may be repeated")
    parser.add_argument("--list-faults", action="store_true", help="name, family, rule that catches it, what is wrong")
    parser.add_argument("--thinking", action="store_true", help="thoughts come before each answer")
    parser.add_argument(
        "--thought-in",
        default=THOUGHT,
        metavar="FIELD",
        help="of a message: reasoning_content, reasoning, thinking ...",
    )
    parser.add_argument("--key", help="the API key clients must send")
    parser.add_argument("--token-ms", type=float, default=0, help="pause before each token of a stream")
    parser.add_argument("--held", action="store_true", help="faults begin when SIGUSR1 comes, and not at once")
    parser.add_argument("--seed", type=int, default=0, help="of the rates of faults")
    return parser


if __name__ == "__main__":
    sys.exit(main())
