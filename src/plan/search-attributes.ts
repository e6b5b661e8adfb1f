/** Names of the search attributes by which people find runs in Temporal's own UI; all are keywords. */
export const searchAttributes = {
  topology: 'UnderstudyTopology',
  operation: 'UnderstudyOperation',
  outcome: 'UnderstudyOutcome',
} as const;
