"""Trains a fraud classifier by stochastic gradient descent, and goes on after an interruption where it stopped.

After every `--checkpoint-every` steps the whole state of the training (weights, position, random state)
is written to `--checkpoints` as `step-N.json`. A training that was interrupted and resumed ends with the same bytes as
one that never stopped. Only Python's standard library is used, so that the job runs wherever Python does.
"""

import argparse
import csv
import json
import math
import os
import random
import re
import sys
from pathlib import Path

FEATURES = ["amount", "card_present", "account_age_days", "distance_km", "previous_day_count", "night"]
SCALE = [220.0, 1.0, 900.0, 420.0, 4.0, 1.0]
CHECKPOINT = re.compile(r"^step-(\d+)\.json$")


def read_rows(folder: Path, limit: int) -> list[tuple[list[float], int]]:
    rows: list[tuple[list[float], int]] = []
    files = sorted(folder.rglob("*.csv")) if folder.is_dir() else [folder]
    for file in files:
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                values = [float(row[name]) / scale for name, scale in zip(FEATURES, SCALE)]
                rows.append((values, int(row["is_fraud"])))
                if len(rows) == limit:
                    return rows
    if not rows:
        raise SystemExit(f"no rows in *.csv below {folder}")
    return rows


def latest_checkpoint(folders: list[Path]) -> Path | None:
    """The checkpoint of the highest step in any of the folders; one that is cut short is passed over."""
    found = []
    for folder in folders:
        if folder.is_dir():
            found += [(int(match.group(1)), file) for file in folder.iterdir() if (match := CHECKPOINT.match(file.name))]
    for _, file in sorted(found, key=lambda entry: entry[0], reverse=True):
        try:
            if json.loads(file.read_text(encoding="utf-8"))["complete"]:
                return file
        except (ValueError, KeyError):
            print(f"checkpoint {file} is cut short; looking for the one before it", file=sys.stderr)
    return None


def write_atomically(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".partial-{file.name}")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file)


class Training:
    def __init__(self, seed: int, learning_rate: float, decay: float) -> None:
        self.weights = [0.0] * len(FEATURES)
        self.bias = 0.0
        self.step = 0
        self.loss = 0.0
        self.learning_rate = learning_rate
        self.decay = decay
        self.random = random.Random(seed)

    def run_step(self, rows: list[tuple[list[float], int]], batch: int) -> None:
        rate = self.learning_rate / (1.0 + self.decay * self.step)
        loss = 0.0
        for _ in range(batch):
            values, label = rows[self.random.randrange(len(rows))]
            score = self.bias + sum(weight * value for weight, value in zip(self.weights, values))
            predicted = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))
            error = predicted - label
            loss -= math.log(max(1e-12, predicted if label else 1.0 - predicted))
            self.bias -= rate * error
            self.weights = [weight - rate * error * value for weight, value in zip(self.weights, values)]
        self.step += 1
        self.loss = loss / batch

    def state(self) -> dict:
        version, internal, gauss = self.random.getstate()
        return {
            "step": self.step,
            "weights": self.weights,
            "bias": self.bias,
            "loss": self.loss,
            "random": [version, list(internal), gauss],
            "complete": True,
        }

    def restore(self, state: dict) -> None:
        self.step, self.weights, self.bias, self.loss = state["step"], state["weights"], state["bias"], state["loss"]
        version, internal, gauss = state["random"]
        self.random.setstate((version, tuple(internal), gauss))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder to write step-N.json to")
    parser.add_argument("--resume-from", type=Path, default=os.environ.get("AZURE_ML_INPUT_resume_from"),
                        help="folder with checkpoints of an interrupted training; an empty one starts afresh")
    parser.add_argument("--model", type=Path, required=True, help="folder to write model.json to")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--checkpoint-every", type=int, default=10)
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--rows", type=int, default=100_000, help="rows to read at most")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    rows = read_rows(arguments.data, arguments.rows)
    training = Training(arguments.seed, arguments.learning_rate, arguments.decay)
    checkpoint = latest_checkpoint([arguments.checkpoints, *([Path(arguments.resume_from)] if arguments.resume_from else [])])
    if checkpoint is not None:
        training.restore(json.loads(checkpoint.read_text(encoding="utf-8")))
        print(f"resumed from {checkpoint} at step {training.step}")

    while training.step < arguments.steps:
        training.run_step(rows, arguments.batch)
        if training.step % arguments.checkpoint_every == 0 or training.step == arguments.steps:
            content = json.dumps(training.state(), sort_keys=True)
            write_atomically(arguments.checkpoints / f"step-{training.step}.json", content)
            print(f"step {training.step}  loss {training.loss:.5f}", flush=True)
    model = {"features": FEATURES, "scale": SCALE, "weights": training.weights, "bias": training.bias,
             "steps": training.step, "loss": training.loss}
    write_atomically(arguments.model / "model.json", json.dumps(model, indent=2, sort_keys=True) + "\n")
    print(f"trained {training.step} steps on {len(rows)} rows, loss {training.loss:.5f}")


if __name__ == "__main__":
    main()
