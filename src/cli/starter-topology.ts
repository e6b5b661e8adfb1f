/**
 * What `init` writes: valid except for the subscription, which only the user knows; `validate` names each place of it.
 */
export const starterTopology = `# The topology: what Understudy keeps able to move, and where to. Check it with "understudy validate".
# Yours to put in: the subscription ("az account show --query id" prints it), and the names of your resources.
# In an editor with YAML support: understudy validate --schema > understudy.schema.json
# yaml-language-server: $schema=./understudy.schema.json
name: my-ml

# Exactly two regions. The first is active until a run has moved the region pointer (or say: active: westus3).
regions:
  eastus:
    workspace: { subscriptionId: 00000000-0000-0000-0000-000000000000, resourceGroup: ml-east, name: my-ml-east }
    # What builds the workspace and its resources: Bicep, or an ARM template in JSON, relative to this file.
    # template: { file: templates/workspace.bicep, parameters: parameters/eastus.json }
  westus3:
    workspace: { subscriptionId: 00000000-0000-0000-0000-000000000000, resourceGroup: ml-west, name: my-ml-west }
    # template: { file: templates/workspace.bicep, parameters: parameters/westus3.json }

# A storage account outside both regions, in a resource group of its own: region pointer, run journal, recovery points' manifests, reports.
controlStore:
  subscriptionId: 00000000-0000-0000-0000-000000000000
  resourceGroup: ml-control
  storageAccount: mymlcontrol

# Per resource class. platform is at least as hot as any other.
strategies: { platform: hot-warm, data: hot-warm, training: hot-warm, inference: hot-warm }

# How long a class may be without service (rto), and how much work it may lose (rpo). Reports measure both.
objectives:
  inference: { rto: 15m, rpo: 1h }
  training: { rto: 1h, rpo: 1h }

# Which assets a recovery point carries: globs over models/NAME/VERSION, data/…, environments/…, components/…, codes/…
artifacts:
  include: ["**"]
  exclude: []
  versions: 20

jobs:
  priority: [high, normal, low] # values of the tag "priority", most urgent first
  compute: {} # computes that are named differently in the standby: gpu-east: gpu-west
  interactive: manual # interactive jobs are listed for a person

# Config files to rewrite when the platform switches. Each is served by "understudy worker --host NAME" on its host.
configs: []
#  - { host: train-01, file: /etc/ml/.env }
#  - { host: train-01, git: /srv/training, files: [config.json, "jobs/*.yml"] }

# The front that clients reach, and what proves that they do.
# traffic:
#   frontDoor:
#     { subscriptionId: …, resourceGroup: ml-front, profile: my-ml, originGroup: score, origins: { eastus: east, westus3: west } }
probes: []
#  - { http: "https://score.example.com/health", expect: 200 }

# Where the other side's secrets are kept: a Key Vault of each region.
# escrow: { vaults: { eastus: "https://my-ml-east.vault.azure.net/", westus3: "https://my-ml-west.vault.azure.net/" } }

# Who is told when a run fails: the variable of the workers that has the webhook's URL.
# notify: [{ webhookFrom: PAGER_WEBHOOK }]

policies:
  leaseTtl: 30s
  requestTimeout: 10s
  fenceDeadline: 20s
`;
