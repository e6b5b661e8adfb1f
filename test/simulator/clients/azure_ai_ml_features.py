"""Workspaces of other kinds, as a user of azure-ai-ml makes them: python3 azure_ai_ml_features.py FOLDER.

Prints what it saw as one line of JSON, the last one. Fails with the client's own error.
"""

import json
import os
import sys
from pathlib import Path

from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    DataColumn,
    FeatureSet,
    FeatureSetSpecification,
    FeatureStore,
    FeatureStoreEntity,
    Hub,
    Project,
)
from azure.core.exceptions import HttpResponseError

from azure_ai_ml import connect, names, write

SPECIFICATION = """
source: {type: parquet, path: "abfss://data@lake.dfs.core.windows.net/x/*.parquet", timestamp_column: {name: at}}
features:
  - {name: spend, type: float}
  - {name: count, type: integer, description: how many}
index_columns:
  - {name: account, type: string}
"""


def below(client: MLClient, group: str, workspace: str) -> MLClient:
    return MLClient(client._credential, os.environ["AZURE_SUBSCRIPTION_ID"], group, workspace, cloud="Local")


def feature_store(client: MLClient, folder: Path):
    made = client.feature_stores.begin_create(FeatureStore(name="features", location="eastus")).result()
    store = below(client, "ml-eastus", "features")
    entity = FeatureStoreEntity(name="account", version="1", index_columns=[DataColumn(name="account", type="string")])
    store.feature_store_entities.begin_create_or_update(entity).result()
    write(folder / "spec" / "FeatureSetSpec.yaml", SPECIFICATION)
    specification = FeatureSetSpecification(path=str(folder / "spec"))
    features = FeatureSet(name="spending", version="1", entities=["azureml:account:1"], specification=specification)
    store.feature_sets.begin_create_or_update(features).result()
    seen = {
        "made": [made.name, made.offline_store.type, made.online_store],
        "identity": made.materialization_identity.resource_id.split("/")[-2],
        "entities": [[each.name, each.version] for each in store.feature_store_entities.list(name="account")],
        "key": [column.name for column in store.feature_store_entities.get("account", "1").index_columns],
        "sets": [[each.name, each.latest_version] for each in store.feature_sets.list()],
        "features": [[each.name, each.data_type] for each in store.feature_sets.list_features("spending", "1")],
        "listed": names(client.feature_stores.list()),
    }
    client.feature_stores.begin_delete("features").result()
    return {**seen, "left": names(client.feature_stores.list())}


def hub(client: MLClient):
    made = client.workspaces.begin_create(Hub(name="hub", location="eastus")).result()
    # In the hub's own group this version of the client sends the name of an enumeration's member, which no template takes.
    try:
        client.workspaces.begin_create(Project(name="near", location="eastus", hub_id=made.id)).result()
        near = "made"
    except HttpResponseError as error:
        near = error.error.code
    other = below(client, os.environ["OTHER_GROUP"], "far")
    project = other.workspaces.begin_create(Project(name="far", location="eastus", hub_id=made.id)).result()
    seen = {
        "near": near,
        "far": [project.hub_id == made.id, project.storage_account == made.storage_account],
        "hubs": names(client.workspaces.list(filtered_kinds="hub")),
        "projects": names(client.workspaces.list(scope="subscription", filtered_kinds=["project"])),
    }
    other.workspaces.begin_delete("far", delete_dependent_resources=False).result()
    client.workspaces.begin_delete("hub", delete_dependent_resources=True, permanently_delete=True).result()
    again = client.workspaces.begin_create(Hub(name="hub", location="eastus")).result()
    return {**seen, "again": again.name}


if __name__ == "__main__":
    connected = connect()
    saw = {"store": feature_store(connected, Path(sys.argv[1])), "hub": hub(connected)}
    print()
    print(json.dumps(saw))
