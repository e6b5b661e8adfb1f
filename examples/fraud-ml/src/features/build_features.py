"""Spark: per account and day, how much was spent, how far away, and how often at night."""

import argparse

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lib.windows import by_merchant_and_day


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", required=True)
    parser.add_argument("--features", required=True)
    arguments = parser.parse_args()

    spark = SparkSession.builder.appName("fraud-features").getOrCreate()
    transactions = spark.read.option("header", True).option("inferSchema", True).csv(arguments.transactions)
    features = by_merchant_and_day(transactions).agg(
        F.sum("amount").alias("spent"),
        F.max("distance_km").alias("farthest_km"),
        F.avg("night").alias("night_share"),
        F.count("*").alias("transactions"),
    )
    features.write.mode("overwrite").parquet(arguments.features)
    spark.stop()


if __name__ == "__main__":
    main()
