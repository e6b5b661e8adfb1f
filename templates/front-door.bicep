// The public address in front of both regions' endpoints. Clients know this address only; a switch moves the weights.

@description('The Front Door profile.')
@minLength(1)
@maxLength(260)
param profileName string

@description('The endpoint: the first part of the public host name.')
@minLength(2)
@maxLength(46)
param endpointName string

@description('The group of origins that take the traffic.')
param originGroupName string = 'score'

@description('One per region: { name, hostName, weight, priority, enabled, httpsPort?, hostHeader? }; weight 1 to 1000, priority 1 (first) to 5, enabled \'Enabled\' or \'Disabled\', httpsPort 443 and hostHeader the host name by default. They are made in this order, and Front Door disables no last enabled origin: one to be enabled comes before one to be disabled.')
@minLength(2)
param origins array

@description('What the probe asks each origin for. It must answer 200 without a key.')
param probePath string = '/'

@description('Seconds between two probes of one origin.')
@minValue(5)
@maxValue(31536000)
param probeIntervalSeconds int = 30

@description('The path on the origins that requests are sent to; the request\'s own if empty.')
param originPath string = ''

@description('Premium adds private links to the origins.')
@allowed([
  'Standard_AzureFrontDoor'
  'Premium_AzureFrontDoor'
])
param sku string = 'Standard_AzureFrontDoor'

@description('Tags of the profile and the endpoint.')
param tags object = {}

resource profile 'Microsoft.Cdn/profiles@2023-05-01' = {
  name: profileName
  location: 'global'
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    originResponseTimeoutSeconds: 60
  }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2023-05-01' = {
  parent: profile
  name: endpointName
  location: 'global'
  tags: tags
  properties: {
    enabledState: 'Enabled'
  }
}

resource originGroup 'Microsoft.Cdn/profiles/originGroups@2023-05-01' = {
  parent: profile
  name: originGroupName
  properties: {
    loadBalancingSettings: {
      sampleSize: 4
      successfulSamplesRequired: 3
      additionalLatencyInMilliseconds: 50
    }
    healthProbeSettings: {
      probePath: probePath
      probeRequestType: 'GET'
      probeProtocol: 'Https'
      probeIntervalInSeconds: probeIntervalSeconds
    }
    sessionAffinityState: 'Disabled'
  }
}

// One after the other: Front Door refuses two changes of one group at a time.
@batchSize(1)
resource origin 'Microsoft.Cdn/profiles/originGroups/origins@2023-05-01' = [for each in origins: {
  parent: originGroup
  name: each.name
  properties: {
    hostName: each.hostName
    originHostHeader: each.?hostHeader ?? each.hostName
    httpsPort: each.?httpsPort ?? 443
    weight: each.weight
    priority: each.priority
    enabledState: each.enabled
    enforceCertificateNameCheck: true
  }
}]

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2023-05-01' = {
  parent: endpoint
  name: originGroupName
  properties: {
    originGroup: {
      id: originGroup.id
    }
    originPath: empty(originPath) ? null : originPath
    supportedProtocols: [
      'Https'
    ]
    patternsToMatch: [
      '/*'
    ]
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    httpsRedirect: 'Disabled'
    enabledState: 'Enabled'
  }
  dependsOn: [
    origin
  ]
}

output profileId string = profile.id
output originGroupId string = originGroup.id
output hostName string = endpoint.properties.hostName
