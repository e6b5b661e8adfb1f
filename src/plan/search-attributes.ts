/** Names of the search attributes by which `runs` finds runs in Temporal itself; all are keywords. */
export const searchAttributes = {
  topology: 'UnderstudyTopology',
  operation: 'UnderstudyOperation',
  outcome: 'UnderstudyOutcome',
} as const;
