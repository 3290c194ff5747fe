"""Layers, losses, initial values and models, under PyTorch's names."""

from autograd_core.lazy import lazy as _lazy

# Which file gives which names; `python -m tests.stub` tells type checkers.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "activation": (
        "CELU", "ELU", "GELU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh",
        "LeakyReLU", "LogSigmoid", "Mish", "PReLU", "ReLU", "ReLU6", "RReLU", "ScaledReLU",
        "ScaledTanh", "Sigmoid", "SiLU", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
        "Threshold",
    ),
    "attention": ("MultiheadAttention",),
    "cells": ("GRUCell", "LSTMCell", "RNNCell"),
    "connections": ("DropConnect", "RadialBasis", "Residual", "SparseLinear", "Subsampling2d"),
    "container": ("ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"),
    "conv": ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"),
    "distance": ("CosineSimilarity", "PairwiseDistance"),
    "dropout": (
        "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
        "VanillaDropout",
    ),
    "embedding": ("Embedding", "EmbeddingBag"),
    "export": ("export_onnx",),
    "files": ("FileError", "load", "save"),
    "flatten": ("Flatten", "Unflatten"),
    "folding": ("Fold", "Unfold"),
    "functional": (),
    "gates": ("GLU", "LogSoftmax", "Softmax", "Softmax2d", "Softmin"),
    "init": (),
    "likelihood_loss": (
        "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "CTCLoss", "GaussianNLLLoss",
        "KLDivLoss", "NLLLoss", "PoissonNLLLoss",
    ),
    "linear": ("Bilinear", "Identity", "Linear"),
    "loss": ("HalfMSELoss", "HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss"),
    "margin_loss": (
        "CosineEmbeddingLoss", "HingeEmbeddingLoss", "HingeLoss", "MarginRankingLoss",
        "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss",
        "TripletMarginLoss", "TripletMarginWithDistanceLoss",
    ),
    "models": (),
    "module": ("Module",),
    "norm": (
        "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d",
        "InstanceNorm2d", "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm",
    ),
    "padding": (
        "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
        "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
        "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d",
        "ZeroPad3d",
    ),
    "parameter": ("Parameter",),
    "pooling": (
        "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
        "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d",
        "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
        "MaxUnpool3d",
    ),
    "rectified": ("ConvReLU1d", "ConvReLU2d", "ConvReLU3d", "LinearReLU"),
    "recurrent": ("GRU", "LSTM", "RNN"),
    "resize": (
        "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d",
        "UpsamplingNearest2d",
    ),
    "table": ("summary",),
    "transformer": (
        "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
        "TransformerEncoderLayer",
    ),
    "utils": (),
}  # fmt: skip

__getattr__, __dir__ = _lazy(__name__, _FAMILIES)
