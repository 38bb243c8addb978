"""Users, items and ratings that are made up: each value is a hash of ids and a seed.

So the same numbers give the same rows, however Spark deals them out. Users and items have latent
traits: a rating is a mean, the item's quality, the user's leniency, how well their traits meet, and
noise, rounded to 1..5. Attributes are noisy signs of the traits, which a learner can find in both.

User and item number n are the n-th most active and popular, by power laws. A user with k ratings
has one item from each of k stretches of the items that are equally popular in all; stretches hold
whole items, at least one, so that nobody rates an item twice. They arrive over the days, and much
of what happens between the two happens soon after both are there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.tools.power_law import PowerLaw
from schemas.errors import UserError

FIRST_SECOND = 1_704_067_200  # 2024-01-01 00:00:00 UTC
N_TRAITS = 4
_DAY_SECONDS = 86_400
_THERE_FROM_THE_START = {"user": 0.4, "item": 0.8}
_GENRES = (("calm", "wild"), ("short", "long"), ("bright", "dark"), ("plain", "strange"))


@dataclass(frozen=True, kw_only=True)
class Market:
    """How much is made up; an exponent is that of the power law, 0 makes all alike."""

    users: int
    items: int
    interactions: int
    days: int
    seed: int
    user_exponent: float = 1.0
    item_exponent: float = 1.0

    @property
    def activity(self) -> PowerLaw:
        """How interactions spread over users, from the most active one on."""
        return PowerLaw(exponent=self.user_exponent, head=0.01)

    @property
    def popularity(self) -> PowerLaw:
        """How interactions spread over items, from the most popular one on."""
        return PowerLaw(exponent=self.item_exponent, head=0.001)

    def check(self) -> None:
        """Raise a `UserError` when there can be no such market."""
        for name, least in (("users", 1), ("items", 1), ("interactions", 1), ("days", 2)):
            if (found := getattr(self, name)) < least:
                raise UserError(f"{name} is {found:,}, expected at least {least}.")
        for name in ("user_exponent", "item_exponent"):
            if not 0 <= (exponent := getattr(self, name)) < math.inf:
                raise UserError(f"{name} is {exponent}, expected 0 (all alike) or more.")
        pairs = self.users * self.items
        if self.interactions > pairs:
            raise UserError(
                f"interactions is {self.interactions:,}, expected at most one for each pair of the "
                f"{self.users:,} users and {self.items:,} items, {pairs:,}; ask for more of these."
            )
        most = round(self.interactions * self.activity.share(1 / self.users))
        if most > self.items:
            raise UserError(
                f"the most active user would rate {most:,} items, expected at most all "
                f"{self.items:,}; ask for more users or items, fewer interactions, or a lower "
                f"user_exponent than {self.user_exponent:g}."
            )


def users(numbers: DataFrame, market: Market) -> DataFrame:
    """user_id, age and region of each user number in `id`, from 0."""
    age, region = (_sign("user", F.col("id"), which, market) for which in (0, 1))
    number = F.greatest(F.lit(0), F.least(F.lit(7), F.floor(region * 2 + 4)))
    return numbers.select(
        _named("u", "id").alias("user_id"),
        F.floor(age * 12 + 42).alias("age"),
        F.concat(F.lit("R"), number).alias("region"),
    )


def items(numbers: DataFrame, market: Market) -> DataFrame:
    """item_id, title and genres of each item number in `id`, from 0."""
    genres = []
    for which, (low, high) in enumerate(_GENRES):
        sign = _sign("item", F.col("id"), which, market)
        genres += [F.when(sign < -0.8, F.lit(low)), F.when(sign > 0.8, F.lit(high))]
    return numbers.select(
        _named("i", "id").alias("item_id"),
        F.concat(F.lit("Synthetic item "), F.col("id") + 1).alias("title"),
        F.array_compact(F.array(*genres)).alias("genres"),
    )


def interactions(numbers: DataFrame, market: Market) -> DataFrame:
    """All that the users of the numbers in `id` rated: user_id, item_id, rating, event_time."""
    user, item = F.col("user"), F.col("item")
    after = F.greatest(_arrival("user", user, market), _arrival("item", item, market))
    moment = after + (1 - after) * F.pow(_uniform("moment", market, user, item), F.lit(2.0))
    seconds = F.floor(moment * (market.days * _DAY_SECONDS)) + FIRST_SECOND
    agreements = (
        trait("user", user, which, market) * trait("item", item, which, market)
        for which in range(N_TRAITS)
    )
    liking = (
        3.6
        + 0.5 * _deviate("quality", market, item)
        + 0.4 * _deviate("leniency", market, user)
        + 0.3 * reduce(add, agreements)
        + 0.6 * _deviate("noise", market, user, item)
    )
    return _pairs(numbers, market).select(
        _named("u", "user").alias("user_id"),
        _named("i", "item").alias("item_id"),
        F.greatest(F.lit(1), F.least(F.lit(5), F.round(liking).cast("int"))).alias("rating"),
        seconds.alias("event_time"),
    )


def _pairs(numbers: DataFrame, market: Market) -> DataFrame:
    """The `user` and `item` of each interaction: all together exactly as many as asked for."""

    def before(place: Column) -> Column:
        share = market.activity.share(place / float(market.users))
        return F.round(share * market.interactions).cast("bigint")

    def stretch_start(pick: Column) -> Column:
        by_popularity = F.floor(market.popularity.place(pick / F.col("n")) * market.items)
        return F.greatest(pick, by_popularity)  # convex in `pick`: so the next one starts later

    pick = F.col("pick")
    draw = _uniform("pick", market, F.col("user"), pick)
    drawn = F.floor(market.popularity.place((pick + draw) / F.col("n")) * market.items)
    within = F.least(F.greatest(drawn, stretch_start(pick)), stretch_start(pick + 1) - 1)
    return (
        numbers.select(
            F.col("id").alias("user"),
            (before(F.col("id") + 1) - before(F.col("id"))).alias("n"),
        )
        .where(F.col("n") > 0)
        .select("user", "n", F.explode(F.sequence(F.lit(0).cast("bigint"), F.col("n") - 1)))
        .withColumnRenamed("col", "pick")
        .select("user", within.alias("item"))
    )


def _sign(kind: str, number: Column, which: int, market: Market) -> Column:
    """What shows of a trait: mean 0 and variance 1 as the trait has, and 0.8 correlated with it."""
    noise = _deviate(f"{kind} sign {which}", market, number)
    return 0.8 * trait(kind, number, which, market) + 0.6 * noise


def trait(kind: str, number: Column, which: int, market: Market) -> Column:
    """A latent trait of a user or an item, of mean 0 and variance 1: no file holds it."""
    return _deviate(f"{kind} trait {which}", market, number)


def _arrival(kind: str, number: Column, market: Market) -> Column:
    """When the user or item is there, of 0..1: some from the start, the others evenly."""
    start = _THERE_FROM_THE_START[kind]
    return F.greatest(
        F.lit(0.0), (_uniform(f"{kind} arrives", market, number) - start) / (1 - start)
    )


def _deviate(name: str, market: Market, *numbers: Column) -> Column:
    """Evenly spread, of mean 0 and variance 1."""
    return (_uniform(name, market, *numbers) * 2 - 1) * math.sqrt(3)


def _uniform(name: str, market: Market, *numbers: Column) -> Column:
    """A number of 0..1, 1 excluded, that depends on nothing but what is given."""
    bits = F.pmod(F.xxhash64(F.lit(market.seed), F.lit(name), *numbers), F.lit(1 << 53))
    return bits / float(1 << 53)


def _named(prefix: str, number: str) -> Column:
    return F.concat(F.lit(prefix), F.col(number) + 1)
