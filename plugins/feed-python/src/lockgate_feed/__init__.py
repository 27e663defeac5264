"""The package `feed-python`: RSS and Atom feeds, and REST APIs that answer JSON, as sources.

Enters: connector settings, what web servers answer. Leaves: records, each with the position that holds once it is delivered. Invariant: a
position says that a document is read only with the last entry of it, so what a crash cut off is asked for again.
"""

from lockgate import Package

from .feed import FeedSource
from .rest import RestSource

package = Package(
    "feed-python",
    "0.1.0",
    FeedSource,
    RestSource,
    doc="Polls RSS and Atom feeds, and REST APIs that answer JSON.",
)
