"""Many clients at the same time: none sees another's work, more than slots wait in line, and who leaves is missed."""
