"""All that is known of a model that may be chosen, a page of data each, with its sources and what was not tried."""
