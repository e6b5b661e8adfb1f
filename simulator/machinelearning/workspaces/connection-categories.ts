/** The categories that connections have in Azure Machine Learning's API of 2024-04-01. Later versions have more. */

export const CONNECTION_CATEGORIES: readonly string[] = `
PythonFeed ContainerRegistry Git S3 Snowflake AzureSqlDb AzureSynapseAnalytics AzureMySqlDb AzurePostgresDb ADLSGen2
Redis ApiKey AzureOpenAI CognitiveSearch CognitiveService CustomKeys AzureBlob AzureOneLake CosmosDb
CosmosDbMongoDbApi AzureDataExplorer AzureMariaDb AzureDatabricksDeltaLake AzureSqlMi AzureTableStorage
AmazonRdsForOracle AmazonRdsForSqlServer AmazonRedshift Db2 Drill GoogleBigQuery Greenplum Hbase Hive Impala Informix
MariaDb MicrosoftAccess MySql Netezza Oracle Phoenix PostgreSql Presto SapOpenHub SapBw SapHana SapTable Spark
SqlServer Sybase Teradata Vertica Cassandra Couchbase MongoDbV2 MongoDbAtlas AmazonS3Compatible FileServer FtpServer
GoogleCloudStorage Hdfs OracleCloudStorage Sftp GenericHttp ODataRest Odbc GenericRest AmazonMws Concur Dynamics
DynamicsAx DynamicsCrm GoogleAdWords Hubspot Jira Magento Marketo Office365 Eloqua Responsys OracleServiceCloud PayPal
QuickBooks Salesforce SalesforceServiceCloud SalesforceMarketingCloud SapCloudForCustomer SapEcc ServiceNow
SharePointOnlineList Shopify Square WebTable Xero Zoho GenericContainerRegistry OpenAI Serp BingLLMSearch Serverless
AIServices
`
  .trim()
  .split(/\s+/);

/** The last version of the API that has no other categories than these. */
const LAST_VERSION = '2024-04-01';

/** Is this a version of the API, no preview, that has these categories and no others? */
export function knowsCategories(apiVersion: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(apiVersion) && apiVersion <= LAST_VERSION;
}
