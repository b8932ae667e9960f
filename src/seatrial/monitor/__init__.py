"""The recorder: process tree, GPU, sockets, clocks, written down as samples and events; never a judgement."""
