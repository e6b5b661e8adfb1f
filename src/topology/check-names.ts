/**
 * Checks names that Azure would not know: subscriptions, regions, kinds of assets. Names that may be right are
 * warnings.
 */
import { posix } from 'node:path';
import { judgeRegion } from './azure-regions.ts';
import type { FieldProblem } from './describe-issue.ts';
import { didYouMean } from './nearest.ts';
import type { Topology } from './topology.ts';
import { assetKinds } from './words.ts';

/** What is wrong, and what may be. */
export interface CheckedNames {
  errors: FieldProblem[];
  warnings: FieldProblem[];
}

/** Checks names as far as possible without asking Azure. */
export function checkNames(topology: Topology): CheckedNames {
  const regions = checkRegionNames(topology);
  const globs = checkGlobs(topology);
  return {
    errors: [...checkSubscriptions(topology), ...regions.errors, ...globs.errors],
    warnings: [...regions.warnings, ...globs.warnings],
  };
}

/** The subscription id in the topology that `understudy init` writes. */
export const placeholderSubscription = '00000000-0000-0000-0000-000000000000';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function checkSubscriptions({ regions, controlStore, traffic }: Topology): FieldProblem[] {
  const given: [PropertyKey[], string | undefined][] = [
    ...Object.entries(regions).map(([region, { workspace }]): [PropertyKey[], string] => [
      ['regions', region, 'workspace', 'subscriptionId'],
      workspace.subscriptionId,
    ]),
    [['controlStore', 'subscriptionId'], controlStore.subscriptionId],
    [['traffic', 'frontDoor', 'subscriptionId'], traffic?.frontDoor?.subscriptionId],
  ];
  return given.flatMap(([path, id]) => {
    if (id === placeholderSubscription) {
      const message =
        'expected the id of your subscription ("az account show --query id" prints it), got the placeholder of "understudy init"';
      return [{ path, message }];
    }
    if (id === undefined || guid.test(id)) return [];
    const message = `expected the id of a subscription, such as "11111111-2222-3333-4444-555555555555", got "${id}"`;
    return [{ path, message }];
  });
}

function checkRegionNames({ regions }: Topology): CheckedNames {
  const errors: FieldProblem[] = [];
  const warnings: FieldProblem[] = [];
  for (const name of Object.keys(regions)) {
    const path = ['regions', name];
    const judged = judgeRegion(name);
    if (judged.is === 'slip') {
      const message = `expected the name of an Azure region, got "${name}"; did you mean "${judged.of}"?`;
      errors.push({ path, message });
    }
    if (judged.is === 'unknown') {
      const near = judged.near === undefined ? '' : ` (the nearest is "${judged.near}")`;
      const message = `"${name}" is no Azure region that this version knows${near}: check it with "az account list-locations"`;
      warnings.push({ path, message });
    }
  }
  return { errors, warnings };
}

/**
 * A glob that matches nothing would silently leave assets out, or include them. Nobody would notice before the region
 * is lost.
 */
function checkGlobs({ artifacts }: Topology): CheckedNames {
  const found: CheckedNames = { errors: [], warnings: [] };
  for (const list of ['include', 'exclude'] as const) {
    for (const [index, glob] of artifacts[list].entries()) {
      const path = ['artifacts', list, index];
      const kind = glob.split('/')[0] ?? '';
      if (!matchesAKind(kind)) {
        const message = `expected a kind first (${assetKinds.join(', ')}), got "${glob}"${didYouMean(kind, assetKinds)}`;
        found.errors.push({ path, message });
      } else if (!mayMatchAVersion(glob)) {
        const message = `"${glob}" matches no asset: expected KIND/NAME/VERSION, such as "models/fraud/*" or "models/**"`;
        found.warnings.push({ path, message });
      }
    }
  }
  return found;
}

function matchesAKind(first: string): boolean {
  // Braces that extend beyond the first "/" are not parsed here.
  const cut = first.split('{').length !== first.split('}').length;
  return cut || assetKinds.some((kind) => posix.matchesGlob(kind, first));
}

function mayMatchAVersion(glob: string): boolean {
  return glob.includes('**') || glob.includes('{') || glob.split('/').length === 3;
}
