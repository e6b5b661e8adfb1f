// One region's Azure Machine Learning workspace with all it stands on. Deployed once a region, with that region's
// parameters; a second deployment of the same parameters changes nothing.

@description('The region of every resource.')
param location string = resourceGroup().location

@description('The workspace.')
@minLength(3)
@maxLength(33)
param workspaceName string

@description('What people see instead of the name; the name if empty.')
param friendlyName string = ''

@description('The storage account of the workspace\'s default datastores. Globally unique.')
@minLength(3)
@maxLength(24)
param storageAccountName string

@description('Locally redundant by default: the other region has its own copy of what counts.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
  'Standard_RAGRS'
  'Standard_RAGZRS'
])
param storageSku string = 'Standard_LRS'

@description('The key vault of the workspace\'s secrets. Globally unique, soft-deleted vaults included.')
@minLength(3)
@maxLength(24)
param keyVaultName string

@description('Days that a deleted vault, secret or key can be brought back. Cannot be changed later.')
@minValue(7)
@maxValue(90)
param keyVaultRetentionDays int = 90

@description('Forbids purging before the retention is over. Cannot be taken back.')
param enablePurgeProtection bool = false

@description('Application Insights of the workspace.')
param applicationInsightsName string

@description('The Log Analytics workspace that Application Insights writes to.')
param logAnalyticsName string

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('The container registry of the workspace\'s images; none if empty: the workspace then makes one when it first builds an image.')
param containerRegistryName string = ''

@description('Premium if the registry replicates to the other region, or has no public address: other tiers can do neither.')
@allowed([
  'Basic'
  'Standard'
  'Premium'
])
param containerRegistrySku string = 'Standard'

@description('Whether workspace, storage, vault and registry answer on their public addresses.')
@allowed([
  'Enabled'
  'Disabled'
])
param publicNetworkAccess string = 'Enabled'

@description('Clusters to make: { name, vmSize, minNodes, maxNodes, idleTime }, idleTime as an ISO 8601 duration (\'PT2M\').')
param computes array = []

@description('A user, group or service principal that works in the workspace and with its data; nobody if empty.')
param principalId string = ''

@description('What principalId is. Said explicitly, so that a principal made a moment ago is found.')
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param principalType string = 'ServicePrincipal'

@description('Tags of every resource.')
param tags object = {}

// Azure's built-in roles.
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var azureMlDataScientist = 'f6c7c914-8db3-469d-8ca1-694a8f32e121'

resource logAnalytics 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: logAnalyticsName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logRetentionDays
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logAnalytics.id
  }
}

resource storageAccount 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: storageAccountName
  location: location
  tags: tags
  sku: {
    name: storageSku
  }
  kind: 'StorageV2'
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicNetworkAccess
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny'
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: false
      services: {
        blob: {
          enabled: true
          keyType: 'Account'
        }
        file: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
  }
}

resource keyVault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: keyVaultName
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: keyVaultRetentionDays
    enablePurgeProtection: enablePurgeProtection ? true : null
    publicNetworkAccess: publicNetworkAccess
  }
}

resource containerRegistry 'Microsoft.ContainerRegistry/registries@2023-07-01' = if (!empty(containerRegistryName)) {
  // A resource that is not deployed must have a name all the same.
  name: empty(containerRegistryName) ? 'none' : containerRegistryName
  location: location
  tags: tags
  sku: {
    name: containerRegistrySku
  }
  properties: {
    adminUserEnabled: true
    publicNetworkAccess: publicNetworkAccess
  }
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2024-04-01' = {
  name: workspaceName
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    friendlyName: empty(friendlyName) ? workspaceName : friendlyName
    storageAccount: storageAccount.id
    keyVault: keyVault.id
    applicationInsights: applicationInsights.id
    containerRegistry: empty(containerRegistryName) ? null : containerRegistry.id
    publicNetworkAccess: publicNetworkAccess
  }
}

resource clusters 'Microsoft.MachineLearningServices/workspaces/computes@2024-04-01' = [for compute in computes: {
  parent: workspace
  name: compute.name
  location: location
  tags: tags
  properties: {
    computeType: 'AmlCompute'
    properties: {
      vmSize: compute.vmSize
      vmPriority: 'Dedicated'
      scaleSettings: {
        minNodeCount: compute.minNodes
        maxNodeCount: compute.maxNodes
        nodeIdleTimeBeforeScaleDown: compute.idleTime
      }
    }
  }
}]

// A deterministic name and a principal type: a second deployment finds the assignment, and a principal that the
// directory has not spread yet is accepted.
resource dataAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  scope: storageAccount
  name: guid(storageAccount.id, principalId, storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
    principalId: principalId
    principalType: principalType
  }
}

resource workspaceAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  scope: workspace
  name: guid(workspace.id, principalId, azureMlDataScientist)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', azureMlDataScientist)
    principalId: principalId
    principalType: principalType
  }
}

output workspaceId string = workspace.id
output storageAccountId string = storageAccount.id
output blobEndpoint string = storageAccount.properties.primaryEndpoints.blob
output keyVaultUri string = keyVault.properties.vaultUri
output principalId string = workspace.identity.principalId
output discoveryUrl string = workspace.properties.discoveryUrl
