"""`python -m reference FOLDER` writes the pages of the reference below FOLDER."""

import sys
from pathlib import Path

from reference.pages import write

if __name__ == "__main__":
    (given,) = sys.argv[1:]
    write(Path(given))
