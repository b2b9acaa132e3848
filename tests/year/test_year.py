"""Some weeks of the year; `make year` lives all of them."""

from tests.year.year import Year


def test_whatever_happens_in_some_weeks_all_is_as_wished_in_the_end() -> None:
    with Year(seed=2, tenants=8, weeks=3) as year:
        wrong = year.live()
        assert not wrong, "\n".join([*wrong, year.summary()])
