"""What the run sees to while a load goes on: how large its record becomes, and what becomes of its server."""
