"""``python -m polybawt`` is the ``polybawt`` command."""

import sys

from polybawt.cli import main

sys.exit(main())
