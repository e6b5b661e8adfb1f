// The control store: one storage account outside both regions, for the region pointer, run journals, the index of
// recovery points, the job ledger, audit and bundles. Deploy it to a third region.

@description('A region that is neither of the two it looks after.')
param location string = resourceGroup().location

@description('The account. Globally unique.')
@minLength(3)
@maxLength(24)
param storageAccountName string

@description('The container of everything that is kept.')
@minLength(3)
@maxLength(63)
param containerName string = 'understudy'

@description('Geo-redundant: the store must outlive its own region too.')
@allowed([
  'Standard_GRS'
  'Standard_GZRS'
  'Standard_RAGRS'
  'Standard_RAGZRS'
])
param storageSku string = 'Standard_RAGRS'

@description('Days that deleted blobs and containers can be brought back.')
@minValue(1)
@maxValue(365)
param retentionDays int = 30

@description('Object ids of the service principals (workers, CI) that read and write the store.')
param writerPrincipalIds array = []

@description('Tags of the account.')
param tags object = {}

// Azure's built-in role.
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

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
    encryption: {
      keySource: 'Microsoft.Storage'
      services: {
        blob: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: storageAccount
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: retentionDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: retentionDays
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobService
  name: containerName
  properties: {
    publicAccess: 'None'
  }
}

resource writerAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for writer in writerPrincipalIds: {
  scope: storageAccount
  name: guid(storageAccount.id, writer, storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
    principalId: writer
    principalType: 'ServicePrincipal'
  }
}]

output storageAccountId string = storageAccount.id
output storageAccountName string = storageAccount.name
output containerName string = containerName
output blobEndpoint string = storageAccount.properties.primaryEndpoints.blob
