"""The process that sends a load: the users that Locust starts in it, how late its loop runs, what it may keep."""
