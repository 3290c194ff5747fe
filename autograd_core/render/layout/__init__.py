"""Where boxes, arrows and clusters of a view stand: layers from top to bottom, frames nested."""

from .arrange import arrange as arrange
from .placed import Frame as Frame
from .placed import Layout as Layout
from .placed import Placed as Placed
from .placed import Point as Point
from .placed import Room as Room
from .placed import Route as Route
