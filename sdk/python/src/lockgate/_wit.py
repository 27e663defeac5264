"""The bindings of the WIT: componentize-py's own inside a component, the checked-in copy (`_bindings`) everywhere else.

Import this module before anything of `wit_world`. On your own machine, where plugins are tested, the types are the same; the
functions of the host are stood in for by `lockgate.testing`.
"""

from __future__ import annotations

import os
import sys
from typing import Final

IN_COMPONENT: Final = sys.platform == "wasi"

if not IN_COMPONENT:
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bindings"))
