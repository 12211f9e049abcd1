"""A Flask application with Headway on the same port.

    python -m examples.flask_beside

It is `headway serve --wsgi examples.flask_beside.shop:app`.
"""

from __future__ import annotations

import sys

from headway.cli import main

if __name__ == "__main__":
    sys.exit(
        main(["serve", "--wsgi", "examples.flask_beside.shop:app", "--data", ".headway-flask", *sys.argv[1:]])
    )
