"""Figures, stops and diagnoses as a person reads them: shared by every form of the report, and by the watch."""
