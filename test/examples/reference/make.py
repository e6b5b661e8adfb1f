"""Writes what Azure's own Python client sends for the YAML of the fraud example, for loader.test.ts to compare with.

    python -m venv /tmp/reference && /tmp/reference/bin/pip install -r requirements.txt
    /tmp/reference/bin/python make.py

Nothing is sent: the bodies are taken before references are resolved, so they hold names where a request holds ids.
"""

import json
import sys
from pathlib import Path

from azure.ai.ml import load_component, load_compute, load_datastore, load_environment, load_job, load_model
from azure.ai.ml import load_online_deployment, load_online_endpoint, load_workspace_connection
from azure.ai.ml._utils._asset_utils import get_content_hash, get_ignore_file, get_object_hash
from azure.ai.ml.entities._load_functions import load_schedule

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[2] / "examples" / "fraud-ml"
LOCATION = "eastus"


def job(path):
    loaded = load_job(path)
    return (loaded._to_job() if hasattr(loaded, "_to_job") else loaded)._to_rest_object()


KINDS = {
    "jobs/*.yml": job,
    "computes/*.yml": lambda path: load_compute(path)._to_rest_object(),
    "datastores/*.yml": lambda path: load_datastore(path)._to_rest_object(),
    "connections/*.yml": lambda path: load_workspace_connection(path)._to_rest_object(),
    "components/*.yml": lambda path: load_component(path)._to_rest_object(),
    "environments/sklearn.yml": lambda path: load_environment(path)._to_rest_object(),
    "model/*.yml": lambda path: load_model(path)._to_rest_object(),
    "endpoints/fraud-score.yml": lambda path: load_online_endpoint(path)._to_rest_online_endpoint(location=LOCATION),
    "endpoints/fraud-score-blue.yml": lambda path: load_online_deployment(path)._to_rest_object(location=LOCATION),
    "schedules/*.yml": lambda path: load_schedule(path)._to_rest_object(),
}


def main() -> None:
    for pattern, convert in KINDS.items():
        for path in sorted(EXAMPLE.glob(pattern)):
            if path.name == "sklearn-conda.yml":
                continue
            rest = convert(path)
            body = rest.serialize() if hasattr(rest, "serialize") else rest.as_dict()
            text = json.dumps(body, indent=2, sort_keys=True, default=str) + "\n"
            target = HERE / "bodies" / f"{path.parent.name}-{path.stem}.json"
            # Paths of this machine are no part of what is compared.
            target.write_text(text.replace(str(EXAMPLE), "EXAMPLE"), encoding="utf-8")
            print(target.name, file=sys.stderr)
    write_hashes()


def write_hashes() -> None:
    """The fingerprints of the folder `hashed` and of one file in it."""
    hashes = {}
    for path in (HERE / "hashed", HERE / "hashed" / "alpha.py"):
        ignore = get_ignore_file(path)
        hashes[path.name] = {"upload": get_object_hash(path, ignore), "snapshot": get_content_hash(path, ignore)}
    (HERE / "hashes.json").write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
