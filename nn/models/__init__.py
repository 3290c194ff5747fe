"""Networks of the lectures and of the literature, each with the sizes of its source."""

from .deconvolution import deconvolve as deconvolve
from .lenet import LeNet5 as LeNet5
from .mixer import MLPMixer as MLPMixer
from .mixer import mixer_b16 as mixer_b16
from .mixer import mixer_s16 as mixer_s16
from .perceptrons import TwoLayerNet as TwoLayerNet
from .perceptrons import batch_norm_mlp as batch_norm_mlp
from .perceptrons import fc_net as fc_net
from .perceptrons import mlp as mlp
from .residual import ResNet as ResNet
from .residual import cifar_resnet as cifar_resnet
from .residual import resnet18 as resnet18
from .residual import resnet34 as resnet34
from .residual import resnet50 as resnet50
from .residual import resnet101 as resnet101
from .residual import resnet152 as resnet152
from .small_images import CifarNet as CifarNet
from .small_images import conv_net as conv_net
