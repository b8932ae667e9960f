"""The timeline of an endpoint as SVG."""
