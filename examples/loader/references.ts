/**
 * What a YAML file refers to, as a request names it. Converters ask this interface; the loader answers it from the
 * workspace (uploading local folders on the way), a test from a table.
 */
export interface References {
  /** A local folder, or `azureml:name:version`, as the ARM id of a code version. */
  code(reference: string, from: string): Promise<string>;
  environment(reference: string, from: string): Promise<string>;
  model(reference: string, from: string): Promise<string>;
  /** A component: registered (`azureml:name:version`) or a file beside, registered under its own content. */
  component(reference: string, from: string): Promise<ResolvedComponent>;
  /** A component written in place, in a step of a pipeline. */
  anonymousComponent(spec: Record<string, unknown>): Promise<string>;
  compute(reference: string): string;
  datastore(reference: string): string;
  /** The `path` of an input: an asset, a uri, or a local path that is uploaded. */
  inputUri(type: string, path: string, from: string): Promise<string>;
}

export interface ResolvedComponent {
  id: string;
  /** The types of its outputs, for steps that take them; empty where they are not known here. */
  outputTypes: Record<string, string>;
}
