"""`python -m lockgate`."""

import sys

from .build import main

sys.exit(main())
