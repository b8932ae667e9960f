"""A stop in words: rung, cause, hypotheses, reports that look alike."""
