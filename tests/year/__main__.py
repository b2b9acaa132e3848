"""`python -m tests.year --seed N [--tenants 200] [--weeks 52]`."""

import argparse
import sys

from tests.year.year import Year


def main() -> int:
    """Lives the year, and says what is wrong in the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--weeks", type=int, default=52)
    chosen = parser.parse_args()
    with Year(chosen.seed, chosen.tenants, chosen.weeks, tell=print) as year:
        wrong = year.live()
    print(*wrong, sep="\n")
    print(year.summary(), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
