"""GPUs, read through NVML in a thread of its own."""
