"""Loops over arrays: each kernel stands below the naive twin that defines it."""
