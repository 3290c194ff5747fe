"""What layers compute, as functions; parameters are arguments."""

from autograd_core.ops import linear as linear
from autograd_core.ops import one_hot as one_hot
from autograd_core.ops import pad as pad

from .activations import *  # noqa: F403
from .convolution import *  # noqa: F403
from .losses import *  # noqa: F403
