"""One file per suite; see `benchmarks` for how to add one."""
