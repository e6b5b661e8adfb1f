"""What a user of azure-ai-ml does with a workspace, a chapter at a time: python3 azure_ai_ml.py CHAPTER FOLDER.

Prints what it saw as one line of JSON, the last one. Fails with the client's own error.
"""

import json
import os
import sys
import time
from pathlib import Path

from azure.ai.ml import Input, MLClient, Output, command, dsl, load_job
from azure.ai.ml.entities import (
    AmlCompute,
    BuildContext,
    CodeConfiguration,
    CronTrigger,
    Data,
    Environment,
    JobSchedule,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    PatTokenConfiguration,
    Workspace,
    WorkspaceConnection,
)
from azure.ai.ml.sweep import Uniform
from azure.identity import ClientSecretCredential


def connect():
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    return MLClient(credential, subscription, "ml-eastus", "people", cloud="Local")


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def names(entities):
    return [entity.name for entity in entities]


def files(folder: Path):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def assets(client: MLClient, folder: Path):
    write(folder / "model" / "weights.txt", "0.5 " * 10_000)
    write(folder / "model" / "nested" / "config.json", "{}")
    write(folder / "data" / "a.csv", "x,y\n1,2\n")
    write(folder / "data" / "b.csv", "x,y\n3,4\n")
    conda = write(folder / "conda.yml", "name: x\ndependencies: [python=3.11]\n")
    write(folder / "image" / "Dockerfile", "FROM ubuntu\n")
    model = client.models.create_or_update(Model(name="weights", path=str(folder / "model"), tags={"team": "a"}))
    again = client.models.create_or_update(Model(name="weights", path=str(folder / "model")))
    client.models.download("weights", "1", download_path=str(folder / "downloaded"))
    client.models.archive("weights", "2")
    data = client.data.create_or_update(Data(name="table", version="7", path=str(folder / "data"), type="uri_folder"))
    environment = client.environments.create_or_update(Environment(name="conda", image="ubuntu", conda_file=conda))
    built = client.environments.create_or_update(
        Environment(name="built", build=BuildContext(path=str(folder / "image")))
    )
    return {
        "model": [model.name, model.version, model.path.split("/datastores/")[0], again.version],
        "downloaded": files(folder / "downloaded" / "weights"),
        "latest": client.models.get("weights", label="latest").version,
        "versions": [each.version for each in client.models.list(name="weights", list_view_type="All")],
        "data": [data.name, data.version, client.data.get("table", "7").type],
        "environment": [environment.version, client.environments.get("conda", "1").conda_file["dependencies"]],
        "built": client.environments.get("built", built.version).build.dockerfile_path,
        "datastores": sorted(names(client.datastores.list())),
        "default": client.datastores.get_default().name,
        "workspace": client.workspaces.get("people").location,
        "workspaces": names(client.workspaces.list()),
    }


def jobs(client: MLClient, folder: Path):
    cluster = AmlCompute(name="cluster", size="Standard_DS3_v2", min_instances=0, max_instances=4)
    client.compute.begin_create_or_update(cluster).result()
    environment = client.environments.create_or_update(Environment(name="plain", image="ubuntu"))
    write(folder / "src" / "train.py", "print('training')\n")
    yaml = write(
        folder / "job.yml",
        "command: python train.py --rate ${{inputs.rate}}\ncode: src\nenvironment: azureml:plain:1\n"
        "compute: azureml:cluster\nexperiment_name: tries\ninputs: {rate: 0.1}\n"
        "outputs: {model: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/out/}}\n",
    )
    job = client.jobs.create_or_update(load_job(yaml))
    client.jobs.stream(job.name)
    finished = client.jobs.get(job.name)
    client.jobs.download(job.name, download_path=str(folder / "outputs"), all=True)
    updated = client.jobs.update(job.name, display_name="renamed", tags={"kept": "yes"})
    client.jobs.archive(job.name)
    archived = names(client.jobs.list(list_view_type="ArchivedOnly"))
    client.jobs.restore(job.name)
    long = load_job(yaml)
    long.properties = {"simulator.runSeconds": "5000"}
    long = client.jobs.create_or_update(long)
    client.jobs.begin_cancel(long.name).result()
    return {
        "finished": [finished.type, finished.status, finished.compute, finished.environment, finished.experiment_name],
        "code": finished.code.split("/workspaces/")[1].split("/")[0],
        "updated": [updated.display_name, updated.tags],
        "archived": archived == [job.name],
        "restored": sorted(names(client.jobs.list())) == sorted([job.name, long.name]),
        "canceled": ended(client, long.name),
        "pipeline": pipeline(client, folder, environment),
        "sweep": sweep(client, folder),
        "serverless": serverless(client, folder),
    }


def ended(client: MLClient, name: str) -> str:
    for _ in range(50):
        status = client.jobs.get(name).status
        if status in ("Completed", "Failed", "Canceled"):
            return status
        time.sleep(0.2)
    raise TimeoutError(f"{name} is still {status}")


def pipeline(client: MLClient, folder: Path, environment: Environment):
    step = command(
        name="step",
        code=str(folder / "src"),
        command="python train.py ${{inputs.table}} ${{outputs.out}}",
        environment=environment,
        inputs={"table": Input(type="uri_folder")},
        outputs={"out": Output(type="uri_folder")},
    ).component
    made = client.components.create_or_update(step)

    @dsl.pipeline(default_compute="cluster", experiment_name="tries")
    def two_steps(table):
        first = made(table=table)
        second = made(table=first.outputs.out)
        return {"out": second.outputs.out}

    table = Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/table/")
    job = client.jobs.create_or_update(two_steps(table))
    client.jobs.stream(job.name)
    trigger = CronTrigger(expression="0 3 * * *")
    schedule = JobSchedule(name="nightly", trigger=trigger, create_job=two_steps(table))
    client.schedules.begin_create_or_update(schedule).result()
    disabled = client.schedules.begin_disable("nightly").result()
    found = client.jobs.get(job.name)
    return {
        "component": [made.version, client.components.get("step").version],
        "steps": sorted(found.jobs),
        "status": found.status,
        "children": names(client.jobs.list(parent_job_name=job.name)),
        "schedules": [[each.name, each.is_enabled] for each in client.schedules.list(list_view_type="All")],
        "disabled": disabled.is_enabled,
    }


def serverless(client: MLClient, folder: Path):
    """A pipeline as people write it in YAML, whose steps run on computes that the service finds."""
    yaml = folder / "serverless.yml"
    yaml.write_text(
        """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
experiment_name: tries
settings:
  default_compute: azureml:serverless
jobs:
  only:
    type: command
    code: ./src
    command: python train.py
    environment: azureml:plain@latest
"""
    )
    job = client.jobs.create_or_update(load_job(yaml))
    client.jobs.stream(job.name)
    found = client.jobs.get(job.name)
    return [found.status, found.settings.default_compute]


def sweep(client: MLClient, folder: Path):
    trial = command(
        code=str(folder / "src"),
        command="python train.py --rate ${{inputs.rate}}",
        environment="plain@latest",
        inputs={"rate": 0.1},
        compute="cluster",
    )
    job = trial(rate=Uniform(0.01, 0.9)).sweep(sampling_algorithm="random", primary_metric="loss", goal="Minimize")
    job.set_limits(max_total_trials=4, max_concurrent_trials=2)
    job = client.jobs.create_or_update(job)
    found = client.jobs.get(job.name)
    return [found.type, found.limits.max_total_trials, found.objective.goal]


def endpoints(client: MLClient, folder: Path):
    write(folder / "src" / "score.py", "def run(data): return data\n")
    write(folder / "weights.txt", "1")
    client.models.create_or_update(Model(name="scored", version="1", path=str(folder / "weights.txt")))
    environment = client.environments.create_or_update(Environment(name="serving", image="ubuntu"))
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="fraud", auth_mode="key")).result()
    client.online_deployments.begin_create_or_update(
        ManagedOnlineDeployment(
            name="blue",
            endpoint_name="fraud",
            model="azureml:scored:1",
            environment=environment,
            code_configuration=CodeConfiguration(code=str(folder / "src"), scoring_script="score.py"),
            instance_type="Standard_DS3_v2",
            instance_count=1,
        )
    ).result()
    endpoint = client.online_endpoints.get("fraud")
    endpoint.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    request = write(folder / "request.json", '{"input_data": [[1, 2]]}')
    before = client.online_endpoints.get_keys("fraud").primary_key
    client.online_endpoints.begin_regenerate_keys("fraud", key_type="primary").result()
    connection = WorkspaceConnection(
        name="feed", type="python_feed", target="https://feed.example.com", credentials=PatTokenConfiguration(pat="s")
    )
    client.connections.create_or_update(connection)
    seen = {
        "endpoints": names(client.online_endpoints.list()),
        "deployments": names(client.online_deployments.list("fraud")),
        "traffic": client.online_endpoints.get("fraud").traffic,
        "answer": json.loads(client.online_endpoints.invoke("fraud", request_file=request)),
        # The client asks for a new key by sending the old one back, as its value.
        "key": client.online_endpoints.get_keys("fraud").primary_key == before,
        "logs": "blue" in client.online_deployments.get_logs("blue", "fraud", 10),
        "connections": names(client.connections.list()),
        "usage": len(list(client.compute.list_usage())) > 0,
        "sizes": "Standard_DS3_v2" in names(client.compute.list_sizes()),
    }
    client.online_endpoints.begin_delete("fraud").result()
    return {**seen, "left": names(client.online_endpoints.list())}


def workspaces(client: MLClient, folder: Path):
    made = client.workspaces.begin_create(Workspace(name="made-here", location="eastus")).result()
    return {
        "made": [made.name, made.location],
        "account": "Microsoft.Storage/storageAccounts" in made.storage_account,
        "found": sorted(names(client.workspaces.list())),
    }


if __name__ == "__main__":
    chapter, where = sys.argv[1:3]
    saw = {"assets": assets, "jobs": jobs, "endpoints": endpoints, "workspaces": workspaces}[chapter](connect(), Path(where))
    print()
    print(json.dumps(saw))
