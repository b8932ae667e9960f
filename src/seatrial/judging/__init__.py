"""The one place that replays: from a run directory to judged cases, stops and the verdict."""
