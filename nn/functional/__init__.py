"""What layers compute, as functions; parameters are arguments."""

from autograd_core.ops import one_hot as one_hot
from autograd_core.ops import pad as pad

from .activations import *  # noqa: F403
from .alignment import *  # noqa: F403
from .attention import *  # noqa: F403
from .convolution import *  # noqa: F403
from .distances import *  # noqa: F403
from .dropouts import *  # noqa: F403
from .embeddings import *  # noqa: F403
from .folding import *  # noqa: F403
from .likelihoods import *  # noqa: F403
from .linear import *  # noqa: F403
from .losses import *  # noqa: F403
from .margins import *  # noqa: F403
from .norms import *  # noqa: F403
from .penalties import *  # noqa: F403
from .pooling import *  # noqa: F403
from .resize import *  # noqa: F403
