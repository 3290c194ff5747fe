"""What may follow a product or a convolution while its result is in the cache."""

NONE, RELU, TANH, SIGMOID = range(4)
