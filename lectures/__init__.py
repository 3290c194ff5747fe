"""One runnable program per experiment of the lectures, each with its picture."""
