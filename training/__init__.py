"""Training: data, augmentation, the training loop, checkpoints, search, many processes."""
