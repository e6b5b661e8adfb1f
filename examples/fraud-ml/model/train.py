"""Trains the fraud classifier and saves it as an MLflow model folder.

The folder beside this file was made by:

    node ../data/make-data.ts --out /tmp/fraud-data --megabytes 4 --files 2
    pip install -r requirements.txt
    python train.py --data /tmp/fraud-data/transactions --out fraud-classifier

Same data, same seed, same packages: the same classifier.
"""

import argparse
import shutil
from pathlib import Path

import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FEATURES = [
    "amount",
    "card_present",
    "account_age_days",
    "distance_km",
    "previous_day_count",
    "night",
]
SEED = 7


def read(folder: Path) -> pd.DataFrame:
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise SystemExit(f"no *.csv below {folder}: make the data first (see the head of this file)")
    return pd.concat(pd.read_csv(file) for file in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of transactions-*.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder to write (replaced if there)")
    arguments = parser.parse_args()

    table = read(arguments.data)
    # Whole numbers may be missing at scoring time, and a missing one is a float: train on floats.
    features = table[FEATURES].astype("float64")
    train_x, test_x, train_y, test_y = train_test_split(
        features, table["is_fraud"], test_size=0.25, random_state=SEED, stratify=table["is_fraud"]
    )
    classifier = make_pipeline(
        StandardScaler(),
        GradientBoostingClassifier(n_estimators=60, max_depth=3, subsample=0.8, random_state=SEED),
    )
    classifier.fit(train_x, train_y)
    scores = classifier.predict_proba(test_x)[:, 1]
    print(f"rows {len(table)}  AUC {roc_auc_score(test_y, scores):.4f}  "
          f"average precision {average_precision_score(test_y, scores):.4f}")

    if arguments.out.exists():
        shutil.rmtree(arguments.out)
    mlflow.sklearn.save_model(
        classifier,
        arguments.out,
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
        signature=infer_signature(train_x, classifier.predict(train_x.head(100))),
        input_example=test_x.head(3).reset_index(drop=True),
        pip_requirements=["mlflow==3.17.2", "scikit-learn==1.9.1", "pandas==3.1.1", "numpy==2.4.6", "cloudpickle==3.1.2"],
    )


if __name__ == "__main__":
    main()
