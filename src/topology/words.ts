/** The fixed words of the design, as values without dependencies (workflows import them). */
export const resourceClasses = ['platform', 'data', 'training', 'inference'] as const;
export type ResourceClass = (typeof resourceClasses)[number];

export const strategies = ['hot-hot', 'hot-warm', 'hot-cold'] as const;

/** The versioned assets of a workspace, as globs and reports name them. */
export const assetKinds = ['models', 'data', 'environments', 'components', 'codes'] as const;

export const phases = ['fence', 'provision', 'restore', 'configure', 'verify', 'switch', 'resume'] as const;
export type Phase = (typeof phases)[number];
