"""The event stream of a chat completion: its bytes, its chunks, its words and its pace."""
