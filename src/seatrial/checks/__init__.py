"""The requirements: rules, pure functions over exchanges; one module per area of the API."""
