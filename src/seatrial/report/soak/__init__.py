"""What a report tells of a soak: its figures by phase and workload, a line a detector, and sheets on request."""
