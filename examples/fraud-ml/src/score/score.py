"""Scores a folder of transactions with a model written by train.py, and writes one CSV of probabilities."""

import argparse
import csv
import json
import math
from pathlib import Path


def probability(model: dict, row: dict) -> float:
    score = model["bias"] + sum(
        weight * float(row[name]) / scale
        for name, scale, weight in zip(model["features"], model["scale"], model["weights"])
    )
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with model.json")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--rules", type=Path, help="JSON: never_flag_below_amount")
    arguments = parser.parse_args()

    rules = json.loads(arguments.rules.read_text(encoding="utf-8")) if arguments.rules else {}
    smallest = float(rules.get("never_flag_below_amount", 0))
    model = json.loads((arguments.model / "model.json").read_text(encoding="utf-8"))
    files = sorted(arguments.data.rglob("*.csv")) if arguments.data.is_dir() else [arguments.data]
    arguments.out.mkdir(parents=True, exist_ok=True)
    flagged = scored = 0
    with (arguments.out / "scores.csv").open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["transaction_id", "probability", "flagged"])
        for file in files:
            with file.open(newline="", encoding="utf-8") as stream:
                for row in csv.DictReader(stream):
                    value = probability(model, row)
                    scored += 1
                    flag = value >= arguments.threshold and float(row["amount"]) >= smallest
                    flagged += flag
                    writer.writerow([row["transaction_id"], f"{value:.6f}", int(flag)])
    print(f"scored {scored} transactions, flagged {flagged}")


if __name__ == "__main__":
    main()
