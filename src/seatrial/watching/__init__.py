"""The live watch: starts the recorder, follows its record as it grows, and tells of stops as the fold finds them."""
