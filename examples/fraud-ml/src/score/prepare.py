"""Joins transactions with their merchants' risk, dropping rows that no training should see."""

import argparse
import csv
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=Path, required=True)
    parser.add_argument("--merchants", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--largest-amount", type=float, default=10_000.0)
    arguments = parser.parse_args()

    with arguments.merchants.open(newline="", encoding="utf-8") as stream:
        risk = {row["merchant_id"]: row["risk"] for row in csv.DictReader(stream)}
    arguments.prepared.mkdir(parents=True, exist_ok=True)
    kept = dropped = 0
    for file in sorted(arguments.transactions.rglob("*.csv")):
        with file.open(newline="", encoding="utf-8") as source, \
                (arguments.prepared / file.name).open("w", newline="", encoding="utf-8") as target:
            reader = csv.DictReader(source)
            writer = csv.DictWriter(target, [*(reader.fieldnames or []), "merchant_risk"])
            writer.writeheader()
            for row in reader:
                if float(row["amount"]) > arguments.largest_amount or row["merchant_id"] not in risk:
                    dropped += 1
                    continue
                writer.writerow({**row, "merchant_risk": risk[row["merchant_id"]]})
                kept += 1
    print(f"kept {kept} rows, dropped {dropped}")


if __name__ == "__main__":
    main()
