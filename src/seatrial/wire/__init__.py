"""From bytes to exchanges: the SSE reader, the assembly, the mask, and beside them three thin transports."""
