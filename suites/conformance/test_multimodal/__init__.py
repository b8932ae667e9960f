"""Images beside text."""
