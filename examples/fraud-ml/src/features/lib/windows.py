"""The groups that features are built over."""

from pyspark.sql import DataFrame, GroupedData
from pyspark.sql import functions as F


def by_merchant_and_day(transactions: DataFrame) -> GroupedData:
    return transactions.groupBy("merchant_id", F.to_date("occurred_at").alias("day"))
