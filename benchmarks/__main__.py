"""``python -m benchmarks [NAME...]``: run the named benchmarks, or all; exit 1 when one misses its figure."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(names: list[str]) -> int:
    """Run each module's ``main() -> int``; the highest of their exit codes."""
    known = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; there are: {', '.join(known)}")
        return 4
    worst = 0
    for name in names or known:
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "main"):
            print(f"--- {name}: {(module.__doc__ or '').partition(chr(10))[0]}", flush=True)
            worst = max(worst, module.main())
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
