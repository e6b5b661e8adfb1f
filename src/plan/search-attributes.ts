/** Names of the search attributes for finding runs in Temporal's UI. All are keywords. */
export const searchAttributes = {
  topology: 'UnderstudyTopology',
  operation: 'UnderstudyOperation',
  outcome: 'UnderstudyOutcome',
} as const;
