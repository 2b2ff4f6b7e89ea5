import sys

from vlm_core.cli import main

sys.exit(main())
