// The role of Understudy's workers, at the subscription: what they do to the two workspaces, and to what those stand on, and
// nothing else. Assign it in the resource groups of both workspaces and of the control store, not at the subscription.
targetScope = 'subscription'

@description('What the role is called in lists.')
param roleName string = 'Understudy worker'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, roleName)
  properties: {
    roleName: roleName
    description: 'Takes recovery points of Azure Machine Learning workspaces, and moves a workspace to another region.'
    type: 'CustomRole'
    assignableScopes: [
      subscription().id
    ]
    permissions: [
      {
        actions: [
          // What is there, and templates of the standby. Quota and sizes are read at the subscription: see the guide.
          'Microsoft.Resources/subscriptions/resourceGroups/read'
          'Microsoft.Resources/deployments/*'
          // The workspaces and all that is in them: listed, restored, scaled, stopped. No workspace is deleted.
          'Microsoft.MachineLearningServices/workspaces/*'
          // Storage: keys are listed to copy blobs, and renewed to shut the writers of a lost region out.
          'Microsoft.Storage/storageAccounts/read'
          'Microsoft.Storage/storageAccounts/write'
          'Microsoft.Storage/storageAccounts/listKeys/action'
          'Microsoft.Storage/storageAccounts/regenerateKey/action'
          'Microsoft.Storage/storageAccounts/blobServices/*'
          // The fence takes the roles of the old region's writers away; the way back gives them again.
          'Microsoft.Authorization/roleAssignments/read'
          'Microsoft.Authorization/roleAssignments/write'
          'Microsoft.Authorization/roleAssignments/delete'
          // The front's weights.
          'Microsoft.Cdn/profiles/originGroups/origins/read'
          'Microsoft.Cdn/profiles/originGroups/origins/write'
          'Microsoft.Cdn/operationresults/*'
          'Microsoft.Cdn/profiles/*/read'
          // What templates/workspace.bicep makes besides.
          'Microsoft.KeyVault/vaults/read'
          'Microsoft.KeyVault/vaults/write'
          'Microsoft.OperationalInsights/workspaces/read'
          'Microsoft.OperationalInsights/workspaces/write'
          'Microsoft.OperationalInsights/workspaces/sharedKeys/action'
          'Microsoft.Insights/components/read'
          'Microsoft.Insights/components/write'
          'Microsoft.ContainerRegistry/registries/read'
          'Microsoft.ContainerRegistry/registries/write'
          'Microsoft.ContainerRegistry/registries/replications/read'
          'Microsoft.ManagedIdentity/userAssignedIdentities/read'
          'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
        ]
        notActions: [
          'Microsoft.MachineLearningServices/workspaces/delete'
        ]
        dataActions: [
          // The escrow vaults: a secret that is not there when its region goes cannot be read any more.
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
        ]
        notDataActions: []
      }
    ]
  }
}

output roleDefinitionId string = role.id
