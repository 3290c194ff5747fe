"""One row per optimiser, or more, with rates that differ from the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import optim

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class OptimizerCase:
    """`slots` is what it remembers of its first parameter, under PyTorch's names, after two steps.

    `closure` says what a step needs: nothing, a loss with or without "backward", or "residuals".
    """

    name: str
    rates: dict[str, Any] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    closure: str = ""
    rate: float = 0.05  # falling to 0, this lr takes it over a distance of 3 in 300 steps
    shapes: Shapes = ((3, 4), (5,), ())
    ours_only: bool = False

    def __str__(self) -> str:
        shown = [f"{k}={getattr(v, '__name__', v)}" for k, v in self.rates.items()]
        return f"{self.name}({', '.join(shown)})"


def only_here(name: str, rates: dict[str, Any], *slots: str, closure: str) -> OptimizerCase:
    return OptimizerCase(name, rates, slots, closure, rate=1.0, ours_only=True)


MOMENTUM = ("momentum_buffer",)
ADAM = ("step", "exp_avg", "exp_avg_sq")
AMSGRAD = (*ADAM, "max_exp_avg_sq")
RMSPROP = ("step", "square_avg")
NADAM = ("step", "mu_product", "exp_avg", "exp_avg_sq")
ADAFACTOR = ("step", "row_var", "col_var")
LBFGS = (
    *("n_iter", "func_evals", "d", "t", "old_dirs", "old_stps", "ro", "H_diag"),
    *("prev_flat_grad", "prev_loss"),
)
MATRICES = ((3, 4), (4, 3), (2, 2))
PULL = {"lr": 0.05, "weight_decay": 0.1, "maximize": True}

OPTIMIZERS = [
    OptimizerCase("SGD"),
    OptimizerCase("SGD", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    OptimizerCase("SGD", {"lr": 0.1, "momentum": 0.9}, MOMENTUM),
    OptimizerCase(
        "SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}, MOMENTUM
    ),
    OptimizerCase("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}, MOMENTUM),
    OptimizerCase("SGD", {"lr": 0.1, "momentum": 0.9, "velocity": True}, MOMENTUM, ours_only=True),
    OptimizerCase("Adam", {}, ADAM),
    OptimizerCase("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3}, ADAM),
    OptimizerCase("Adam", PULL, ADAM),
    OptimizerCase("Adam", {"lr": 0.05, "amsgrad": True}, AMSGRAD),
    OptimizerCase("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}, ADAM),
    OptimizerCase("AdamW", {"lr": 0.05}, ADAM),
    OptimizerCase("AdamW", {**PULL, "amsgrad": True}, AMSGRAD),
    OptimizerCase("Adagrad", {}, ("step", "sum"), rate=1.0),
    OptimizerCase(
        "Adagrad",
        {**PULL, "lr_decay": 0.01, "initial_accumulator_value": 0.5},
        ("step", "sum"),
        rate=1.0,
    ),
    OptimizerCase("Adadelta", {}, ("step", "square_avg", "acc_delta"), rate=20.0),
    OptimizerCase("Adadelta", {**PULL, "rho": 0.8}, ("step", "square_avg", "acc_delta"), rate=20.0),
    OptimizerCase("RMSprop", {}, RMSPROP),
    OptimizerCase("RMSprop", {**PULL, "momentum": 0.9}, (*RMSPROP, *MOMENTUM), rate=0.01),
    OptimizerCase("RMSprop", {"lr": 0.05, "centered": True}, (*RMSPROP, "grad_avg")),
    OptimizerCase("Adamax", {}, ("step", "exp_avg", "exp_inf"), rate=0.1),
    OptimizerCase("Adamax", PULL, ("step", "exp_avg", "exp_inf"), rate=0.1),
    OptimizerCase("NAdam", {}, NADAM),
    OptimizerCase("NAdam", {**PULL, "decoupled_weight_decay": True}, NADAM),
    OptimizerCase("RAdam", {}, ADAM, rate=0.1),
    OptimizerCase("RAdam", {**PULL, "betas": (0.5, 0.7)}, ADAM),
    OptimizerCase(
        "RAdam",
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
        ADAM,
        rate=0.1,
    ),
    OptimizerCase("ASGD", {}, ("step", "eta", "mu", "ax")),
    OptimizerCase("ASGD", {**PULL, "lambd": 0.01, "t0": 5}, ("step", "eta", "mu", "ax")),
    OptimizerCase("Rprop", {}, ("step", "prev", "step_size")),
    OptimizerCase(
        "Rprop",
        {"lr": 0.1, "etas": (0.4, 1.3), "step_sizes": (1e-3, 1), "maximize": True},
        ("step", "prev", "step_size"),
    ),
    OptimizerCase("Adafactor", {}, ADAFACTOR, rate=1.0),
    OptimizerCase("Adafactor", {**PULL, "eps": (1e-8, 1e-2), "d": 1.5}, ADAFACTOR, rate=1.0),
    OptimizerCase("Muon", {}, MOMENTUM, shapes=MATRICES, rate=0.2),
    OptimizerCase(
        "Muon",
        {"lr": 0.05, "nesterov": False, "ns_steps": 4, "adjust_lr_fn": "match_rms_adamw"},
        MOMENTUM,
        shapes=MATRICES,
        rate=0.2,
    ),
    OptimizerCase("LBFGS", {"max_iter": 3, "lr": 0.5}, LBFGS, "backward", rate=1.0),
    OptimizerCase(
        "LBFGS", {"max_iter": 3, "line_search_fn": "strong_wolfe"}, LBFGS, "backward", rate=1.0
    ),
    only_here("Newton", {}, closure="loss"),
    only_here("DampedNewton", {}, closure="loss"),
    only_here("MiniBatchNewton", {}, "step", "hessian", closure="loss"),
    only_here("NewtonCG", {}, closure="loss"),
    only_here("NewtonCG", {"search": "line_search"}, closure="loss"),
    only_here("GaussNewton", {}, closure="residuals"),
    only_here("GaussNewton", {"damping": 0.1}, closure="residuals"),
    OptimizerCase(
        "SAM",
        {"base_optimizer": optim.SGD, "lr": 0.1, "momentum": 0.9},
        MOMENTUM,
        "backward",
        ours_only=True,
    ),
    OptimizerCase(
        "SAM",
        {"base_optimizer": optim.Adam, "rho": 0.1, "adaptive": True},
        ADAM,
        "backward",
        rate=0.1,
        ours_only=True,
    ),
]
