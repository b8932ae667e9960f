"""What the golden server does beside plain talk: tools, answers bound to a schema, vectors, a cache of prefixes."""
