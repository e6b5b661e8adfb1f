/** Planning: from a template to the resources to make, in which order, and how to evaluate them; see index.ts. */

import { ArmError } from '../contract/index.ts';
import { evaluateBody, examineBody, previewBody } from './body.ts';
import { Context } from './context.ts';
import { linkDependencies } from './dependencies.ts';
import { type Entry, expandResources } from './expand.ts';
import { invalidTemplate } from './language/language-error.ts';
import { located, locatedLater } from './located.ts';
import { evaluateOutputs, examineOutputs } from './outputs.ts';
import { Pending, Runtime } from './language/runtime.ts';
import type { DeploymentInput, DeploymentPlan, PlannedResource, Problem } from './language/types.ts';

/**
 * Expands a template and checks all that can be known without the cloud. Throws ArmError 400 `InvalidTemplate` (or
 * `InvalidRequestContent`) that says what is wrong and where.
 */
export function planDeployment(input: DeploymentInput): DeploymentPlan {
  return located(input, () => {
    try {
      return planned(input);
    } catch (error) {
      // Whatever is deeper than the stack: a linked template has not gone through the checks of a request's body.
      if (error instanceof RangeError) throw invalidTemplate('the template is nested too deep');
      throw error;
    }
  });
}

function planned(input: DeploymentInput): DeploymentPlan {
  const runtime = new Runtime();
  const context = new Context(input);
  const { entries, loops, nameless, parameters } = knownWhilePlanning(() => {
    const shown = context.shownParameters(runtime);
    context.checkVariables(runtime, ignorePending);
    return { ...expandResources(context, runtime), parameters: shown };
  });
  const deployed = entries.filter((entry) => entry.condition);
  context.addResources(deployed.map((entry) => entry.planned));
  const implied = new Map<PlannedResource, PlannedResource[]>();
  for (const entry of deployed) {
    if (!entry.planned.existing) implied.set(entry.planned, examineBody(entry, runtime));
  }
  linkDependencies(entries, { loops, nameless }, implied);
  examineOutputs(context, runtime);
  const byResource = new Map(deployed.map((entry) => [entry.planned, entry]));
  return {
    resources: deployed.map((entry) => entry.planned),
    parameters,
    evaluateBody: (resource, environment) =>
      locatedLater(input, () => evaluateBody(entryOf(byResource, resource), environment)),
    previewBody: (resource, environment) =>
      locatedLater(input, () => previewBody(entryOf(byResource, resource), environment)),
    evaluateOutputs: async (environment) => evaluateOutputs(context, environment),
  };
}

/** The problems a plan of this input would meet; empty if it can be planned. Like Azure, it stops at the first. */
export function validateTemplate(input: DeploymentInput): Problem[] {
  try {
    planDeployment(input);
    return [];
  } catch (error) {
    if (error instanceof ArmError) return [{ code: error.code, message: error.message }];
    throw error;
  }
}

function entryOf(entries: Map<PlannedResource, Entry>, resource: PlannedResource): Entry {
  const entry = entries.get(resource);
  if (entry === undefined) throw new Error(`'${resource.id}' is no resource of this plan`);
  return entry;
}

/** A secret may be unknown while planning as long as no name, condition, count or other parameter needs it. */
function knownWhilePlanning<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Pending)) throw error;
    throw invalidTemplate(
      `a parameter default, name, condition or copy count needs a value that is known only while deploying (${error.message})`,
    );
  }
}

function ignorePending(work: () => void): void {
  try {
    work();
  } catch (error) {
    // A variable that uses a secret, or a broken one that nothing may ever evaluate to: only the latter is an error.
    if (!(error instanceof Pending)) throw error;
  }
}
