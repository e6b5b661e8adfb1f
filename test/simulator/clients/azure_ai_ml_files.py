"""Outputs that are files, downloaded by azure-ai-ml: python3 azure_ai_ml_files.py FOLDER.

Prints what it downloaded as one line of JSON, the last one. Fails with the client's own error.
"""

import json
import sys
from pathlib import Path

from azure.ai.ml import MLClient, Output, command, dsl
from azure.ai.ml.entities import AmlCompute, Environment

from azure_ai_ml import connect
from azure_ai_ml_runs import streamed


def downloads(client: MLClient, folder: Path):
    cluster = AmlCompute(
        name="executing", size="Standard_DS3_v2", max_instances=2, tags={"local-azure-execute": "true"}
    )
    client.compute.begin_create_or_update(cluster).result()
    environment = client.environments.create_or_update(Environment(name="machine", image="ubuntu"))
    saying = command(
        command="echo hi > ${{outputs.f}}",
        environment=environment,
        compute="executing",
        outputs={"f": Output(type="uri_file")},
    )

    @dsl.pipeline(default_compute="executing")
    def one_step():
        said = saying.component()
        return {"told": said.outputs.f}

    found = {}
    for kind, asked, output in [("command", saying, "f"), ("pipeline", one_step(), "told")]:
        job = client.jobs.create_or_update(asked)
        streamed(client, job.name)
        for way, more in {"named": {"output_name": output}, "all": {"all": True}}.items():
            target = folder / kind / way
            client.jobs.download(job.name, download_path=str(target), **more)
            files = (target / "named-outputs" / output).rglob("*")
            found[f"{kind} {way}"] = [each.read_text() for each in files if each.is_file()]
    return found


if __name__ == "__main__":
    saw = downloads(connect(), Path(sys.argv[1]))
    print()
    print(json.dumps(saw))
