"""Tests of the plugin on this machine: `python3 -m unittest`, or pytest."""

import sys
from pathlib import Path

# The SDK that Lockgate brought along, and the plugin itself.
sys.path[:0] = [str((Path(__file__).parent.parent / place).resolve()) for place in ("../../src", ".")]
