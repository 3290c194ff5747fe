"""Optimisers, under PyTorch's names."""

from autograd_core.lazy import lazy as _lazy

# Which file gives which names; `python -m tests.stub` tells type checkers.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "adadelta": ("Adadelta",),
    "adafactor": ("Adafactor",),
    "adagrad": ("Adagrad",),
    "adam": ("Adam",),
    "adamax": ("Adamax",),
    "adamw": ("AdamW",),
    "asgd": ("ASGD",),
    "curvature": ("lambda_max", "lambda_min", "max_stable_rate", "sharpness"),
    "gauss_newton": ("GaussNewton",),
    "lbfgs": ("LBFGS",),
    "lr_finder": ("find_lr",),
    "lr_scheduler": ("scaled_lr",),
    "muon": ("Muon",),
    "nadam": ("NAdam",),
    "newton": ("DampedNewton", "MiniBatchNewton", "Newton"),
    "newton_cg": ("NewtonCG",),
    "optimizer": ("Optimizer",),
    "paths": (),
    "radam": ("RAdam",),
    "rmsprop": ("RMSprop",),
    "rprop": ("Rprop",),
    "sam": ("SAM",),
    "sgd": ("SGD",),
    "swa_utils": (),
}  # fmt: skip

__getattr__, __dir__ = _lazy(__name__, _FAMILIES)
