"""Time against the peers, in one run: `python -m benchmarks [SUITE ...] [--quick] [--peers torch]`.

To add a case, add a row to CASES in `benchmarks/suites/<suite>.py`:

    Case("tanh forward", {OURS: prepare_ours, "torch": prepare_torch}, max_us=1.0)

Each function is called in its own side's process, so it imports what it needs itself, and returns
a Job: the call to time and, if both sides can be compared, the numbers on which they must agree.
A peer is any other name in that mapping; if its module is missing, its row says so.

To add a suite, add a file to `benchmarks/suites/`: its docstring's first line is its description
and its first case is `control(...)`, which runs none of our code on either side: how far that
row's ratio is from 1 is how far the machine's noise moves every other row.
"""
