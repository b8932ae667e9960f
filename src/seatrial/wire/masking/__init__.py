"""The API key and the operator's headers, made unreadable before anything is written."""
