"""What the operator gives, in words and files: durations, sizes, addresses, access, tables, waivers; and its errors."""
