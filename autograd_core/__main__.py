"""`python -m autograd_core` is `autograd-core`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
