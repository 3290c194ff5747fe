"""Every operation, each declared in one block: forward, rules, label, scalar form."""

from .arithmetic import *  # noqa: F403
from .comparison import *  # noqa: F403
from .conv import *  # noqa: F403
from .elementwise import *  # noqa: F403
from .indexing import *  # noqa: F403
from .linalg import *  # noqa: F403
from .loss import *  # noqa: F403
from .reduction import *  # noqa: F403
from .shape import *  # noqa: F403
