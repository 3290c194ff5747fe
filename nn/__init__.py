"""Layers, losses, initial values and models, under PyTorch's names."""

from . import functional as functional
from . import init as init
from . import models as models
from .activation import ReLU as ReLU
from .container import Sequential as Sequential
from .conv import Conv2d as Conv2d
from .flatten import Flatten as Flatten
from .linear import Linear as Linear
from .loss import CrossEntropyLoss as CrossEntropyLoss
from .loss import MSELoss as MSELoss
from .module import Module as Module
from .parameter import Parameter as Parameter
from .table import summary as summary
