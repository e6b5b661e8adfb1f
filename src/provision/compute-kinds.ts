/** Computes that are not clusters of the workspace: what each kind is, and who creates it in the standby. */

/** Azure Machine Learning's name of each kind (`computeType`), and one for people. */
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

/** Returns why a compute of this kind is not created in the standby, and what to do. */
export function notACluster(type: string): string {
  if (type === 'ComputeInstance')
    return 'a compute instance: it belongs to a person, who creates another one in the standby';
  const kind = attached[type];
  return kind === undefined
    ? `a compute of type ${type}: only clusters are created; create it in the standby yourself`
    : `${kind}: it exists outside the workspace; attach one of the standby's region`;
}
