/** Links may say which version of a template or parameter file they mean. */

import type { Json, JsonObject } from '../contract/index.ts';
import { invalidTemplate } from './language/language-error.ts';
import { isObject, propertyOf, textOf } from './language/values.ts';

const CONTENT = {
  templateLink: { contained: 'template', property: 'TemplateLink' },
  parametersLink: { contained: 'parameters', property: 'ParametersLink' },
};

/** Throws TemplateFault InvalidTemplate if `link` names another `contentVersion` than `loaded` has. */
export function requireContentVersion(link: Json | undefined, loaded: JsonObject, kind: keyof typeof CONTENT): void {
  const wanted = isObject(link) ? (link['contentVersion'] ?? null) : null;
  const found = propertyOf(loaded, 'contentVersion') ?? null;
  // A file that has none is refused, or taken, for its shape.
  if (wanted === null || found === null || textOf(wanted) === textOf(found)) return;
  const { contained, property } = CONTENT[kind];
  throw invalidTemplate(
    `The content version contained in the ${contained} '${textOf(found)}' does not match the content version found in the deployment object's ${property} property '${textOf(wanted)}'. Please see https://aka.ms/arm-deploy for usage details.`,
  );
}
