/**
 * More of Azure's built-in roles, with their own ids: those that templates assign to what stands around a workspace.
 * Source: Azure, "Azure built-in roles", as of 2025.
 */

import { AROUND, role, type BuiltInRole } from './built-in-role.ts';

/**
 * A line with id, name and description for each, then its actions, what they are not, and its actions with data;
 * `+around`: what most roles have.
 */
const ROLES = `
974c5e8b-45b9-4653-ba55-5f855dd0fb88 Storage Queue Data Contributor: Everything with messages and queues.
  may Microsoft.Storage/storageAccounts/queueServices/queues/delete Microsoft.Storage/storageAccounts/queueServices/queues/read
  may Microsoft.Storage/storageAccounts/queueServices/queues/write
  data Microsoft.Storage/storageAccounts/queueServices/queues/messages/read Microsoft.Storage/storageAccounts/queueServices/queues/messages/write
  data Microsoft.Storage/storageAccounts/queueServices/queues/messages/delete Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action
19e7f393-937e-4f77-808e-94535e297925 Storage Queue Data Reader: Reads messages and queues.
  may Microsoft.Storage/storageAccounts/queueServices/queues/read
  data Microsoft.Storage/storageAccounts/queueServices/queues/messages/read
8a0f0c08-91a1-4084-bc3d-661d67233fed Storage Queue Data Message Processor: Peeks, receives and deletes messages.
  data Microsoft.Storage/storageAccounts/queueServices/queues/messages/read Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action
c6a89b2d-59bc-44d0-9896-0f6e12d7b80a Storage Queue Data Message Sender: Sends messages.
  data Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action
0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3 Storage Table Data Contributor: Everything with entities and tables.
  may Microsoft.Storage/storageAccounts/tableServices/tables/read Microsoft.Storage/storageAccounts/tableServices/tables/write
  may Microsoft.Storage/storageAccounts/tableServices/tables/delete
  data Microsoft.Storage/storageAccounts/tableServices/tables/entities/read Microsoft.Storage/storageAccounts/tableServices/tables/entities/write
  data Microsoft.Storage/storageAccounts/tableServices/tables/entities/delete Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action
  data Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action
76199698-9eea-4c19-bc75-cec21354c6b6 Storage Table Data Reader: Reads entities and tables.
  may Microsoft.Storage/storageAccounts/tableServices/tables/read
  data Microsoft.Storage/storageAccounts/tableServices/tables/entities/read
0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb Storage File Data SMB Share Contributor: Reads, writes and deletes files over SMB.
  data Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read Microsoft.Storage/storageAccounts/fileServices/fileshares/files/write
  data Microsoft.Storage/storageAccounts/fileServices/fileshares/files/delete
aba4ae5f-2193-4029-9191-0cb91df5e314 Storage File Data SMB Share Reader: Reads files over SMB.
  data Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read
a7264617-510b-434b-a828-9731dc254ea7 Storage File Data SMB Share Elevated Contributor: Everything with files over SMB.
  data Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read Microsoft.Storage/storageAccounts/fileServices/fileshares/files/write
  data Microsoft.Storage/storageAccounts/fileServices/fileshares/files/delete Microsoft.Storage/storageAccounts/fileServices/fileshares/files/modifypermissions/action
b8eda974-7b85-4f76-af95-65846b26df6d Storage File Data Privileged Reader: Reads files, past their own permissions.
  data Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action
db58b8e5-c6ad-4a2a-8342-4190687cbf4a Storage Blob Delegator: Gets keys to sign user delegation SAS with.
  may Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action
14b46e9e-c2b7-41b4-b07b-48a6ebf60603 Key Vault Crypto Officer: Everything with keys.
  may +around Microsoft.KeyVault/vaults/*/read
  data Microsoft.KeyVault/vaults/keys/* Microsoft.KeyVault/vaults/keyrotationpolicies/*
12338af0-0e69-4776-bea7-57ae8d297424 Key Vault Crypto User: Does cryptography with keys.
  data Microsoft.KeyVault/vaults/keys/read Microsoft.KeyVault/vaults/keys/update/action Microsoft.KeyVault/vaults/keys/backup/action
  data Microsoft.KeyVault/vaults/keys/encrypt/action Microsoft.KeyVault/vaults/keys/decrypt/action Microsoft.KeyVault/vaults/keys/wrap/action
  data Microsoft.KeyVault/vaults/keys/unwrap/action Microsoft.KeyVault/vaults/keys/sign/action Microsoft.KeyVault/vaults/keys/verify/action
e147488a-f6f5-4113-8e2d-b22465e65bf6 Key Vault Crypto Service Encryption User: Wraps and unwraps with keys.
  may Microsoft.EventGrid/eventSubscriptions/write Microsoft.EventGrid/eventSubscriptions/read Microsoft.EventGrid/eventSubscriptions/delete
  data Microsoft.KeyVault/vaults/keys/read Microsoft.KeyVault/vaults/keys/wrap/action Microsoft.KeyVault/vaults/keys/unwrap/action
a4417e6f-fecd-4de8-b567-7b0420556985 Key Vault Certificates Officer: Everything with certificates.
  may +around Microsoft.KeyVault/vaults/*/read
  data Microsoft.KeyVault/vaults/certificatecas/* Microsoft.KeyVault/vaults/certificates/* Microsoft.KeyVault/vaults/certificatecontacts/write
db79e9a7-68ee-4b58-9aeb-b90e7c24fcba Key Vault Certificate User: Reads certificates with their secrets.
  data Microsoft.KeyVault/vaults/certificates/read Microsoft.KeyVault/vaults/secrets/getSecret/action Microsoft.KeyVault/vaults/secrets/readMetadata/action
  data Microsoft.KeyVault/vaults/keys/read
a97b65f3-24c7-4388-baec-2e87135dc908 Cognitive Services User: Uses AI services.
  may Microsoft.CognitiveServices/*/read Microsoft.CognitiveServices/accounts/listkeys/action
  data Microsoft.CognitiveServices/*
5e0bd9bd-7b93-4f28-af87-19fc36ad61bd Cognitive Services OpenAI User: Uses OpenAI models.
  may Microsoft.CognitiveServices/*/read
  data Microsoft.CognitiveServices/accounts/OpenAI/*/read Microsoft.CognitiveServices/accounts/OpenAI/deployments/*/action
a001fd3d-188f-4b5d-821b-7da978bf7442 Cognitive Services OpenAI Contributor: Uses and tunes OpenAI models.
  may Microsoft.CognitiveServices/*/read Microsoft.CognitiveServices/accounts/deployments/write Microsoft.CognitiveServices/accounts/deployments/delete
  data Microsoft.CognitiveServices/accounts/OpenAI/*
1407120a-92aa-4202-b7e9-c0e197c71c8f Search Index Data Reader: Reads search indexes.
  data Microsoft.Search/searchServices/indexes/documents/read
8ebe5a00-799e-43f5-93ac-243d3dce84a7 Search Index Data Contributor: Reads and writes search indexes.
  data Microsoft.Search/searchServices/indexes/documents/*
516239f1-63e1-4d78-a4de-a74fb236a071 App Configuration Data Reader: Reads configuration.
  data Microsoft.AppConfiguration/configurationStores/*/read
5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b App Configuration Data Owner: Everything with configuration.
  data Microsoft.AppConfiguration/configurationStores/*/read Microsoft.AppConfiguration/configurationStores/*/write
  data Microsoft.AppConfiguration/configurationStores/*/delete
f526a384-b230-433a-b45c-95f59c4a2dec Azure Event Hubs Data Owner: Everything.
  may Microsoft.EventHub/*
  data Microsoft.EventHub/*
2b629674-e913-4c01-ae53-ef4638d8f975 Azure Event Hubs Data Sender: Sends.
  may Microsoft.EventHub/*/eventhubs/consumergroups/read
  data Microsoft.EventHub/*/send/action
a638d3c7-ab3a-418d-83e6-5f17a39d4fde Azure Event Hubs Data Receiver: Receives.
  may Microsoft.EventHub/*/eventhubs/consumergroups/read
  data Microsoft.EventHub/*/receive/action
090c5cfd-751d-490a-894a-3ce6f1109419 Azure Service Bus Data Owner: Everything.
  may Microsoft.ServiceBus/*
  data Microsoft.ServiceBus/*
69a216fc-b8fb-44d8-bc22-1f3c2cd27a39 Azure Service Bus Data Sender: Sends.
  may Microsoft.ServiceBus/*/queues/read Microsoft.ServiceBus/*/topics/read
  data Microsoft.ServiceBus/*/send/action
4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0 Azure Service Bus Data Receiver: Receives.
  may Microsoft.ServiceBus/*/queues/read Microsoft.ServiceBus/*/topics/read
  data Microsoft.ServiceBus/*/receive/action
3913510d-42f4-4e42-8a64-420c390055eb Monitoring Metrics Publisher: Publishes metrics.
  may Microsoft.Insights/Register/Action Microsoft.Support/* Microsoft.Resources/subscriptions/resourceGroups/read
  data Microsoft.Insights/Metrics/Write Microsoft.Insights/Telemetry/Write
c12c1c16-33a1-487b-954d-41c89c60f349 Reader and Data Access: Sees accounts and lists their keys.
  may Microsoft.Storage/storageAccounts/listKeys/action Microsoft.Storage/storageAccounts/ListAccountSas/action Microsoft.Storage/storageAccounts/read
a68e7c17-0ab2-4c09-9a58-125dae29748c Key Vault Purge Operator: Purges deleted vaults.
  may Microsoft.KeyVault/locations/deletedVaults/read Microsoft.KeyVault/locations/deletedVaults/purge/action Microsoft.KeyVault/locations/operationResults/read
  may Microsoft.Support/*
c2f4ef07-c644-48eb-af81-4b1b4947fb11 AcrDelete: Deletes from a registry.
  may Microsoft.ContainerRegistry/registries/artifacts/delete
6cef56e8-d556-48e5-a04f-b8e64114680f AcrImageSigner: Signs images.
  may Microsoft.ContainerRegistry/registries/sign/write
43d0d8ad-25c7-4714-9337-8ba259a9fe05 Monitoring Reader: Reads everything, metrics and logs too.
  may */read Microsoft.OperationalInsights/workspaces/search/action Microsoft.Support/*
73c42c96-874c-492b-b04d-ab87d138a893 Log Analytics Reader: Reads everything, and searches logs.
  may */read Microsoft.OperationalInsights/workspaces/analytics/query/action Microsoft.OperationalInsights/workspaces/search/action Microsoft.Support/*
  may-not Microsoft.OperationalInsights/workspaces/sharedKeys/read
4a9ae827-6dc8-4573-8ac7-8239d42aa03f Tag Contributor: Manages tags.
  may +around Microsoft.Resources/subscriptions/resourceGroups/resources/read Microsoft.Resources/subscriptions/resources/read Microsoft.Resources/tags/*
36243c78-bf99-498c-9df9-86d9f8d28608 Resource Policy Contributor: Manages policies.
  may */read Microsoft.Authorization/policyassignments/* Microsoft.Authorization/policydefinitions/* Microsoft.Authorization/policyexemptions/*
  may Microsoft.Authorization/policysetdefinitions/* Microsoft.PolicyInsights/* Microsoft.Resources/deployments/* Microsoft.Support/*
635dd51f-9968-44d3-b7fb-6d9a6bd613ae AzureML Metrics Writer (preview): Writes metrics to a workspace.
  may Microsoft.MachineLearningServices/workspaces/metrics/*/write
ea01e6af-a1c1-4350-9563-ad00f8c72ec5 Azure Machine Learning Workspace Connection Secrets Reader: Lists the secrets of connections.
  may Microsoft.MachineLearningServices/workspaces/connections/listsecrets/action Microsoft.MachineLearningServices/workspaces/metadata/secrets/read
1823dd4f-9b8c-4ab6-ab4e-7397a3684615 AzureML Registry User: Uses the assets of registries.
  may Microsoft.MachineLearningServices/registries/read Microsoft.MachineLearningServices/registries/assets/*
64702f94-c441-49e6-a78b-ef80e0188fee Azure AI Developer: Works within AI projects.
  may +around Microsoft.MachineLearningServices/workspaces/*/read Microsoft.MachineLearningServices/workspaces/*/action
  may Microsoft.MachineLearningServices/workspaces/*/write Microsoft.MachineLearningServices/workspaces/*/delete
e40ec5ca-96e0-45a2-b4ff-59039f2c2b59 Managed Identity Contributor: Manages identities.
  may +around Microsoft.ManagedIdentity/userAssignedIdentities/*
4d97b98b-1d4f-4787-a291-c67834d212e7 Network Contributor: Manages networks.
  may +around Microsoft.Network/*
b12aa53e-6015-4669-85d0-8515ebb3ae7f Private DNS Zone Contributor: Manages private DNS zones.
  may +around Microsoft.Network/privateDnsZones/* Microsoft.Network/virtualNetworks/read Microsoft.Network/virtualNetworks/join/action
befefa01-2a29-4197-83a8-272ff33ce314 DNS Zone Contributor: Manages DNS zones.
  may +around Microsoft.Network/dnsZones/*
a4b10055-b0c7-44c2-b00f-c7b5b3550cf7 Traffic Manager Contributor: Manages Traffic Manager profiles.
  may +around Microsoft.Network/trafficManagerProfiles/*
ec156ff8-a8d1-4d15-830c-5b80698ca432 CDN Profile Contributor: Manages CDN and Front Door profiles.
  may +around Microsoft.Cdn/edgenodes/read Microsoft.Cdn/operationresults/* Microsoft.Cdn/profiles/*
8f96442b-4075-438f-813d-ad51ab4019af CDN Profile Reader: Sees CDN and Front Door profiles.
  may +around Microsoft.Cdn/profiles/*/read Microsoft.Cdn/operationresults/*
749f88d5-cbae-40b8-bcfc-e573ddc772fa Monitoring Contributor: Manages monitoring.
  may +around */read Microsoft.Insights/* Microsoft.OperationalInsights/workspaces/*
92aaf0da-9dab-42b6-94a3-d43ce8d16293 Log Analytics Contributor: Manages logs.
  may +around */read Microsoft.OperationalInsights/* Microsoft.OperationsManagement/* Microsoft.Insights/diagnosticSettings/*
ae349356-3a1b-4a5e-921d-050484c6347e Application Insights Component Contributor: Manages Application Insights.
  may +around Microsoft.Insights/components/* Microsoft.Insights/webtests/*
9980e02c-c2be-4d73-94e8-173b1dc7cf3c Virtual Machine Contributor: Manages virtual machines.
  may +around Microsoft.Compute/virtualMachines/* Microsoft.Compute/virtualMachineScaleSets/* Microsoft.Compute/availabilitySets/* Microsoft.Compute/disks/*
  may Microsoft.Network/networkInterfaces/*
53ca6127-db72-4b80-b1b0-d745d6d5456d Azure AI User: Sees AI accounts and projects, and everything with the data of projects.
  may +around Microsoft.CognitiveServices/*/read Microsoft.CognitiveServices/accounts/listkeys/action
  data Microsoft.CognitiveServices/*
423170ca-a8f6-4b0f-8487-9e4eb8f49bfa Azure Maps Data Reader: Reads maps.
  data Microsoft.Maps/accounts/*/read
25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68 Cognitive Services Contributor: Manages AI services.
  may +around Microsoft.CognitiveServices/*
7ca78c08-252a-4471-8644-bb5ff32d4ba0 Search Service Contributor: Manages search services.
  may +around Microsoft.Search/searchServices/*
de139f84-1756-47ae-9be6-808fbbe84772 Website Contributor: Manages web sites.
  may +around Microsoft.Web/sites/* Microsoft.Web/certificates/* Microsoft.Web/serverFarms/read Microsoft.Web/serverFarms/join/action
2cc479cb-7b4d-49a8-b449-8c00fd0f0a4b Web Plan Contributor: Manages web plans.
  may +around Microsoft.Web/serverFarms/* Microsoft.Web/hostingEnvironments/Join/Action
ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8 Azure Kubernetes Service Contributor Role: Manages clusters.
  may +around Microsoft.ContainerService/managedClusters/read Microsoft.ContainerService/managedClusters/write
4abbcc35-e782-43d8-92c5-2d3f1bd2253f Azure Kubernetes Service Cluster User Role: Lists a user's credentials of a cluster.
  may Microsoft.ContainerService/managedClusters/listClusterUserCredential/action Microsoft.ContainerService/managedClusters/read
0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8 Azure Kubernetes Service Cluster Admin Role: Lists an administrator's credentials of a cluster.
  may Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action
  may Microsoft.ContainerService/managedClusters/read Microsoft.ContainerService/managedClusters/runcommand/action
673868aa-7521-48a0-acc6-0f60742d39f5 Data Factory Contributor: Manages data factories.
  may +around Microsoft.DataFactory/dataFactories/* Microsoft.DataFactory/factories/*
9b7fa17d-e63e-47b0-bb0a-15c516ac86ec SQL DB Contributor: Manages SQL databases.
  may +around Microsoft.Sql/locations/*/read Microsoft.Sql/servers/databases/* Microsoft.Sql/servers/read
6d8ee4ec-f05a-4a1d-8b00-a9b17e38b437 SQL Server Contributor: Manages SQL servers.
  may +around Microsoft.Sql/locations/*/read Microsoft.Sql/servers/*
5bd9cd88-fe45-4216-938b-f97437e15450 DocumentDB Account Contributor: Manages Cosmos DB accounts.
  may +around Microsoft.DocumentDb/databaseAccounts/* Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action
87a39d53-fc1b-424a-814c-f7e04687dc9e Logic App Contributor: Manages logic apps.
  may +around Microsoft.Logic/* Microsoft.Web/connections/*
`;

export const ROLES_OF_SERVICES: readonly BuiltInRole[] = ROLES.trim()
  .split(/\n(?=\S)/)
  .map(readRole);

function readRole(text: string): BuiltInRole {
  const [head = '', ...lines] = text.split('\n');
  const [, id = '', roleName = '', description = ''] = /^(\S+) (.+?): (.+)$/.exec(head) ?? [];
  const listed = (kind: string): string[] =>
    lines
      .map((line) => line.trim().split(' '))
      .filter(([word]) => word === kind)
      .flatMap(([, ...actions]) => actions)
      .flatMap((action) => (action === '+around' ? AROUND : [action]));
  return role(id, roleName, description, {
    actions: listed('may'),
    notActions: listed('may-not'),
    dataActions: listed('data'),
  });
}
