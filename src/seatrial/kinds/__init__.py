"""All that is known of one kind of server, side by side: a module and a page of data each."""
