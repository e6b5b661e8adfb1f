"""What a user of azure-ai-ml sees of jobs that really run, on a compute that says so: python3 azure_ai_ml_runs.py FOLDER.

Prints what it saw as one line of JSON, the last one. Fails with the client's own error.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from azure.ai.ml import Input, MLClient, Output, command, dsl
from azure.ai.ml.entities import AmlCompute, Environment
from azure.ai.ml.sweep import Choice

from azure_ai_ml import connect, files, write

TRAIN = """import sys, time
from pathlib import Path
numbers, factor, out = sys.argv[1:4]
for number in Path(numbers).read_text().split():
    print("loss:", int(number) * float(factor), flush=True)
    time.sleep(0.4)
Path(out, "model.txt").write_text("trained by " + factor)
"""


def streamed(client: MLClient, name: str) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        client.jobs.stream(name)
    return shown.getvalue()


def runs(client: MLClient, folder: Path):
    cluster = AmlCompute(
        name="executing", size="Standard_DS3_v2", max_instances=2, tags={"local-azure-execute": "true"}
    )
    client.compute.begin_create_or_update(cluster).result()
    environment = client.environments.create_or_update(Environment(name="machine", image="ubuntu"))
    write(folder / "src" / "train.py", TRAIN)
    numbers = write(folder / "numbers.txt", "3 2 1")

    def training(**more):
        return command(
            code=str(folder / "src"),
            command="python3 train.py ${{inputs.numbers}} ${{inputs.factor}} ${{outputs.model}}",
            environment=environment,
            compute="executing",
            experiment_name="runs",
            outputs={"model": Output(type="uri_folder")},
            **more,
        )

    def inputs(factor):
        return {"numbers": Input(type="uri_file", path=numbers), "factor": factor}

    job = client.jobs.create_or_update(training(inputs=inputs(0.5)))
    log = streamed(client, job.name)
    client.jobs.download(job.name, download_path=str(folder / "all"), all=True)
    broken = client.jobs.create_or_update(
        command(command="echo before; exit 4", environment=environment, compute="executing")
    )
    try:
        streamed(client, broken.name)
        failure = "none"
    except Exception as error:  # The client's own class of errors differs by version.
        failure = "code 4" if "exited with code 4" in str(error) else repr(error)
    return {
        "log": [line for line in log.splitlines() if line.startswith("loss")],
        "status": client.jobs.get(job.name).status,
        "files": files(folder / "all"),
        "failure": failure,
        "pipeline": pipeline(client, training, numbers, folder),
        "sweep": sweep(client, training(inputs=inputs(1.0)), folder),
    }


def pipeline(client: MLClient, training, numbers: str, folder: Path):
    step = training(inputs={"numbers": Input(type="uri_file"), "factor": Input(type="number")}).component
    made = client.components.create_or_update(step)
    count = command(
        code=str(folder / "src"),
        command="wc -c ${{inputs.model}}/model.txt > ${{outputs.count}}/count.txt",
        environment="machine@latest",
        inputs={"model": Input(type="uri_folder")},
        outputs={"count": Output(type="uri_folder")},
    ).component

    @dsl.pipeline(default_compute="executing", experiment_name="runs")
    def two_steps(numbers, factor):
        trained = made(numbers=numbers, factor=factor)
        counted = count(model=trained.outputs.model)
        return {"count": counted.outputs.count}

    job = client.jobs.create_or_update(two_steps(Input(type="uri_file", path=numbers), 2.0))
    streamed(client, job.name)
    children = client.jobs.list(parent_job_name=job.name)
    client.jobs.download(job.name, download_path=str(folder / "pipeline"), output_name="count")
    return {
        "children": sorted([child.display_name, child.status] for child in children),
        "listed": [each.name for each in client.jobs.list() if each.experiment_name == "runs"].count(job.name),
        "count": (folder / "pipeline" / "named-outputs" / "count" / "count.txt").read_text().split()[0],
    }


def sweep(client: MLClient, trial, folder: Path):
    job = trial(factor=Choice([3, 1, 2])).sweep(sampling_algorithm="grid", primary_metric="loss", goal="Minimize")
    job.set_limits(max_total_trials=3, max_concurrent_trials=2)
    job.compute = "executing"
    job.experiment_name = "runs"
    job = client.jobs.create_or_update(job)
    streamed(client, job.name)
    found = client.jobs.get(job.name)
    best = found.properties["best_child_run_id"]
    client.jobs.download(job.name, download_path=str(folder / "sweep"), output_name="model")
    return {
        "status": found.status,
        "best": best.removeprefix(job.name),
        "children": sorted(each.name.removeprefix(job.name) for each in client.jobs.list(parent_job_name=job.name)),
        "model": (folder / "sweep" / "named-outputs" / "model" / "model.txt").read_text(),
    }


if __name__ == "__main__":
    saw = runs(connect(), Path(sys.argv[1]))
    print()
    print(json.dumps(saw))
