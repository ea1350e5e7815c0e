"""`python -m agegait`, the same as `agegait`."""

import sys

from agegait.cli import main

sys.exit(main())
