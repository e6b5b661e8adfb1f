/** What Azure has beyond the rows of this cloud: namespaces, and the types at their top. */

import type { ResourceType } from '../contract/index.ts';

/**
 * The namespaces that a subscription of this cloud is registered for, and their types at the top: what has no row of
 * its own here is kept as it is sent, if Azure would know it. '*': needs no location. A namespace without types takes
 * any. Sorted by namespace.
 */
const REGISTERED = `
Microsoft.AAD domainServices
Microsoft.AlertsManagement actionRules prometheusRuleGroups smartDetectorAlertRules
Microsoft.AnalysisServices servers
Microsoft.ApiCenter services
Microsoft.ApiManagement gateways service
Microsoft.App builders connectedEnvironments containerApps jobs managedEnvironments sessionPools
Microsoft.AppConfiguration configurationStores
Microsoft.AppPlatform Spring
Microsoft.Attestation attestationProviders
Microsoft.Authorization accessReviewScheduleDefinitions* denyAssignments* locks* policyAssignments* policyDefinitions* policyExemptions* policySetDefinitions* roleAssignments* roleAssignmentScheduleRequests* roleDefinitions* roleEligibilityScheduleRequests* roleManagementPolicyAssignments*
Microsoft.Automanage configurationProfileAssignments* configurationProfiles
Microsoft.Automation automationAccounts
Microsoft.AzureActiveDirectory b2cDirectories guestUsages
Microsoft.AzureArcData dataControllers postgresInstances sqlManagedInstances sqlServerInstances
Microsoft.AzureStackHCI
Microsoft.Batch batchAccounts
Microsoft.Blueprint blueprintAssignments* blueprints*
Microsoft.BotService botServices
Microsoft.Cache redis redisEnterprise
Microsoft.Cdn cdnWebApplicationFirewallPolicies profiles
Microsoft.CertificateRegistration certificateOrders
Microsoft.Chaos experiments targets*
Microsoft.CognitiveServices accounts commitmentPlans
Microsoft.Communication communicationServices emailServices
Microsoft.Compute availabilitySets capacityReservationGroups cloudServices diskAccesses diskEncryptionSets disks galleries hostGroups images proximityPlacementGroups restorePointCollections snapshots sshPublicKeys virtualMachineScaleSets virtualMachines
Microsoft.ConfidentialLedger ledgers managedCCFs
Microsoft.Confluent organizations
Microsoft.Consumption budgets*
Microsoft.ContainerInstance containerGroups containerGroupProfiles
Microsoft.ContainerRegistry registries
Microsoft.ContainerService containerServices fleets managedClusters managedclustersnapshots openShiftManagedClusters snapshots
Microsoft.CostManagement exports* scheduledActions* views*
Microsoft.CustomProviders associations* resourceProviders
Microsoft.Dashboard grafana
Microsoft.DataBox jobs
Microsoft.DataBoxEdge dataBoxEdgeDevices
Microsoft.DataCatalog catalogs
Microsoft.DataFactory dataFactories factories
Microsoft.DataLakeAnalytics accounts
Microsoft.DataLakeStore accounts
Microsoft.DataMigration services sqlMigrationServices
Microsoft.DataProtection backupVaults resourceGuards
Microsoft.DataShare accounts
Microsoft.Databricks accessConnectors workspaces
Microsoft.DBforMariaDB servers
Microsoft.DBforMySQL flexibleServers servers
Microsoft.DBforPostgreSQL flexibleServers serverGroupsv2 servers
Microsoft.DesktopVirtualization applicationGroups hostPools scalingPlans workspaces
Microsoft.DevCenter devcenters networkConnections projects
Microsoft.Devices IotHubs provisioningServices
Microsoft.DeviceUpdate accounts
Microsoft.DevOpsInfrastructure pools
Microsoft.DevTestLab labs schedules
Microsoft.DigitalTwins digitalTwinsInstances
Microsoft.DocumentDB cassandraClusters databaseAccounts mongoClusters
Microsoft.DomainRegistration domains
Microsoft.Edge
Microsoft.Elastic monitors
Microsoft.ElasticSan elasticSans
Microsoft.EventGrid domains eventSubscriptions* namespaces partnerNamespaces partnerRegistrations partnerTopics systemTopics topics
Microsoft.EventHub clusters namespaces
Microsoft.ExtendedLocation customLocations
Microsoft.Fabric capacities
Microsoft.GuestConfiguration guestConfigurationAssignments*
Microsoft.HDInsight clusters
Microsoft.HealthBot healthBots
Microsoft.HealthcareApis services workspaces
Microsoft.HybridCompute gateways licenses machines privateLinkScopes
Microsoft.HybridContainerService
Microsoft.HybridNetwork
Microsoft.ImportExport jobs
Microsoft.Insights actionGroups activityLogAlerts alertRules autoscaleSettings components dataCollectionEndpoints dataCollectionRuleAssociations* dataCollectionRules diagnosticSettings* logProfiles* metricAlerts myWorkbooks privateLinkScopes scheduledQueryRules webTests workbookTemplates workbooks
Microsoft.IoTCentral iotApps
Microsoft.IoTOperations
Microsoft.KeyVault managedHSMs vaults
Microsoft.Kubernetes connectedClusters
Microsoft.KubernetesConfiguration extensions* fluxConfigurations* privateLinkScopes sourceControlConfigurations*
Microsoft.KubernetesRuntime
Microsoft.Kusto clusters
Microsoft.LabServices labPlans labs labaccounts
Microsoft.LoadTestService loadTests playwrightWorkspaces
Microsoft.Logic integrationAccounts integrationServiceEnvironments workflows
Microsoft.MachineLearning commitmentPlans webServices workspaces
Microsoft.Maintenance configurationAssignments* maintenanceConfigurations publicMaintenanceConfigurations*
Microsoft.ManagedIdentity userAssignedIdentities
Microsoft.ManagedServices registrationAssignments* registrationDefinitions*
Microsoft.Maps accounts
Microsoft.Media mediaservices
Microsoft.Migrate assessmentProjects migrateProjects modernizeProjects moveCollections projects
Microsoft.MixedReality remoteRenderingAccounts spatialAnchorsAccounts
Microsoft.Monitor accounts
Microsoft.NetApp netAppAccounts
Microsoft.Network applicationGateways ApplicationGatewayWebApplicationFirewallPolicies applicationSecurityGroups azureFirewalls bastionHosts connections customIpPrefixes ddosCustomPolicies ddosProtectionPlans dnsForwardingRulesets dnsResolvers dnsZones expressRouteCircuits expressRouteGateways expressRoutePorts firewallPolicies frontDoors FrontDoorWebApplicationFirewallPolicies ipAllocations ipGroups loadBalancers localNetworkGateways natGateways networkInterfaces networkManagers networkProfiles networkSecurityGroups networkSecurityPerimeters networkVirtualAppliances networkWatchers p2svpnGateways privateDnsZones privateEndpoints privateLinkServices publicIPAddresses publicIPPrefixes routeFilters routeTables securityPartnerProviders serviceEndpointPolicies trafficManagerProfiles virtualHubs virtualNetworkGateways virtualNetworkTaps virtualNetworks virtualRouters virtualWans vpnGateways vpnServerConfigurations vpnSites
Microsoft.NotificationHubs namespaces
Microsoft.OperationalInsights clusters queryPacks workspaces
Microsoft.OperationsManagement managementConfigurations solutions
Microsoft.Orbital
Microsoft.Peering peerings peeringServices
Microsoft.PolicyInsights attestations* remediations*
Microsoft.Portal dashboards
Microsoft.PowerBI privateLinkServicesForPowerBI workspaceCollections
Microsoft.PowerBIDedicated autoScaleVCores capacities
Microsoft.Purview accounts
Microsoft.Quantum workspaces
Microsoft.RecoveryServices vaults
Microsoft.RedHatOpenShift openShiftClusters
Microsoft.Relay namespaces
Microsoft.ResourceGraph queries
Microsoft.SaaS
Microsoft.Scheduler jobCollections
Microsoft.Search searchServices
Microsoft.Security
Microsoft.SecurityInsights
Microsoft.ServiceBus namespaces
Microsoft.ServiceFabric clusters managedClusters
Microsoft.ServiceLinker linkers* dryruns*
Microsoft.ServiceNetworking trafficControllers
Microsoft.SignalRService SignalR WebPubSub
Microsoft.Solutions applicationDefinitions applications jitRequests
Microsoft.Sql instancePools managedInstances servers virtualClusters
Microsoft.SqlVirtualMachine sqlVirtualMachineGroups sqlVirtualMachines
Microsoft.Storage storageAccounts
Microsoft.StorageActions storageTasks
Microsoft.StorageCache amlFilesystems caches
Microsoft.StorageMover storageMovers
Microsoft.StorageSync storageSyncServices
Microsoft.StreamAnalytics clusters streamingjobs
Microsoft.Subscription aliases*
Microsoft.Synapse privateLinkHubs workspaces
Microsoft.TimeSeriesInsights environments
Microsoft.VideoIndexer accounts
Microsoft.VirtualMachineImages imageTemplates
Microsoft.VisualStudio account
Microsoft.VoiceServices communicationsGateways
Microsoft.Web certificates connectionGateways connections containerApps customApis hostingEnvironments kubeEnvironments serverFarms sites sourcecontrols* staticSites
Microsoft.WorkloadMonitor monitors*
Microsoft.Workloads monitors sapVirtualInstances
`;

export interface RegisteredType {
  /** In Azure's spelling. */
  name: string;
  needsLocation: boolean;
}

/** A type as the list of providers shows it. */
export interface ListedType {
  /** Below its namespace: 'virtualMachines/extensions'. */
  name: string;
  isGlobal: boolean;
  /** Has tags and a location. */
  isTracked: boolean;
}

export interface RegisteredNamespace {
  /** In Azure's spelling. */
  namespace: string;
  /** By name in lower case; empty: any type. */
  types: ReadonlyMap<string, RegisteredType>;
}

/** By namespace in lower case. */
export const registered: ReadonlyMap<string, RegisteredNamespace> = new Map(
  REGISTERED.trim()
    .split('\n')
    .map((line) => {
      const [namespace = '', ...words] = line.split(' ');
      const types = words.map((word): RegisteredType => {
        const name = word.replace('*', '');
        return { name, needsLocation: name === word };
      });
      return [
        namespace.toLowerCase(),
        { namespace, types: new Map(types.map((type) => [type.name.toLowerCase(), type])) },
      ];
    }),
);

/**
 * The namespaces in Azure's spelling, each with the types of these rows and its registered ones, by name below the
 * namespace.
 */
export function typesByNamespace(rows: readonly ResourceType[]): Map<string, ListedType[]> {
  const all = new Map<string, Map<string, ListedType>>();
  const add = (namespace: string, type: ListedType): void => {
    const types = all.get(namespace) ?? new Map<string, ListedType>();
    all.set(namespace, types);
    const key = type.name.toLowerCase();
    if (!types.has(key)) types.set(key, type);
  };
  for (const { type, region } of rows) {
    const slash = type.indexOf('/');
    add(type.slice(0, slash), {
      name: type.slice(slash + 1),
      isGlobal: region === 'global',
      isTracked: region === 'own',
    });
  }
  for (const { namespace, types } of registered.values()) {
    for (const { name, needsLocation } of types.values())
      add(namespace, { name, isGlobal: false, isTracked: needsLocation });
  }
  return new Map([...all].map(([namespace, types]) => [namespace, [...types.values()]]));
}
