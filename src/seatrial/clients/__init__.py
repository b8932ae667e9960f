"""All that is known of one client: the tools that it offers, written from its documentation."""
