"""`python -m jaxflow` is the command line."""

import sys

from jaxflow.cli.parser import main

sys.exit(main())
