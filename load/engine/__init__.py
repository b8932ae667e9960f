"""The process that sends a load: how late its loop runs, what Locust may keep there."""
