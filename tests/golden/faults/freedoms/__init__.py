"""What the specifications leave open: white space, the order of keys, where a stream is cut, more fields.

Freedoms are combined (``tests/silence/freedoms.py``): each takes what it gets from those before it, and leaves alone
what it does not know. What breaks an official SDK is no freedom, whatever a standard says: a byte order mark before the
first event, a media type in capitals, null as the type of a later piece of a call, ``event: message`` (openai-node then
gives another object), a blank line without data after an id or a retry (openai-python then reads an event of nothing).
"""
