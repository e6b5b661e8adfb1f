/** Computes that are no clusters of the workspace: what each is, and who makes it in the standby. */

/** As Azure Machine Learning calls them (`computeType`), and as people do. */
const attached: Record<string, string> = {
  AKS: 'an attached AKS cluster',
  Kubernetes: 'an attached Kubernetes cluster',
  VirtualMachine: 'an attached virtual machine',
  HDInsight: 'an attached HDInsight cluster',
  Databricks: 'an attached Databricks workspace',
  DataFactory: 'an attached Data Factory',
  DataLakeAnalytics: 'an attached Data Lake Analytics account',
  SynapseSpark: 'an attached Synapse Spark pool',
};

/** Why a compute of this kind is not made in the standby, and what to do. */
export function notACluster(type: string): string {
  if (type === 'ComputeInstance')
    return 'a compute instance: it belongs to a person, who creates another one in the standby';
  const kind = attached[type];
  return kind === undefined
    ? `a compute of type ${type}: only clusters are created; create it in the standby yourself`
    : `${kind}: it stands outside of the workspace; attach one of the standby's region`;
}
