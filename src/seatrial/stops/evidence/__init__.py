"""What lines of a record prove: ends, programs, looks at a process tree, words of logs."""
