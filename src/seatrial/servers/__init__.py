"""Who answers at an endpoint, the embedded server, and the keeper that starts and ends what a run starts."""
