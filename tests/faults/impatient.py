"""`python -m tests.faults.impatient` is the command line, whose workers hang for seconds."""

import sys

from jaxflow.cli.parser import main
from jaxflow.engine import processes

if __name__ == "__main__":
    processes.SETTINGS["distributed.scheduler.worker-ttl"] = "5s"
    sys.exit(main())
