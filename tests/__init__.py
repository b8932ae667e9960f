"""The instruments on trial: their own tests."""
