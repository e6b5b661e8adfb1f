/** What a built-in role is made of. */

export interface Permissions {
  actions: readonly string[];
  notActions: readonly string[];
  dataActions: readonly string[];
  notDataActions: readonly string[];
}

export interface BuiltInRole extends Permissions {
  id: string;
  roleName: string;
  description: string;
}

export function role(
  id: string,
  roleName: string,
  description: string,
  permissions: Partial<Permissions>,
): BuiltInRole {
  const none = { actions: [], notActions: [], dataActions: [], notDataActions: [] };
  return { id, roleName, description, ...none, ...permissions };
}

/** What most roles of one service may see and do around it. */
export const AROUND = [
  'Microsoft.Authorization/*/read',
  'Microsoft.Insights/alertRules/*',
  'Microsoft.Resources/deployments/*',
  'Microsoft.Resources/subscriptions/resourceGroups/read',
  'Microsoft.Support/*',
];
