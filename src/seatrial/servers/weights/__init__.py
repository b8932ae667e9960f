"""The file that a server's model was loaded from, where it lies on this host: its hash, and how it is quantised."""
